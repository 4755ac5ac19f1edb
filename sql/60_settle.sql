-- Settle: what the CRM answered becomes the end of a decision.

-- Records one call to the CRM. Called after every call, by settle for writes. Returns its number.
create or replace function gate.note_call(p_call jsonb)
returns bigint
language sql
as $$
  select gate.note_health(coalesce(p_call ->> 'failure' in ('busy', 'no_answer', 'unreachable'), false));

  select gate.refund_retry()
  where p_call ->> 'failure' is null;

  insert into audit.crm_call (
    called_at, operation, priority, rows_sent, applied, rejected, conflict, unknown, status, failure, duration_ms,
    correlation_id, replica_id
  )
  select
    called_at, operation, priority, rows_sent, coalesce(applied, 0), coalesce(rejected, 0), coalesce(conflict, 0),
    coalesce(unknown, 0), status, failure, duration_ms, correlation_id, replica_id
  from jsonb_populate_record(null::audit.crm_call, p_call)
  returning call_id
$$;

-- Settles rows of one call. p_rows: [{intent_id, epoch, outcome, crm_id, created_at, updated_at, reason, message}].
--
-- outcome   what happens
-- applied   the mirror holds the values, the leads are done
-- rejected  the lead is a dead letter with the CRM's words. Of several that were folded into one write nobody knows which is
--           to blame: they are decided anew one by one, p_max_attempts times at the most
-- conflict  the CRM has the person under an id we did not know, or not under the one we knew (missing): the leads are
-- missing   decided anew against what was read meanwhile, p_max_attempts times at the most
-- withdrawn never sent: the leads are decided anew, uncharged
-- unknown   looked up after p_settle_seconds by recovery, before anything is sent again; from then on it is doubted, and
--           the contact is read again later: see gate.rewrite_overwritten. Unknown again and again, it is in doubt: nothing
--           more is tried before a person has spoken (gate.resolve_in_doubt)
--
-- A creation that is answered with the id of another contact of the mirror is a conflict: what it brought was not written.
-- A row whose epoch is not the intent's any more changes nothing: another replica has taken over. It is kept in
-- audit.late_report, for an effect may have happened. Returns how many rows were refused so. Called by the sender and by recovery. Takes gate.lock_people; locks the rows it settles.
create or replace function gate.settle(p_rows jsonb, p_call_id bigint, p_settle_seconds integer, p_max_attempts integer, p_normalizer text)
returns integer
language plpgsql
as $$
declare
  v_settled jsonb;
  v_merges jsonb;
  v_keys jsonb;
  v_withdrawn bigint[];
  v_fenced integer;
  v_woken boolean;
  v_reread bigint[];
begin
  perform gate.lock_people();

  with answered as materialized (
    select
      answer.intent_id, answer.epoch, coalesce(alias.crm_id, answer.crm_id) as crm_id, answer.created_at,
      answer.updated_at, answer.message,
      case when taken.by_other then 'conflict' else answer.outcome end as outcome,
      case when taken.by_other then 'found_in_crm' else answer.reason end as reason
    from jsonb_to_recordset(p_rows) as answer (
      intent_id uuid, epoch bigint, outcome text, crm_id text, created_at timestamptz, updated_at timestamptz,
      reason text, message text
    )
    left join crm.contact_alias as alias on alias.absorbed_crm_id = answer.crm_id
    cross join lateral (
      select answer.outcome = 'applied' and exists (
        select
        from gate.intent
        join crm.contact on contact.crm_id = coalesce(alias.crm_id, answer.crm_id)
        where intent.intent_id = answer.intent_id
          and intent.operation = 'create'
          and contact.contact_id <> intent.contact_id
      ) as by_other
    ) as taken
  ), closed as (
    update gate.intent
    set state = answered.outcome,
        settled_at = case when answered.outcome <> 'unknown' then clock_timestamp() end,
        recover_at = case
          when answered.outcome = 'unknown' and not gate.is_past_asking(intent.created_at, intent.attempts + 1)
          then clock_timestamp() + make_interval(secs => p_settle_seconds)
        end,
        in_doubt_at = case
          when answered.outcome = 'unknown' and gate.is_past_asking(intent.created_at, intent.attempts + 1)
          then clock_timestamp()
        end,
        attempts = intent.attempts + case when answered.outcome = 'unknown' then 1 else 0 end,
        doubted_at = case when answered.outcome = 'unknown' then clock_timestamp() else intent.doubted_at end,
        verify_at = case
          when answered.outcome = 'unknown' then clock_timestamp() + make_interval(secs => p_settle_seconds) + interval '5 minutes'
          else intent.verify_at
        end,
        reason = answered.reason
    from answered
    where intent.intent_id = answered.intent_id
      and intent.epoch = answered.epoch
      and intent.state in ('open', 'unknown')
    returning intent.intent_id, intent.contact_id, intent.operation, intent.crm_id as sent_crm_id, intent.body,
      intent.origin, intent.keys, intent.created_at as intended_at, answered.outcome,
      coalesce(answered.crm_id, intent.crm_id) as crm_id,
      answered.created_at, answered.updated_at, answered.reason, answered.message
  )
  select coalesce(jsonb_agg(to_jsonb(closed) || jsonb_build_object('anew', anew)), '[]')
  into v_settled
  from closed
  cross join lateral (
    select outcome in ('conflict', 'missing') or (outcome = 'rejected' and count(*) > 1) as anew
    from gate.intent_lead
    where intent_lead.intent_id = closed.intent_id
  ) as decided;

  insert into audit.late_report (intent_id, epoch, outcome, crm_id, reason, call_id)
  select answer.intent_id, answer.epoch, answer.outcome, answer.crm_id, answer.reason, p_call_id
  from jsonb_to_recordset(p_rows) as answer (intent_id uuid, epoch bigint, outcome text, crm_id text, reason text)
  where not exists (
    select
    from jsonb_to_recordset(v_settled) as settled (intent_id uuid)
    where settled.intent_id = answer.intent_id
  );
  get diagnostics v_fenced = row_count;
  if v_fenced > 0 then
    update gate.intent
    set doubted_at = clock_timestamp(),
        verify_at = clock_timestamp() + make_interval(secs => p_settle_seconds) + interval '5 minutes'
    from jsonb_to_recordset(p_rows) as answer (intent_id uuid, epoch bigint)
    where intent.intent_id = answer.intent_id
      and intent.epoch <> answer.epoch;
  end if;

  -- The answer names another id than was sent: merged meanwhile.
  select jsonb_agg(jsonb_build_object('crm_id', crm_id, 'absorbed_ids', jsonb_build_array(sent_crm_id)))
  into v_merges
  from jsonb_to_recordset(v_settled) as settled (outcome text, crm_id text, sent_crm_id text)
  where outcome = 'applied'
    and sent_crm_id <> crm_id;
  if v_merges is not null then
    perform gate.note_merges(v_merges);
  end if;

  -- Contacts that the mirror read since the write was intended: the keys that were derived then may be old.
  select coalesce(array_agg(settled.contact_id), '{}')
  into v_reread
  from jsonb_to_recordset(v_settled) as settled (contact_id bigint, outcome text, intended_at timestamptz)
  join crm.contact using (contact_id)
  where settled.outcome = 'applied'
    and contact.seen_at > settled.intended_at;

  -- Our own write is in the mirror now, without waiting for a poll. What the mirror holds of a later version stays, and
  -- nothing comes back of a person who was erased meanwhile.
  update crm.contact
  set crm_id = settled.crm_id,
      external_id = nullif(next.external_id, ''),
      email = nullif(next.email, ''),
      phone = nullif(next.phone, ''),
      mobile_phone = nullif(next.mobile_phone, ''),
      first_name = nullif(next.first_name, ''),
      last_name = nullif(next.last_name, ''),
      company = nullif(next.company, ''),
      job_title = nullif(next.job_title, ''),
      street = nullif(next.street, ''),
      city = nullif(next.city, ''),
      state = nullif(next.state, ''),
      postal_code = nullif(next.postal_code, ''),
      country = nullif(next.country, ''),
      properties = contact.properties || settled.body - gate.canonical_fields(),
      created_at = coalesce(settled.created_at, contact.created_at),
      updated_at = greatest(settled.updated_at, contact.updated_at),
      seen_at = clock_timestamp()
  from jsonb_to_recordset(v_settled) as settled (
    contact_id bigint, outcome text, crm_id text, body jsonb, created_at timestamptz, updated_at timestamptz
  )
  join crm.contact as former using (contact_id)
  cross join lateral jsonb_populate_record(
    former,
    (select coalesce(jsonb_object_agg(key, value), '{}') from jsonb_each(settled.body) where key = any (gate.canonical_fields()))
  ) as next
  where contact.contact_id = settled.contact_id
    and settled.outcome = 'applied'
    and contact.gone_reason is distinct from 'erased'
    and (contact.updated_at <= settled.updated_at) is not false
    and not exists (
      select
      from crm.contact as namesake
      where namesake.crm_id = settled.crm_id
        and namesake.contact_id <> settled.contact_id
    );

  insert into crm.contact_field (contact_id, field, value, source, lead_id, occurred_at, rule, edited_at, cleared, removed)
  select
    settled.contact_id, origin.key, nullif(settled.body ->> origin.key, ''), origin.value ->> 'source',
    (origin.value ->> 'lead_id')::bigint, (origin.value ->> 'occurred_at')::timestamptz, origin.value ->> 'rule',
    (origin.value ->> 'edited_at')::timestamptz, coalesce((origin.value ->> 'cleared')::boolean, false),
    case when origin.value ? 'removed' then array(select jsonb_array_elements_text(origin.value -> 'removed')) end
  from jsonb_to_recordset(v_settled) as settled (contact_id bigint, outcome text, body jsonb, origin jsonb)
  cross join lateral jsonb_each(settled.origin) as origin
  where settled.outcome = 'applied'
    and exists (
      select
      from crm.contact
      where contact.contact_id = settled.contact_id
        and contact.gone_reason is distinct from 'erased'
    )
  on conflict (contact_id, field) do update
  set (value, source, lead_id, occurred_at, written_at, rule, edited_at, cleared, removed, author) = (
    excluded.value, excluded.source, excluded.lead_id, excluded.occurred_at, now(), excluded.rule, excluded.edited_at,
    excluded.cleared, excluded.removed, null
  );

  select jsonb_agg(settled.keys || jsonb_build_object('contact_id', settled.contact_id))
  into v_keys
  from jsonb_to_recordset(v_settled) as settled (contact_id bigint, outcome text, operation text, keys jsonb)
  join crm.contact using (contact_id)
  where settled.outcome = 'applied'
    and settled.operation = 'update'
    and contact.gone_reason is distinct from 'erased'
    and settled.keys is not null
    and contact.archived_at is null;
  if v_keys is not null then
    perform gate.put_keys(v_keys, p_normalizer);
    -- Of no version of the normalizer: the sweep derives them anew.
    update gate.contact_keys
    set normalizer = ''
    where contact_id = any (v_reread);
  end if;

  -- A rewrite brings no keys: the sweep derives them anew from what the contact holds now.
  update gate.contact_keys
  set normalizer = ''
  from jsonb_to_recordset(v_settled) as settled (contact_id bigint, outcome text, operation text, keys jsonb)
  where contact_keys.contact_id = settled.contact_id
    and settled.outcome = 'applied'
    and settled.operation = 'update'
    and settled.keys is null;

  -- A creation that did not happen leaves no provisional contact, nor one beside the contact that it turned out to be.
  select coalesce(array_agg(contact.contact_id), '{}')
  into v_withdrawn
  from jsonb_to_recordset(v_settled) as settled (contact_id bigint, outcome text)
  join crm.contact using (contact_id)
  where settled.outcome <> 'unknown'
    and contact.crm_id is null;
  if v_withdrawn <> '{}' then
    perform gate.drop_keys(v_withdrawn);
    delete from crm.contact_field
    where contact_id = any (v_withdrawn);
    delete from crm.contact
    where contact_id = any (v_withdrawn);
  end if;

  insert into audit.settlement (decision_id, outcome, crm_id, reason, message, call_id)
  select
    intent_lead.decision_id,
    case when settled.outcome in ('applied', 'rejected') then settled.outcome else 'none' end,
    settled.crm_id,
    case
      when settled.outcome in ('applied', 'rejected') then settled.reason
      else coalesce(settled.reason, settled.outcome)
    end,
    settled.message,
    p_call_id
  from jsonb_to_recordset(v_settled) as settled (
    intent_id uuid, outcome text, crm_id text, reason text, message text
  )
  join gate.intent_lead using (intent_id)
  where settled.outcome <> 'unknown'
  on conflict (decision_id) do nothing;

  insert into gate.dead_letter (lead_id, decision_id, reason, message)
  select
    intent_lead.lead_id, intent_lead.decision_id,
    case when settled.outcome = 'rejected' then coalesce(settled.reason, 'rejected') else 'conflict_unresolved' end,
    settled.message
  from jsonb_to_recordset(v_settled) as settled (intent_id uuid, outcome text, anew boolean, reason text, message text)
  join gate.intent_lead using (intent_id)
  join gate.work using (lead_id)
  where work.state = 'intended'
    and (
      (settled.outcome = 'rejected' and not settled.anew)
      or (settled.anew and work.attempts + 1 >= p_max_attempts)
    )
  on conflict (lead_id) do update
  set decision_id = excluded.decision_id, reason = excluded.reason, message = excluded.message, died_at = now(),
      state = 'waiting', resolved_at = null, resolved_by = null, note = null;

  update gate.work
  set state = case
        when settled.outcome = 'applied' then 'done'
        when settled.outcome = 'rejected' and not settled.anew then 'dead'
        when settled.anew and work.attempts + 1 >= p_max_attempts then 'dead'
        else 'ready'
      end,
      attempts = work.attempts + case when settled.anew then 1 else 0 end,
      claims = case when settled.outcome = 'rejected' and settled.anew then -1 else 0 end,
      next_at = clock_timestamp()
  from jsonb_to_recordset(v_settled) as settled (intent_id uuid, outcome text, anew boolean)
  join gate.intent_lead using (intent_id)
  where work.lead_id = intent_lead.lead_id
    and work.state = 'intended'
    and settled.outcome <> 'unknown';
  select exists (
    select
    from jsonb_to_recordset(v_settled) as settled (outcome text)
    where outcome in ('conflict', 'missing', 'withdrawn')
  )
  into v_woken;

  update gate.work
  set next_at = clock_timestamp()
  from jsonb_to_recordset(v_settled) as settled (contact_id bigint, outcome text)
  where work.waits_for = settled.contact_id
    and work.state = 'ready'
    and settled.outcome <> 'unknown';
  v_woken := v_woken or found;

  -- The push loop need not wait for its next look.
  if v_woken then
    perform pg_notify('gatekeeper_lead', '');
  end if;
  return v_fenced;
end
$$;

-- The canonical fields: those with a column of their own.
create or replace function gate.canonical_fields()
returns text[]
language sql
immutable
as $$
  select array[
    'external_id', 'email', 'phone', 'mobile_phone', 'first_name', 'last_name', 'company', 'job_title', 'street',
    'city', 'state', 'postal_code', 'country'
  ]
$$;
