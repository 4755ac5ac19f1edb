-- Brake: a run that would create or change more than is set stops before its first write. It is rehearsed: decided in shadow, and
-- held until it is known how much it would write.

-- How many contacts a source may create and change within an hour; null: any number. The contacts are counted only for a share.
-- Called by the functions below and, as the other two that count, by report.brake, whoever reads it.
create or replace function gate.brake_limit(p_source text)
returns table (creates bigint, updates bigint)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select
    least(brake.creates_per_hour, floor(brake.creates_percent * contact.living / 100))::bigint,
    least(brake.updates_per_hour, floor(brake.updates_percent * contact.living / 100))::bigint
  from rules.brake
  left join lateral (
    select case
      when reltuples >= 100000 then reltuples::bigint
      else (select count(*) from crm.contact where archived_at is null)
    end as living
    from pg_catalog.pg_class
    where oid = 'crm.contact'::regclass
  ) as contact on coalesce(brake.creates_percent, brake.updates_percent) is not null
  where brake.source in (p_source, '*')
  order by brake.source = '*'
  limit 1
$$;

-- What a source has written within the last hour, and how many of its leads were let go on unrehearsed.
create or replace function gate.brake_used(p_source text)
returns table (creates bigint, updates bigint, let_go bigint)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select coalesce(sum(creates), 0)::bigint, coalesce(sum(updates), 0)::bigint, coalesce(sum(let_go), 0)::bigint
  from gate.brake_use
  where source = p_source
    and minute > clock_timestamp() - interval '1 hour'
$$;

-- Looks after the brakes: lets leads go on that cannot be too many, sends others into a rehearsal, and judges rehearsals that have
-- come to their end. Returns the sources whose brakes have tripped just now. Called by the push loop before each claim. One replica
-- at a time; whoever comes second claims only what was looked at.
create or replace function gate.mind_brakes()
returns table (source text, reason text)
language plpgsql
as $$
begin
  if not exists (select from rules.brake) and not exists (select from gate.brake) then
    return;
  end if;
  if not pg_try_advisory_xact_lock(hashtext('gatekeeper_brake')) then
    return;
  end if;
  perform gate.look_at_leads();
  return query
  select judged.source, judged.reason
  from gate.judge_rehearsals() as judged;
end
$$;

-- Looks at the leads that nobody has looked at, when there are some among those that come next: then at all of them, for how
-- many a source has delivered is what counts. A source that is not entered, or is in shadow, writes nothing. Called by gate.mind_brakes.
create or replace function gate.look_at_leads()
returns void
language plpgsql
as $$
begin
  if not exists (
    select
    from (
      select work.brake
      from gate.work
      where work.state = 'ready'
      order by work.next_at, work.lead_id
      limit 5000
    ) as next_ones
    where next_ones.brake is null
  ) then
    return;
  end if;

  with unseen as materialized (
    select work.lead_id, lead.source
    from gate.work
    left join staging.lead using (lead_id)
    where work.state = 'ready'
      and work.brake is null
    order by work.lead_id
    limit 200000
  ), delivered as (
    select unseen.source, count(*) as leads
    from unseen
    group by unseen.source
  ), judged as materialized (
    select
      delivered.source,
      delivered.leads,
      coalesce(
        (allowed.creates is null and allowed.updates is null)
        or not exists (select from rules.source where source.source = delivered.source and not source.shadow)
        or (braked.source is null and delivered.leads + used.let_go <= least(allowed.creates, allowed.updates)),
        true
      ) as free
    from delivered
    left join lateral gate.brake_limit(delivered.source) as allowed on true
    left join lateral gate.brake_used(delivered.source) as used on true
    left join gate.brake as braked on braked.source = delivered.source
  ), rehearsing as (
    insert into gate.brake (source, state)
    select judged.source, 'rehearsing'
    from judged
    where not judged.free
    on conflict do nothing
  ), counted as (
    insert into gate.brake_use (source, minute, let_go)
    select judged.source, date_trunc('minute', clock_timestamp()), judged.leads
    from judged
    where judged.free
      and judged.source is not null
    on conflict (source, minute) do update
    set let_go = brake_use.let_go + excluded.let_go
  )
  update gate.work
  set brake = case when judged.free then 'free' else 'rehearse' end
  from unseen
  join judged on judged.source is not distinct from unseen.source
  where work.lead_id = unseen.lead_id
    and work.state = 'ready';
end
$$;

-- Judges the rehearsals of which no lead is left to be decided: what they would write, with what their source has written within
-- the last hour, against what is set. Too much: the brake trips. Else the leads go on, for good this time. Where the rule is gone,
-- they go on too. Called by gate.mind_brakes. Returns the brakes that have tripped.
create or replace function gate.judge_rehearsals()
returns table (source text, reason text)
language plpgsql
as $$
declare
  v_brake gate.brake;
  v_held record;
  v_allowed record;
  v_used record;
  v_reason text;
begin
  for v_brake in
    select *
    from gate.brake
  loop
    select * into v_allowed from gate.brake_limit(v_brake.source);
    if v_brake.state = 'tripped' then
      if v_allowed is null then
        perform gate.lock_people();
        perform gate.let_held_go(v_brake.source);
      end if;
      continue;
    end if;
    continue when exists (
      select
      from gate.work
      join staging.lead using (lead_id)
      where work.state in ('ready', 'claimed')
        and work.brake = 'rehearse'
        and lead.source = v_brake.source
    );
    select * into v_held from gate.rehearsed(v_brake.source);
    select * into v_used from gate.brake_used(v_brake.source);
    v_reason := case
      when v_used.creates + v_held.creates > v_allowed.creates
        then format(
          '%s contacts created, and %s within the last hour; %s are allowed',
          v_held.creates, v_used.creates, v_allowed.creates
        )
      when v_used.updates + v_held.updates > v_allowed.updates
        then format(
          '%s contacts changed, and %s within the last hour; %s are allowed',
          v_held.updates, v_used.updates, v_allowed.updates
        )
    end;
    if v_reason is null then
      perform gate.let_held_go(v_brake.source);
      continue;
    end if;
    update gate.brake
    set state = 'tripped', since = clock_timestamp(), creates = v_held.creates, updates = v_held.updates, reason = v_reason
    where brake.source = v_brake.source;
    insert into audit.steward_action (command, note)
    values ('brake tripped', format('%s: %s', v_brake.source, v_reason));
    source := v_brake.source;
    reason := v_reason;
    return next;
  end loop;
end
$$;

-- How many contacts the held leads of a source would create and change. One look for each lead. Called by
-- gate.judge_rehearsals and report.brake.
create or replace function gate.rehearsed(p_source text)
returns table (leads bigint, creates bigint, updates bigint)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  with held as (
    select work.lead_id
    from gate.work
    join staging.lead using (lead_id)
    where work.state = 'held'
      and lead.source = p_source
  ), last_decision as (
    select decision.action, decision.crm_id, decision.person
    from held
    cross join lateral (
      select shadow_decision.action, shadow_decision.crm_id, shadow_decision.person
      from gate.shadow_decision
      where shadow_decision.lead_id = held.lead_id
      offset 0
    ) as decision
  )
  select
    count(*),
    count(distinct person) filter (where action in ('create', 'coalesced') and crm_id is null),
    count(distinct person) filter (where action in ('update', 'coalesced') and crm_id is not null)
  from last_decision
$$;

-- Lets the held leads of a source go on: they are decided anew, for good. Returns how many. Called by gate.judge_rehearsals and
-- gate.release_brake.
create or replace function gate.let_held_go(p_source text)
returns bigint
language sql
as $$
  delete from gate.brake
  where source = p_source;

  with gone_on as (
    update gate.work
    set state = 'ready', brake = 'free', claims = 0, attempts = 0, next_at = clock_timestamp()
    from staging.lead
    where work.state = 'held'
      and lead.lead_id = work.lead_id
      and lead.source = p_source
    returning 1
  ), under_way as (
    update gate.work
    set brake = 'free'
    from staging.lead
    where work.state = 'ready'
      and work.brake = 'rehearse'
      and lead.lead_id = work.lead_id
      and lead.source = p_source
  ), woken as (
    select pg_notify('gatekeeper_lead', '')
  )
  select count(*)
  from gone_on, woken
$$;

-- A person lets a run go on that a brake holds. Null: no brake holds this source. Called by `brake release`. Takes gate.lock_people:
-- a rehearsal that is being decided sees that there is no brake any more.
create or replace function gate.release_brake(p_source text, p_note text)
returns bigint
language plpgsql
as $$
begin
  perform pg_advisory_xact_lock(hashtext('gatekeeper_brake'));
  perform gate.lock_people();
  if not exists (select from gate.brake where source = p_source) then
    return null;
  end if;
  insert into audit.steward_action (command, note)
  values ('brake release', concat_ws(': ', p_source, p_note));
  return gate.let_held_go(p_source);
end
$$;

-- A person does not want a run that a brake holds: its leads become dead letters, from where they can be replayed. Null: no brake
-- holds this source. Called by `brake reject`. Takes gate.lock_people.
create or replace function gate.reject_brake(p_source text, p_note text)
returns bigint
language plpgsql
as $$
declare
  v_leads bigint[];
begin
  perform pg_advisory_xact_lock(hashtext('gatekeeper_brake'));
  perform gate.lock_people();
  delete from gate.brake
  where source = p_source;
  if not found then
    return null;
  end if;

  with rejected as (
    update gate.work
    set state = 'dead', brake = 'free'
    from staging.lead
    where work.state = 'held'
      and lead.lead_id = work.lead_id
      and lead.source = p_source
    returning work.lead_id
  )
  select coalesce(array_agg(lead_id), '{}')
  into v_leads
  from rejected;

  insert into gate.dead_letter (lead_id, decision_id, reason, message)
  select lead_id, (select max(decision_id) from audit.entry where entry.lead_id = rejected.lead_id), 'brake_rejected', p_note
  from unnest(v_leads) as rejected (lead_id)
  on conflict (lead_id) do update
  set decision_id = excluded.decision_id, reason = excluded.reason, message = excluded.message, died_at = now(),
      state = 'waiting', resolved_at = null, resolved_by = null, note = null;

  insert into audit.steward_action (command, note)
  values ('brake reject', concat_ws(': ', p_source, p_note));
  return cardinality(v_leads);
end
$$;

-- The brakes: what is set, what was written within the last hour, what is held. Read by `brake list`.
create or replace view report.brake as
select
  named.source,
  coalesce(brake.state, 'free') as state,
  brake.since,
  brake.reason,
  held.leads as held_leads,
  held.creates as would_create,
  held.updates as would_change,
  used.creates as created_last_hour,
  used.updates as changed_last_hour,
  allowed.creates as creates_allowed,
  allowed.updates as updates_allowed
from (
  select source from rules.source where source not in ('crm', 'crm_integration')
  union
  select source from gate.brake
) as named
left join gate.brake on brake.source = named.source
left join lateral gate.brake_limit(named.source) as allowed on true
left join lateral gate.brake_used(named.source) as used on true
left join lateral gate.rehearsed(named.source) as held on brake.source is not null;

comment on view report.brake is 'How much each source may create and change within an hour, what it did, and what a brake holds: free, rehearsing, or tripped with the reason.';
