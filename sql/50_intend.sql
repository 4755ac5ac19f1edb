-- Intend: what was decided becomes durable before anything is sent.

-- Opens a batch: locks people, and says which of the claimed leads are still ours, which are second deliveries of the row
-- that was delivered before, and what a steward has said about them. Called by the push loop as the first statement of the
-- transaction that decides. p_leads and p_epochs go together.
create or replace function gate.open_batch(p_replica uuid, p_leads bigint[], p_epochs bigint[])
returns table (lead_id bigint, attempts integer, repeat_of bigint, verdict text, verdict_contact_id bigint)
language plpgsql
as $$
begin
  perform gate.lock_people();

  return query
  select
    work.lead_id,
    work.attempts,
    repeats.repeat_of,
    review.state,
    review.contact_id
  from unnest(p_leads, p_epochs) as mine (lead_id, epoch)
  join gate.work on work.lead_id = mine.lead_id
  left join gate.repeats(p_leads) as repeats on repeats.lead_id = mine.lead_id
  left join gate.review on review.lead_id = mine.lead_id and review.state in ('accepted', 'created')
  where work.state = 'claimed'
    and work.replica_id = p_replica
    and work.epoch = mine.epoch;
end
$$;

-- Numbers for provisional contacts and for decisions, so that a batch can refer to its own rows.
create or replace function gate.reserve_ids(p_contacts integer, p_decisions integer)
returns table (contact_ids bigint[], decision_ids bigint[])
language sql
as $$
  select
    array(
      select nextval(contact_ids)
      from generate_series(1, p_contacts)
    ),
    array(
      select nextval(decision_ids)
      from generate_series(1, p_decisions)
    )
  from (
    select
      pg_get_serial_sequence('crm.contact', 'contact_id')::regclass as contact_ids,
      pg_get_serial_sequence('audit.entry', 'decision_id')::regclass as decision_ids
    offset 0
  ) as sequence
$$;

-- What the mirror knows of some contacts: values by field name, where they came from, which values an old request of ours may
-- have brought back (gate.doubted_values), whether a write or a merge is under way.
-- Tombstones are not there: nothing can be written to them.
-- Called by the push loop under gate.lock_people, and by explain.
drop function if exists gate.known_contacts(bigint[]);
create or replace function gate.known_contacts(p_contacts bigint[])
returns table (
  contact_id bigint, crm_id text, known_values jsonb, provenance jsonb, doubted jsonb, additional_emails text[],
  updated_at timestamptz, noted_since timestamptz, has_open_intent boolean
)
language sql
stable
as $$
  select
    contact.contact_id,
    contact.crm_id,
    gate.values_of(contact),
    coalesce(origin.provenance, '{}'),
    coalesce(brought.doubted, '[]'),
    contact.additional_emails,
    contact.updated_at,
    coalesce(contact.noted_since, contact.updated_at),
    motion.is_under_way
  from crm.contact
  cross join lateral gate.under_way(contact.contact_id) as motion
  left join lateral (
    select jsonb_object_agg(contact_field.field, jsonb_build_object(
      'value', contact_field.value, 'source', contact_field.source, 'lead_id', contact_field.lead_id,
      'occurred_at', contact_field.occurred_at, 'edited_at', contact_field.edited_at, 'cleared', contact_field.cleared,
      'removed', contact_field.removed
    )) as provenance
    from crm.contact_field
    where contact_field.contact_id = contact.contact_id
  ) as origin on true
  left join lateral (
    select jsonb_agg(jsonb_build_array(doubted.field, doubted.origin || jsonb_build_object('value', doubted.value))) as doubted
    from gate.doubted_values(contact.contact_id) as doubted
    where doubted.origin is not null
  ) as brought on true
  where contact.contact_id = any (p_contacts)
    and contact.archived_at is null
$$;

-- Who holds these addresses already, also as a secondary one: the CRM would refuse them on another contact. And which of
-- them do not identify one person. A row without contact_id: nobody holds it. One look into the index for each address: a join
-- would read the whole of it. Called by the push loop.
create or replace function gate.holders_of_emails(p_emails text[])
returns table (email text, contact_id bigint, shared boolean)
language sql
stable
as $$
  select
    asked.email,
    identifier.contact_id,
    asked.email in (select address from rules.shared_mailbox)
      or split_part(asked.email, '@', 1) in (select address from rules.shared_mailbox)
      or '@' || split_part(asked.email, '@', 2) in (select address from rules.shared_mailbox)
  from unnest(p_emails) as asked (email)
  left join lateral (
    select identifier.contact_id
    from gate.identifier
    where identifier.kind = 'email'
      and identifier.value = asked.email
    offset 0
  ) as identifier on true
$$;

-- Which contacts carry these person keys, and whether they are only being created. A merge drops the key of the contact
-- that is absorbed; the survivor stands for it. One look into the index for each key. Called by the push loop.
drop function if exists gate.holders_of_keys(text[]);
create or replace function gate.holders_of_keys(p_keys text[])
returns table (gatekeeper_key text, contact_id bigint, provisional boolean)
language sql
stable
as $$
  select asked.key, holder.contact_id, holder.provisional
  from unnest(p_keys) as asked (key)
  cross join lateral (
    select contact.contact_id, contact.crm_id is null as provisional
    from crm.contact
    where contact.gatekeeper_key = asked.key
      and contact.archived_at is null
    union
    select survivor.contact_id, false
    from crm.contact_alias
    join crm.contact as survivor on survivor.crm_id = contact_alias.crm_id
    where contact_alias.gatekeeper_key = asked.key
      and survivor.archived_at is null
  ) as holder
$$;

-- Stores what was decided about the leads of a batch, and which of them are done: decisions, changes, dead letters, reviews, states.
-- p_decided: {normalizer, policy_version, decisions: […], changes: […]}.
-- Called by the push loop under gate.lock_people, beside gate.intend, in the same transaction; every lead in it was confirmed by
-- gate.open_batch there.
create or replace function gate.note_decisions(p_replica uuid, p_decided jsonb)
returns void
language plpgsql
as $$
declare
  v_mirror_age interval := gate.mirror_age();
begin
  with decision as materialized (
    select *
    from jsonb_to_recordset(p_decided -> 'decisions') as decision (
      decision_id bigint, lead_id bigint, source text, action text, tier text, score real, contact_id bigint,
      crm_id text, reason text, evidence jsonb, intent_id uuid, shadow boolean
    )
  ), noted as (
    insert into audit.entry (
      decision_id, lead_id, source, action, tier, score, contact_id, crm_id, reason, evidence, policy_version,
      mirror_age, intent_id, replica_id, normalizer
    )
    overriding system value
    select
      decision_id, lead_id, source, action, tier, score, contact_id, crm_id, reason, evidence,
      (p_decided ->> 'policy_version')::bigint, v_mirror_age, intent_id, p_replica, p_decided ->> 'normalizer'
    from decision
  ), shown as (
    insert into audit.settlement (decision_id, outcome, reason)
    select decision_id, 'shadow', case when work.brake = 'rehearse' then 'rehearsed' end
    from decision
    join gate.work using (lead_id)
    where shadow
      and action not in ('dead', 'review')
  ), used as (
    insert into gate.brake_use (source, minute, creates, updates)
    select
      source, date_trunc('minute', clock_timestamp()), count(*) filter (where action = 'create'),
      count(*) filter (where action = 'update')
    from decision
    where action in ('create', 'update')
      and shadow is not true
      and exists (select from rules.brake)
    group by source
    on conflict (source, minute) do update
    set creates = brake_use.creates + excluded.creates,
        updates = brake_use.updates + excluded.updates
  ), dead as (
    insert into gate.dead_letter (lead_id, decision_id, reason)
    select lead_id, decision_id, reason
    from decision
    where action = 'dead'
    on conflict (lead_id) do update
    set decision_id = excluded.decision_id, reason = excluded.reason, message = null, died_at = now(),
        state = 'waiting', resolved_at = null, resolved_by = null, note = null
  ), asked as (
    insert into gate.review (lead_id, decision_id, reason, candidates)
    select lead_id, decision_id, reason, coalesce(evidence -> 'candidates', '[]')
    from decision
    where action = 'review'
    on conflict (lead_id) do update
    set decision_id = excluded.decision_id, reason = excluded.reason, candidates = excluded.candidates,
        opened_at = now(), state = 'open', contact_id = null, resolved_at = null, resolved_by = null, note = null
  )
  update gate.work
  set state = case
        when decision.intent_id is not null and decision.shadow is not true then 'intended'
        when decision.action in ('dead', 'review') then decision.action
        when decision.shadow and work.brake = 'rehearse' then
          case when exists (select from gate.brake where brake.source = decision.source) then 'held' else 'ready' end
        else 'done'
      end,
      brake = case
        when decision.shadow
          and work.brake = 'rehearse'
          and not exists (select from gate.brake where brake.source = decision.source)
        then 'free'
        else work.brake
      end,
      replica_id = null,
      waits_for = null
  from decision
  where work.lead_id = decision.lead_id;

  insert into audit.change (
    decision_id, field, old_value, new_value, verdict, rule, old_source, old_seen_at, old_edited_at, old_cleared
  )
  select decision_id, field, old_value, new_value, verdict, rule, old_source, old_seen_at, old_edited_at, old_cleared
  from jsonb_to_recordset(p_decided -> 'changes') as change (
    decision_id bigint, field text, old_value text, new_value text, verdict text, rule text, old_source text,
    old_seen_at timestamptz, old_edited_at timestamptz, old_cleared boolean
  );
end
$$;

-- Stores what is to be written: provisional contacts, intents and which leads they carry, confirmed values, leads that wait.
-- p_batch: {normalizer, contacts: […], intents: […], carried: […], confirmed: […], waiting: […]}.
-- Nothing may be sent before the transaction that called this has committed. Called by the push loop under
-- gate.lock_people, after gate.note_decisions.
create or replace function gate.intend(p_replica uuid, p_batch jsonb)
returns void
language plpgsql
as $$
declare
  v_keys jsonb;
  v_brought jsonb;
begin
  insert into crm.contact (
    contact_id, gatekeeper_key, external_id, email, phone, mobile_phone, first_name, last_name, company, job_title,
    street, city, state, postal_code, country, properties
  )
  overriding system value
  select
    contact_id, gatekeeper_key, external_id, email, phone, mobile_phone, first_name, last_name, company, job_title,
    street, city, state, postal_code, country, coalesce(properties, '{}')
  from jsonb_populate_recordset(null::crm.contact, p_batch -> 'contacts');

  select jsonb_agg(intent -> 'keys')
  into v_keys
  from jsonb_array_elements(p_batch -> 'intents') as intent
  where intent ->> 'operation' = 'create';
  if v_keys is not null then
    perform gate.put_keys(v_keys, p_batch ->> 'normalizer');
  end if;

  insert into gate.intent (
    intent_id, contact_id, operation, crm_id, gatekeeper_key, body, origin, keys, replica_id
  )
  select intent_id, contact_id, operation, crm_id, gatekeeper_key, body, origin, keys, p_replica
  from jsonb_populate_recordset(null::gate.intent, p_batch -> 'intents');

  insert into gate.intent_lead (intent_id, lead_id, decision_id)
  select intent_id, lead_id, decision_id
  from jsonb_populate_recordset(null::gate.intent_lead, p_batch -> 'carried');

  -- A value that is in the CRM already and that a source with a better claim brought again: nothing is written for it.
  insert into crm.contact_field (contact_id, field, value, source, lead_id, occurred_at, rule, edited_at, cleared, removed)
  select contact_id, field, value, source, lead_id, occurred_at, rule, edited_at, cleared, removed
  from jsonb_populate_recordset(null::crm.contact_field, p_batch -> 'confirmed')
  on conflict (contact_id, field) do update
  set (value, source, lead_id, occurred_at, written_at, rule, edited_at, cleared, removed, author) = (
    excluded.value, excluded.source, excluded.lead_id, excluded.occurred_at, now(), excluded.rule, excluded.edited_at,
    excluded.cleared, excluded.removed, null
  );

  update gate.work
  set state = 'ready',
      replica_id = null,
      claims = greatest(claims - 1, 0),
      waits_for = waiting.contact_id,
      next_at = clock_timestamp() + interval '2 seconds'
  from jsonb_to_recordset(p_batch -> 'waiting') as waiting (lead_id bigint, contact_id bigint)
  where work.lead_id = waiting.lead_id;

  -- What these writes and the waiting leads bring is found already by the leads that come after them. Nobody is found by a position or
  -- a street alone.
  select jsonb_agg(brought.keys)
  into v_brought
  from (
    select intent -> 'keys' as keys
    from jsonb_array_elements(p_batch -> 'intents') as intent
    where intent ->> 'operation' = 'update'
      and (intent -> 'body') - array['job_title', 'street', 'state', 'postal_code'] <> '{}'
    union all
    select (waiting -> 'keys') || jsonb_build_object('contact_id', waiting -> 'contact_id')
    from jsonb_array_elements(p_batch -> 'waiting') as waiting
  ) as brought;
  if v_brought is not null then
    perform gate.add_keys(v_brought);
  end if;
end
$$;
