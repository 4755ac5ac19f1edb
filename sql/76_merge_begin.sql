-- Merge, begun: what is about to be sent is stored first, with a snapshot of every contact.

-- Begins approved plans. p_groups: [{plan_id, digest, stale,
-- members: [{place, record, associations}]}]; digest is that of what was read of the plan, stale a reason why it is not begun.
-- Returns for each the epoch, or why it is not begun: busy (something is being written to one of its contacts, or it stands in two plans),
-- not_approved, stale. Called by `merge run` in the transaction that writes into the mirror what it has read. Takes gate.lock_people.
create or replace function gate.begin_merges(p_replica uuid, p_groups jsonb)
returns table (plan_id bigint, epoch bigint, refused text)
language plpgsql
as $$
#variable_conflict use_column
declare
  v_judged jsonb;
begin
  perform gate.lock_people();

  with incoming as (
    select *
    from jsonb_to_recordset(p_groups) as incoming (plan_id bigint, digest text, stale text)
  ), locked as (
    select plan.*
    from merge.plan
    where plan.plan_id in (select incoming.plan_id from incoming)
    for update skip locked
  )
  select coalesce(jsonb_agg(jsonb_build_object('plan_id', incoming.plan_id, 'refused', judged.refused, 'reason', judged.reason)), '[]')
  into v_judged
  from incoming
  left join locked using (plan_id)
  cross join lateral (
    select
      case
        when incoming.stale is not null then incoming.stale
        when incoming.digest <> locked.approved_digest then 'plan_changed'
        when exists (
          select
          from merge.member as one
          join merge.member as other using (plan_id)
          join rules.not_duplicate on not_duplicate.crm_id_low = one.crm_id and not_duplicate.crm_id_high = other.crm_id
          where one.plan_id = incoming.plan_id
        )
        then 'told_apart'
      end as reason
  ) as stale
  cross join lateral (
    select
      case
        when locked.state is distinct from 'approved' then 'not_approved'
        when stale.reason is not null then 'stale'
        when exists (
          select
          from merge.member
          where member.plan_id = incoming.plan_id
            and gate.is_under_way(member.contact_id)
        )
        or exists (
          select
          from merge.member as mine
          join merge.member as theirs using (contact_id)
          join incoming as earlier on earlier.plan_id = theirs.plan_id
          where mine.plan_id = incoming.plan_id
            and earlier.plan_id < incoming.plan_id
        )
        then 'busy'
      end as refused,
      stale.reason
  ) as judged;

  update merge.plan
  set state = 'stale',
      reason = judged.reason,
      replica_id = p_replica,
      ended_at = clock_timestamp()
  from jsonb_to_recordset(v_judged) as judged (plan_id bigint, refused text, reason text)
  where plan.plan_id = judged.plan_id
    and judged.refused = 'stale';

  update merge.plan
  set state = 'running',
      replica_id = p_replica,
      epoch = plan.epoch + 1,
      begun_at = clock_timestamp(),
      survivor_crm_id = master.crm_id,
      evidence = gate.evidence_of_plan(plan.plan_id)
  from jsonb_to_recordset(v_judged) as judged (plan_id bigint, refused text)
  join merge.member as master on master.plan_id = judged.plan_id and master.place = 0
  where plan.plan_id = judged.plan_id
    and judged.refused is null;

  insert into merge.under_way (contact_id, plan_id)
  select member.contact_id, member.plan_id
  from jsonb_to_recordset(v_judged) as judged (plan_id bigint, refused text)
  join merge.member using (plan_id)
  where judged.refused is null;

  insert into merge.step (plan_id, place, absorbed_crm_id)
  select member.plan_id, member.place, member.crm_id
  from jsonb_to_recordset(v_judged) as judged (plan_id bigint, refused text)
  join merge.member using (plan_id)
  where judged.refused is null
    and member.place > 0;

  insert into merge.snapshot (plan_id, place, record, provenance, associations)
  select
    member.plan_id, member.place, taken.record,
    (
      select coalesce(jsonb_object_agg(contact_field.field, to_jsonb(contact_field) - 'contact_id' - 'field'), '{}')
      from crm.contact_field
      where contact_field.contact_id = member.contact_id
    ),
    nullif(taken.associations, 'null')
  from jsonb_to_recordset(p_groups) as incoming (plan_id bigint, members jsonb)
  join jsonb_to_recordset(v_judged) as judged (plan_id bigint, refused text) using (plan_id)
  cross join lateral jsonb_to_recordset(incoming.members) as taken (place integer, record jsonb, associations jsonb)
  join merge.member on member.plan_id = incoming.plan_id and member.place = taken.place
  where judged.refused is null;

  insert into audit.merge_event (plan_id, event, replica_id, details)
  select
    judged.plan_id, case judged.refused when 'stale' then 'stale' else 'begun' end, p_replica,
    jsonb_strip_nulls(jsonb_build_object('reason', judged.reason, 'digest', plan.approved_digest))
  from jsonb_to_recordset(v_judged) as judged (plan_id bigint, refused text, reason text)
  join merge.plan using (plan_id)
  where judged.refused is null
    or judged.refused = 'stale';

  return query
  select judged.plan_id, plan.epoch, judged.refused
  from jsonb_to_recordset(v_judged) as judged (plan_id bigint, refused text)
  left join merge.plan using (plan_id);
end
$$;
