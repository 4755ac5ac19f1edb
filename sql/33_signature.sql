-- Signature: which of those that share a block are worth comparing. A block of a common name holds many people who have only
-- that in common; in a large mirror they are nine of ten pairs, and to compare each field of each would take most of the time.

-- One bit of 64 for each word of a name: two names that have no bit in common have no word in common. All bits for a name of
-- more than three words. The planner puts this in place of the call. Called by gate.signatures.
create or replace function gate.word_bits(p_name text)
returns bigint
language sql
immutable
parallel safe
as $$
  select case
    when p_name is null then 0
    when p_name not like '% %' then 1::bigint << (hashtext(p_name) & 63)
    when p_name like '% % % %' then -1
    else (1::bigint << (hashtext(split_part(p_name, ' ', 1)) & 63))
      | (1::bigint << (hashtext(split_part(p_name, ' ', 2)) & 63))
      | (1::bigint << (hashtext(split_part(p_name, ' ', -1)) & 63))
  end
$$;

-- The signatures of records, as gate.cards_of has their cards: contacts by their numbers, and leads of p_leads, whose numbers are
-- below 0; or, when p_contacts is null, part p_part of p_parts of all contacts. Called by gate.fill_signatures and
-- gate.signatures_of, into whose statements it is put in place of the call. Locks nothing.
drop function if exists gate.signatures(bigint[], jsonb, integer, integer);
create or replace function gate.signatures(
  p_contacts bigint[], p_leads gate.contact_keys[], p_part integer default 0, p_parts integer default 1
)
returns setof gate.signature
language sql
stable
as $$
  with record as (
    select
      keys.contact_id, keys.first_name, keys.last_name, keys.address_first, keys.address_last, keys.company,
      keys.email_domain, keys.email_local, keys.phone_tails, keys.city, keys.street, keys.postal_code
    from unnest(p_contacts) as wanted (contact_id)
    join gate.contact_keys as keys using (contact_id)
    union all
    select
      keys.contact_id, keys.first_name, keys.last_name, keys.address_first, keys.address_last, keys.company,
      keys.email_domain, keys.email_local, keys.phone_tails, keys.city, keys.street, keys.postal_code
    from gate.contact_keys as keys
    where p_contacts is null
      and keys.contact_id % p_parts = p_part
    union all
    select
      lead.contact_id, lead.first_name, lead.last_name, lead.address_first, lead.address_last, lead.company,
      lead.email_domain, lead.email_local, lead.phone_tails, lead.city, lead.street, lead.postal_code
    from unnest(p_leads) as lead
    where lead.contact_id = any (array(select contact_id from unnest(p_contacts) as contact_id where contact_id < 0))
  )
  select
    contact_id,
    null::bigint,
    null::bigint,
    gate.word_bits(first_name) | gate.word_bits(address_first) | coalesce(formal.bits, 0),
    gate.word_bits(last_name) | gate.word_bits(address_last),
    company is not null or email_domain is not null,
    hashtext(email_local),
    hashtext(phone_tails[1]),
    hashtext(phone_tails[2]),
    hashtext(street),
    hashtext(left(employer.firm, 3)),
    hashtext(left(employer.site, 3)),
    hashtext(employer.firm),
    hashtext(employer.site),
    hashtext(right(employer.firm, 4)),
    hashtext(right(employer.site, 4)),
    hashtext(city),
    hashtext(postal_code),
    hashtext(left(last_name, 1)),
    hashtext(left(first_name, 1)),
    hashtext(left(given.word, 2)),
    hashtext(left(given.written, case when length(given.written) > 4 then 4 else 3 end)),
    hashtext(given.word),
    hashtext(substr(given.word, 2)),
    case
      when length(given.word) > 3 then hashtext(left(given.word, 1) || right(given.word, least(length(given.word) - 2, 3)))
    end,
    string_to_array(first_name, ' ') || address_first || formal.names,
    string_to_array(last_name, ' ') || address_last
  from record
  cross join lateral (
    select split_part(first_name, ' ', 1) as word, replace(first_name, ' ', '') as written
    offset 0
  ) as given
  cross join lateral (
    select replace(company, ' ', '') as firm, replace(split_part(email_domain, '.', 1), '-', '') as site
    offset 0
  ) as employer
  cross join lateral (
    select array_agg(nickname.name) as names, bit_or(gate.word_bits(nickname.name)) as bits
    from rules.nickname
    where nickname.nickname in (given.word, address_first)
  ) as formal
$$;

-- Fills gate.signature with part p_part of p_parts of all contacts. Called by the scan of all contacts.
create or replace function gate.fill_signatures(p_part integer, p_parts integer)
returns void
language sql
as $$
  insert into gate.signature
  select *
  from gate.signatures(null, null, p_part, p_parts)
$$;

-- Tells the planner that each contact has one signature. It would take a table that has just been filled for one with many rows for each
-- contact, and gate.find_pairs would write what it hashes into thousands of files. Called by the scan of all contacts, once the
-- signatures are there. Locks the table against another analysis.
create or replace function gate.analyze_signatures()
returns void
language plpgsql
as $$
begin
  analyze gate.signature (contact_id);
end
$$;

-- The signatures of a few records. One look into the index for each: the planner cannot know how few they are.
-- Called by gate.worth_comparing_among.
drop function if exists gate.signatures_of(bigint[], jsonb);
create or replace function gate.signatures_of(p_contacts bigint[], p_leads gate.contact_keys[])
returns setof gate.signature
language plpgsql
stable
set plan_cache_mode = force_generic_plan
set enable_hashjoin = off
set enable_mergejoin = off
set max_parallel_workers_per_gather = 0
as $$
begin
  return query
    select *
    from gate.signatures(p_contacts, p_leads);
end
$$;

-- Whether two lists of names have a word in common; the words are looked at only when their bits (gate.word_bits) do not say no.
-- The planner puts this in place of the call, as it does the next one. Called by gate.worth_comparing.
create or replace function gate.share_word(p_left_bits bigint, p_left text[], p_right_bits bigint, p_right text[])
returns boolean
language sql
immutable
parallel safe
as $$
  select p_left_bits & p_right_bits <> 0
    and p_left && p_right
$$;

-- Whether a given name of one is a family name of the other. Called by gate.worth_comparing.
create or replace function gate.names_crossed(p_left gate.signature, p_right gate.signature)
returns boolean
language sql
immutable
parallel safe
as $$
  select gate.share_word(p_left.name_bits, p_left.names, p_right.family_bits, p_right.families)
    or gate.share_word(p_right.name_bits, p_right.names, p_left.family_bits, p_left.families)
$$;

-- Whether the given names of two are such as one person can have: one is missing or an initial, they begin with the same three or
-- four letters, the first or the second letter is wrong, one is short for the other, or given and family name changed places.
-- No `in`, here and below: it makes an array of its values at each look. The planner puts these in place of the calls. Called by
-- gate.worth_comparing.
create or replace function gate.given_near(p_left gate.signature, p_right gate.signature)
returns boolean
language sql
immutable
parallel safe
as $$
  select coalesce(
    p_left.given_start = p_right.given_start
      or p_left.given_head = p_right.initial
      or p_left.initial = p_right.given_head
      or p_left.given_rest = p_right.given_rest
      or p_left.given_rest = p_right.given
      or p_left.given = p_right.given_rest
      or coalesce(p_left.given_tail = p_right.given_tail, false)
      or gate.share_word(p_left.name_bits, p_left.names, p_right.name_bits, p_right.names)
      or gate.names_crossed(p_left, p_right),
    true
  )
$$;

-- The same, and two of which no more than the first two letters are the same. Called by gate.worth_comparing.
create or replace function gate.given_far(p_left gate.signature, p_right gate.signature)
returns boolean
language sql
immutable
parallel safe
as $$
  select p_left.given_head = p_right.given_head
    or gate.given_near(p_left, p_right)
$$;

-- Whether the family names of two begin alike or have a word in common. Called by gate.worth_comparing.
create or replace function gate.family_near(p_left gate.signature, p_right gate.signature)
returns boolean
language sql
immutable
parallel safe
as $$
  select coalesce(
    p_left.family_initial = p_right.family_initial
      or gate.share_word(p_left.family_bits, p_left.families, p_right.family_bits, p_right.families)
      or gate.names_crossed(p_left, p_right),
    true
  )
$$;

-- Whether two who share a block of p_contacts (null: of many) are worth comparing. Something beside the names must agree or be
-- unknown, and the less that is, the nearer must the names be, unless no more than three share the block: after something that
-- is a person's own (the local part of the address, a number, the street), after the whole name of the employer, after its
-- first letters, the town, or an employer that is not known. Few who bear one name are compared when no more than the last
-- letters of the employer agree: it may be misspelt. Called by gate.find_pairs and gate.worth_comparing_among.
create or replace function gate.worth_comparing(p_contacts bigint, p_left gate.signature, p_right gate.signature)
returns boolean
language sql
immutable
parallel safe
as $$
  select case
    when p_left.email_local = p_right.email_local
      or p_left.phone = p_right.phone
      or p_left.phone = p_right.other_phone
      or p_left.other_phone = p_right.phone
      or p_left.other_phone = p_right.other_phone
      or p_left.street = p_right.street
    then p_contacts <= 3
      or gate.given_far(p_left, p_right)
    when p_left.firm = p_right.firm
      or p_left.firm = p_right.site
      or p_left.site = p_right.firm
      or p_left.site = p_right.site
    then
      case
        when p_left.whole_firm = p_right.whole_firm
          or p_left.whole_firm = p_right.whole_site
          or p_left.whole_site = p_right.whole_firm
          or p_left.whole_site = p_right.whole_site
        then p_contacts <= 3
          or gate.family_near(p_left, p_right)
          and gate.given_far(p_left, p_right)
        when p_left.city <> p_right.city
        then gate.given_near(p_left, p_right)
          and (
            gate.share_word(p_left.family_bits, p_left.families, p_right.family_bits, p_right.families)
            or gate.names_crossed(p_left, p_right)
          )
        else p_contacts <= 3
          or gate.family_near(p_left, p_right)
          and gate.given_near(p_left, p_right)
      end
    when not p_left.employed
      or not p_right.employed
      or p_left.city = p_right.city
      or p_left.postal_code = p_right.postal_code
    then p_contacts <= 3
      or gate.family_near(p_left, p_right)
      and gate.given_near(p_left, p_right)
    when p_contacts <= 10
      and (p_left.city <> p_right.city) is not true
      and (
        p_left.firm_tail = p_right.firm_tail
        or p_left.firm_tail = p_right.site_tail
        or p_left.site_tail = p_right.firm_tail
      )
    then p_left.given = p_right.given
      and gate.share_word(p_left.family_bits, p_left.families, p_right.family_bits, p_right.families)
    else false
  end
$$;

-- Of the pairs p_left[i] and p_right[i], which share a block of p_contacts[i], those that are worth comparing. Contacts by their
-- numbers, leads of p_leads, whose numbers are below 0. Called by gate.match_leads, gate.pairs_of and gate.meet. No nested
-- loop: the planner cannot know how many they are.
drop function if exists gate.worth_comparing_among(bigint[], bigint[], bigint[], jsonb);
create or replace function gate.worth_comparing_among(
  p_left bigint[], p_right bigint[], p_contacts bigint[], p_leads gate.contact_keys[]
)
returns table (left_id bigint, right_id bigint)
language plpgsql
stable
set plan_cache_mode = force_generic_plan
set enable_nestloop = off
set enable_mergejoin = off
as $$
#variable_conflict use_column
begin
  return query
  with side as materialized (
    select *
    from gate.signatures_of(array(select distinct unnest(p_left || p_right)), p_leads)
  )
  select pair.left_id, pair.right_id
  from unnest(p_left, p_right, p_contacts) as pair (left_id, right_id, contacts)
  join side as one on one.contact_id = pair.left_id
  join side as other on other.contact_id = pair.right_id
  where gate.worth_comparing(pair.contacts, one::gate.signature, other::gate.signature);
end
$$;
