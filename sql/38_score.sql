-- Score: what the agreement of two records is worth, after Fellegi and Sunter (1969).

-- How the pairs p_left[i] and p_right[i] agree among these cards: p_all, or those that are worth weighing. The cards need not say how
-- rare their values are. That is looked up here, where it counts for the weight: one look into the index for each value, and of two
-- values that are only alike the one counts that more contacts carry. No nested loop: the planner cannot know how many pairs
-- they are. Called by gate.match_leads and gate.agreements. Locks nothing.
create or replace function gate.agreements_among(p_left bigint[], p_right bigint[], p_cards gate.card[], p_all boolean)
returns setof gate.agreement
language plpgsql
stable
set plan_cache_mode = force_generic_plan
set enable_nestloop = off
set enable_hashjoin = on
as $$
begin
  return query
    with side as materialized (
      select *
      from unnest(p_cards) as card
    ), known as materialized (
      select
        (select coalesce(max(carriers), 0) from gate.term where term_key = gate.term_key('contact', '')) as contacts,
        array(select address from rules.shared_mailbox where address in (select unnest(emails) from side)) as listed_emails,
        array(
          select right(ltrim(phone, '+'), 8)
          from rules.shared_phone
          where right(ltrim(phone, '+'), 8) in (select unnest(phone_tails) from side)
        ) as listed_phone_tails
    )
    select
      agreed.left_id, agreed.right_id, agreed.first_name, agreed.last_name, agreed.company, agreed.email, agreed.phone,
      agreed.place, agreed.job_title, agreed.generation, agreed.country, agreed.external_id,
      gate.rarity_bits(known.contacts, coalesce(
        case when ('first_name', agreed.first_name) in (select field, level from rules.match_weight where rarity <> 0) then
          greatest(
            (select carriers from gate.term where term_key = gate.term_key('first_name', one.given_word)),
            case when other.given_word is distinct from one.given_word then
              (select carriers from gate.term where term_key = gate.term_key('first_name', other.given_word))
            end
          )
        end,
        1
      )),
      gate.rarity_bits(known.contacts, coalesce(
        case when ('last_name', agreed.last_name) in (select field, level from rules.match_weight where rarity <> 0) then
          greatest(
            (select carriers from gate.term where term_key = gate.term_key('last_name', one.last_name)),
            case when other.last_name is distinct from one.last_name then
              (select carriers from gate.term where term_key = gate.term_key('last_name', other.last_name))
            end
          )
        end,
        1
      )),
      gate.rarity_bits(known.contacts, coalesce(
        case when agreed.first_name = 'exact' and agreed.last_name = 'exact' then
          (
            select carriers
            from gate.term
            where term_key = gate.term_key('full_name', one.given_word || '|' || one.last_name)
          )
        end,
        1
      )),
      gate.rarity_bits(known.contacts, coalesce(
        case when ('company', agreed.company) in (select field, level from rules.match_weight where rarity <> 0) then
          greatest(
            (select carriers from gate.term where term_key = gate.term_key('company', one.firm)),
            case when other.firm is distinct from one.firm then
              (select carriers from gate.term where term_key = gate.term_key('company', other.firm))
            end
          )
        end,
        1
      )),
      gate.rarity_bits(known.contacts, coalesce(
        case when ('place', agreed.place) in (select field, level from rules.match_weight where rarity <> 0) then
          case
            when one.street = other.street then (select carriers from gate.term where term_key = gate.term_key('street', one.street))
            when one.postal_code = other.postal_code then
              (select carriers from gate.term where term_key = gate.term_key('postal_code', one.postal_code))
            else
              greatest(
                (select carriers from gate.term where term_key = gate.term_key('city', one.city)),
                case when other.city is distinct from one.city then
                  (select carriers from gate.term where term_key = gate.term_key('city', other.city))
                end
              )
          end
        end,
        1
      )),
      case when ('email', agreed.email) in (select field, level from rules.match_weight where rarity <> 0) then
        gate.people_bits(least(
          greatest(
            (
              select max(counted.carriers)
              from unnest(one.emails) as own (value)
              cross join lateral (
                select carriers from gate.term where term_key = gate.term_key('email', own.value) offset 0
              ) as counted
            ),
            case when one.emails && known.listed_emails then gate.carriers_of_listed() else 1 end
          ),
          case when other.emails <> one.emails then
            greatest(
              (
                select max(counted.carriers)
                from unnest(other.emails) as own (value)
                cross join lateral (
                  select carriers from gate.term where term_key = gate.term_key('email', own.value) offset 0
                ) as counted
              ),
              case when other.emails && known.listed_emails then gate.carriers_of_listed() else 1 end
            )
          end
        ))
        else 0
      end,
      case when ('phone', agreed.phone) in (select field, level from rules.match_weight where rarity <> 0) then
        gate.people_bits(least(
          greatest(
            (
              select max(counted.carriers)
              from unnest(one.phone_tails) as own (value)
              cross join lateral (
                select carriers from gate.term where term_key = gate.term_key('phone', own.value) offset 0
              ) as counted
            ),
            case when one.phone_tails && known.listed_phone_tails then gate.carriers_of_listed() else 1 end
          ),
          case when other.phone_tails <> one.phone_tails then
            greatest(
              (
                select max(counted.carriers)
                from unnest(other.phone_tails) as own (value)
                cross join lateral (
                  select carriers from gate.term where term_key = gate.term_key('phone', own.value) offset 0
                ) as counted
              ),
              case when other.phone_tails && known.listed_phone_tails then gate.carriers_of_listed() else 1 end
            )
          end
        ))
        else 0
      end,
      (ln((known.contacts + 2000)::float8) / ln(2::float8))::real
    from unnest(p_left, p_right) as pair (left_id, right_id)
    join side as one on one.contact_id = pair.left_id
    join side as other on other.contact_id = pair.right_id
    cross join known
    cross join lateral gate.agree(one::gate.card, other::gate.card) as agreed
    where p_all
      or gate.worth_weighing(agreed.first_name, one::gate.card, other::gate.card);
end
$$;

-- The same among the cards of contacts and of the leads p_leads, whose numbers are below 0. Called by gate.scan_changed and
-- gate.compare_pair. Locks nothing.
drop function if exists gate.agreements(bigint[], bigint[], jsonb, boolean);
create or replace function gate.agreements(
  p_left bigint[], p_right bigint[], p_leads gate.contact_keys[], p_all boolean default false
)
returns setof gate.agreement
language sql
stable
as $$
  select *
  from gate.agreements_among(p_left, p_right, gate.cards_of(p_left || p_right, p_leads), p_all)
$$;

-- Weighs agreements. parts: weight + rarity × bits of the base, the names, company, email, phone, place, job title, generation,
-- country and external id, in this order; score: their sum, in bits. A level without a row in rules.match_weight counts nothing.
-- No nested loop: the planner cannot know how many agreements there are.
-- Called by gate.match_leads, gate.worth_keeping and gate.compare_pair. Locks nothing.
create or replace function gate.weigh(p_agreements gate.agreement[])
returns table (left_id bigint, right_id bigint, score real, parts real[], agreement gate.agreement)
language plpgsql
stable
set plan_cache_mode = force_generic_plan
set enable_nestloop = off
set enable_hashjoin = on
as $$
#variable_conflict use_column
begin
  return query
  select
    weighed.left_id,
    weighed.right_id,
    (parts[1] + parts[2] + parts[3] + parts[4] + parts[5] + parts[6] + parts[7] + parts[8] + parts[9] + parts[10] + parts[11]
      + parts[12])::real,
    weighed.parts,
    weighed.agreement
  from (
    select
      agreed.left_id,
      agreed.right_id,
      agreed::gate.agreement as agreement,
      array[
        coalesce(base.weight + base.rarity * contact_bits, 0),
        coalesce(first_name.weight + first_name.rarity * first_bits, 0),
        coalesce(last_name.weight + last_name.rarity * last_bits, 0),
        coalesce(full_name.weight + full_name.rarity * full_bits, 0),
        coalesce(company.weight + company.rarity * company_bits, 0),
        coalesce(email.weight + email.rarity * email_people, 0),
        coalesce(phone.weight + phone.rarity * phone_people, 0),
        coalesce(place.weight + place.rarity * place_bits, 0),
        coalesce(job_title.weight, 0),
        coalesce(generation.weight, 0),
        coalesce(country.weight, 0),
        coalesce(external_id.weight, 0)
      ]::real[] as parts
    from unnest(p_agreements) as agreed
    left join rules.match_weight as base on base.field = 'base' and base.level = 'pair'
    left join rules.match_weight as first_name on first_name.field = 'first_name' and first_name.level = agreed.first_name
    left join rules.match_weight as last_name on last_name.field = 'last_name' and last_name.level = agreed.last_name
    left join rules.match_weight as full_name
      on full_name.field = 'full_name'
      and full_name.level = case when agreed.first_name = 'exact' and agreed.last_name = 'exact' then 'exact' else 'other' end
    left join rules.match_weight as company on company.field = 'company' and company.level = agreed.company
    left join rules.match_weight as email on email.field = 'email' and email.level = agreed.email
    left join rules.match_weight as phone on phone.field = 'phone' and phone.level = agreed.phone
    left join rules.match_weight as place on place.field = 'place' and place.level = agreed.place
    left join rules.match_weight as job_title on job_title.field = 'job_title' and job_title.level = agreed.job_title
    left join rules.match_weight as generation on generation.field = 'generation' and generation.level = agreed.generation
    left join rules.match_weight as country on country.field = 'country' and country.level = agreed.country
    left join rules.match_weight as external_id on external_id.field = 'external_id' and external_id.level = agreed.external_id
    offset 0
  ) as weighed;
end
$$;

-- What is written down of an agreement: the levels of the fields that both have, and under weights what each is worth. parts as
-- gate.weigh returns them.
create or replace function gate.evidence(p_agreement gate.agreement, p_parts real[])
returns jsonb
language sql
stable
parallel safe
as $$
  select jsonb_strip_nulls(jsonb_build_object(
    'first_name', nullif((p_agreement).first_name, 'missing'),
    'last_name', nullif((p_agreement).last_name, 'missing'),
    'company', nullif((p_agreement).company, 'missing'),
    'email', nullif((p_agreement).email, 'missing'),
    'phone', nullif((p_agreement).phone, 'missing'),
    'place', nullif((p_agreement).place, 'missing'),
    'job_title', nullif((p_agreement).job_title, 'missing'),
    'generation', nullif((p_agreement).generation, 'missing'),
    'country', nullif((p_agreement).country, 'missing'),
    'external_id', nullif((p_agreement).external_id, 'missing'),
    'weights', jsonb_strip_nulls(jsonb_build_object(
      'base', nullif(round(p_parts[1]::numeric, 2), 0),
      'first_name', nullif(round(p_parts[2]::numeric, 2), 0),
      'last_name', nullif(round(p_parts[3]::numeric, 2), 0),
      'full_name', nullif(round(p_parts[4]::numeric, 2), 0),
      'company', nullif(round(p_parts[5]::numeric, 2), 0),
      'email', nullif(round(p_parts[6]::numeric, 2), 0),
      'phone', nullif(round(p_parts[7]::numeric, 2), 0),
      'place', nullif(round(p_parts[8]::numeric, 2), 0),
      'job_title', nullif(round(p_parts[9]::numeric, 2), 0),
      'generation', nullif(round(p_parts[10]::numeric, 2), 0),
      'country', nullif(round(p_parts[11]::numeric, 2), 0),
      'external_id', nullif(round(p_parts[12]::numeric, 2), 0)
    ))
  ))
$$;

-- From which score on two contacts are one person. Called by the scan and gate.match_leads.
create or replace function gate.duplicate_threshold()
returns real
language sql
stable
as $$
  select coalesce((select score from rules.match_threshold where name = 'duplicate'), 0)::real
$$;
