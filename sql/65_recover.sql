-- Recover: writes of which it is not known what became of them.

-- Takes over intents of dead replicas, once what they may have sent can no longer land, and intents of unknown outcome
-- that are due. The epoch grows, so that a replica that was only slow cannot settle them any more. Of its own a replica
-- takes those that are not in its hands: it could not be told that they were committed, or not store how they ended, or a
-- failover lost that, and nobody else would look, as long as it lives. p_held was read just before this statement was sent, and
-- what is committed was in hand before: an open intent that is older than the statement by more than its way, and is not
-- among them, is in nobody's hands.
-- Called by the sweep of every replica. Locks the rows it takes, skips those that others hold.
drop function if exists gate.take_recoverable(uuid, integer, integer);
create or replace function gate.take_recoverable(
  p_replica uuid,
  p_settle_seconds integer,
  p_limit integer,
  p_held uuid[] default null
)
returns table (
  intent_id uuid, epoch bigint, contact_id bigint, operation text, crm_id text, gatekeeper_key text, body jsonb,
  attempts integer
)
language sql
as $$
  with due as materialized (
    select intent.intent_id
    from gate.intent
    left join gate.replica using (replica_id)
    where (intent.state = 'unknown' and intent.recover_at <= clock_timestamp())
      or (
        intent.state = 'open'
        and coalesce(replica.lease_until, '-infinity') + make_interval(secs => p_settle_seconds) < clock_timestamp()
      )
      or (
        intent.state = 'open'
        and intent.replica_id = p_replica
        and intent.intent_id <> all (p_held)
        and intent.created_at + make_interval(secs => p_settle_seconds) < statement_timestamp()
      )
    order by intent.created_at
    limit p_limit
    for update of intent skip locked
  )
  update gate.intent
  set state = 'open',
      replica_id = p_replica,
      epoch = intent.epoch + 1,
      recover_at = null,
      doubted_at = clock_timestamp(),
      verify_at = clock_timestamp() + make_interval(secs => p_settle_seconds) + interval '5 minutes'
  from due
  where intent.intent_id = due.intent_id
  returning intent.intent_id, intent.epoch, intent.contact_id, intent.operation, intent.crm_id, intent.gatekeeper_key,
    intent.body, intent.attempts
$$;

-- When the next intent of unknown outcome is due, in seconds; null when there is none. Called by the sweep.
create or replace function gate.next_recovery(p_settle_seconds integer)
returns double precision
language sql
stable
as $$
  select extract(epoch from min(due.due_at) - clock_timestamp())::double precision
  from (
    select recover_at as due_at
    from gate.intent
    where state = 'unknown'
    union all
    select coalesce(lease_until, clock_timestamp()) + make_interval(secs => p_settle_seconds)
    from gate.intent
    left join gate.replica using (replica_id)
    where state = 'open'
      and coalesce(lease_until, '-infinity') < clock_timestamp() + interval '1 minute'
  ) as due
$$;

-- Deletes working rows that nobody needs any more, older than p_days: settled intents, what was undone, and replicas that are gone;
-- and whose keys changed, after half an hour. Leads, their states, deliveries, decisions and calls are kept. Called by the sweep.
-- Returns how many rows went.
create or replace function gate.forget_old(p_days integer, p_limit integer)
returns bigint
language sql
as $$
  with old_intent as (
    delete from gate.intent
    where intent_id in (
      select intent_id
      from gate.intent
      where created_at < now() - make_interval(days => p_days)
        and settled_at < now() - make_interval(days => p_days)
      limit p_limit
    )
    returning intent_id
  ), old_intent_lead as (
    delete from gate.intent_lead
    where intent_id in (select intent_id from old_intent)
  ), old_brake_use as (
    delete from gate.brake_use
    where minute < now() - interval '1 day'
  ), old_changed_keys as (
    delete from gate.changed_keys
    where changed_at < now() - interval '30 minutes'
  ), old_undo as (
    delete from gate.undo
    where done_at < now() - make_interval(days => p_days)
  ), old_replica as (
    delete from gate.replica
    where lease_until < now() - make_interval(days => p_days)
      and not exists (select from gate.intent where intent.replica_id = replica.replica_id and state in ('open', 'unknown'))
      and not exists (select from gate.work where work.replica_id = replica.replica_id)
    returning 1
  )
  select (select count(*) from old_intent) + (select count(*) from old_replica)
$$;

-- Which of these writes are still open and still with whom they were at these epochs. The others were taken over, or the
-- database that goes on after a failover never had them. Called by the sender just before it sends.
create or replace function gate.still_open(p_intents uuid[], p_epochs bigint[])
returns setof uuid
language sql
stable
as $$
  select intent.intent_id
  from unnest(p_intents, p_epochs) as held (intent_id, epoch)
  join gate.intent using (intent_id, epoch)
  where intent.state = 'open'
$$;

-- How many of these intents are stored. Called on a fresh connection when the answer to COMMIT was lost.
create or replace function gate.intents_stored(p_intents uuid[])
returns bigint
language sql
stable
as $$
  select count(*)
  from gate.intent
  where intent_id = any (p_intents)
$$;
