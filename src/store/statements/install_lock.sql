-- One install at a time. From here on no statement waits long for a lock: what a running gate holds, it holds briefly.
with
  locked as materialized (
    select pg_catalog.pg_advisory_lock($1)
  )
select pg_catalog.set_config('lock_timeout', '30s', false)
from locked
