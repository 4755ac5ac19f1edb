-- In doubt: writes whose outcome stays unknown however often it is asked. A person looks into the CRM and says.

-- Whether a write that ended as unknown once more is in doubt from now on: ten times, and for a day. A CRM that is away for
-- long is not meant: then nothing is sent, and no attempt is counted. Called by gate.settle.
create or replace function gate.is_past_asking(p_created_at timestamptz, p_attempts integer)
returns boolean
language sql
stable
as $$
  select p_attempts >= 10 and p_created_at < clock_timestamp() - interval '24 hours'
$$;

-- What a person says of a write in doubt: applied (the CRM holds it, under this id), lost (it never happened: its leads are
-- decided anew) or again (the daemon asks and tries once more). Returns resolved, not_in_doubt, or needs_crm_id: a creation
-- that was applied made a contact, and nobody but the person knows which. Called by `in-doubt resolve`. Takes
-- gate.lock_people.
create or replace function gate.resolve_in_doubt(p_intent uuid, p_as text, p_crm_id text, p_note text, p_max_attempts integer)
returns text
language plpgsql
as $$
declare
  v_intent gate.intent;
begin
  perform gate.lock_people();

  select *
  into v_intent
  from gate.intent
  where intent_id = p_intent
    and in_doubt_at is not null
  for update;
  if not found then
    return 'not_in_doubt';
  end if;
  if p_as = 'applied' and coalesce(p_crm_id, v_intent.crm_id) is null then
    return 'needs_crm_id';
  end if;

  update gate.intent
  set in_doubt_at = null,
      recover_at = clock_timestamp(),
      attempts = case when p_as = 'again' then 0 else attempts end
  where intent_id = p_intent;

  if p_as <> 'again' then
    perform gate.settle(
      jsonb_build_array(jsonb_build_object(
        'intent_id', p_intent,
        'epoch', v_intent.epoch,
        'outcome', case p_as when 'applied' then 'applied' when 'lost' then 'withdrawn' end,
        'crm_id', case when p_as = 'applied' then coalesce(p_crm_id, v_intent.crm_id) end,
        'reason', 'resolved_as_' || p_as
      )),
      null, 0, p_max_attempts, ''
    );
  end if;

  insert into audit.steward_action (command, contact_id, note)
  values ('in-doubt resolve', v_intent.contact_id, format('%s as %s: %s', p_intent, p_as, p_note));
  perform pg_notify('gatekeeper_lead', '');
  return 'resolved';
end
$$;
