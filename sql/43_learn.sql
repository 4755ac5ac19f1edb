-- Learn: how the pairs of the mirror agree, from which `src/duplicates` learns match weights, and what is made of them.

-- The weights in force. Called by `rules learn`.
create or replace function gate.match_weights()
returns table (field text, level text, weight real, rarity real)
language sql
stable
as $$
  select field, level, weight, rarity
  from rules.match_weight
  order by field, level
$$;

-- How the pairs agree that gate.find_pairs found and that are worth weighing, and how many agree so: those of one of p_every
-- contacts. levels and bits: of the base, the names, company, email, phone, place, job title, generation, country and
-- external id, in this order, as gate.weigh weighs them; bits are rounded. Hash joins only, as in gate.compare_cards.
create or replace function gate.pair_patterns(p_every integer)
returns table (levels text[], bits real[], pairs bigint)
language plpgsql
stable
set plan_cache_mode = force_custom_plan
set enable_nestloop = off
set enable_mergejoin = off
as $$
begin
  return query
  with pair as materialized (
    select distinct left_id, right_id
    from gate.candidate_pair
    where (hashint8(left_id) & 65535) % p_every = 0
  ), agreed as materialized (
    select agreement.*
    from pair
    join gate.card as one on one.contact_id = pair.left_id
    join gate.card as other on other.contact_id = pair.right_id
    cross join lateral gate.agree(one, other) as agreement
    where gate.worth_weighing(agreement.first_name, one, other)
  ), told as (
    select
      array[
        'pair', first_name, last_name, case when first_name = 'exact' and last_name = 'exact' then 'exact' else 'other' end,
        company, email, phone, place, job_title, generation, country, external_id
      ] as levels,
      array[
        round(contact_bits), round(first_bits), round(last_bits), round(full_bits), round(company_bits), round(email_people),
        round(phone_people), round(place_bits), 0, 0, 0, 0
      ]::real[] as bits
    from agreed
  )
  select told.levels, told.bits, count(*)
  from told
  group by told.levels, told.bits;
end
$$;

-- Keeps what was learned from the rules of p_rules_hash, in the place of what was learned before.
create or replace function gate.put_learned(
  p_rules_hash text, p_fields text[], p_levels text[], p_weights real[], p_pairs real[], p_same real[]
)
returns void
language sql
as $$
  delete from gate.learned_weight;

  insert into gate.learned_weight (field, level, weight, pairs, same, rules_hash)
  select field, level, weight, pairs, least(same, pairs), p_rules_hash
  from unnest(p_fields, p_levels, p_weights, p_pairs, p_same) as learned (field, level, weight, pairs, same)
$$;

-- Puts the learned weights into force; how many rows changed. Null: nothing is learned, or the rules have changed since then.
-- Called by `rules learn --use`.
create or replace function gate.use_learned()
returns bigint
language plpgsql
as $$
declare
  v_changed bigint;
begin
  if gate.match_rules_hash() is distinct from (select min(rules_hash) from gate.learned_weight) then
    return null;
  end if;
  update rules.match_weight
  set weight = learned_weight.weight
  from gate.learned_weight
  where learned_weight.field = match_weight.field
    and learned_weight.level = match_weight.level
    and learned_weight.weight <> match_weight.weight;
  get diagnostics v_changed = row_count;
  return v_changed;
end
$$;

-- What was learned, beside what is in force. For analysts and `rules learn`.
create or replace view report.learned_weight as
select
  match_weight.field,
  match_weight.level,
  match_weight.weight as weight_in_force,
  learned_weight.weight as learned_weight,
  learned_weight.pairs,
  learned_weight.same as pairs_of_one_person,
  match_weight.rarity,
  learned_weight.learned_at
from rules.match_weight
join gate.learned_weight using (field, level);

comment on view report.learned_weight is 'What `rules learn` made of the mirror, beside the weights in force.';
comment on column report.learned_weight.field is 'What is compared.';
comment on column report.learned_weight.level is 'How well it agrees.';
comment on column report.learned_weight.weight_in_force is 'In bits.';
comment on column report.learned_weight.learned_weight is 'In bits.';
comment on column report.learned_weight.pairs is 'Pairs that agree so, of those it looked at.';
comment on column report.learned_weight.pairs_of_one_person is 'Of them, those of one person, as far as the weights can tell.';
comment on column report.learned_weight.rarity is 'Added for each bit of how rare the value is; not learned.';
comment on column report.learned_weight.learned_at is 'When.';

-- The same, in the order of the fields, the best level first. Called by `rules learn`.
create or replace function gate.learned_weights()
returns table (
  field text, level text, weight_in_force real, learned_weight real, pairs real, pairs_of_one_person real
)
language sql
stable
as $$
  select field, level, weight_in_force, learned_weight, pairs, pairs_of_one_person
  from report.learned_weight
  order by field, weight_in_force desc, level
$$;
