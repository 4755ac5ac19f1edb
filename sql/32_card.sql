-- Card: what a record is compared by. Its keys, its other names, and how rare its values are: two people called Smith say
-- less than two called Featherstonehaugh (term frequencies, as in Winkler 2000 and in Splink).

-- How rare a value is, in bits, among p_contacts contacts of which p_carriers carry it. The 2,000 keep a young mirror from
-- taking each name for a rare one.
create or replace function gate.rarity_bits(p_contacts bigint, p_carriers bigint)
returns real
language sql
immutable
parallel safe
as $$
  select (ln((p_contacts + 2000)::float8 / (p_carriers + 1)) / ln(2::float8))::real
$$;

-- Counts how many contacts carry each value. Called at the end of each full pass over the CRM, and before
-- all contacts are scanned for duplicates; then not when it was done within a day and the contacts have not become a twentieth
-- more or fewer since (p_unless_fresh). Locks gate.term against another count; who matches meanwhile sees the counts as they were.
create or replace function gate.count_terms(p_unless_fresh boolean default false)
returns void
language plpgsql
as $$
begin
  lock table gate.term in share row exclusive mode;
  if p_unless_fresh and exists (
    select
    from gate.term
    where kind = 'contact'
      and counted_at > clock_timestamp() - interval '1 day'
      and abs(carriers - (select count(*) from gate.contact_keys)) * 20 <= carriers
  ) then
    return;
  end if;
  delete from gate.term;
  insert into gate.term (kind, value, carriers)
  select 'contact', '', count(*)
  from gate.contact_keys
  union all
  select 'first_name', split_part(first_name, ' ', 1), count(*)
  from gate.contact_keys
  where first_name is not null
  group by 2
  having count(*) > 1
  union all
  select 'last_name', last_name, count(*)
  from gate.contact_keys
  where last_name is not null
  group by 2
  having count(*) > 1
  union all
  select 'full_name', split_part(first_name, ' ', 1) || '|' || last_name, count(*)
  from gate.contact_keys
  where first_name is not null
    and last_name is not null
  group by 2
  having count(*) > 1
  union all
  select 'company', replace(company, ' ', ''), count(*)
  from gate.contact_keys
  where company is not null
  group by 2
  having count(*) > 1
  union all
  select 'city', city, count(*)
  from gate.contact_keys
  where city is not null
  group by 2
  having count(*) > 1
  union all
  select 'email', email, count(distinct left(last_name, 3))
  from gate.contact_keys
  cross join lateral unnest(emails) as email
  group by 2
  having count(*) > 1
  union all
  select 'phone', tail, count(distinct left(last_name, 3))
  from gate.contact_keys
  cross join lateral unnest(phone_tails) as tail
  group by 2
  having count(*) > 1;
  analyze gate.term;
end
$$;

-- The cards of records: contacts by their numbers, leads of p_leads (as gate.match_leads has them) as -1 less their ord; or,
-- when p_contacts is null, part p_part of p_parts of all contacts. An address or a number that a steward has listed counts as
-- carried by 50 people. Called by gate.fill_cards and gate.agreements, into whose statements it is put in place of the call.
-- Locks nothing.
create or replace function gate.cards(p_contacts bigint[], p_leads jsonb, p_part integer default 0, p_parts integer default 1)
returns setof gate.card
language sql
stable
as $$
  with record as (
    select keys.*
    from unnest(p_contacts) as wanted (contact_id)
    join gate.contact_keys as keys using (contact_id)
    union all
    select keys.*
    from gate.contact_keys as keys
    where p_contacts is null
      and keys.contact_id % p_parts = p_part
    union all
    select keys.*
    from jsonb_array_elements(p_leads) as lead
    cross join lateral jsonb_populate_record(
      null::gate.contact_keys,
      lead || jsonb_build_object('contact_id', -1 - (lead ->> 'ord')::bigint)
    ) as keys
    where -1 - (lead ->> 'ord')::bigint = any (p_contacts)
  ), shared_email as (
    select contact_id, max(people) as people
    from (
      select record.contact_id, term.carriers as people
      from record
      cross join lateral unnest(record.emails) as email
      join gate.term on term.kind = 'email' and term.value = email
      union all
      select record.contact_id, 50
      from record
      cross join lateral unnest(record.emails) as email
      join rules.shared_mailbox on shared_mailbox.address = email
    ) as shared
    group by contact_id
  ), shared_phone as (
    select contact_id, max(people) as people
    from (
      select record.contact_id, term.carriers as people
      from record
      cross join lateral unnest(record.phone_tails) as tail
      join gate.term on term.kind = 'phone' and term.value = tail
      union all
      select record.contact_id, 50
      from record
      cross join lateral unnest(record.phones) as own (phone)
      join rules.shared_phone on shared_phone.phone = own.phone
    ) as shared
    group by contact_id
  ), contacts as (
    select coalesce(max(carriers), 0) as count
    from gate.term
    where kind = 'contact'
  )
  select
    record.contact_id, record.external_id, record.emails, record.loose_emails, coalesce(record.phone_tails, '{}'),
    coalesce(record.extensions, '{}'), record.first_name, record.last_name, record.generation, record.company,
    replace(record.company, ' ', ''),
    case when length(split_part(record.company, ' ', 1)) >= 3 then split_part(record.company, ' ', 1) end,
    record.email_domain, split_part(record.email_domain, '.', 1), record.email_local,
    record.email_fit, record.city, record.country, record.street, record.postal_code, record.job_title,
    split_part(record.first_name, ' ', 1), record.address_first,
    case when record.first_name like '% %' then string_to_array(record.first_name, ' ') end,
    array_remove(array[split_part(record.first_name, ' ', 1), record.address_first], null),
    (
      select array_agg(nickname.name)
      from rules.nickname
      where nickname.nickname in (split_part(record.first_name, ' ', 1), record.address_first)
    ),
    array_remove(array_append(string_to_array(record.last_name, ' '), record.address_last), null),
    gate.rarity_bits(contacts.count, coalesce(first_name.carriers, 1)),
    gate.rarity_bits(contacts.count, coalesce(last_name.carriers, 1)),
    gate.rarity_bits(contacts.count, coalesce(full_name.carriers, 1)),
    gate.rarity_bits(contacts.count, coalesce(company.carriers, 1)),
    gate.rarity_bits(contacts.count, coalesce(city.carriers, 1)),
    (ln(greatest(coalesce(shared_email.people, 1), 1)::float8) / ln(2::float8))::real,
    (ln(greatest(coalesce(shared_phone.people, 1), 1)::float8) / ln(2::float8))::real,
    (ln((contacts.count + 2000)::float8) / ln(2::float8))::real
  from record
  cross join contacts
  left join gate.term as first_name on first_name.kind = 'first_name' and first_name.value = split_part(record.first_name, ' ', 1)
  left join gate.term as last_name on last_name.kind = 'last_name' and last_name.value = record.last_name
  left join gate.term as full_name
    on full_name.kind = 'full_name'
    and full_name.value = split_part(record.first_name, ' ', 1) || '|' || record.last_name
  left join gate.term as company on company.kind = 'company' and company.value = replace(record.company, ' ', '')
  left join gate.term as city on city.kind = 'city' and city.value = record.city
  left join shared_email on shared_email.contact_id = record.contact_id
  left join shared_phone on shared_phone.contact_id = record.contact_id
$$;

-- Fills gate.card with part p_part of p_parts of all contacts. Called by the scan of all contacts, for each part on a
-- connection of its own. Hash joins only: the planner cannot see how many cards gate.cards will make.
create or replace function gate.fill_cards(p_part integer, p_parts integer)
returns void
language sql
set enable_nestloop = off
set enable_mergejoin = off
as $$
  insert into gate.card
  select *
  from gate.cards(null, null, p_part, p_parts)
$$;
