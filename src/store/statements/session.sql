-- What every session of ours sets before it does anything else.
-- pg_temp is named last: unnamed it would be searched first, and a temporary table could stand in for a real one.
select
  pg_catalog.set_config('search_path', 'pg_catalog, public, pg_temp', false),
  pg_catalog.set_config('timezone', 'UTC', false),
  pg_catalog.set_config('statement_timeout', $1, false),
  pg_catalog.set_config('lock_timeout', $2, false),
  pg_catalog.set_config('idle_in_transaction_session_timeout', $3, false)
