-- Shadow: what would have been written, and how it becomes real. A lead counts here as long as its decision in shadow is its
-- last one.

-- The last decisions of leads that were decided in shadow; person tells new people apart, who have no contact yet. Read by the
-- views below, gate.replay_shadow, gate.rehearsed and gate.repeats.
create or replace view gate.shadow_decision as
select
  entry.*,
  coalesce(entry.evidence ->> 'person_key', entry.crm_id, entry.intent_id::text) as person
from audit.settlement
join audit.entry using (decision_id)
where settlement.outcome = 'shadow'
  and not exists (
    select
    from audit.entry as later
    where later.lead_id = entry.lead_id
      and later.decision_id > entry.decision_id
  );

comment on view gate.shadow_decision is 'Decisions in shadow that are the last ones of their leads.';

-- What would have been written, field by field.
create or replace view report.shadow_diff as
select
  decision.decision_id,
  decision.decided_at,
  decision.source,
  decision.lead_id,
  decision.action,
  decision.tier,
  case when decision.crm_id is not null then decision.contact_id end as contact_id,
  decision.crm_id,
  decision.person,
  change.field,
  change.old_value,
  change.new_value,
  change.rule,
  change.old_source
from gate.shadow_decision as decision
join audit.change on change.decision_id = decision.decision_id
where change.verdict = 'written';

comment on view report.shadow_diff is 'What leads in shadow would have written: contact, field, old and new value, rule. A new person has no contact yet; person tells them apart.';

-- The same in sum, for each source.
create or replace view report.shadow_summary as
select
  source,
  count(*) as leads,
  count(distinct person) filter (where action in ('create', 'coalesced') and crm_id is null and person is not null) as would_create,
  count(distinct person) filter (where action in ('update', 'coalesced') and crm_id is not null) as would_change,
  count(*) filter (where action = 'unchanged') as unchanged,
  min(decided_at) as first_decided_at,
  max(decided_at) as last_decided_at
from gate.shadow_decision
group by source;

comment on view report.shadow_summary is 'Leads in shadow by source: how many people they would have created and how many contacts changed. A person that comes again in a later batch under another identifier counts twice.';

-- What would have been written, the newest first. Called by `shadow show`.
create or replace function gate.shadow_diff(p_source text, p_limit bigint)
returns setof report.shadow_diff
language sql
stable
as $$
  select *
  from report.shadow_diff
  where p_source is null or source = p_source
  order by decision_id desc, field
  limit p_limit
$$;

-- Puts leads that were decided in shadow back to work, to be decided anew: for good, if their source is out of shadow by then.
-- Oldest first. p_dry_run: only counts. Returns how many. Called by `shadow replay`.
create or replace function gate.replay_shadow(p_source text, p_limit bigint, p_note text, p_dry_run boolean)
returns bigint
language plpgsql
as $$
declare
  v_leads bigint[];
begin
  select coalesce(array_agg(lead_id), '{}')
  into v_leads
  from (
    select decision.lead_id
    from gate.shadow_decision as decision
    join gate.work using (lead_id)
    where work.state = 'done'
      and (p_source is null or decision.source = p_source)
    order by decision.lead_id
    limit p_limit
  ) as chosen;
  if p_dry_run or v_leads = '{}' then
    return cardinality(v_leads);
  end if;
  return gate.back_to_work(v_leads, 'done', 'shadow replay', p_note);
end
$$;

-- Puts a source into shadow, or takes it out; all of them but crm, if none is named. Returns the sources whose state changed.
-- Called by `shadow on` and `shadow off`. A new version of the rules.
create or replace function gate.set_shadow(p_sources text[], p_shadow boolean)
returns setof text
language sql
as $$
  update rules.source
  set shadow = p_shadow
  where source not in ('crm', 'crm_integration')
    and (p_sources is null or source = any (p_sources))
    and shadow <> p_shadow
  returning source
$$;
