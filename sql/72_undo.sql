-- Undo: a person takes back what our updates wrote. Only updates: a contact that was made stays, and so does whatever was
-- changed since.

-- What an undo would do, field by field. At least one of the first four says what is chosen. Of several chosen writes of one
-- field the value before the first of them is restored, as far back as they follow upon one another; what a write that is not
-- chosen brought in between stays. verdict: restore, or kept with a reason: created_contact (there is no value before),
-- changed_since (the CRM holds another value), confirmed_by_other (another source has brought the same since), contact_gone.
-- Reads only. Called by `undo`, also for a dry run.
create or replace function gate.undoable(p_decisions bigint[], p_run uuid, p_source text, p_since timestamptz)
returns table (
  contact_id bigint, crm_id text, field text, lead_id bigint, source text, decisions bigint[], written_value text,
  restored_value text, restored_source text, restored_lead_id bigint, restored_occurred_at timestamptz, verdict text,
  reason text
)
language sql
stable
as $$
  with chosen as materialized (
    select
      entry.decision_id, entry.lead_id, entry.source, entry.contact_id, entry.crm_id, entry.decided_at, change.field,
      change.old_value, change.new_value, change.old_source
    from audit.entry
    join audit.settlement using (decision_id)
    join audit.change using (decision_id)
    where coalesce(p_decisions::text, p_run::text, p_source, p_since::text) is not null
      and (p_decisions is null or entry.decision_id = any (p_decisions))
      and (p_run is null or entry.replica_id = p_run)
      and (p_source is null or entry.source = p_source)
      and (p_since is null or entry.decided_at >= p_since)
      and entry.action in ('create', 'update', 'coalesced')
      and settlement.outcome = 'applied'
      and change.verdict = 'written'
  ), linked as (
    select
      chosen.*,
      chosen.old_value is distinct from lag(chosen.new_value) over in_order as begins
    from chosen
    window in_order as (partition by chosen.contact_id, chosen.field order by chosen.decision_id)
  ), chained as (
    select
      linked.*,
      sum(linked.begins::integer) over (partition by linked.contact_id, linked.field order by linked.decision_id) as chain
    from linked
  ), last_chain as (
    select distinct on (chained.contact_id, chained.field)
      chained.contact_id, chained.field, chained.chain, chained.lead_id, chained.source, chained.new_value as written_value
    from chained
    order by chained.contact_id, chained.field, chained.decision_id desc
  ), restorable as (
    select distinct on (chained.contact_id, chained.field)
      last_chain.*, chained.decision_id as first_decision_id, chained.decided_at as first_decided_at,
      chained.crm_id is null as created, chained.old_value, chained.old_source,
      array_agg(chained.decision_id) over (partition by chained.contact_id, chained.field) as decisions
    from last_chain
    join chained using (contact_id, field, chain)
    order by chained.contact_id, chained.field, chained.decision_id
  )
  select
    restorable.contact_id, contact.crm_id, restorable.field, restorable.lead_id, restorable.source, restorable.decisions,
    restorable.written_value, restorable.old_value,
    coalesce(former.source, restorable.old_source, case when restorable.old_value is null then restorable.source else 'crm' end),
    former.lead_id,
    coalesce(former.occurred_at, restorable.first_decided_at),
    case when judged.reason is null then 'restore' else 'kept' end,
    judged.reason
  from restorable
  left join crm.contact using (contact_id)
  left join crm.contact_field as held on held.contact_id = restorable.contact_id and held.field = restorable.field
  left join lateral (
    select earlier.source, earlier.lead_id, coalesce(lead.occurred_at, earlier.decided_at) as occurred_at
    from audit.entry as earlier
    join audit.change using (decision_id)
    join audit.settlement using (decision_id)
    left join staging.lead on lead.lead_id = earlier.lead_id
    where earlier.contact_id = restorable.contact_id
      and earlier.decision_id < restorable.first_decision_id
      and earlier.source = restorable.old_source
      and change.field = restorable.field
      and change.verdict = 'written'
      and change.new_value = restorable.old_value
      and settlement.outcome = 'applied'
    order by earlier.decision_id desc
    limit 1
  ) as former on true
  cross join lateral (
    select case
      when restorable.created then 'created_contact'
      when contact.contact_id is null or contact.archived_at is not null then 'contact_gone'
      when not gate.shows(contact, restorable.field, restorable.written_value) then 'changed_since'
      when held.lead_id is distinct from restorable.lead_id then 'confirmed_by_other'
    end as reason
  ) as judged
  order by restorable.contact_id, restorable.field
$$;

-- Notes what is to be restored; a running daemon does it. Returns how many values. What waits already is not noted twice.
-- Called by `undo`.
create or replace function gate.request_undo(
  p_decisions bigint[], p_run uuid, p_source text, p_since timestamptz, p_note text
)
returns bigint
language sql
as $$
  with requested as (
    insert into gate.undo (
      contact_id, field, lead_id, decisions, written_value, restored_value, restored_source, restored_lead_id,
      restored_occurred_at, note
    )
    select
      contact_id, field, lead_id, decisions, written_value, restored_value, restored_source, restored_lead_id,
      restored_occurred_at, p_note
    from gate.undoable(p_decisions, p_run, p_source, p_since)
    where verdict = 'restore'
    on conflict (contact_id, field) where state = 'waiting' do nothing
    returning 1
  ), noted as (
    insert into audit.steward_action (command, note)
    select
      'undo',
      concat_ws(
        ', ', 'decisions ' || array_to_string(p_decisions, ' '), 'run ' || p_run, 'source ' || p_source, 'since ' || p_since,
        p_note
      )
  )
  select count(*)
  from requested
$$;

-- Makes writes of what is to be restored, as gate.write_again does it, for at most p_limit contacts. What the CRM does not hold any
-- more is kept as it is. Not while a write or a merge of the contact is under way. Called by the sweep. Takes gate.lock_people.
create or replace function gate.intend_undo(p_replica uuid, p_limit integer)
returns table (
  intent_id uuid, epoch bigint, contact_id bigint, operation text, crm_id text, gatekeeper_key text, body jsonb,
  attempts integer
)
language plpgsql
as $$
declare
  v_fields jsonb;
begin
  if not exists (select from gate.undo where state = 'waiting') then
    return;
  end if;
  perform gate.lock_people();

  update gate.undo
  set state = 'kept',
      done_at = clock_timestamp(),
      reason = judged.reason
  from gate.undo as waiting
  left join crm.contact on contact.contact_id = waiting.contact_id
  cross join lateral (
    select case
      when contact.contact_id is null or contact.archived_at is not null then 'contact_gone'
      when exists (
        select
        from gate.intent
        where intent.contact_id = waiting.contact_id
          and intent.in_doubt_at is not null
      )
      then 'in_doubt'
      when not gate.shows(contact, waiting.field, waiting.written_value) then 'changed_since'
    end as reason
  ) as judged
  where undo.undo_id = waiting.undo_id
    and waiting.state = 'waiting'
    and judged.reason is not null;

  with free as (
    select distinct undo.contact_id
    from gate.undo
    where undo.state = 'waiting'
      and not gate.is_under_way(undo.contact_id)
    order by undo.contact_id
    limit p_limit
  ), done as (
    update gate.undo
    set state = 'intended',
        done_at = clock_timestamp()
    from free
    where undo.contact_id = free.contact_id
      and undo.state = 'waiting'
    returning undo.*
  )
  select jsonb_agg(jsonb_build_object(
    'contact_id', done.contact_id, 'crm_id', contact.crm_id, 'lead_id', done.lead_id, 'source', lead.source,
    'field', done.field, 'old_value', done.written_value, 'old_source', lead.source, 'value', done.restored_value,
    'because', done.decisions, 'evidence', jsonb_build_object('requested_by', done.requested_by, 'note', done.note),
    'origin', jsonb_strip_nulls(jsonb_build_object(
      'source', done.restored_source, 'lead_id', done.restored_lead_id, 'occurred_at', done.restored_occurred_at,
      'rule', 'undo', 'edited_at', case when done.restored_source = 'crm' then done.restored_occurred_at end,
      'cleared', done.restored_source = 'crm' and done.restored_value is null
    ))
  ))
  into v_fields
  from done
  join crm.contact on contact.contact_id = done.contact_id
  left join staging.lead on lead.lead_id = done.lead_id;
  if v_fields is null then
    return;
  end if;

  return query
  select *
  from gate.write_again(p_replica, 'undo', 'undone', 'undone_decisions', v_fields);
end
$$;

-- What was taken back and what was not.
create or replace view report.undone as
select
  undo.undo_id,
  undo.contact_id,
  contact.crm_id,
  undo.field,
  undo.lead_id,
  undo.decisions,
  undo.written_value,
  undo.restored_value,
  undo.restored_source,
  undo.state,
  undo.reason,
  undo.requested_at,
  undo.requested_by,
  undo.note,
  undo.done_at
from gate.undo
left join crm.contact using (contact_id);

comment on view report.undone is 'Values that a person wanted to have restored: what became of each. The write itself is in audit.decision, action undo.';
