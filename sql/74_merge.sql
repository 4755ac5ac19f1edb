-- Merge: plans of what a merge of duplicates would keep and lose.

-- The next p_limit groups above p_after with their living contacts, as far as at least two of them live. Called by `merge plan`, page by
-- page.
create or replace function gate.groups_to_plan(p_after bigint, p_limit integer)
returns table (group_id bigint, flags text[], contact_ids bigint[], created_at timestamptz[])
language sql
stable
as $$
  select
    duplicate_group.group_id, duplicate_group.flags, living.contact_ids, living.created_at
  from gate.duplicate_group
  cross join lateral (
    select
      array_agg(contact.contact_id order by contact.contact_id) as contact_ids,
      array_agg(contact.created_at order by contact.contact_id) as created_at
    from gate.duplicate_member
    join crm.contact using (contact_id)
    where duplicate_member.group_id = duplicate_group.group_id
      and contact.archived_at is null
      and contact.crm_id is not null
  ) as living
  where duplicate_group.group_id > p_after
    and cardinality(living.contact_ids) >= 2
  order by duplicate_group.group_id
  limit p_limit
$$;

-- How many groups there are. Called by `merge plan` for its progress.
create or replace function gate.count_groups()
returns bigint
language sql
stable
as $$
  select count(*)
  from gate.duplicate_group
$$;

-- By which criteria the contact is chosen that stays, in their order. Called by `merge plan`.
create or replace function gate.read_merge_master()
returns table (criterion text, field text)
language sql
stable
as $$
  select criterion, field
  from rules.merge_master
  order by place
$$;

-- Forgets the plans that were made before. Called by `merge plan` in the transaction that makes them anew.
create or replace function gate.clear_plans()
returns void
language sql
as $$
  delete from merge.plan
$$;

-- Stores plans. p_plans: [{group_id, held_for, master_id, master_rule, write_needed, digest, policy_version, members: [{contact_id, crm_id,
-- updated_at}], values: [{field, value, contact_id, source, rule, lost}]}], the members in their order. Called by `merge plan`.
create or replace function gate.put_plans(p_plans jsonb)
returns void
language sql
as $$
  with incoming as materialized (
    select plan.*, jsonb_array_length(plan.members) as contacts
    from jsonb_to_recordset(p_plans) as plan (
      group_id bigint, held_for text[], master_id bigint, master_rule text, write_needed boolean, digest text,
      policy_version bigint, members jsonb, values jsonb
    )
  ), planned as (
    insert into merge.plan (
      group_id, state, held_for, master_id, master_rule, contacts, merge_calls, write_needed, digest, policy_version
    )
    select
      group_id, case when held_for = '{}' then 'proposed' else 'held' end, held_for, master_id, master_rule, contacts,
      contacts - 1, write_needed, digest, policy_version
    from incoming
    returning plan_id, group_id
  ), member as (
    insert into merge.member (plan_id, place, contact_id, crm_id, updated_at)
    select planned.plan_id, listed.place - 1, member.contact_id, member.crm_id, member.updated_at
    from planned
    join incoming using (group_id)
    cross join lateral jsonb_array_elements(incoming.members) with ordinality as listed (member, place)
    cross join lateral jsonb_to_record(listed.member) as member (contact_id bigint, crm_id text, updated_at timestamptz)
  )
  insert into merge.survivor (plan_id, field, value, contact_id, source, rule, lost)
  select planned.plan_id, surviving.field, surviving.value, surviving.contact_id, surviving.source, surviving.rule, surviving.lost
  from planned
  join incoming using (group_id)
  cross join lateral jsonb_to_recordset(incoming.values) as surviving (
    field text, value text, contact_id bigint, source text, rule text, lost jsonb
  )
$$;

-- The plans, with what they would lose. Read by `merge show`.
create or replace view report.merge_plan as
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
  plan.digest
from merge.plan
join merge.member as master on master.plan_id = plan.plan_id and master.place = 0;

comment on view report.merge_plan is 'What a merge of each group of duplicates would do: who stays and why, who is merged into it, and in how many fields values would be lost (merge.survivor). Nothing is merged by a plan.';

-- Plans, the held ones last. Called by `merge show`.
create or replace function gate.list_plans(p_held boolean, p_limit bigint)
returns setof report.merge_plan
language sql
stable
as $$
  select *
  from report.merge_plan
  where p_held is null
    or (state = 'held') = p_held
  order by state = 'held', plan_id
  limit p_limit
$$;

-- One plan with its contacts and its values, in one document; null when there is none. Called by `merge show PLAN`.
create or replace function gate.show_plan(p_plan bigint)
returns jsonb
language sql
stable
as $$
  select to_jsonb(plan) || jsonb_build_object(
    'members', (
      select jsonb_agg(to_jsonb(member) order by member.place)
      from merge.member
      where member.plan_id = plan.plan_id
    ),
    'values', (
      select coalesce(jsonb_agg(to_jsonb(survivor) order by survivor.field), '[]')
      from merge.survivor
      where survivor.plan_id = plan.plan_id
    )
  )
  from report.merge_plan as plan
  where plan.plan_id = p_plan
$$;
