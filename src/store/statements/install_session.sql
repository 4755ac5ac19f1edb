-- The session that installs: it creates in public what names no schema (extensions, the history of migrations), may wait
-- as long as it takes for another install to end, and gives large tables time.
select
  pg_catalog.set_config('search_path', 'public', false),
  pg_catalog.set_config('timezone', 'UTC', false),
  pg_catalog.set_config('statement_timeout', '30min', false),
  pg_catalog.set_config('lock_timeout', '0', false),
  pg_catalog.set_config('idle_in_transaction_session_timeout', '60s', false)
