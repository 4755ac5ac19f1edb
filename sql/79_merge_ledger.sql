-- Merge, the ledger: what analysts and stewards see of plans, merges and undos. All read only.

drop function if exists gate.list_plans(boolean, bigint);
drop function if exists gate.list_plans(text, bigint);
drop function if exists gate.list_plans(text[], bigint);
drop view if exists report.merge_plan;

-- The plans, with what they lose, who decided on them, and what was done. Read by `merge show` and `merge export`.
create view report.merge_plan as
select
  plan.plan_id,
  plan.group_id,
  plan.state,
  plan.held_for,
  plan.contacts,
  master.crm_id as master_crm_id,
  plan.master_rule,
  array(
    select member.crm_id
    from merge.member
    where member.plan_id = plan.plan_id
      and member.place > 0
    order by member.place
  ) as merged_crm_ids,
  plan.merge_calls,
  plan.write_needed,
  (
    select count(*)
    from merge.survivor
    where survivor.plan_id = plan.plan_id
      and jsonb_array_length(survivor.lost) > 0
  ) as fields_with_losses,
  plan.planned_at,
  plan.planned_by,
  plan.digest,
  plan.decided_at,
  plan.decided_by,
  plan.note,
  plan.begun_at,
  plan.ended_at,
  plan.reason,
  plan.survivor_crm_id,
  array(
    select key
    from jsonb_object_keys(plan.not_kept) as key
    order by key
  ) as fields_not_kept
from merge.plan
join merge.member as master on master.plan_id = plan.plan_id and master.place = 0;

comment on view report.merge_plan is 'What a merge of each group of duplicates does: who stays and why, who is merged into it, in how many fields values are lost (merge.survivor), who approved it, and what came of it.';

-- How much was planned, merged, held and taken back, by rule and by month.
create or replace view report.merge_summary as
select
  date_trunc('month', coalesce(plan.ended_at, plan.planned_at))::date as month,
  plan.master_rule,
  plan.state,
  count(*) as groups,
  sum(plan.contacts)::bigint as contacts,
  coalesce(sum(done.merges), 0)::bigint as merge_calls,
  coalesce(sum(done.merges - done.recreated), 0)::bigint as contacts_saved,
  count(*) filter (where plan.not_kept <> '{}') as groups_with_values_not_kept
from merge.plan
cross join lateral (
  select
    count(*) filter (where step.done_at is not null) as merges,
    count(member.recreated_crm_id) as recreated
  from merge.member
  left join merge.step on step.plan_id = member.plan_id and step.place = member.place
  where member.plan_id = plan.plan_id
) as done
group by 1, 2, 3;

comment on view report.merge_summary is 'Groups of duplicates by month (of their end, or of their plan), by the rule that chose who stays, and by state: how many, the contacts in them, merges done, and by how many contacts the CRM is smaller for it.';

-- The purge in one row. Read by the demo.
create or replace view report.purge as
select
  count(*) as planned,
  count(*) filter (where plan.state = 'held') as held,
  count(*) filter (where plan.state = 'merged') as merged,
  (select count(*) from merge.step where done_at is not null) as merges,
  (
    array_agg(plan.plan_id order by plan.contacts desc, plan.plan_id)
      filter (where plan.state = 'merged')
  )[1] as example
from merge.plan;

comment on view report.purge is 'All plans of merges together: how many groups are planned, held for a person and merged, how many merges were made, and the merged plan with most contacts, for an example.';

-- Who was merged into whom: winner, loser, why, who approved it, what was there before and after.
create or replace view report.merge_ledger as
select
  plan.plan_id,
  plan.group_id,
  plan.state,
  step.place,
  plan.master_id as winner_contact_id,
  plan.survivor_crm_id as winner_crm_id,
  member.contact_id as loser_contact_id,
  member.crm_id as loser_crm_id,
  plan.master_rule,
  plan.evidence,
  plan.planned_by,
  plan.decided_by as approved_by,
  plan.decided_at as approved_at,
  step.primary_crm_id,
  step.result_crm_id,
  step.done_at,
  step.call_id,
  crm_call.called_at,
  crm_call.duration_ms,
  winner.record -> 'values' as winner_before,
  loser.record -> 'values' as loser_before,
  plan.after as winner_after,
  plan.not_kept,
  member.recreated_crm_id
from merge.plan
join merge.step using (plan_id)
join merge.member on member.plan_id = step.plan_id and member.place = step.place
left join merge.snapshot as winner on winner.plan_id = plan.plan_id and winner.place = 0
left join merge.snapshot as loser on loser.plan_id = step.plan_id and loser.place = step.place
left join audit.crm_call using (call_id);

comment on view report.merge_ledger is 'Each merge that was begun: who stays and who was absorbed, by which rule and evidence, who approved it, the values of both before and of the survivor after, and the call to the CRM.';

-- Plans in these states, or all; those that wait for a person first come first. Called by `merge show` and `merge export`.
create function gate.list_plans(p_states text[], p_limit bigint)
returns setof report.merge_plan
language sql
stable
as $$
  select *
  from report.merge_plan
  where p_states is null
    or state = any (p_states)
  order by
    array_position(array['proposed', 'held', 'approved', 'running', 'failed', 'stale', 'undoing', 'rejected', 'merged', 'undone'], state),
    plan_id
  limit p_limit
$$;

-- One plan with its contacts, its values, the evidence, its merges and what happened to it, in one document; null when there is none.
-- Called by `merge show PLAN`.
create or replace function gate.show_plan(p_plan bigint)
returns jsonb
language sql
stable
as $$
  select to_jsonb(plan) || jsonb_build_object(
    'members', (
      select jsonb_agg(to_jsonb(member) || jsonb_build_object('merged', step.done_at is not null) order by member.place)
      from merge.member
      left join merge.step on step.plan_id = member.plan_id and step.place = member.place
      where member.plan_id = plan.plan_id
    ),
    'values', (
      select coalesce(jsonb_agg(to_jsonb(survivor) order by survivor.field), '[]')
      from merge.survivor
      where survivor.plan_id = plan.plan_id
    ),
    'evidence', coalesce(planned.evidence, gate.evidence_of_plan(p_plan), '[]'),
    'not_kept', planned.not_kept,
    'not_restored', planned.not_restored,
    'events', (
      select coalesce(jsonb_agg(to_jsonb(merge_event) - 'plan_id' order by merge_event.event_id), '[]')
      from audit.merge_event
      where merge_event.plan_id = plan.plan_id
    )
  )
  from report.merge_plan as plan
  join merge.plan as planned using (plan_id)
  where plan.plan_id = p_plan
$$;

-- What the values of plans are, for people: `city: Riga (lost: Bergen)`. Called by `merge export`.
create or replace function gate.export_plans(p_states text[])
returns table (plan jsonb, names text, survives text)
language sql
stable
as $$
  select
    to_jsonb(plan),
    (
      select string_agg(
        concat_ws(' ', member.crm_id || ':', contact.first_name, contact.last_name, '<' || contact.email || '>', contact.company),
        '; ' order by member.place
      )
      from merge.member
      left join crm.contact using (contact_id)
      where member.plan_id = plan.plan_id
    ),
    (
      select string_agg(
        concat(survivor.field, ': ', survivor.value, ' (lost: ' || lost.texts || ')'),
        '; ' order by survivor.field
      )
      from merge.survivor
      cross join lateral (
        select string_agg(value ->> 'value', ' | ') as texts
        from jsonb_array_elements(survivor.lost) as value
      ) as lost
      where survivor.plan_id = plan.plan_id
    )
  from gate.list_plans(p_states, null) as plan
$$;
