-- Arrival: a lead that was inserted becomes work, and its source can read what became of it.

-- Makes each inserted lead visible to the daemon, in the inserting transaction. One statement and one wake-up for each
-- INSERT or COPY, however many rows it brings. Called by the trigger below. Locks nothing.
create or replace function gate.lead_arrived()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, gate, pg_temp
as $$
begin
  insert into gate.work (lead_id)
  select lead_id
  from arrived;
  perform pg_notify('gatekeeper_lead', '');
  return null;
end
$$;

create or replace trigger lead_arrived
after insert on staging.lead
referencing new table as arrived
for each statement
execute function gate.lead_arrived();

-- Adopts leads that have no work row: inserted while the trigger was disabled, or restored from elsewhere. Looks at
-- p_limit leads above p_after and at the newest p_limit ones, and says where to go on: 0 after the last one.
-- Called by the sweep, again and again, so that all are looked at in time and no look reads the whole table.
drop function if exists gate.adopt_leads(integer);
create or replace function gate.adopt_leads(p_after bigint, p_limit integer)
returns table (adopted bigint, looked_until bigint)
language sql
as $$
  with slice as materialized (
    (
      select lead_id, true as in_turn
      from staging.lead
      where lead_id > p_after
      order by lead_id
      limit p_limit
    )
    union all
    (
      select lead_id, false
      from staging.lead
      order by lead_id desc
      limit p_limit
    )
  ), adopted as (
    insert into gate.work (lead_id)
    select lead_id
    from slice
    where not exists (select from gate.work where work.lead_id = slice.lead_id)
    on conflict do nothing
    returning 1
  )
  select
    (select count(*) from adopted),
    case when count(*) filter (where in_turn) = p_limit then max(lead_id) filter (where in_turn) else 0 end
  from slice
$$;

-- What became of each lead, for the one who delivered it; that its values were written again later (gate.rewrite_overwritten) is
-- no matter of the lead. Read by ETL jobs. A barrier: without it a function of the
-- reader's own could be called with rows that are filtered out afterwards.
create or replace view staging.lead_status with (security_barrier) as
select
  lead.lead_id,
  lead.source,
  lead.source_key,
  lead.received_at,
  case work.state
    when 'ready' then 'waiting'
    when 'claimed' then 'waiting'
    when 'intended' then 'writing'
    else coalesce(work.state, 'waiting')
  end as state,
  last_decision.action,
  coalesce(settlement.outcome, case when last_decision.intent_id is null then 'none' end) as outcome,
  coalesce(settlement.reason, last_decision.reason) as reason,
  coalesce(settlement.crm_id, last_decision.crm_id) as crm_id,
  last_decision.decided_at,
  settlement.settled_at
from staging.lead
left join gate.work using (lead_id)
left join lateral (
  select *
  from audit.entry
  where entry.lead_id = lead.lead_id
    and entry.action not in ('rewrite', 'undo')
  order by entry.decision_id desc
  limit 1
) as last_decision on true
left join audit.settlement using (decision_id)
where lead.delivered_by = session_user
  or pg_has_role(session_user, 'pg_read_all_data', 'member');

comment on view staging.lead_status is 'What became of your leads: waiting, writing, done, review, dead, or held by a brake.';
