-- Agree: how well two records agree, field by field, as a level; rules.match_weight says what each level is worth.
-- docs/MATCHING.md explains the levels. Facts that go together are one field: company and e-mail domain are one employer,
-- street, code and town one place.

-- Whether each of two names has a word that resembles none of the other's: Weston Fjord Consulting and Marlow Fjord
-- Consulting share most of their letters and are two firms. A word misspelt, cut short or left out on one side is not that.
create or replace function gate.words_replaced(p_left text, p_right text)
returns boolean
language sql
immutable
as $$
  with spelled as (
    select string_to_array(p_left, ' ') as mine, string_to_array(p_right, ' ') as theirs
    union all
    select string_to_array(p_right, ' '), string_to_array(p_left, ' ')
  )
  select bool_and(
    exists (
      select
      from unnest(mine) as own
      where not exists (
        select
        from unnest(theirs) as other
        where starts_with(other, own)
          or starts_with(own, other)
          or gate.alike(own, other) >= 0.3
      )
    )
  )
  from spelled
$$;

-- Whether the given name of the left one is a family name of the right one, and what the right one has in its place may be the left one's
-- family name: the same, misspelt, an initial or a short form. The planner puts this in place of the call. Called by gate.swapped.
create or replace function gate.crosses(p_left gate.card, p_right gate.card)
returns boolean
language sql
immutable
parallel safe
as $$
  select p_left.given_word = any (p_right.family)
    and (
      p_right.given_word = any (p_left.family)
      or p_right.formal && p_left.family
      or p_left.last_name = left(p_right.given_word, 1)
      or p_left.last_name = replace(p_right.first_name, ' ', '')
      or p_right.given_word = left(p_left.last_name, 1)
      or gate.slip(p_right.given_word, p_left.last_name)
    )
$$;

-- Whether two have given and family name in each other's place; or both bear the same words, divided otherwise: Nguyen Ngoc / Chau,
-- Ngoc Chau / Nguyen. The planner puts this in place of the call. Called by gate.agree.
create or replace function gate.swapped(p_left gate.card, p_right gate.card)
returns boolean
language sql
immutable
parallel safe
as $$
  select gate.crosses(p_left, p_right)
    or gate.crosses(p_right, p_left)
    or (p_left.given_words is not null or p_right.given_words is not null)
    and string_to_array(p_left.first_name || ' ' || p_left.last_name, ' ')
      <@ string_to_array(p_right.first_name || ' ' || p_right.last_name, ' ')
    and string_to_array(p_left.first_name || ' ' || p_left.last_name, ' ')
      @> string_to_array(p_right.first_name || ' ' || p_right.last_name, ' ')
$$;

-- What a level of a number or a place ends in when both records seem to be of one employer: colleagues have one office, with one
-- number and in one town, so that it says less for one person that they agree there, and less against it that they do not.
-- The planner puts this in place of the call. Called by gate.agree.
create or replace function gate.office(p_left gate.card, p_right gate.card)
returns text
language sql
immutable
parallel safe
as $$
  select case
    when p_left.firm = p_right.firm
      or p_left.email_domain = p_right.email_domain
      or p_left.site = p_right.site
      or p_left.site = p_right.firm
      or p_left.firm = p_right.site
      or left(p_left.firm, 4) = left(p_right.firm, 4)
    then '_office'
    else ''
  end
$$;

-- How two cards agree. The planner puts this in place of the call. Each case stands before those that say less.
-- Called by gate.agreements_among, gate.compare_cards and gate.pair_patterns.
create or replace function gate.agree(p_left gate.card, p_right gate.card)
returns setof gate.agreement
language sql
immutable
parallel safe
as $$
  select
    p_left.contact_id,
    p_right.contact_id,
    case
      when p_left.first_name is null or p_right.first_name is null then 'missing'
      when p_left.first_name = p_right.first_name then 'exact'
      when p_left.given_word = p_right.given_word then 'part'
      when gate.swapped(p_left, p_right) then 'swapped'
      when p_left.formal && p_right.given or p_right.formal && p_left.given then 'nickname'
      when p_left.address_first = p_right.given_word
        or p_right.address_first = p_left.given_word
        or p_left.address_first = p_right.address_first then 'address'
      when p_left.formal && p_right.formal then 'kindred'
      when length(p_left.first_name) = 1 or length(p_right.first_name) = 1 then
        case when left(p_left.first_name, 1) = left(p_right.first_name, 1) then 'initial' else 'different' end
      when gate.slip(p_left.given_word, p_right.given_word) then 'slip'
      when p_left.given_words is null and p_right.given_words is null then
        case
          when starts_with(p_left.first_name, p_right.first_name)
            or starts_with(p_right.first_name, p_left.first_name)
            or gate.alike(p_left.first_name, p_right.first_name) >= 0.4 then 'alike'
          when left(p_left.first_name, 1) = left(p_right.first_name, 1) then 'same_initial'
          else 'different'
        end
      when replace(p_left.first_name, ' ', '') = replace(p_right.first_name, ' ', '')
        or p_left.given_words && p_right.given_words
        or p_left.given_word = any (p_right.given_words)
        or p_right.given_word = any (p_left.given_words) then 'part'
      when gate.slip(replace(p_left.first_name, ' ', ''), replace(p_right.first_name, ' ', '')) then 'slip'
      when length(p_left.given_word) = 1 or length(p_right.given_word) = 1 then
        case when left(p_left.first_name, 1) = left(p_right.first_name, 1) then 'initial' else 'different' end
      when gate.alike(p_left.first_name, p_right.first_name) >= 0.4 then 'alike'
      when left(p_left.first_name, 1) = left(p_right.first_name, 1) then 'same_initial'
      else 'different'
    end,
    case
      when p_left.last_name is null or p_right.last_name is null then 'missing'
      when p_left.last_name = p_right.last_name
        or replace(p_left.last_name, ' ', '') = replace(p_right.last_name, ' ', '') then 'exact'
      when p_left.given_word <> p_right.given_word and gate.swapped(p_left, p_right) then 'swapped'
      when p_left.given_word = p_right.given_word
        and (p_left.family && p_right.given_words or p_right.family && p_left.given_words) then 'part'
      when p_left.family && p_right.family then
        case
          when string_to_array(p_left.last_name, ' ') && string_to_array(p_right.last_name, ' ') then 'part'
          else 'address'
        end
      when gate.slip(p_left.last_name, p_right.last_name) then 'slip'
      when gate.alike(p_left.last_name, p_right.last_name) >= 0.4 then 'alike'
      when (length(p_left.last_name) = 1 or length(p_right.last_name) = 1)
        and left(p_left.last_name, 1) = left(p_right.last_name, 1) then 'initial'
      else 'different'
    end,
    case
      when p_left.firm = p_right.firm then 'exact'
      when p_left.email_domain = p_right.email_domain then
        case
          when p_left.company is null or p_right.company is null then 'domain'
          when left(p_left.firm, 4) = left(p_right.firm, 4) then 'similar'
          else 'domain_other'
        end
      when p_left.site = p_right.firm or p_right.site = p_left.firm or p_left.site = p_right.site then 'site'
      when p_left.company is null or p_right.company is null then
        case
          when length(p_left.site) > 4 and length(p_right.firm) > 4
            and (starts_with(p_right.firm, p_left.site) or starts_with(p_left.site, p_right.firm))
            or length(p_right.site) > 4 and length(p_left.firm) > 4
            and (starts_with(p_left.firm, p_right.site) or starts_with(p_right.site, p_left.firm)) then 'site_prefix'
          when p_left.site is not null and (p_right.company is not null or p_right.site is not null)
            or p_right.site is not null and p_left.company is not null then 'site_other'
          else 'missing'
        end
      when least(length(p_left.firm), length(p_right.firm)) >= 4
        and (starts_with(p_left.firm, p_right.firm) or starts_with(p_right.firm, p_left.firm)) then 'prefix'
      else
        -- The bands of likeness, so that it is reckoned once.
        case width_bucket(gate.alike(p_left.company, p_right.company)::float8, '{0.3, 0.5}'::float8[])
          when 2 then
            case
              when p_left.company like '% %' and p_right.company like '% %'
                and gate.words_replaced(p_left.company, p_right.company) then 'related'
              else 'similar'
            end
          when 1 then
            case
              when gate.slip(p_left.firm, p_right.firm) then 'similar'
              when p_left.firm_word = p_right.firm_word then 'first_word'
              else 'alike'
            end
          else
            case
              when gate.slip(p_left.firm, p_right.firm) then 'similar'
              when p_left.firm_word = p_right.firm_word then 'first_word'
              else 'different'
            end
        end
    end,
    case
      when cardinality(p_left.emails) = 0 or cardinality(p_right.emails) = 0 then
        case when p_left.email_fit = 'numbered' or p_right.email_fit = 'numbered' then 'numbered_one' else 'missing' end
      when p_left.emails && p_right.emails then
        case
          when p_left.email_fit is null or p_right.email_fit is null then 'exact_role'
          when p_left.email_fit <> 'other' and p_right.email_fit <> 'other' then 'exact'
          else 'exact_other'
        end
      when (p_left.emails || p_left.loose_emails) && (p_right.emails || p_right.loose_emails) then 'loose'
      when p_left.email_local = p_right.email_local then
        case
          when p_left.email_domain is null and p_right.email_domain is null then 'local_public'
          when p_left.email_fit is null then 'role_elsewhere'
          when p_left.site = p_right.site
            or gate.slip(p_left.email_domain, p_right.email_domain)
            or p_left.email_domain like '%.' || p_right.email_domain
            or p_right.email_domain like '%.' || p_left.email_domain then 'domain_slip'
          when p_left.email_domain is null or p_right.email_domain is null then 'local_mixed'
          else 'local_elsewhere'
        end
      when split_part(p_left.emails[1], '@', 2) = split_part(p_right.emails[1], '@', 2)
        and translate(p_left.email_local, '._-', '') = translate(p_right.email_local, '._-', '') then 'local_alias'
      when p_left.email_fit = 'numbered' or p_right.email_fit = 'numbered' then
        case when p_left.email_domain = p_right.email_domain then 'numbered' else 'numbered_one' end
      when split_part(p_left.emails[1], '@', 2) = split_part(p_right.emails[1], '@', 2) then
        case
          when gate.slip(p_left.email_local, p_right.email_local) then 'local_slip'
          when p_left.email_domain is null then 'provider'
          when p_left.email_fit is null or p_right.email_fit is null then 'domain_role'
          when p_left.email_fit = 'name' and p_right.email_fit = 'name' then 'domain_name'
          else 'domain_other'
        end
      when p_left.email_fit is null or p_right.email_fit is null then 'missing'
      when p_left.email_domain is null and p_right.email_domain is null then 'providers'
      when p_left.email_domain is null or p_right.email_domain is null then 'mixed'
      when p_left.site = p_right.site then 'site'
      else 'different'
    end,
    case
      when cardinality(p_left.phone_tails) = 0 or cardinality(p_right.phone_tails) = 0 then 'missing'
      else
        case
          when p_left.extensions && p_right.extensions then 'extension'
          when p_left.phone_tails && p_right.phone_tails then
            case
              when cardinality(p_left.extensions) > 0 and cardinality(p_right.extensions) > 0 then 'other_extension'
              when cardinality(p_left.extensions) > 0 or cardinality(p_right.extensions) > 0 then 'one_extension'
              else 'exact'
            end
          when gate.slip(p_left.phone_tails[1], p_right.phone_tails[1]) then 'slip'
          when left(p_left.phone_tails[1], 5) = left(p_right.phone_tails[1], 5) then 'range'
          else 'different'
        end || gate.office(p_left, p_right)
    end,
    -- Null, and missing, when one of the two says nothing of its place.
    coalesce(
      case
        when p_left.street = p_right.street then 'street'
        when p_left.postal_code = p_right.postal_code then 'postal_code'
        when p_left.city = p_right.city then 'city'
        when p_left.city is null or p_right.city is null then null
        when gate.slip(p_left.city, p_right.city) or gate.alike(p_left.city, p_right.city) >= 0.4 then 'alike'
        else 'different'
      end || gate.office(p_left, p_right),
      'missing'
    ),
    case
      when p_left.job_title is null or p_right.job_title is null then 'missing'
      when p_left.job_title = p_right.job_title then 'exact'
      when gate.alike(p_left.job_title, p_right.job_title) >= 0.4 then 'similar'
      else 'different'
    end,
    case
      when p_left.generation is null and p_right.generation is null then 'missing'
      when p_left.generation = p_right.generation then 'exact'
      when p_left.generation is null or p_right.generation is null then 'one'
      else 'different'
    end,
    case
      when p_left.country is null or p_right.country is null then 'missing'
      when p_left.country = p_right.country then 'exact'
      else 'different'
    end,
    case
      when p_left.external_id is null or p_right.external_id is null then 'missing'
      when p_left.external_id = p_right.external_id then 'exact'
      else 'different'
    end,
    least(p_left.first_bits, p_right.first_bits),
    least(p_left.last_bits, p_right.last_bits),
    least(p_left.full_bits, p_right.full_bits),
    least(p_left.company_bits, p_right.company_bits),
    case
      when p_left.street = p_right.street then least(p_left.street_bits, p_right.street_bits)
      when p_left.postal_code = p_right.postal_code then least(p_left.postal_bits, p_right.postal_bits)
      else least(p_left.city_bits, p_right.city_bits)
    end,
    -- Of a number or an address that both have, each card says at least how many share it.
    least(p_left.email_people, p_right.email_people),
    least(p_left.phone_people, p_right.phone_people),
    greatest(p_left.contact_bits, p_right.contact_bits)
$$;

-- Whether a pair is worth weighing: its given names have more in common than an initial, or it shares an address, the local
-- part of one, a number, or an external id. Who shares neither is nobody's duplicate, and more than half of all pairs are such.
-- Called by gate.compare_cards, gate.pair_patterns and gate.agreements_among.
create or replace function gate.worth_weighing(p_first_name text, p_left gate.card, p_right gate.card)
returns boolean
language sql
immutable
parallel safe
as $$
  select p_first_name not in ('different', 'same_initial')
    or p_left.email_local = p_right.email_local
    or p_left.phone_tails && p_right.phone_tails
    or (p_left.emails || p_left.loose_emails) && (p_right.emails || p_right.loose_emails)
    or p_left.external_id = p_right.external_id
$$;

-- Whether a level of the company says that two are of one employer. The planner puts this in place of the call. Called by
-- gate.is_relative, gate.names_verdict and gate.match_leads.
create or replace function gate.is_one_employer(p_level text)
returns boolean
language sql
immutable
parallel safe
as $$
  select p_level in ('exact', 'site', 'domain', 'similar', 'prefix', 'site_prefix', 'domain_other')
$$;

-- Whether two bear different given names, and what they share may be a family's or an office's: no mailbox that is made of the names of
-- both, nor one at their employer's. Of colleagues whose given names begin alike one may be a short form that rules.nickname does
-- not know. The planner puts this in place of the call. Called by gate.worth_keeping.
create or replace function gate.is_relative(p_agreement gate.agreement)
returns boolean
language sql
immutable
parallel safe
as $$
  select case
    when (p_agreement).first_name not in ('different', 'same_initial') or (p_agreement).email = 'exact' then false
    when (p_agreement).first_name = 'same_initial' then
      (p_agreement).email <> 'exact_other'
      and not gate.is_one_employer((p_agreement).company)
    else
      (p_agreement).email <> 'exact_other'
      or not gate.is_one_employer((p_agreement).company)
  end
$$;

-- What the names as a whole say: agree, conflict (this is somebody else), unknown (too little to tell). Without an identifier
-- that both carry, a family name that is no more than alike tells too little. Two addresses of one firm, each made of its own
-- family name, say that these are two people; but whoever misspells a name misspells the address that he makes of it. An initial alone
-- may be anybody of a family, unless both work for one employer.
-- Called by gate.match_leads.
create or replace function gate.names_verdict(p_agreement gate.agreement, p_identified boolean)
returns text
language sql
immutable
parallel safe
as $$
  select case
    when (p_agreement).first_name in ('different', 'same_initial')
      or (p_agreement).generation = 'different'
      or (p_agreement).first_name = 'missing' and (p_agreement).last_name = 'different'
      or (p_agreement).email = 'domain_name' and (p_agreement).last_name in ('alike', 'different') then 'conflict'
    when (p_agreement).generation = 'one'
      or (p_agreement).first_name = 'initial' and not p_identified and not gate.is_one_employer((p_agreement).company) then 'unknown'
    when (p_agreement).first_name <> 'missing'
      and (
        (p_agreement).last_name in ('exact', 'part', 'slip', 'swapped', 'address')
        or p_identified and (p_agreement).last_name = 'alike'
      ) then 'agree'
    else 'unknown'
  end
$$;
