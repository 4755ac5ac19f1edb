-- Reports: what analysts ask most. All read only.

-- One row for each decision with what came of it.
create or replace view audit.decision as
select
  entry.decision_id,
  entry.lead_id,
  entry.source,
  entry.decided_at,
  entry.action,
  entry.tier,
  entry.score,
  entry.contact_id,
  coalesce(settlement.crm_id, entry.crm_id) as crm_id,
  coalesce(settlement.reason, entry.reason) as reason,
  entry.evidence,
  entry.policy_version,
  entry.mirror_age,
  case
    when settlement.outcome is not null then settlement.outcome
    when entry.intent_id is null then 'none'
  end as outcome,
  coalesce(settlement.settled_at, case when entry.intent_id is null then entry.decided_at end) as settled_at,
  entry.intent_id,
  entry.replica_id,
  entry.normalizer
from audit.entry
left join audit.settlement using (decision_id);

comment on view audit.decision is 'One row for each time a lead was decided, with the outcome: applied, rejected, shadow (decided for show), none; null while the write is under way.';

-- Leads that could not be processed and wait for a person.
create or replace view report.dead_letter as
select
  dead_letter.lead_id,
  lead.source,
  lead.source_key,
  dead_letter.reason,
  dead_letter.message,
  dead_letter.died_at,
  dead_letter.state,
  dead_letter.decision_id,
  dead_letter.resolved_at,
  dead_letter.resolved_by,
  dead_letter.note
from gate.dead_letter
left join staging.lead using (lead_id);

comment on view report.dead_letter is 'Leads that could not be processed: reason code, the CRM''s words, and which row of staging.lead it was.';

-- Leads about which a person must decide, with the contacts in question.
create or replace view report.review as
select
  review.lead_id,
  lead.source,
  lead.source_key,
  review.reason,
  review.candidates,
  review.opened_at,
  review.state,
  review.contact_id,
  review.decision_id,
  review.resolved_at,
  review.resolved_by,
  review.note
from gate.review
left join staging.lead using (lead_id);

comment on view report.review is 'Leads about which a person must decide: the reason and the contacts in question with their evidence.';

-- Writes whose outcome could not be found out. Read by `in-doubt list`.
create or replace view report.in_doubt as
select
  intent.intent_id,
  intent.contact_id,
  intent.operation,
  intent.crm_id,
  intent.created_at,
  intent.in_doubt_at,
  intent.attempts,
  intent.reason,
  array(
    select intent_lead.lead_id
    from gate.intent_lead
    where intent_lead.intent_id = intent.intent_id
    order by intent_lead.lead_id
  ) as leads,
  (
    select count(*)
    from gate.work
    where work.state = 'ready'
      and work.waits_for = intent.contact_id
  ) as waiting
from gate.intent
where intent.in_doubt_at is not null
order by intent.in_doubt_at, intent.intent_id;

comment on view report.in_doubt is 'Writes whose outcome stayed unknown for a day: the person, the leads that they are for, and how many leads wait. A person resolves them with `gatekeeper in-doubt resolve`.';

-- What waits, and for how long. State by state, for each has an index: all in one would read every lead there ever was.
create or replace view report.backlog as
with unfinished as (
  select *
  from gate.work
  where state = 'ready'
  union all
  select *
  from gate.work
  where state = 'claimed'
  union all
  select *
  from gate.work
  where state = 'intended'
)
select
  case when waits_for is not null then 'waits for another write' else state end as state,
  count(*) as leads,
  min(next_at) as oldest,
  max(claims) as most_claims
from unfinished
group by 1;

comment on view report.backlog is 'Leads that are not done yet, by state.';

-- How good each source's leads are.
create or replace view report.source_quality as
with last_decision as (
  select distinct on (lead_id) lead_id, source, action, tier
  from audit.entry
  where action not in ('rewrite', 'undo')
  order by lead_id, decision_id desc
)
select
  source,
  count(*) as leads,
  count(*) filter (where action = 'create') as created,
  count(*) filter (where action = 'update') as updated,
  count(*) filter (where action = 'unchanged') as unchanged,
  count(*) filter (where action = 'coalesced') as coalesced,
  count(*) filter (where action = 'review') as review,
  count(*) filter (where action = 'dead') as dead,
  round(100.0 * count(*) filter (where action in ('review', 'dead')) / count(*), 1) as trouble_percent
from last_decision
group by source;

comment on view report.source_quality is 'Leads by source and what became of them; trouble_percent is the share that needed a person.';

-- Calls to the CRM by hour.
create or replace view report.api_usage as
select
  date_trunc('hour', called_at) as hour,
  operation,
  priority,
  count(*) as calls,
  sum(rows_sent) as rows_sent,
  count(*) filter (where status = 429) as throttled,
  count(*) filter (where failure is not null) as failed,
  round(avg(duration_ms)) as average_ms
from audit.crm_call
group by 1, 2, 3;

comment on view report.api_usage is 'Calls to the CRM by hour, operation and priority.';

-- Decisions by day.
create or replace view report.daily as
select
  entry.decided_at::date as day,
  entry.source,
  entry.action,
  entry.tier,
  count(*) as decisions,
  count(*) filter (where settlement.outcome = 'applied') as applied,
  count(*) filter (where settlement.outcome = 'rejected') as rejected
from audit.entry
left join audit.settlement using (decision_id)
group by 1, 2, 3, 4;

comment on view report.daily is 'Decisions by day, source, action and tier.';
