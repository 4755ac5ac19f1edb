-- Group: who belongs together, as `src/duplicates` worked it out from the pairs, and what it needs for that.

-- The contacts whose groups may have to change when these have been compared anew: they themselves, who was in a group with
-- them, and whoever hangs together with any of those by pairs that are duplicates. Called by the scan.
create or replace function gate.group_region(p_contacts bigint[])
returns setof bigint
language sql
stable
as $$
  with recursive bar as (
    select score
    from rules.match_threshold
    where name = 'duplicate'
  ), region as (
    select contact_id
    from unnest(p_contacts) as contact_id
    union
    select fellow.contact_id
    from gate.duplicate_member as own
    join gate.duplicate_member as fellow using (group_id)
    where own.contact_id = any (p_contacts)
    union
    select linked.contact_id
    from region
    cross join bar
    cross join lateral (
      select right_id as contact_id
      from gate.duplicate_pair
      where left_id = region.contact_id
        and duplicate_pair.score >= bar.score
      union all
      select left_id
      from gate.duplicate_pair
      where right_id = region.contact_id
        and duplicate_pair.score >= bar.score
    ) as linked
  )
  select contact_id
  from region
$$;

-- Pairs that somebody has said are two people, as contacts. Called by the scan.
create or replace function gate.told_apart()
returns table (left_id bigint, right_id bigint)
language sql
stable
as $$
  select
    least(one.contact_id, other.contact_id),
    greatest(one.contact_id, other.contact_id)
  from rules.not_duplicate
  join crm.contact as one on one.crm_id = not_duplicate.crm_id_low
  join crm.contact as other on other.crm_id = not_duplicate.crm_id_high
$$;

-- The pairs of a region that are duplicates, best first. Null: of all. Called by the scan.
create or replace function gate.links_among(p_region bigint[])
returns table (left_id bigint, right_id bigint, score real)
language sql
stable
as $$
  select duplicate_pair.left_id, duplicate_pair.right_id, duplicate_pair.score
  from gate.duplicate_pair
  join rules.match_threshold on match_threshold.name = 'duplicate'
  where duplicate_pair.score >= match_threshold.score
    and (p_region is null or duplicate_pair.left_id = any (p_region))
  order by duplicate_pair.score desc, duplicate_pair.left_id, duplicate_pair.right_id
$$;

-- Who of a region was in which group. Null: of all. Called by the scan.
create or replace function gate.members_among(p_region bigint[])
returns table (contact_id bigint, group_id bigint)
language sql
stable
as $$
  select contact_id, group_id
  from gate.duplicate_member
  where p_region is null
    or contact_id = any (p_region)
$$;

-- Numbers for new groups. Called by the scan.
create or replace function gate.new_group_ids(p_count integer)
returns setof bigint
language sql
as $$
  select nextval(pg_get_serial_sequence('gate.duplicate_group', 'group_id'))
  from generate_series(1, p_count)
$$;

-- Puts the groups of a region (null: all) in the place of those that were there: p_groups[i] with the flags p_flags[i], apart by
-- commas, and p_contacts[i] in p_memberships[i]. Locks the groups, so that two scans could not mix. Called by the scan.
create or replace function gate.put_groups(
  p_region bigint[], p_groups bigint[], p_flags text[], p_contacts bigint[], p_memberships bigint[]
)
returns void
language plpgsql
as $$
declare
  v_before bigint[];
begin
  lock table gate.duplicate_group in share row exclusive mode;
  select coalesce(array_agg(distinct group_id), '{}')
  into v_before
  from gate.members_among(p_region);

  insert into gate.duplicate_group (group_id, flags)
  overriding system value
  select group_id, array_remove(string_to_array(flags, ','), '')
  from unnest(p_groups, p_flags) as incoming (group_id, flags)
  on conflict (group_id) do update
  set flags = excluded.flags,
      changed_at = clock_timestamp()
  where duplicate_group.flags <> excluded.flags;

  with incoming as materialized (
    select contact_id, group_id
    from unnest(p_contacts, p_memberships) as incoming (contact_id, group_id)
  ), gone as (
    delete from gate.duplicate_member
    where (p_region is null or contact_id = any (p_region))
      and contact_id not in (select contact_id from incoming)
    returning group_id
  ), come as (
    insert into gate.duplicate_member (contact_id, group_id)
    select contact_id, group_id
    from incoming
    on conflict (contact_id) do update
    set group_id = excluded.group_id
    where duplicate_member.group_id <> excluded.group_id
    returning group_id
  )
  update gate.duplicate_group
  set changed_at = clock_timestamp()
  where group_id = any (v_before)
    and group_id in (select group_id from gone union select group_id from come);

  delete from gate.duplicate_group
  where group_id = any (v_before)
    and not exists (
      select
      from gate.duplicate_member
      where duplicate_member.group_id = duplicate_group.group_id
    );
end
$$;

-- Says that two contacts are two people, by their ids in the CRM. Whether both are there. Called by `duplicates apart`.
create or replace function gate.tell_apart(p_one text, p_other text, p_note text)
returns boolean
language plpgsql
as $$
begin
  if (select count(*) <> 2 from crm.contact where crm_id in (p_one, p_other)) then
    return false;
  end if;
  insert into rules.not_duplicate (crm_id_low, crm_id_high, note)
  values (least(p_one, p_other), greatest(p_one, p_other), p_note)
  on conflict (crm_id_low, crm_id_high) do update
  set note = excluded.note;
  return true;
end
$$;

-- The next scan looks again at contacts that somebody has told apart, or no longer tells apart.
create or replace function gate.look_again()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into gate.unscanned (contact_id)
  select contact_id
  from crm.contact
  join told on crm_id in (told.crm_id_low, told.crm_id_high);
  return null;
end
$$;

create or replace trigger look_again_insert
after insert on rules.not_duplicate
referencing new table as told
for each statement
execute function gate.look_again();

create or replace trigger look_again_delete
after delete on rules.not_duplicate
referencing old table as told
for each statement
execute function gate.look_again();

-- When the last scan ended; null when there was none. Called by `duplicates list` and `duplicates export`.
create or replace function gate.last_scan()
returns timestamptz
language sql
stable
as $$
  select max(finished_at)
  from gate.scan
$$;
