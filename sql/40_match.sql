-- Match: who are the leads of a batch? One statement for the whole batch.

-- Every candidate of every lead, with the tier that found it and how well it agrees.
--
-- p_leads: [{ord, external_id, emails, loose_emails, phones, first_name, last_name, company, email_domain, email_local,
-- city, blocks}], ord from 0 in the order of the batch. A candidate is a contact of the mirror (contact_id) or an earlier
-- lead of the same batch (peer): two leads of one new person must find each other before either is in the mirror.
--
-- tier: external_id, email, phone (an identifier is shared and identifies a person) or fuzzy (only blocks are shared,
-- or identifiers that do not identify one person). names: agree, conflict, unknown; a family name that is no more than
-- alike agrees only where an identifier is shared. score: sum of the match weights.
-- The fuzzy tier is asked only for leads that no identifier settles. Decides nothing: that is src/decide.
-- Called by the push loop under gate.lock_people. Locks nothing. A large batch is matched in parts on several
-- connections at once: part p_part of p_parts, from 0, of the leads, each against all of the batch that are before it. Which
-- lead is in which part is as good as random: leads of one kind often stand in a row, or at every second place.
drop function if exists gate.match_leads(jsonb);
create or replace function gate.match_leads(p_leads jsonb, p_part integer default 0, p_parts integer default 1)
returns table (ord integer, contact_id bigint, peer integer, tier text, names text, score real, evidence jsonb)
language sql
stable
as $$
  with subject as materialized (
    select *, (hashint4(ord) & 65535) % p_parts = p_part as is_asked
    from jsonb_to_recordset(p_leads) as lead (
      ord integer, external_id text, emails text[], loose_emails text[], phones text[], first_name text,
      last_name text, company text, email_domain text, email_local text, city text, blocks bigint[]
    )
  ),

  -- 1. Identifiers: what the leads carry, and whether it names one person.
  carried as materialized (
    select ord, is_asked, 'external_id' as kind, external_id as value, false as shared
    from subject
    where external_id is not null
    union all
    select
      ord, is_asked, 'email', email,
      email in (select address from rules.shared_mailbox)
        or split_part(email, '@', 1) in (select address from rules.shared_mailbox)
        or '@' || split_part(email, '@', 2) in (select address from rules.shared_mailbox)
    from subject, unnest(emails) as email
    union all
    select ord, is_asked, 'loose_email', email, false
    from subject, unnest(emails || loose_emails) as email
    union all
    select ord, is_asked, 'phone', phone, exists (select from rules.shared_phone where shared_phone.phone = own.phone)
    from subject, unnest(phones) as own (phone)
  ),
  -- A number that many contacts carry is a switchboard, listed or not: at most 21 rows of each value are looked at.
  hit as materialized (
    select carried.ord, carried.kind, carried.shared or (carried.kind = 'phone' and found.many) as shared,
      found.contact_id, null::integer as peer
    from carried
    cross join lateral (
      select few.contact_id, count(*) over () > 20 as many
      from (
        (
          select identifier.contact_id
          from gate.identifier
          where identifier.kind = carried.kind
            and identifier.value = carried.value
          limit 21
        )
        union all
        (
          select identifier.contact_id
          from gate.identifier
          where carried.kind = 'loose_email'
            and identifier.kind = 'email'
            and identifier.value = carried.value
          limit 21
        )
        limit 21
      ) as few
    ) as found
    where carried.is_asked
    union all
    select mine.ord, mine.kind, mine.shared, null, theirs.ord
    from carried as mine
    join carried as theirs using (kind, value)
    where theirs.ord < mine.ord
      and mine.is_asked
  ),
  identified as (
    select
      ord, contact_id, peer,
      bool_or(kind = 'external_id') as by_external_id,
      bool_or(kind = 'email' and not shared) as by_email,
      bool_or(kind = 'phone' and not shared) as by_phone,
      case
        when bool_or(kind = 'email' and not shared) then 'exact'
        when bool_or(kind = 'loose_email') and not bool_or(kind = 'email') then 'loose'
        when bool_or(kind = 'email') then 'shared'
        else 'missing'
      end as email_level,
      case
        when bool_or(kind = 'phone' and not shared) then 'exact'
        when bool_or(kind = 'phone') then 'shared'
        else 'missing'
      end as phone_level
    from hit
    group by ord, contact_id, peer
  ),

  -- 2. Names, for those that an identifier found: a colleague's number or a family's mailbox settles nothing.
  other as materialized (
    select contact_id, null::integer as peer, external_id, first_name, last_name, company, email_domain, city
    from gate.contact_keys
    where contact_id in (select contact_id from identified)
    union all
    select null, ord, external_id, first_name, last_name, company, email_domain, city
    from subject
  ),
  -- A contact or a peer as one number: an equality can be hashed, two of them with "or" compare all with all.
  unsettled as materialized (
    select subject.ord
    from subject
    where subject.is_asked and not exists (
      select
      from identified
      join other
        on coalesce(other.contact_id, -1 - other.peer) = coalesce(identified.contact_id, -1 - identified.peer)
      where identified.ord = subject.ord
        and (
          identified.by_external_id
          or (
            (identified.by_email or identified.by_phone)
            and (
              other.first_name is null
              or subject.first_name is null
              or left(other.first_name, 1) = left(subject.first_name, 1)
              or other.last_name = subject.last_name
              or gate.alike(other.first_name, subject.first_name) >= 0.4
            )
          )
        )
    )
  ),

  -- 3. Blocks, for the others: at most 100 contacts of each block are looked at; a block with more tells nothing.
  blocked as (
    select distinct found.ord, found.contact_id, null::integer as peer
    from (
      select subject.ord, shared.contact_id, shared.many
      from subject
      cross join lateral unnest(subject.blocks) as own (block)
      cross join lateral (
        select few.contact_id, count(*) over () > 100 as many
        from (
          select block_key.contact_id
          from gate.block_key
          where block_key.block = own.block
          limit 101
        ) as few
      ) as shared
      where subject.ord in (select ord from unsettled)
    ) as found
    where not found.many
    union
    select mine.ord, null, theirs.ord
    from (select ord, unnest(blocks) as block from subject where ord in (select ord from unsettled)) as mine
    join (select ord, unnest(blocks) as block from subject) as theirs using (block)
    where theirs.ord < mine.ord
  ),
  pair as materialized (
    select ord, contact_id, peer, by_external_id, by_email, by_phone, email_level, phone_level
    from identified
    union all
    select ord, contact_id, peer, false, false, false, 'missing', 'missing'
    from blocked
    where not exists (
      select
      from identified
      where identified.ord = blocked.ord
        and identified.contact_id is not distinct from blocked.contact_id
        and identified.peer is not distinct from blocked.peer
    )
  ),

  -- 4. Agreement of each field. Materialized: a comparison takes the place of its call only where it gets plain columns.
  against as (
    select pair.*, keys.external_id, keys.first_name, keys.last_name, keys.company, keys.email_domain,
      keys.email_local, keys.city
    from pair
    join gate.contact_keys as keys on keys.contact_id = pair.contact_id
    union all
    select pair.*, peer_lead.external_id, peer_lead.first_name, peer_lead.last_name, peer_lead.company,
      peer_lead.email_domain, peer_lead.email_local, peer_lead.city
    from pair
    join subject as peer_lead on peer_lead.ord = pair.peer
  ),
  full_names as materialized (
    select given.first_name, given.first_name || coalesce(array_agg(nickname.name) filter (where nickname.name is not null), '{}') as names
    from (
      select first_name from subject where first_name is not null
      union
      select first_name from against where first_name is not null
    ) as given
    left join rules.nickname on nickname.nickname = split_part(given.first_name, ' ', 1)
    group by given.first_name
  ),
  compared as materialized (
    select
      against.ord, against.contact_id, against.peer, by_external_id, by_email, by_phone,
      case
        when email_level = 'missing'
          and subject.email_domain = against.email_domain
          and gate.numbered_apart(subject.email_local, against.email_local) then 'numbered'
        else email_level
      end as email_level,
      phone_level,
      turned.swapped,
      case when turned.swapped then 'swapped' else
        gate.first_name_level(subject.first_name, against.first_name, mine.names, theirs.names)
      end as first_name_level,
      case when turned.swapped then 'swapped' else
        gate.last_name_level(subject.last_name, against.last_name)
      end as last_name_level,
      gate.company_level(subject.company, against.company) as company_level,
      gate.plain_level(subject.email_domain, against.email_domain) as email_domain_level,
      gate.plain_level(subject.city, against.city) as city_level,
      case
        when by_external_id then 'missing'
        when subject.external_id <> against.external_id then 'different'
        else 'missing'
      end as external_id_level
    from against
    join subject on subject.ord = against.ord
    left join full_names as mine on mine.first_name = subject.first_name
    left join full_names as theirs on theirs.first_name = against.first_name
    cross join lateral (
      select coalesce(
        subject.first_name = against.last_name
          and subject.last_name = against.first_name
          and subject.first_name <> subject.last_name,
        false
      ) as swapped
    ) as turned
  ),

  -- 5. Score.
  scored as (
    select
      compared.*,
      coalesce(first_name.weight, 0) + coalesce(last_name.weight, 0) + coalesce(company.weight, 0)
        + coalesce(email_domain.weight, 0) + coalesce(city.weight, 0) + coalesce(external_id.weight, 0)
        + coalesce(email.weight, 0) + coalesce(phone.weight, 0) as score
    from compared
    left join rules.match_weight as first_name on first_name.field = 'gate_first_name' and first_name.level = first_name_level
    left join rules.match_weight as last_name on last_name.field = 'gate_last_name' and last_name.level = last_name_level
    left join rules.match_weight as company on company.field = 'gate_company' and company.level = company_level
    left join rules.match_weight as email_domain on email_domain.field = 'gate_email_domain' and email_domain.level = email_domain_level
    left join rules.match_weight as city on city.field = 'gate_city' and city.level = city_level
    left join rules.match_weight as external_id on external_id.field = 'gate_external_id' and external_id.level = external_id_level
    left join rules.match_weight as email on email.field = 'gate_email' and email.level = email_level
    left join rules.match_weight as phone on phone.field = 'gate_phone' and phone.level = phone_level
  ),
  ranked as (
    select
      scored.*,
      case
        when by_external_id then 'external_id'
        when by_email then 'email'
        when by_phone then 'phone'
        else 'fuzzy'
      end as tier,
      case
        when last_name_level = 'alike' and not (by_external_id or by_email or by_phone) then 'unknown'
        else gate.names_verdict(first_name_level, last_name_level)
      end as names,
      row_number() over (
        partition by ord
        order by by_external_id desc, by_email desc, by_phone desc, score desc, contact_id, peer
      ) as place
    from scored
  )
  select
    ord, contact_id, peer, tier, names, score::real,
    jsonb_build_object(
      'first_name', first_name_level, 'last_name', last_name_level, 'company', company_level,
      'email_domain', email_domain_level, 'city', city_level, 'external_id', external_id_level,
      'email', email_level, 'phone', phone_level,
      'by', array_remove(array[
        case when by_external_id then 'external_id' end, case when by_email then 'email' end,
        case when by_phone then 'phone' end
      ], null)
    )
  from ranked
  where place <= 8
    and (tier <> 'fuzzy' or score > 0)
  order by ord, place
$$;
