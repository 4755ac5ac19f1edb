-- Saving: what the gate decided in sum, and what the same leads would have cost and made without it. All read only.

-- How many leads were decided how, by the last decision about each.
create or replace view report.decision_count as
with last_decision as (
  select distinct on (lead_id) lead_id, action, tier
  from audit.entry
  where action not in ('rewrite', 'undo')
  order by lead_id, decision_id desc
)
select
  action,
  tier,
  count(*) as leads
from last_decision
group by action, tier;

comment on view report.decision_count is 'Leads by action and by the tier that identified the person; no tier: nobody known.';

-- What a client would have done with the same leads that searches for each by its e-mail address, and then changes the
-- contact that it found or creates one. It compares no phones and no names, and it writes also what is there already.
-- Leads that are dead letters here are left to it. An address counts as known when a contact had it that we did not make.
create or replace view report.one_by_one as
with last_decision as (
  select distinct on (lead_id) lead_id, action, evidence -> 'normalized' -> 'keys' -> 'emails' ->> 0 as email
  from audit.entry
  where action not in ('rewrite', 'undo')
  order by lead_id, decision_id desc
), lead as (
  select
    lead_id,
    coalesce(last_decision.email, nullif(lower(trim(delivered.email)), '')) as email
  from last_decision
  left join staging.lead as delivered using (lead_id)
  where action <> 'dead'
), known as (
  select lower(email) as email
  from crm.contact
  where gatekeeper_key is null
    and email is not null
  union
  select lower(unnest(additional_emails))
  from crm.contact
  where gatekeeper_key is null
  union
  select lower(change.old_value)
  from audit.change
  join audit.entry using (decision_id)
  join crm.contact using (contact_id)
  where change.field = 'email'
    and change.verdict = 'written'
    and contact.gatekeeper_key is null
)
select
  count(*) as leads,
  count(*) as searches,
  count(*) as writes,
  2 * count(*) as calls,
  count(*) filter (where lead.email is null)
    + count(distinct lead.email) filter (where lead.email is not null and known.email is null) as contacts_made
from lead
left join known using (email);

comment on view report.one_by_one is 'What searching for each lead by e-mail and then writing it would have cost in calls, and how many contacts it would have made.';
