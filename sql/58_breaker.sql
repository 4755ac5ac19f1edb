-- Breaker: where the CRM fails again and again, all replicas stand back together.

-- Notes how the CRM answered. From the fifth failure in a row on, of all replicas together, the breaker is open: for 5 s,
-- and after each probe that fails for twice as long, a minute at the most. What was on its way when it opened is not counted
-- again. Any other answer closes it.
-- Called by gate.note_call. Locks the breaker's row where there is something to note.
create or replace function gate.note_health(p_failed boolean)
returns void
language sql
as $$
  update gate.breaker
  set failures = case when p_failed then failures + 1 else 0 end,
      open_until = case
        when p_failed and failures >= 4 then
          clock_timestamp() + make_interval(secs => least(5 * 2 ^ least(failures - 4, 10), 60))
      end,
      probe_until = null
  where (p_failed and coalesce(open_until, '-infinity') <= clock_timestamp())
    or (not p_failed and failures > 0)
$$;
