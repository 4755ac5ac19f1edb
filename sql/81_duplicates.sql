-- Duplicates: what analysts and stewards see of them. All read only. Contacts that are gone, and pairs that somebody has told
-- apart, are left out at once, also before the next scan.

drop function if exists gate.list_members(boolean, bigint);
drop function if exists gate.list_pairs(text, bigint);
drop view if exists report.duplicate_member;
drop view if exists report.duplicate_group;
drop view if exists report.duplicate_pair;

-- Pairs of contacts that are, or may be, one person.
create view report.duplicate_pair as
select
  duplicate_pair.left_id as left_contact_id,
  one.crm_id as left_crm_id,
  duplicate_pair.right_id as right_contact_id,
  other.crm_id as right_crm_id,
  duplicate_pair.tier,
  duplicate_pair.score,
  case when duplicate_pair.score >= bar.score then 'duplicate' else 'possible' end as verdict,
  duplicate_pair.evidence,
  left_member.group_id,
  duplicate_pair.found_at
from gate.duplicate_pair
join crm.contact as one on one.contact_id = duplicate_pair.left_id
join crm.contact as other on other.contact_id = duplicate_pair.right_id
join rules.match_threshold as bar on bar.name = 'duplicate'
left join gate.duplicate_member as left_member on left_member.contact_id = duplicate_pair.left_id
  and exists (
    select
    from gate.duplicate_member as right_member
    where right_member.contact_id = duplicate_pair.right_id
      and right_member.group_id = left_member.group_id
  )
where one.archived_at is null
  and other.archived_at is null
  and one.crm_id is not null
  and other.crm_id is not null
  and not exists (
    select
    from rules.not_duplicate
    where not_duplicate.crm_id_low = least(one.crm_id, other.crm_id)
      and not_duplicate.crm_id_high = greatest(one.crm_id, other.crm_id)
  );

comment on view report.duplicate_pair is 'Pairs of contacts that may be one person: tier (the strongest identifier that both carry), score in bits, verdict (duplicate or possible, by rules.match_threshold), evidence (how each field agrees), and their group, if both are in one.';

-- Who is in which group of duplicates, with what tells people apart.
create view report.duplicate_member as
select
  duplicate_member.group_id,
  contact.contact_id,
  contact.crm_id,
  contact.first_name,
  contact.last_name,
  contact.company,
  contact.email,
  contact.phone,
  contact.city,
  contact.external_id,
  contact.created_at,
  contact.updated_at,
  duplicate_group.flags
from gate.duplicate_member
join gate.duplicate_group using (group_id)
join crm.contact using (contact_id)
where contact.archived_at is null
  and contact.crm_id is not null
  and exists (
    select
    from gate.duplicate_member as fellow
    join crm.contact as living using (contact_id)
    where fellow.group_id = duplicate_member.group_id
      and fellow.contact_id <> duplicate_member.contact_id
      and living.archived_at is null
      and living.crm_id is not null
  );

comment on view report.duplicate_member is 'The contacts of each group of duplicates, one row each.';

-- One row for each group of duplicates.
create view report.duplicate_group as
select
  duplicate_group.group_id,
  count(*) as contacts,
  duplicate_group.flags,
  array_agg(contact.contact_id order by contact.contact_id) as contact_ids,
  array_agg(contact.crm_id order by contact.contact_id) as crm_ids,
  (
    select min(duplicate_pair.score)
    from gate.duplicate_member as own
    join gate.duplicate_pair on duplicate_pair.left_id = own.contact_id
    join gate.duplicate_member as fellow
      on fellow.contact_id = duplicate_pair.right_id
      and fellow.group_id = own.group_id
    where own.group_id = duplicate_group.group_id
  ) as lowest_score,
  duplicate_group.changed_at
from gate.duplicate_group
join gate.duplicate_member using (group_id)
join crm.contact using (contact_id)
where contact.archived_at is null
  and contact.crm_id is not null
group by duplicate_group.group_id
having count(*) > 1;

comment on view report.duplicate_group is 'Groups of contacts that are one person. flags says why a person must look at it: chain (a member is tied to the others by one pair alone), large, told_apart (somebody has said of two who hang together by it that they are two people). lowest_score: of the pairs within.';

-- Members of groups, group by group. Null for p_limit: all. Called by `duplicates list` and `duplicates export`.
create or replace function gate.list_members(p_flagged boolean, p_limit bigint)
returns setof report.duplicate_member
language sql
stable
as $$
  select *
  from report.duplicate_member
  where not p_flagged
    or flags <> '{}'
  order by group_id, contact_id
  limit p_limit
$$;

-- Pairs, the surest first. Null for p_limit: all. Called by `duplicates list` and `duplicates export`.
create or replace function gate.list_pairs(p_verdict text, p_limit bigint)
returns setof report.duplicate_pair
language sql
stable
as $$
  select *
  from report.duplicate_pair
  where p_verdict is null
    or verdict = p_verdict
  order by score desc, left_contact_id, right_contact_id
  limit p_limit
$$;
