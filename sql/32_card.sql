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

-- By what a value is looked up in gate.term. The planner puts this in place of the call. Called by gate.match_leads,
-- gate.agreements_among and gate.fill_cards.
create or replace function gate.term_key(p_kind text, p_value text)
returns bigint
language sql
immutable
parallel safe
as $$
  select hashtextextended(p_value, hashtext(p_kind))
$$;

-- How many people share an address or a number, in bits; null: one. Called by gate.card_with and gate.agreements_among.
create or replace function gate.people_bits(p_people bigint)
returns real
language sql
immutable
parallel safe
as $$
  select (ln(greatest(coalesce(p_people, 1), 1)::float8) / ln(2::float8))::real
$$;

-- Counts how many contacts carry each value. Called at the end of each full pass over the CRM, and before
-- all contacts are scanned for duplicates; then not when it was done within a day and the contacts have not become a twentieth
-- more or fewer since (p_unless_fresh). Locks gate.term against another count; who matches meanwhile sees the counts as they
-- were.
create or replace function gate.count_terms(p_unless_fresh boolean default false)
returns void
language plpgsql
as $$
begin
  lock table gate.term in share row exclusive mode;
  if p_unless_fresh and exists (
    select
    from gate.term
    where term_key = gate.term_key('contact', '')
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
  select 'street', street, count(*)
  from gate.contact_keys
  where street is not null
  group by 2
  having count(*) > 1
  union all
  select 'postal_code', postal_code, count(*)
  from gate.contact_keys
  where postal_code is not null
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
  having count(*) > 1
  on conflict do nothing;
  analyze gate.term;
end
$$;

-- The card of a record, by how many contacts carry its values (null: it alone) and how many people share its addresses and its
-- numbers. Called by gate.cards_of and gate.fill_cards, into whose statements it is put in place of the call.
drop function if exists gate.card_with(
  gate.contact_keys, bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint
);
create or replace function gate.card_with(
  p_keys gate.contact_keys, p_contacts bigint, p_first_name bigint, p_last_name bigint, p_full_name bigint, p_company bigint,
  p_city bigint, p_street bigint, p_postal_code bigint, p_email_people bigint, p_phone_people bigint
)
returns setof gate.card
language sql
stable
as $$
  select
    p_keys.contact_id, p_keys.external_id, p_keys.emails, p_keys.loose_emails, coalesce(p_keys.phone_tails, '{}'),
    coalesce(p_keys.extensions, '{}'), p_keys.first_name, p_keys.last_name, p_keys.generation, p_keys.company,
    replace(p_keys.company, ' ', ''),
    case when length(split_part(p_keys.company, ' ', 1)) >= 3 then split_part(p_keys.company, ' ', 1) end,
    p_keys.email_domain, split_part(p_keys.email_domain, '.', 1), p_keys.email_local,
    p_keys.email_fit, p_keys.city, p_keys.country, p_keys.street, p_keys.postal_code, p_keys.job_title,
    split_part(p_keys.first_name, ' ', 1), p_keys.address_first,
    case when p_keys.first_name like '% %' then string_to_array(p_keys.first_name, ' ') end,
    array_remove(array[split_part(p_keys.first_name, ' ', 1), p_keys.address_first], null),
    (
      select array_agg(nickname.name)
      from rules.nickname
      where nickname.nickname in (split_part(p_keys.first_name, ' ', 1), p_keys.address_first)
    ),
    array_remove(array_append(string_to_array(p_keys.last_name, ' '), p_keys.address_last), null),
    gate.rarity_bits(p_contacts, coalesce(p_first_name, 1)),
    gate.rarity_bits(p_contacts, coalesce(p_last_name, 1)),
    gate.rarity_bits(p_contacts, coalesce(p_full_name, 1)),
    gate.rarity_bits(p_contacts, coalesce(p_company, 1)),
    gate.rarity_bits(p_contacts, coalesce(p_city, 1)),
    gate.people_bits(p_email_people),
    gate.people_bits(p_phone_people),
    (ln((p_contacts + 2000)::float8) / ln(2::float8))::real,
    gate.rarity_bits(p_contacts, coalesce(p_street, 1)),
    gate.rarity_bits(p_contacts, coalesce(p_postal_code, 1))
$$;

-- By how many people an address or a number counts as carried that a steward has listed as shared. Called by gate.fill_cards
-- and gate.agreements_among.
create or replace function gate.carriers_of_listed()
returns integer
language sql
immutable
parallel safe
as $$
  select 200
$$;

-- The cards of a few records: contacts by their numbers, and leads of p_leads, whose numbers are below 0. They do not say how rare
-- the values are: gate.agreements_among looks that up, for what a pair shares only. One look into the index for each
-- contact: the planner cannot know how few they are. Called by gate.match_leads and gate.agreements. Locks nothing.
drop function if exists gate.cards(bigint[], jsonb, integer, integer);
drop function if exists gate.cards(bigint[], jsonb);
drop function if exists gate.cards(bigint[], gate.contact_keys[]);
create or replace function gate.cards_of(p_records bigint[], p_leads gate.contact_keys[])
returns gate.card[]
language plpgsql
stable
set plan_cache_mode = force_generic_plan
set enable_hashjoin = off
set enable_mergejoin = off
as $$
begin
  return array(
    with record as (
      select keys.*
      from (select distinct record_id from unnest(p_records) as record_id) as wanted
      join gate.contact_keys as keys on keys.contact_id = record_id
      union all
      select keys.*
      from unnest(p_leads) as keys
      where keys.contact_id = any (p_records)
    )
    select card
    from record
    cross join lateral gate.card_with(
      record::gate.contact_keys, null, null, null, null, null, null, null, null, null, null
    ) as card
  );
end
$$;

-- Fills gate.card with part p_part of p_parts of those contacts that stand in gate.candidate_pair: the same as gate.cards_of, and how
-- rare the values are, by one reading of all terms. Called by the scan of all contacts, for each part on a connection of its own.
create or replace function gate.fill_cards(p_part integer, p_parts integer)
returns void
language sql
set enable_nestloop = off
set enable_mergejoin = off
as $$
  insert into gate.card
  with paired as (
    select left_id as contact_id
    from gate.candidate_pair
    where left_id % p_parts = p_part
    union all
    select right_id
    from gate.candidate_pair
    where right_id % p_parts = p_part
  ), own as materialized (
    select *
    from gate.contact_keys
    where contact_id % p_parts = p_part
      and contact_id in (select contact_id from paired)
  ), shared_email as (
    select contact_id, max(people) as people
    from (
      select own.contact_id, term.carriers as people
      from own
      cross join lateral unnest(own.emails) as email
      join gate.term on term_key = gate.term_key('email', email)
      union all
      select own.contact_id, gate.carriers_of_listed()
      from own
      cross join lateral unnest(own.emails) as email
      join rules.shared_mailbox on shared_mailbox.address = email
    ) as shared
    group by contact_id
  ), shared_phone as (
    select contact_id, max(people) as people
    from (
      select own.contact_id, term.carriers as people
      from own
      cross join lateral unnest(own.phone_tails) as tail
      join gate.term on term_key = gate.term_key('phone', tail)
      union all
      select own.contact_id, gate.carriers_of_listed()
      from own
      cross join lateral unnest(own.phone_tails) as tail
      join rules.shared_phone on right(ltrim(shared_phone.phone, '+'), 8) = tail
    ) as shared
    group by contact_id
  ), counted as (
    select coalesce(max(carriers), 0) as contacts
    from gate.term
    where term_key = gate.term_key('contact', '')
  )
  select card.*
  from own as keys
  cross join counted
  left join gate.term as first_name on first_name.term_key = gate.term_key('first_name', split_part(keys.first_name, ' ', 1))
  left join gate.term as last_name on last_name.term_key = gate.term_key('last_name', keys.last_name)
  left join gate.term as full_name
    on full_name.term_key = gate.term_key('full_name', split_part(keys.first_name, ' ', 1) || '|' || keys.last_name)
  left join gate.term as company on company.term_key = gate.term_key('company', replace(keys.company, ' ', ''))
  left join gate.term as city on city.term_key = gate.term_key('city', keys.city)
  left join gate.term as street on street.term_key = gate.term_key('street', keys.street)
  left join gate.term as postal_code on postal_code.term_key = gate.term_key('postal_code', keys.postal_code)
  left join shared_email on shared_email.contact_id = keys.contact_id
  left join shared_phone on shared_phone.contact_id = keys.contact_id
  cross join lateral gate.card_with(
    keys::gate.contact_keys, counted.contacts, first_name.carriers, last_name.carriers, full_name.carriers, company.carriers,
    city.carriers, street.carriers, postal_code.carriers, shared_email.people, shared_phone.people
  ) as card
$$;
