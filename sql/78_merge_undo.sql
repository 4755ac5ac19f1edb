-- Merge, undone: what the CRM's API allows is made of the snapshots again.

-- Takes a plan in hand whose merges a person wants undone: all of them, or those that were done before it failed. Returns null, or why
-- not: no_plan, not_merged, survivor_gone, busy. Called by `merge undo`. Takes gate.lock_people.
create or replace function gate.begin_undo(p_replica uuid, p_plan bigint, p_note text)
returns text
language plpgsql
as $$
declare
  v_plan merge.plan;
begin
  perform gate.lock_people();
  select *
  into v_plan
  from merge.plan
  where plan_id = p_plan
  for update;
  if not found then
    return 'no_plan';
  elsif v_plan.state not in ('merged', 'failed')
    or not exists (select from merge.step where plan_id = p_plan and done_at is not null)
  then
    return 'not_merged';
  elsif not exists (
    select
    from crm.contact
    where contact_id = v_plan.master_id
      and archived_at is null
      and crm_id is not null
  ) then
    return 'survivor_gone';
  elsif gate.is_under_way(v_plan.master_id) then
    return 'busy';
  end if;

  update merge.plan
  set state = 'undoing',
      reason = null,
      replica_id = p_replica,
      epoch = epoch + 1,
      undo_note = p_note
  where plan_id = p_plan;
  insert into merge.under_way (contact_id, plan_id)
  values (v_plan.master_id, p_plan);
  insert into audit.merge_event (plan_id, event, replica_id, details)
  values (p_plan, 'undo_begun', p_replica, jsonb_build_object('note', p_note, 'survivor', v_plan.survivor_crm_id));
  return null;
end
$$;

-- The contact that a plan's survivor is today, by its id in the CRM. Called by `merge undo`.
create or replace function gate.survivor_of(p_plan bigint)
returns text
language sql
stable
as $$
  select contact.crm_id
  from merge.plan
  join crm.contact on contact.contact_id = plan.master_id
  where plan.plan_id = p_plan
    and contact.archived_at is null
$$;

-- Notes a contact that was made again. It goes on as who it was, with its number and its provenance, and it is told apart from the
-- survivor, so that no scan puts them together again. False: the plan is not in these hands any more. Called by `merge undo`. Takes
-- gate.lock_people.
create or replace function gate.note_recreated(p_replica uuid, p_plan bigint, p_epoch bigint, p_place integer, p_crm_id text)
returns boolean
language plpgsql
as $$
declare
  v_plan merge.plan;
  v_member merge.member;
begin
  perform gate.lock_people();
  select *
  into v_plan
  from gate.plan_in_hand(p_replica, p_plan, p_epoch, 'undoing');
  if not found then
    return false;
  end if;
  update merge.member
  set recreated_crm_id = p_crm_id
  where plan_id = p_plan
    and place = p_place
  returning *
  into v_member;

  update crm.contact
  set crm_id = p_crm_id,
      archived_at = null,
      gone_reason = null,
      updated_at = null
  where contact_id = v_member.contact_id
    and gone_reason = 'merged'
    and not exists (select from crm.contact as namesake where namesake.crm_id = p_crm_id);
  -- Its person key leads to it again, and not to the survivor.
  update crm.contact_alias
  set gatekeeper_key = null
  where absorbed_crm_id = v_member.crm_id;
  insert into rules.not_duplicate (crm_id_low, crm_id_high, note)
  select least(contact.crm_id, p_crm_id), greatest(contact.crm_id, p_crm_id), 'merge plan ' || p_plan || ' was undone'
  from crm.contact
  where contact.contact_id = v_plan.master_id
    and contact.crm_id <> p_crm_id
  on conflict do nothing;
  insert into audit.merge_event (plan_id, event, replica_id, details)
  values (p_plan, 'recreated', p_replica, jsonb_build_object('was', v_member.crm_id, 'is', p_crm_id));
  return true;
end
$$;

-- Gives an undo up whose survivor has gone meanwhile: what was made again stays. Called by `merge undo` and the daemon. Takes
-- gate.lock_people.
create or replace function gate.give_up_undo(p_replica uuid, p_plan bigint)
returns void
language plpgsql
as $$
begin
  perform gate.lock_people();
  update merge.plan
  set state = 'merged'
  where plan_id = p_plan
    and state = 'undoing'
    and replica_id = p_replica;
  if found then
    delete from merge.under_way
    where plan_id = p_plan;
    insert into audit.merge_event (plan_id, event, replica_id)
    values (p_plan, 'undo_given_up', p_replica);
  end if;
end
$$;

-- Ends an undo. p_restored: the fields of the survivor that hold again what they held before the merge; they bear the provenance
-- that they had then. The transaction goes on to write into the mirror what was read back. False: the plan is not in these hands any
-- more. Called by `merge undo`. Takes gate.lock_people.
create or replace function gate.end_undo(
  p_replica uuid, p_plan bigint, p_epoch bigint, p_restored text[], p_not_restored jsonb
)
returns boolean
language plpgsql
as $$
declare
  v_plan merge.plan;
begin
  perform gate.lock_people();
  update merge.plan
  set state = 'undone',
      not_restored = p_not_restored,
      ended_at = clock_timestamp()
  where plan_id = p_plan
    and state = 'undoing'
    and replica_id = p_replica
    and epoch = p_epoch
  returning *
  into v_plan;
  if not found then
    return false;
  end if;

  delete from crm.contact_field
  where contact_id = v_plan.master_id
    and field = any (p_restored);
  insert into crm.contact_field (
    contact_id, field, value, source, lead_id, occurred_at, rule, edited_at, cleared, removed, author
  )
  select
    v_plan.master_id, former.field, noted.value, noted.source, noted.lead_id, noted.occurred_at, noted.rule, noted.edited_at,
    noted.cleared, noted.removed, noted.author
  from merge.snapshot
  cross join lateral jsonb_each(snapshot.provenance) as former (field, provenance)
  cross join lateral jsonb_populate_record(null::crm.contact_field, former.provenance) as noted
  where snapshot.plan_id = p_plan
    and snapshot.place = 0
    and former.field = any (p_restored);

  update gate.work
  set next_at = clock_timestamp()
  where waits_for = v_plan.master_id
    and state = 'ready';
  delete from merge.under_way
  where plan_id = p_plan;
  insert into audit.merge_event (plan_id, event, replica_id, details)
  values (p_plan, 'undone', p_replica, jsonb_build_object('restored', to_jsonb(p_restored)));
  perform pg_notify('gatekeeper_lead', '');
  return true;
end
$$;
