-- Retry budget: how much the calls may cost that are made again because the CRM failed the one before.
--
-- As in the AWS SDKs (standard retry mode: 500 tokens, a retry 5, after a timeout 10, a success 1 back): in the long run at
-- most one call in six is a retry. Here for all replicas together, and a token comes back each second, so that a CRM that
-- fails everything is still asked now and then.

-- The tokens that are there now.
create or replace function gate.retry_tokens(p_budget gate.retry_budget)
returns double precision
language sql
stable
as $$
  select least(500, p_budget.tokens + greatest(extract(epoch from clock_timestamp() - p_budget.counted_at), 0))::double precision
$$;

-- A call worked. Nothing is written while the budget is full. Called by gate.note_call. Locks the budget's row.
create or replace function gate.refund_retry()
returns void
language sql
as $$
  update gate.retry_budget
  set tokens = least(500, gate.retry_tokens(retry_budget) + 1),
      counted_at = clock_timestamp()
  where tokens < 500
$$;
