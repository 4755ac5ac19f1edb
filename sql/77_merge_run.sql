-- Merge, run: what is approved is carried out, step by step, so that a run that dies anywhere can be gone on with.

-- The next approved plans above p_after with together at most p_contacts contacts (one plan at least); of p_plans alone, if they are
-- given. Called by `merge run`, which reads their contacts from the CRM before it begins them.
create or replace function gate.approved_merges(p_after bigint, p_contacts integer, p_plans bigint[])
returns setof bigint
language sql
stable
as $$
  select next.plan_id
  from (
    select plan.plan_id, sum(plan.contacts) over in_order as sum, row_number() over in_order as place
    from (
      select plan.plan_id, plan.contacts
      from merge.plan
      where plan.state = 'approved'
        and plan.plan_id > p_after
        and (p_plans is null or plan.plan_id = any (p_plans))
      order by plan.plan_id
      limit p_contacts
    ) as plan
    window in_order as (order by plan.plan_id)
  ) as next
  where next.sum <= p_contacts
    or next.place = 1
  order by next.plan_id
$$;

-- How many plans are approved, and how many merges they take. Called by `merge run` for its progress.
create or replace function gate.count_approved(p_plans bigint[])
returns table (plans bigint, merges bigint)
language sql
stable
as $$
  select count(*), coalesce(sum(merge_calls), 0)::bigint
  from merge.plan
  where state = 'approved'
    and (p_plans is null or plan_id = any (p_plans))
$$;

-- Plans as the run needs them, one document each, in order. Called by `merge run`, by the daemon and by `merge undo`.
create or replace function gate.read_merges(p_plans bigint[])
returns setof jsonb
language sql
stable
as $$
  select jsonb_build_object(
    'plan_id', plan.plan_id, 'epoch', plan.epoch, 'approved_digest', plan.approved_digest, 'master_id', plan.master_id,
    'survivor_crm_id', plan.survivor_crm_id, 'after', plan.after,
    'members', (
      select jsonb_agg(
        jsonb_build_object(
          'contact_id', member.contact_id, 'crm_id', member.crm_id, 'updated_at', member.updated_at,
          'fingerprint', member.fingerprint, 'done', step.done_at is not null, 'snapshot', snapshot.record,
          'associations', snapshot.associations, 'recreated_crm_id', member.recreated_crm_id
        )
        order by member.place
      )
      from merge.member
      left join merge.step on step.plan_id = member.plan_id and step.place = member.place
      left join merge.snapshot on snapshot.plan_id = member.plan_id and snapshot.place = member.place
      where member.plan_id = plan.plan_id
    ),
    'values', (
      select coalesce(
        jsonb_agg(
          jsonb_build_object(
            'field', survivor.field, 'value', survivor.value, 'contact_id', survivor.contact_id, 'source', survivor.source,
            'rule', survivor.rule, 'lost', survivor.lost
          )
          order by survivor.field
        ),
        '[]'
      )
      from merge.survivor
      where survivor.plan_id = plan.plan_id
    )
  )
  from merge.plan
  where plan.plan_id = any (p_plans)
  order by plan.plan_id
$$;

-- A plan, if it is in these hands still: no other run has taken it over. Called by gate.note_absorbed and gate.note_recreated under
-- gate.lock_people.
create or replace function gate.plan_in_hand(p_replica uuid, p_plan bigint, p_epoch bigint, p_state text)
returns setof merge.plan
language sql
stable
as $$
  select *
  from merge.plan
  where plan.plan_id = p_plan
    and plan.state = p_state
    and plan.replica_id = p_replica
    and plan.epoch = p_epoch
$$;

-- Notes one merge that is done: the contact that stays goes on under the id that the CRM returned, the absorbed one is a tombstone,
-- what both were found by leads to the one that stays, and old requests that may still land on the absorbed one are its own. False: the
-- plan is not in these hands any more. p_call is null when the CRM was asked what had become of it. Called by `merge run` and the daemon.
-- Takes gate.lock_people.
create or replace function gate.note_absorbed(
  p_replica uuid, p_plan bigint, p_epoch bigint, p_place integer, p_crm_id text, p_call bigint
)
returns boolean
language plpgsql
as $$
declare
  v_plan merge.plan;
  v_absorbed merge.member;
  v_keys jsonb;
begin
  perform gate.lock_people();
  select *
  into v_plan
  from gate.plan_in_hand(p_replica, p_plan, p_epoch, 'running');
  if not found then
    return false;
  end if;
  select *
  into v_absorbed
  from merge.member
  where plan_id = p_plan
    and place = p_place;

  update merge.step
  set primary_crm_id = v_plan.survivor_crm_id,
      result_crm_id = p_crm_id,
      call_id = p_call,
      done_at = clock_timestamp()
  where plan_id = p_plan
    and place = p_place
    and done_at is null;
  if not found then
    return true;
  end if;

  select jsonb_agg(to_jsonb(contact_keys) || jsonb_build_object('contact_id', v_plan.master_id))
  into v_keys
  from gate.contact_keys
  where contact_id = v_absorbed.contact_id;

  update crm.contact
  set crm_id = p_crm_id,
      updated_at = null
  where contact_id = v_plan.master_id
    and crm_id <> p_crm_id
    and not exists (select from crm.contact as namesake where namesake.crm_id = p_crm_id);
  perform gate.note_merges(jsonb_build_array(jsonb_build_object(
    'crm_id', p_crm_id, 'absorbed_ids', jsonb_build_array(v_plan.survivor_crm_id, v_absorbed.crm_id)
  )));
  if v_keys is not null then
    perform gate.add_keys(v_keys);
  end if;

  update gate.intent
  set contact_id = v_plan.master_id
  where contact_id = v_absorbed.contact_id
    and doubted_at is not null;
  update merge.plan
  set survivor_crm_id = p_crm_id
  where plan_id = p_plan;
  insert into audit.merge_event (plan_id, event, replica_id, call_id, details)
  values (
    p_plan, 'absorbed', p_replica, p_call,
    jsonb_build_object('primary', v_plan.survivor_crm_id, 'absorbed', v_absorbed.crm_id, 'result', p_crm_id)
  );
  return true;
end
$$;

-- Ends plans: merged or failed. p_ends: [{plan_id, epoch, state, reason, not_kept, after, doubted}]. The values that survive bear from now on
-- the provenance that they had with their contact, what a person chose is a person's, and leads that have waited are woken. The
-- transaction goes on to write into the mirror what was read back. Returns the plans that were in these hands. Called by `merge run` and
-- the daemon. Takes gate.lock_people.
create or replace function gate.end_merges(p_replica uuid, p_ends jsonb)
returns setof bigint
language plpgsql
as $$
declare
  v_ended bigint[];
begin
  perform gate.lock_people();

  with ended as (
    update merge.plan
    set state = incoming.state,
        reason = incoming.reason,
        not_kept = coalesce(incoming.not_kept, '{}'),
        after = incoming.after,
        doubted_at = case when incoming.doubted then clock_timestamp() end,
        ended_at = clock_timestamp()
    from jsonb_to_recordset(p_ends) as incoming (
      plan_id bigint, epoch bigint, state text, reason text, not_kept jsonb, after jsonb, doubted boolean
    )
    where plan.plan_id = incoming.plan_id
      and plan.state = 'running'
      and plan.replica_id = p_replica
      and plan.epoch = incoming.epoch
    returning plan.plan_id
  )
  select coalesce(array_agg(plan_id), '{}')
  into v_ended
  from ended;

  insert into crm.contact_field (
    contact_id, field, value, source, lead_id, occurred_at, rule, edited_at, cleared, removed
  )
  select
    plan.master_id, survivor.field, survivor.value,
    case when typed.by_person then 'crm' else coalesce(former.source, survivor.source, 'crm') end,
    case when not typed.by_person then former.lead_id end,
    case
      when typed.by_person then plan.decided_at
      else coalesce(former.occurred_at, owner.noted_since, owner.updated_at, plan.begun_at)
    end,
    case when typed.by_person then 'chosen for a merge' else coalesce(former.rule, survivor.rule) end,
    case when typed.by_person then plan.decided_at else former.edited_at end,
    false,
    former.removed
  from merge.plan
  join merge.survivor using (plan_id)
  cross join lateral (select survivor.rule like 'chosen by %' as by_person) as typed
  left join crm.contact as owner on owner.contact_id = survivor.contact_id
  left join crm.contact_field as former on former.contact_id = survivor.contact_id and former.field = survivor.field
  where plan.plan_id = any (v_ended)
    and not plan.not_kept ? survivor.field
    and gate.was_merged(plan.plan_id, survivor.contact_id)
    and exists (select from merge.step where step.plan_id = plan.plan_id and step.done_at is not null)
  on conflict (contact_id, field) do update
  set (value, source, lead_id, occurred_at, written_at, rule, edited_at, cleared, removed, author) = (
    excluded.value, excluded.source, excluded.lead_id, excluded.occurred_at, now(), excluded.rule, excluded.edited_at,
    excluded.cleared, excluded.removed, null
  );

  update gate.work
  set next_at = clock_timestamp()
  from merge.under_way
  where under_way.plan_id = any (v_ended)
    and work.waits_for = under_way.contact_id
    and work.state = 'ready';
  if found then
    perform pg_notify('gatekeeper_lead', '');
  end if;
  delete from merge.under_way
  where plan_id = any (v_ended);
  delete from merge.chosen_master
  using merge.plan
  where chosen_master.group_id = plan.group_id
    and plan.plan_id = any (v_ended)
    and plan.state = 'merged';
  delete from merge.chosen_value
  using merge.plan
  where chosen_value.group_id = plan.group_id
    and plan.plan_id = any (v_ended)
    and plan.state = 'merged';

  insert into audit.merge_event (plan_id, event, replica_id, details)
  select
    plan_id, state, p_replica,
    jsonb_strip_nulls(jsonb_build_object(
      'reason', reason, 'survivor', survivor_crm_id, 'not_kept', (select jsonb_agg(key) from jsonb_object_keys(not_kept) as key)
    ))
  from merge.plan
  where plan_id = any (v_ended);
  return query
  select unnest(v_ended);
end
$$;

-- Whether a contact of a plan is the one that stays, or was merged into it. Called by gate.end_merges.
create or replace function gate.was_merged(p_plan bigint, p_contact bigint)
returns boolean
language sql
stable
as $$
  select exists (
    select
    from merge.member
    left join merge.step on step.plan_id = member.plan_id and step.place = member.place
    where member.plan_id = p_plan
      and member.contact_id = p_contact
      and (member.place = 0 or step.done_at is not null)
  )
$$;

-- Gives plans back of which nothing was sent: they are approved as before. Called by `merge run` when it is asked to stop.
create or replace function gate.release_merges(p_replica uuid, p_plans bigint[])
returns void
language plpgsql
as $$
declare
  v_released bigint[];
begin
  perform gate.lock_people();
  with released as (
    update merge.plan
    set state = 'approved',
        begun_at = null,
        survivor_crm_id = null,
        evidence = null
    where plan_id = any (p_plans)
      and state = 'running'
      and replica_id = p_replica
      and not exists (select from merge.step where step.plan_id = plan.plan_id and done_at is not null)
    returning plan_id
  )
  select coalesce(array_agg(plan_id), '{}')
  into v_released
  from released;

  update gate.work
  set next_at = clock_timestamp()
  from merge.under_way
  where under_way.plan_id = any (v_released)
    and work.waits_for = under_way.contact_id
    and work.state = 'ready';
  delete from merge.under_way
  where plan_id = any (v_released);
  delete from merge.step
  where plan_id = any (v_released);
  delete from merge.snapshot
  where plan_id = any (v_released);
  insert into audit.merge_event (plan_id, event, replica_id)
  select unnest(v_released), 'released', p_replica;
end
$$;

-- Takes over plans that a dead run had in hand, once what it may have sent has landed or never will, and those that the caller had in
-- hand itself and had to leave, because the CRM refused the token for example: whoever calls this has none in hand. Called by
-- `merge run`, `merge undo` and the daemon. Locks the rows it takes, skips those that others hold.
create or replace function gate.take_merges(p_replica uuid, p_state text, p_settle_seconds integer, p_limit integer)
returns setof bigint
language sql
as $$
  with orphaned as materialized (
    select plan.plan_id
    from merge.plan
    left join gate.replica using (replica_id)
    where plan.state = p_state
      and (
        plan.replica_id = p_replica
        or coalesce(replica.lease_until, '-infinity') + make_interval(secs => p_settle_seconds) < clock_timestamp()
      )
    order by plan.plan_id
    limit p_limit
    for update of plan skip locked
  ), taken as (
    update merge.plan
    set replica_id = p_replica,
        epoch = plan.epoch + 1
    from orphaned
    where plan.plan_id = orphaned.plan_id
    returning plan.plan_id
  ), noted as (
    insert into audit.merge_event (plan_id, event, replica_id)
    select plan_id, 'taken_over', p_replica
    from taken
  )
  select plan_id
  from taken
  order by plan_id
$$;

-- How many plans are running in the hands of other runs, alive or not. Called by `merge run`, which waits for those of dead ones.
create or replace function gate.merges_of_others(p_replica uuid)
returns table (alive bigint, dead bigint)
language sql
stable
as $$
  select
    count(*) filter (where coalesce(replica.lease_until, '-infinity') >= clock_timestamp()),
    count(*) filter (where coalesce(replica.lease_until, '-infinity') < clock_timestamp())
  from merge.plan
  left join gate.replica using (replica_id)
  where plan.state = 'running'
    and plan.replica_id <> p_replica
$$;
