-- Reconcile: an old request of ours that lands late, over a newer value, is found and undone.
--
-- A request whose answer was lost may still travel when the write is made again, and again when the person's next write is
-- done. Nothing can call it back. But it can only bring what its intent holds: where the CRM shows a value of a doubted
-- intent, and we have written another one since, the value is ours and old. A value that we never wrote is somebody's edit
-- and stays.

-- For how long a request may be on its way, at the most. No proxy or server that we know of keeps one for a tenth of it.
create or replace function gate.longest_travel()
returns interval
language sql
immutable
as $$
  select interval '25 hours'
$$;

-- Values that doubted intents, and doubted writes after a merge, may still bring to these contacts, or have brought, with where they
-- came from.
-- Called by gate.known_contacts and gate.rewrite_overwritten. Reads a small partial index.
create or replace function gate.doubted_values(p_contact bigint)
returns table (intent_id uuid, created_at timestamptz, doubted_at timestamptz, field text, value text, origin jsonb)
language sql
stable
as $$
  select intent.intent_id, intent.created_at, intent.doubted_at, written.field, written.value, intent.origin -> written.field
  from gate.intent
  cross join lateral jsonb_each_text(intent.body) as written (field, value)
  where intent.contact_id = p_contact
    and intent.doubted_at > clock_timestamp() - gate.longest_travel()
    and intent.state not in ('open', 'unknown')
  union all
  select
    null, plan.begun_at, plan.doubted_at, survivor.field, survivor.value,
    jsonb_build_object('source', coalesce(survivor.source, 'crm'), 'occurred_at', plan.begun_at, 'rule', survivor.rule)
  from merge.plan
  join merge.survivor using (plan_id)
  where plan.master_id = p_contact
    and plan.doubted_at > clock_timestamp() - gate.longest_travel()
$$;

-- Contacts that are to be read by their ids, because a doubted write about them is due to be verified: five minutes after
-- the settle time, and once more after a day. Whoever takes them has five minutes. Called by the sweep of every replica.
-- Locks the intents it takes, skips those that others hold.
create or replace function gate.take_verifications(p_limit integer)
returns table (intent_id uuid, crm_id text)
language sql
as $$
  with due as materialized (
    select intent.intent_id
    from gate.intent
    where intent.verify_at <= clock_timestamp()
      and intent.state not in ('open', 'unknown')
    order by intent.verify_at
    limit p_limit
    for update skip locked
  ), taken as (
    update gate.intent
    set verify_at = clock_timestamp() + interval '5 minutes'
    from due
    where intent.intent_id = due.intent_id
    returning intent.intent_id, intent.contact_id
  )
  select taken.intent_id, contact.crm_id
  from taken
  left join crm.contact on contact.contact_id = taken.contact_id and contact.archived_at is null
$$;

-- The contacts of these intents are read. Called by the sweep.
create or replace function gate.end_verifications(p_intents uuid[])
returns void
language sql
as $$
  update gate.intent
  set verify_at = case
        when doubted_at + interval '24 hours' > clock_timestamp() then doubted_at + interval '24 hours'
      end
  where intent_id = any (p_intents)
$$;

-- Writes fields that no lead brings just now: intents, decisions and changes, as gate.intend would store them, one intent for a
-- contact and one decision for each lead whose value it is about; the leads themselves stay as they are. p_action is the action
-- of the decisions and the rule of the changes. p_fields: [{contact_id, crm_id, lead_id, source, field, old_value, old_source,
-- value, origin, because, evidence}]; because goes under p_because into the evidence of the decision, evidence, which is the same
-- for all fields of a lead, beside it. Nothing may be sent before this has committed. Called by gate.rewrite_overwritten and
-- gate.intend_undo under gate.lock_people, when no write about these contacts is under way.
create or replace function gate.write_again(p_replica uuid, p_action text, p_reason text, p_because text, p_fields jsonb)
returns table (
  intent_id uuid, epoch bigint, contact_id bigint, operation text, crm_id text, gatekeeper_key text, body jsonb,
  attempts integer
)
language plpgsql
as $$
#variable_conflict use_column
declare
  v_fields jsonb;
begin
  with given as materialized (
    select *
    from jsonb_to_recordset(p_fields) as given (contact_id bigint, lead_id bigint, field text)
  ), intended as materialized (
    select gen_random_uuid() as intent_id, each_contact.contact_id
    from (select distinct given.contact_id from given) as each_contact
  ), decided as materialized (
    select nextval(pg_get_serial_sequence('audit.entry', 'decision_id')) as decision_id, each_lead.contact_id, each_lead.lead_id
    from (select distinct given.contact_id, given.lead_id from given) as each_lead
  )
  select jsonb_agg(
    field || jsonb_build_object('intent_id', intended.intent_id, 'decision_id', decided.decision_id)
  )
  into v_fields
  from jsonb_array_elements(p_fields) as field
  join intended on intended.contact_id = (field ->> 'contact_id')::bigint
  join decided on decided.contact_id = intended.contact_id and decided.lead_id = (field ->> 'lead_id')::bigint;

  insert into audit.entry (
    decision_id, lead_id, source, action, contact_id, crm_id, reason, evidence, policy_version, mirror_age, intent_id, replica_id
  )
  overriding system value
  select
    field.decision_id, field.lead_id, left(min(field.source), 200), p_action, field.contact_id, field.crm_id, p_reason,
    jsonb_build_object(p_because, jsonb_agg(distinct field.because)) || coalesce((array_agg(field.evidence))[1], '{}'),
    gate.policy_version(), gate.mirror_age(), field.intent_id, p_replica
  from jsonb_to_recordset(v_fields) as field (
    decision_id bigint, intent_id uuid, contact_id bigint, crm_id text, lead_id bigint, source text, because jsonb, evidence jsonb
  )
  group by field.decision_id, field.lead_id, field.contact_id, field.crm_id, field.intent_id;

  insert into audit.change (decision_id, field, old_value, new_value, verdict, rule, old_source)
  select decision_id, field, old_value, value, 'written', p_action, old_source
  from jsonb_to_recordset(v_fields) as field (decision_id bigint, field text, old_value text, value text, old_source text);

  insert into gate.intent_lead (intent_id, lead_id, decision_id)
  select distinct field.intent_id, field.lead_id, field.decision_id
  from jsonb_to_recordset(v_fields) as field (intent_id uuid, lead_id bigint, decision_id bigint);

  return query
  insert into gate.intent (intent_id, contact_id, operation, crm_id, body, origin, replica_id)
  select
    field.intent_id, field.contact_id, 'update', field.crm_id,
    jsonb_object_agg(field.field, coalesce(field.value, '')),
    jsonb_object_agg(field.field, field.origin),
    p_replica
  from jsonb_to_recordset(v_fields) as field (
    intent_id uuid, contact_id bigint, crm_id text, field text, value text, origin jsonb
  )
  group by field.intent_id, field.contact_id, field.crm_id
  returning intent.intent_id, intent.epoch, intent.contact_id, intent.operation, intent.crm_id, intent.gatekeeper_key,
    intent.body, intent.attempts;
end
$$;

-- Writes again what an old request of ours has overwritten, as gate.write_again does it, for at most p_limit contacts. The decision
-- names the lead whose value it is. Not while a write or a merge of the contact is under way, and not when the CRM has refused that value
-- since. Called by the sweep. Takes gate.lock_people.
create or replace function gate.rewrite_overwritten(p_replica uuid, p_limit integer)
returns table (
  intent_id uuid, epoch bigint, contact_id bigint, operation text, crm_id text, gatekeeper_key text, body jsonb,
  attempts integer
)
language plpgsql
as $$
declare
  v_fields jsonb;
begin
  if not exists (
    select
    from gate.intent
    where intent.doubted_at > clock_timestamp() - gate.longest_travel()
  )
  and not exists (
    select
    from merge.plan
    where plan.doubted_at > clock_timestamp() - gate.longest_travel()
  ) then
    return;
  end if;
  perform gate.lock_people();

  with doubted as materialized (
    select intent.contact_id
    from gate.intent
    where intent.doubted_at > clock_timestamp() - gate.longest_travel()
    union
    select plan.master_id
    from merge.plan
    where plan.doubted_at > clock_timestamp() - gate.longest_travel()
  ), overwritten as (
    select distinct on (contact.contact_id, latest.field)
      contact.contact_id, contact.crm_id, latest.field, latest.value, latest.source, latest.lead_id, latest.occurred_at,
      latest.rule, earlier.value as old_value, earlier.origin ->> 'source' as old_source, earlier.intent_id as earlier_intent_id
    from doubted
    join crm.contact on contact.contact_id = doubted.contact_id
    cross join lateral gate.doubted_values(contact.contact_id) as earlier
    join crm.contact_field as latest on latest.contact_id = contact.contact_id and latest.field = earlier.field
    where contact.crm_id is not null
      and contact.archived_at is null
      and latest.lead_id is not null
      and latest.written_at > earlier.created_at
      and gate.shows(contact, earlier.field, earlier.value)
      and not gate.shows(contact, earlier.field, latest.value)
      and not gate.is_under_way(contact.contact_id)
      and not exists (
        select
        from gate.intent as refused
        where refused.contact_id = contact.contact_id
          and refused.state = 'rejected'
          and refused.created_at > earlier.doubted_at
          and refused.body ? earlier.field
      )
    order by contact.contact_id, latest.field, earlier.created_at desc
  ), numbered as (
    select overwritten.*, dense_rank() over (order by overwritten.contact_id) as place
    from overwritten
  )
  select jsonb_agg(jsonb_build_object(
    'contact_id', numbered.contact_id, 'crm_id', numbered.crm_id, 'lead_id', numbered.lead_id, 'source', numbered.source,
    'field', numbered.field, 'old_value', numbered.old_value, 'old_source', numbered.old_source, 'value', numbered.value,
    'because', numbered.earlier_intent_id,
    'origin', jsonb_build_object(
      'source', numbered.source, 'lead_id', numbered.lead_id, 'occurred_at', numbered.occurred_at, 'rule', numbered.rule
    )
  ))
  into v_fields
  from numbered
  where numbered.place <= p_limit;
  if v_fields is null then
    return;
  end if;

  return query
  select *
  from gate.write_again(p_replica, 'rewrite', 'own_earlier_write_landed_late', 'earlier_intents', v_fields);
end
$$;

-- Whether the mirror shows a value in a field of a contact. Case and outer blanks do not count: the CRM changes them.
create or replace function gate.shows(p_contact crm.contact, p_field text, p_value text)
returns boolean
language sql
immutable
as $$
  select lower(btrim(coalesce((p_contact.properties || to_jsonb(p_contact)) ->> p_field, ''))) = lower(btrim(coalesce(p_value, '')))
$$;

-- Puts every write since p_since in doubt, so that its contact is read again at once and what an older write has overwritten
-- is written again. Returns how many contacts that are. Called by `gatekeeper reconcile`, which names a reason.
create or replace function gate.doubt_since(p_since timestamptz, p_note text)
returns bigint
language sql
as $$
  with doubted as (
    update gate.intent
    set doubted_at = clock_timestamp(),
        verify_at = clock_timestamp()
    where intent.created_at >= p_since
      and intent.state not in ('open', 'unknown')
    returning intent.contact_id
  ), noted as (
    insert into audit.steward_action (command, note)
    select 'reconcile', p_note
  )
  select count(distinct contact_id)
  from doubted
$$;
