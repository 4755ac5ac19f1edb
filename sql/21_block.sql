-- Block: who shares a blocking key, and what its rows tell of them without a look at the contacts.

-- What else than the name is known of somebody, as four bytes: the first three letters of the company and of the name of its
-- domain, the town, the postal code. A byte that is 0: not known. Whoever changes this or the next one raises RULES in
-- src/normalize: what is stored is compared with it. Called by gate.blocks_of, gate.match_leads and gate.meet.
create or replace function gate.glance(p_company text, p_email_domain text, p_city text, p_postal_code text)
returns integer
language sql
immutable
parallel safe
as $$
  select coalesce(1 + (hashtext(left(replace(p_company, ' ', ''), 3)) & 2147483647) % 254, 0)
    | (coalesce(1 + (hashtext(left(replace(split_part(p_email_domain, '.', 1), '-', ''), 3)) & 2147483647) % 254, 0) << 8)
    | (coalesce(1 + (hashtext(p_city) & 2147483647) % 254, 0) << 16)
    | (coalesce(1 + (hashtext(p_postal_code) & 2147483647) % 126, 0) << 24)
$$;

-- By which given name somebody may be known: a bit for the first letter of its first and its last word and of the name that the
-- address says, and five bits for the first word without its first letter. 0: the given name is not known. Called by
-- gate.blocks_of, gate.given_glances_asked and gate.meet.
create or replace function gate.given_glance(p_first_name text, p_address_first text)
returns integer
language sql
immutable
parallel safe
as $$
  select case
    when p_first_name is null then 0
    else (1 << (ascii(p_first_name) % 26))
      | (1 << (ascii(split_part(p_first_name, ' ', -1)) % 26))
      | coalesce(1 << (ascii(p_address_first) % 26), 0)
      | ((1 + (hashtext(substr(split_part(p_first_name, ' ', 1), 2)) & 2147483647) % 31) << 26)
  end
$$;

-- The same of those who are looked for, by their places in the lists: with the first letters of the names that are short for
-- theirs, that theirs are short for, and that are short for one of these, and with the second letter, for the first may be left
-- out. Called by gate.match_leads and gate.meet.
create or replace function gate.given_glances_asked(p_first_names text[], p_address_firsts text[])
returns table (place bigint, glance integer)
language sql
stable
as $$
  with asked as materialized (
    select place, first_name, address_first
    from unnest(p_first_names, p_address_firsts) with ordinality as asked (first_name, address_first, place)
  ), own as (
    select place, name
    from asked
    cross join lateral unnest(array[split_part(first_name, ' ', 1), split_part(first_name, ' ', -1), address_first]) as name
  ), formal as (
    select own.place, nickname.name
    from own
    join rules.nickname on nickname.nickname = own.name
    union
    table own
  ), kindred as (
    table formal
    union all
    select formal.place, nickname.nickname
    from formal
    join rules.nickname using (name)
  ), known_by as (
    select place, bit_or(1 << (ascii(name) % 26)) as letters
    from kindred
    group by place
  )
  select
    place,
    case
      when first_name is null then 0
      else gate.given_glance(first_name, address_first)
        | coalesce(1 << (ascii(nullif(substr(split_part(first_name, ' ', 1), 2), '')) % 26), 0)
        | coalesce(known_by.letters, 0)
    end
  from asked
  left join known_by using (place)
$$;

-- By which family name somebody may be known: a bit for the first letter of its first, second and last word, and of the name that
-- the address says. 0: the family name is not known. Called by gate.blocks_of, gate.match_leads and gate.meet.
create or replace function gate.family_glance(p_last_name text, p_address_last text)
returns integer
language sql
immutable
parallel safe
as $$
  select case
    when p_last_name is null then 0
    else (1 << (ascii(p_last_name) % 26))
      | (1 << (ascii(split_part(p_last_name, ' ', -1)) % 26))
      | coalesce(1 << (ascii(nullif(split_part(p_last_name, ' ', 2), '')) % 26), 0)
      | coalesce(1 << (ascii(p_address_last) % 26), 0)
  end
$$;

-- Whether somebody with one glance may be somebody with the other: something in it agrees, or the employer of one is not known.
-- The planner puts this in place of the call, as it does the next ones. Called by gate.block_shows.
create or replace function gate.glances_meet(p_one integer, p_other integer)
returns boolean
language sql
immutable
parallel safe
as $$
  select (p_one & 65535) = 0
    or (p_other & 65535) = 0
    or (p_one & 255) <> 0 and ((p_one & 255) = (p_other & 255) or (p_one & 255) = ((p_other >> 8) & 255))
    or ((p_one >> 8) & 255) <> 0
    and (((p_one >> 8) & 255) = (p_other & 255) or ((p_one >> 8) & 255) = ((p_other >> 8) & 255))
    or (p_one & 16711680) <> 0 and (p_one & 16711680) = (p_other & 16711680)
    or (p_one >> 24) <> 0 and (p_one >> 24) = (p_other >> 24)
$$;

-- The same of given names. Called by gate.block_shows.
create or replace function gate.given_glances_meet(p_one integer, p_other integer)
returns boolean
language sql
immutable
parallel safe
as $$
  select p_one = 0
    or p_other = 0
    or (p_one & p_other & 67108863) <> 0
    or (p_one >> 26) <> 0 and (p_one >> 26) = (p_other >> 26)
$$;

-- The rows of a contact in gate.block_key, each with what the block is not made of, which its last two bits tell: a block of names,
-- which is odd, holds the contact's glance, one of a given name and an employer the glance of its family name, any other one that of
-- its given name. Called wherever keys are stored.
create or replace function gate.blocks_of(p_keys gate.contact_keys)
returns table (block integer, glance integer)
language sql
immutable
parallel safe
as $$
  select
    block,
    case
      when block & 1 = 1 then known.glance
      when block & 2 = 2 then known.family_glance
      else known.given_glance
    end
  from (
    select
      gate.glance(p_keys.company, p_keys.email_domain, p_keys.city, p_keys.postal_code) as glance,
      gate.given_glance(p_keys.first_name, p_keys.address_first) as given_glance,
      gate.family_glance(p_keys.last_name, p_keys.address_last) as family_glance
    offset 0
  ) as known
  cross join unnest(p_keys.blocks) as block
$$;

-- Whether whoever stands with the glance p_glance in a block of p_contacts may be somebody who is asked for by these three. The
-- same as gate.worth_comparing would say of nearly all: it asks nothing of the names where no more than three share a
-- block, and where no more than ten bear one name the employers may only end alike, if the towns are not two. Called by
-- gate.sharing_block and gate.meet.
drop function if exists gate.block_shows(integer, bigint, integer, integer, integer);
create or replace function gate.block_shows(
  p_block integer, p_contacts bigint, p_glance integer, p_asked_glance integer, p_asked_given_glance integer,
  p_asked_family_glance integer
)
returns boolean
language sql
immutable
parallel safe
as $$
  select case
    when p_block & 1 = 1 then gate.glances_meet(p_glance, p_asked_glance)
      or p_contacts <= 10 and ((p_glance & 16711680) = 0 or (p_asked_glance & 16711680) = 0)
    when p_contacts <= 3 then true
    when p_block & 2 = 2 then p_glance = 0 or p_asked_family_glance = 0 or (p_glance & p_asked_family_glance) <> 0
    else gate.given_glances_meet(p_glance, p_asked_given_glance)
  end
$$;

-- Who shares a block, and how many they are, unless more than 100 do: such a block tells nothing, and to compare all of it
-- would cost the square of its size. Only those whom the block shows to who asks by these glances (0: all). Called by
-- gate.match_leads, gate.pairs_of and gate.meet, into whose statements it is put in place of the call.
drop function if exists gate.sharing_block(bigint);
drop function if exists gate.sharing_block(integer, integer, integer);
create or replace function gate.sharing_block(p_block integer, p_glance integer, p_given_glance integer, p_family_glance integer)
returns table (contact_id bigint, contacts bigint)
language sql
stable
as $$
  select few.contact_id, few.contacts
  from (
    select near.contact_id, near.glance, count(*) over () as contacts
    from (
      select block_key.contact_id, block_key.glance
      from gate.block_key
      where block_key.block = p_block
      limit 101
    ) as near
  ) as few
  where few.contacts <= 100
    and gate.block_shows(p_block, few.contacts, few.glance, p_glance, p_given_glance, p_family_glance)
$$;
