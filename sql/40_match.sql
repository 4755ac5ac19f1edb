-- Match: who are the leads of a batch? One statement for the whole batch.

-- Every candidate of every lead, with the tier that found it and how well it agrees.
--
-- p_leads: rows of gate.contact_keys; contact_id: -1 for the first lead of the batch, -2 for the second, and so on. ord: from 0
-- in this order. A candidate is a contact of the mirror (contact_id) or an earlier lead of the same batch (peer): two leads of
-- one new person must find each other before either is in the mirror.
--
-- tier: external_id, email, phone (an identifier is shared and identifies a person) or fuzzy (only blocks are shared,
-- or identifiers that do not identify one person). names: agree, conflict, unknown; a family name that is no more than
-- alike agrees only where an identifier is shared. score: sum of the match weights, in bits.
-- person: candidates of one lead with the same number are one person already, from the threshold `duplicate` on.
-- The fuzzy tier is asked only for leads that no identifier settles. Decides nothing: that is src/decide.
-- settled: an identifier settles who the lead is, so that it was not asked who shares a block with it.
-- Only the leads at the places p_asked (null: all) are matched, each against all of the batch that are before it: a large batch is
-- matched in two parts on two connections at once, and some of a batch that was matched ahead are matched again.
-- Called by the push loop, under gate.lock_people or ahead (42_ahead.sql). Locks nothing.
drop function if exists gate.match_leads(jsonb, integer, integer);
drop function if exists gate.match_leads(jsonb, integer, integer, integer[]);
create or replace function gate.match_leads(p_leads jsonb, p_asked integer[] default null)
returns table (
  ord integer, contact_id bigint, peer integer, tier text, names text, score real, person integer, settled boolean,
  evidence jsonb
)
language plpgsql
stable
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
declare
  v_leads gate.contact_keys[] := array(select keys from jsonb_populate_recordset(null::gate.contact_keys, p_leads) as keys);
begin
  return query
  with subject as materialized (
    select
      ord, external_id, emails, loose_emails, phones, first_name, last_name, address_first, blocks,
      gate.glance(company, email_domain, city, postal_code) as glance,
      gate.family_glance(last_name, address_last) as family_glance,
      p_asked is null or ord = any (p_asked) as is_asked
    from unnest(v_leads) as lead
    cross join lateral (select (-1 - lead.contact_id)::integer as ord offset 0) as batch
  ),

  -- 1. Identifiers: what the leads carry, and whether it names one person. Not so for what a steward has listed, and for an
  -- address that three families carry or a number that four do.
  carried as materialized (
    select ord, is_asked, 'external_id' as kind, external_id as value, false as shared, false as is_loose
    from subject
    where external_id is not null
    union all
    select
      ord, is_asked, 'email', email,
      email in (select address from rules.shared_mailbox)
        or split_part(email, '@', 1) in (select address from rules.shared_mailbox)
        or '@' || split_part(email, '@', 2) in (select address from rules.shared_mailbox)
        or coalesce((select carriers from gate.term where term_key = gate.term_key('email', email)), 0) >= 3,
      false
    from subject, unnest(emails) as email
    union all
    select ord, is_asked, 'loose_email', email, false, false
    from subject, unnest(emails) as email
    union all
    select ord, is_asked, 'loose_email', email, false, true
    from subject, unnest(loose_emails) as email
    union all
    select
      ord, is_asked, 'phone', phone,
      exists (select from rules.shared_phone where shared_phone.phone = own.phone)
        or coalesce((select carriers from gate.term where term_key = gate.term_key('phone', right(own.phone, 8))), 0) >= 4,
      false
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
          where carried.is_loose
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
      bool_or(kind = 'phone' and not shared) as by_phone
    from hit
    group by ord, contact_id, peer
  ),

  -- 2. Names, for those that an identifier found: a colleague's number or a family's mailbox settles nothing.
  other as materialized (
    select contact_id, null::integer as peer, first_name, last_name
    from gate.contact_keys
    where contact_id in (select contact_id from identified)
    union all
    select null, ord, first_name, last_name
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
              or other.first_name = subject.first_name
              or identified.by_email and other.last_name = subject.last_name
              or left(other.first_name, 1) = left(subject.first_name, 1)
              and (other.last_name is null or subject.last_name is null or gate.alike(other.last_name, subject.last_name) >= 0.4)
              or gate.alike(other.first_name, subject.first_name) >= 0.4
            )
          )
        )
    )
  ),

  -- 3. Blocks, for the others; and which of those that share one are worth comparing.
  sought as materialized (
    select listed.ords[asked.place] as ord, asked.glance as given_glance
    from (
      select
        array_agg(subject.ord) as ords, array_agg(subject.first_name) as first_names,
        array_agg(subject.address_first) as address_firsts
      from subject
      where subject.ord in (select ord from unsettled)
    ) as listed
    cross join lateral gate.given_glances_asked(listed.first_names, listed.address_firsts) as asked
  ),
  blocked as materialized (
    select subject.ord, shared.contact_id, null::integer as peer, min(shared.contacts) as contacts
    from subject
    join sought using (ord)
    cross join lateral unnest(subject.blocks) as own (block)
    cross join lateral gate.sharing_block(own.block, subject.glance, sought.given_glance, subject.family_glance) as shared
    group by subject.ord, shared.contact_id
    union
    select mine.ord, null, theirs.ord, null
    from (select ord, unnest(blocks) as block from subject where ord in (select ord from unsettled)) as mine
    join (select ord, unnest(blocks) as block from subject) as theirs using (block)
    where theirs.ord < mine.ord
  ),
  compared as (
    select
      (-1 - worth.left_id)::integer as ord,
      case when worth.right_id >= 0 then worth.right_id end as contact_id,
      case when worth.right_id < 0 then (-1 - worth.right_id)::integer end as peer
    from (
      select
        array_agg(-1 - ord::bigint) as left_ids,
        array_agg(coalesce(contact_id, -1 - peer)) as right_ids,
        array_agg(contacts) as contacts
      from blocked
    ) as paired
    cross join lateral gate.worth_comparing_among(paired.left_ids, paired.right_ids, paired.contacts, v_leads) as worth
  ),
  pair as materialized (
    select ord, contact_id, peer, by_external_id, by_email, by_phone
    from identified
    union all
    select ord, contact_id, peer, false, false, false
    from compared
    where not exists (
      select
      from identified
      where identified.ord = compared.ord
        and identified.contact_id is not distinct from compared.contact_id
        and identified.peer is not distinct from compared.peer
    )
  ),

  -- 4. Agreement of each field, and what it is worth. A lead is -1 less its ord.
  card as materialized (
    select gate.cards_of(
      array(select -1 - ord::bigint from pair union all select coalesce(contact_id, -1 - peer) from pair), v_leads
    ) as cards
  ),
  weighed as materialized (
    select weighed.*
    from gate.weigh(array(
      select agreement
      from gate.agreements_among(
        array(select -1 - ord::bigint from pair),
        array(select coalesce(contact_id, -1 - peer) from pair),
        (select cards from card),
        false
      ) as agreement
    )) as weighed
  ),
  judged as (
    select
      pair.ord, pair.contact_id, pair.peer, by_external_id, by_email,
      -- A number under which a colleague by another name is known is the office's.
      by_phone and not (
        gate.names_verdict(weighed.agreement, true) = 'conflict'
        and gate.is_one_employer((weighed.agreement).company)
      ) as by_phone,
      weighed.score, weighed.parts,
      weighed.agreement,
      gate.names_verdict(weighed.agreement, by_external_id or by_email or by_phone) as names
    from pair
    join weighed
      on weighed.left_id = -1 - pair.ord
      and weighed.right_id = coalesce(pair.contact_id, -1 - pair.peer)
  ),
  ranked as (
    select
      judged.*,
      case
        when by_external_id then 'external_id'
        when by_email then 'email'
        when by_phone then 'phone'
        else 'fuzzy'
      end as tier,
      row_number() over (
        partition by ord
        order by by_external_id desc, by_email desc, by_phone desc, score desc, contact_id, peer
      ) as place
    from judged
  ),
  shown as materialized (
    select *, coalesce(contact_id, -1 - peer) as candidate_id
    from ranked
    where place <= 8
      and (
        tier <> 'fuzzy'
        or score >= coalesce((select match_threshold.score from rules.match_threshold where name = 'review'), 0) - 3
      )
  ),

  -- 5. Candidates of one lead that are one person already: between these nobody needs to choose.
  rival as (
    select one.ord, one.place, other.place as other_place, one.candidate_id, other.candidate_id as other_id
    from shown as one
    join shown as other on other.ord = one.ord
    where one.place < other.place
      and other.place <= 4
  ),
  twin as (
    select left_id, right_id
    from gate.weigh(array(
      select agreement
      from gate.agreements_among(
        array(select candidate_id from rival), array(select other_id from rival), (select cards from card), false
      ) as agreement
    ))
    where score >= (select gate.duplicate_threshold())
      and gate.names_verdict(agreement, true) <> 'conflict'
  ),
  person as (
    select rival.ord, rival.other_place, min(rival.place) as place
    from rival
    join twin on twin.left_id = rival.candidate_id and twin.right_id = rival.other_id
    group by rival.ord, rival.other_place
  )
  select
    shown.ord, contact_id, peer, tier, names, score, coalesce(person.place, shown.place)::integer,
    shown.ord not in (select ord from unsettled),
    gate.evidence(agreement, parts) || jsonb_build_object(
      'by', array_remove(array[
        case when by_external_id then 'external_id' end, case when by_email then 'email' end,
        case when by_phone then 'phone' end
      ], null)
    )
  from shown
  left join person on person.ord = shown.ord and person.other_place = shown.place
  order by shown.ord, shown.place;
end
$$;
