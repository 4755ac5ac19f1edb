-- Merge: plans of what a merge of duplicates would keep and lose. Nothing is merged by them.

-- Whether the scan has found a pair among these contacts in which something speaks against one person, whatever speaks for it:
-- other given names or surnames, generation, country, or external ids. Called by gate.groups_to_plan.
create or replace function gate.contradicts(p_contacts bigint[])
returns boolean
language sql
stable
as $$
  select exists (
    select
    from gate.duplicate_pair
    where duplicate_pair.left_id = any (p_contacts)
      and duplicate_pair.right_id = any (p_contacts)
      and (
        duplicate_pair.evidence ->> 'first_name' in ('different', 'same_initial')
        or duplicate_pair.evidence ->> 'last_name' = 'different'
        or duplicate_pair.evidence ->> 'generation' = 'different'
        or duplicate_pair.evidence ->> 'country' = 'different'
        or duplicate_pair.evidence ->> 'external_id' = 'different'
      )
  )
$$;

-- The next p_limit groups above p_after with their living contacts, as far as at least two of them live; those of p_groups alone, if
-- it is given. Of contacts that are being merged nothing is planned. Called by `merge plan`, page by page, and by `merge approve` for
-- a group of which a person has chosen something.
drop function if exists gate.groups_to_plan(bigint, integer);
create or replace function gate.groups_to_plan(p_after bigint, p_limit integer, p_groups bigint[])
returns table (
  group_id bigint, flags text[], contact_ids bigint[], created_at timestamptz[], chosen_master text, chosen_values jsonb
)
language sql
stable
as $$
  select
    duplicate_group.group_id,
    duplicate_group.flags || case when gate.contradicts(living.contact_ids) then '{contradiction}'::text[] else '{}' end,
    living.contact_ids,
    living.created_at,
    (select chosen_master.crm_id from merge.chosen_master where chosen_master.group_id = duplicate_group.group_id),
    (
      select coalesce(jsonb_object_agg(chosen_value.field, chosen_value.value), '{}')
      from merge.chosen_value
      where chosen_value.group_id = duplicate_group.group_id
    )
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
      and not exists (select from merge.under_way where under_way.contact_id = contact.contact_id)
  ) as living
  where duplicate_group.group_id > p_after
    and (p_groups is null or duplicate_group.group_id = any (p_groups))
    and cardinality(living.contact_ids) >= 2
    and not exists (
      select
      from merge.plan
      where plan.group_id = duplicate_group.group_id
        and plan.state = 'running'
    )
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

-- Ends plans that are not begun and of whose group fewer than two contacts live: approved ones are stale, the others go. Called by
-- `merge plan` in the transaction that makes plans anew.
drop function if exists gate.clear_plans();
create or replace function gate.retire_plans()
returns void
language sql
as $$
  with idle as materialized (
    select plan.plan_id, plan.state
    from merge.plan
    where plan.state in ('proposed', 'held', 'rejected', 'approved')
      and (
        select count(*)
        from gate.duplicate_member
        join crm.contact using (contact_id)
        where duplicate_member.group_id = plan.group_id
          and contact.archived_at is null
          and contact.crm_id is not null
      ) < 2
  ), stale as (
    update merge.plan
    set state = 'stale',
        reason = 'group_gone',
        ended_at = clock_timestamp()
    from idle
    where plan.plan_id = idle.plan_id
      and idle.state = 'approved'
    returning plan.plan_id
  ), noted as (
    insert into audit.merge_event (plan_id, event, details)
    select plan_id, 'stale', '{"reason": "group_gone"}'
    from stale
  )
  delete from merge.plan
  using idle
  where plan.plan_id = idle.plan_id
    and idle.state <> 'approved'
$$;

-- Stores plans. p_plans: [{group_id, held_for, master_id, master_rule, write_needed, digest, policy_version, members: [{contact_id, crm_id,
-- updated_at, fingerprint}], values: [{field, value, contact_id, source, rule, lost}]}], the members in their order. A plan that is
-- the same as before stays what it is, approved or rejected, unless there is a new reason to hold it. One that is another plan now
-- has to be approved anew; a rejection, and what a person holds, stay as long as the group has the same contacts. Called by
-- `merge plan` and `merge approve`.
create or replace function gate.put_plans(p_plans jsonb)
returns void
language plpgsql
as $$
declare
  v_replaced bigint[];
  v_new bigint[];
begin
  select coalesce(array_agg(plan.plan_id), '{}')
  into v_replaced
  from jsonb_to_recordset(p_plans) as incoming (group_id bigint, digest text)
  join merge.plan using (group_id)
  where plan.state in ('proposed', 'held', 'rejected', 'approved')
    and plan.digest <> incoming.digest;

  insert into audit.merge_event (plan_id, event, details)
  select plan.plan_id, 'approval_lost', jsonb_build_object('digest', plan.digest)
  from merge.plan
  where plan.plan_id = any (v_replaced)
    and plan.state = 'approved';

  update merge.plan
  set state = case
        when plan.state = 'rejected' and same.contacts then 'rejected'
        when incoming.held_for = '{}' and not same.by_hand then 'proposed'
        else 'held'
      end,
      held_for = incoming.held_for || case when same.by_hand then '{by_hand}'::text[] else '{}' end,
      master_id = incoming.master_id,
      master_rule = incoming.master_rule,
      contacts = jsonb_array_length(incoming.members),
      merge_calls = jsonb_array_length(incoming.members) - 1,
      write_needed = incoming.write_needed,
      digest = incoming.digest,
      policy_version = incoming.policy_version,
      planned_at = clock_timestamp(),
      planned_by = session_user,
      approved_digest = null,
      decided_at = case when plan.state <> 'approved' then plan.decided_at end,
      decided_by = case when plan.state <> 'approved' then plan.decided_by end,
      note = case when plan.state <> 'approved' then plan.note end
  from jsonb_to_recordset(p_plans) as incoming (
    group_id bigint, held_for text[], master_id bigint, master_rule text, write_needed boolean, digest text,
    policy_version bigint, members jsonb
  )
  cross join lateral (
    select
      known.contacts,
      known.contacts and former.state = 'held' and 'by_hand' = any (former.held_for) as by_hand
    from merge.plan as former
    cross join lateral (
      select
        array(
          select member.contact_id
          from merge.member
          where member.plan_id = former.plan_id
          order by member.contact_id
        ) = array(
          select (member ->> 'contact_id')::bigint
          from jsonb_array_elements(incoming.members) as member
          order by 1
        ) as contacts
    ) as known
    where former.group_id = incoming.group_id
      and former.plan_id = any (v_replaced)
  ) as same
  where plan.group_id = incoming.group_id
    and plan.plan_id = any (v_replaced);

  delete from merge.member
  where plan_id = any (v_replaced);
  delete from merge.survivor
  where plan_id = any (v_replaced);

  -- The same plan, and something else speaks against it now, or nothing does any more.
  update merge.plan
  set state = case when incoming.held_for = '{}' then 'proposed' else 'held' end,
      held_for = incoming.held_for,
      approved_digest = null
  from jsonb_to_recordset(p_plans) as incoming (group_id bigint, held_for text[], digest text)
  where plan.group_id = incoming.group_id
    and plan.digest = incoming.digest
    and (
      (plan.state in ('proposed', 'approved') and not incoming.held_for <@ plan.held_for)
      or (plan.state = 'held' and plan.held_for <> incoming.held_for and 'by_hand' <> all (plan.held_for))
    );

  -- What a person has chosen makes no difference to it.
  update merge.plan
  set planned_at = clock_timestamp()
  from jsonb_to_recordset(p_plans) as incoming (group_id bigint, digest text)
  where plan.group_id = incoming.group_id
    and plan.digest = incoming.digest
    and plan.state in ('proposed', 'held', 'rejected', 'approved')
    and (
      exists (select from merge.chosen_master where chosen_master.group_id = plan.group_id and chosen_at > plan.planned_at)
      or exists (select from merge.chosen_value where chosen_value.group_id = plan.group_id and chosen_at > plan.planned_at)
    );

  with planned as (
    insert into merge.plan (
      group_id, state, held_for, master_id, master_rule, contacts, merge_calls, write_needed, digest, policy_version
    )
    select
      group_id, case when held_for = '{}' then 'proposed' else 'held' end, held_for, master_id, master_rule,
      jsonb_array_length(members), jsonb_array_length(members) - 1, write_needed, digest, policy_version
    from jsonb_to_recordset(p_plans) as incoming (
      group_id bigint, held_for text[], master_id bigint, master_rule text, write_needed boolean, digest text,
      policy_version bigint, members jsonb
    )
    where not exists (
      select
      from merge.plan
      where plan.group_id = incoming.group_id
        and plan.state in ('proposed', 'held', 'rejected', 'approved', 'running')
    )
    returning plan_id
  )
  select coalesce(array_agg(plan_id), '{}')
  into v_new
  from planned;

  with fresh as materialized (
    select plan.plan_id, incoming.members, incoming.values
    from jsonb_to_recordset(p_plans) as incoming (group_id bigint, members jsonb, values jsonb)
    join merge.plan using (group_id)
    where plan.plan_id = any (v_replaced || v_new)
  ), member as (
    insert into merge.member (plan_id, place, contact_id, crm_id, updated_at, fingerprint)
    select fresh.plan_id, listed.place - 1, member.contact_id, member.crm_id, member.updated_at, member.fingerprint
    from fresh
    cross join lateral jsonb_array_elements(fresh.members) with ordinality as listed (member, place)
    cross join lateral jsonb_to_record(listed.member) as member (
      contact_id bigint, crm_id text, updated_at timestamptz, fingerprint text
    )
  )
  insert into merge.survivor (plan_id, field, value, contact_id, source, rule, lost)
  select fresh.plan_id, surviving.field, surviving.value, surviving.contact_id, surviving.source, surviving.rule, surviving.lost
  from fresh
  cross join lateral jsonb_to_recordset(fresh.values) as surviving (
    field text, value text, contact_id bigint, source text, rule text, lost jsonb
  );
end
$$;

-- The pairs of a plan's contacts as the scan has found them, the surest first: contacts, tier, score, how each field agrees. Called by
-- gate.begin_merges, which keeps them, and gate.show_plan.
create or replace function gate.evidence_of_plan(p_plan bigint)
returns jsonb
language sql
stable
as $$
  select jsonb_agg(
    jsonb_build_object(
      'left_id', duplicate_pair.left_id, 'right_id', duplicate_pair.right_id, 'tier', duplicate_pair.tier,
      'score', duplicate_pair.score, 'agreement', duplicate_pair.evidence
    )
    order by duplicate_pair.score desc
  )
  from gate.duplicate_pair
  where duplicate_pair.left_id in (select contact_id from merge.member where member.plan_id = p_plan)
    and duplicate_pair.right_id in (select contact_id from merge.member where member.plan_id = p_plan)
$$;
