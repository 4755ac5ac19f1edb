-- Steward: what a person does about dead letters and reviews. Each of these leaves a row in audit.steward_action.

-- Puts leads back to work that were in a state, to be decided anew; no brake holds what a person sends on. Returns how many were
-- named. Called by the three replays below and in 28_shadow.
create or replace function gate.back_to_work(p_leads bigint[], p_state text, p_command text, p_note text)
returns integer
language sql
as $$
  update gate.work
  set state = 'ready', brake = 'free', claims = 0, attempts = 0, next_at = clock_timestamp()
  where lead_id = any (p_leads)
    and state = p_state;

  insert into audit.steward_action (command, lead_id, note)
  select p_command, lead_id, p_note
  from unnest(p_leads) as lead_id;

  select pg_notify('gatekeeper_lead', '');

  select cardinality(p_leads)
$$;

-- Puts dead letters back to work, to be decided anew against today's mirror and rules. Returns how many were waiting.
-- Called by `dead replay`.
create or replace function gate.replay_dead(p_leads bigint[], p_note text)
returns integer
language plpgsql
as $$
declare
  v_leads bigint[];
begin
  with replayed as (
    update gate.dead_letter
    set state = 'replayed', resolved_at = now(), resolved_by = session_user, note = p_note
    where lead_id = any (p_leads)
      and state = 'waiting'
    returning lead_id
  )
  select coalesce(array_agg(lead_id), '{}')
  into v_leads
  from replayed;

  return gate.back_to_work(v_leads, 'dead', 'dead replay', p_note);
end
$$;

-- Closes dead letters for good; the leads stay in staging. Returns how many were waiting. Called by `dead discard`.
create or replace function gate.discard_dead(p_leads bigint[], p_note text)
returns integer
language plpgsql
as $$
declare
  v_leads bigint[];
begin
  with discarded as (
    update gate.dead_letter
    set state = 'discarded', resolved_at = now(), resolved_by = session_user, note = p_note
    where lead_id = any (p_leads)
      and state = 'waiting'
    returning lead_id
  )
  select coalesce(array_agg(lead_id), '{}')
  into v_leads
  from discarded;

  insert into audit.steward_action (command, lead_id, note)
  select 'dead discard', lead_id, p_note
  from unnest(v_leads) as lead_id;
  return cardinality(v_leads);
end
$$;

-- Notes what a person decided about a lead in review, and puts it back to work: accepted (it is p_contact), created
-- (it is a new person). Rejected ends it. Returns false if no review is open for it, or the contact is not there.
-- Called by `review accept`, `review create`, `review reject`.
create or replace function gate.resolve_review(p_lead bigint, p_state text, p_contact bigint, p_note text)
returns boolean
language plpgsql
as $$
begin
  if p_state = 'accepted'
    and not exists (select from crm.contact where contact_id = p_contact and archived_at is null) then
    return false;
  end if;

  update gate.review
  set state = p_state, contact_id = p_contact, resolved_at = now(), resolved_by = session_user, note = p_note
  where lead_id = p_lead
    and state = 'open';
  if not found then
    return false;
  end if;

  update gate.work
  set state = case when p_state = 'rejected' then 'done' else 'ready' end,
      brake = 'free',
      claims = 0,
      attempts = 0,
      next_at = clock_timestamp()
  where lead_id = p_lead
    and state = 'review';

  insert into audit.steward_action (command, lead_id, contact_id, note)
  values (
    case p_state when 'accepted' then 'review accept' when 'created' then 'review create' else 'review reject' end,
    p_lead, p_contact, p_note
  );
  perform pg_notify('gatekeeper_lead', '');
  return true;
end
$$;

-- Puts reviews back to work, to be decided anew against today's mirror and rules. Returns how many were open. Called by
-- `review replay`.
create or replace function gate.replay_review(p_leads bigint[], p_note text)
returns integer
language plpgsql
as $$
declare
  v_leads bigint[];
begin
  with replayed as (
    update gate.review
    set state = 'replayed', resolved_at = now(), resolved_by = session_user, note = p_note
    where lead_id = any (p_leads)
      and state = 'open'
    returning lead_id
  )
  select coalesce(array_agg(lead_id), '{}')
  into v_leads
  from replayed;

  return gate.back_to_work(v_leads, 'review', 'review replay', p_note);
end
$$;
