-- Where somebody lives: how rare a street and a postal code are, beside how rare the town is. A street of two is a home, one of two
-- hundred an office. And the weights fitted anew with this, on private people as well.

alter table gate.card
  add column street_bits real,
  add column postal_bits real;

comment on column gate.card.street_bits is 'How rare the street is.';
comment on column gate.card.postal_bits is 'How rare the postal code is.';

alter type gate.agreement rename attribute city_bits to place_bits;

alter table gate.term
  drop constraint term_kind,
  add constraint term_kind check (
    kind in (
      'contact', 'first_name', 'last_name', 'full_name', 'company', 'city', 'street', 'postal_code', 'email', 'phone'
    )
  );

comment on column gate.term.kind is 'first_name (its first word), last_name, full_name (first word|last name), company (without spaces), city, street, postal_code, email, phone (last eight digits); contact: one row, all contacts.';

create temporary table shipped (
  field text not null,
  level text not null,
  was real not null,
  was_rarity real not null,
  weight real not null,
  rarity real not null,
  primary key (field, level)
) on commit drop;

insert into shipped (field, level, was, was_rarity, weight, rarity)
values
  ('base', 'pair', -0.37, -0.38, -0.74, -0.41),
  ('company', 'alike', -1.73, 0.00, -1.75, 0.00),
  ('company', 'different', -2.84, 0.00, -2.94, 0.00),
  ('company', 'domain', 0.25, 0.29, 0.36, 0.31),
  ('company', 'domain_other', 3.70, 0.00, 4.19, 0.00),
  ('company', 'exact', 0.56, 0.31, 1.15, 0.30),
  ('company', 'first_word', -1.39, 0.00, -1.22, 0.00),
  ('company', 'missing', 0.00, 0.00, 0.00, 0.00),
  ('company', 'prefix', 3.24, 0.00, 3.58, 0.00),
  ('company', 'related', -3.00, 0.00, -3.00, 0.00),
  ('company', 'similar', 3.45, 0.00, 3.79, 0.00),
  ('company', 'site', -0.75, 0.37, -0.60, 0.37),
  ('company', 'site_other', -2.05, 0.00, -1.47, 0.00),
  ('company', 'site_prefix', 3.72, 0.00, 3.77, 0.00),
  ('country', 'different', -5.67, 0.00, -6.13, 0.00),
  ('country', 'exact', 0.15, 0.00, 0.17, 0.00),
  ('country', 'missing', 0.00, 0.00, 0.00, 0.00),
  ('email', 'different', -1.38, 0.00, -1.90, 0.00),
  ('email', 'domain_name', -4.76, 0.00, -4.54, 0.00),
  ('email', 'domain_other', -3.82, 0.00, -3.99, 0.00),
  ('email', 'domain_role', -0.30, 0.00, -0.24, 0.00),
  ('email', 'domain_slip', 4.45, 0.00, 4.70, 0.00),
  ('email', 'exact', 11.91, -0.39, 12.38, -0.38),
  ('email', 'exact_other', 8.19, -0.47, 7.84, -0.61),
  ('email', 'exact_role', -1.04, -0.35, -1.29, -0.27),
  ('email', 'local_alias', 4.17, 0.00, 3.86, 0.00),
  ('email', 'local_elsewhere', -1.78, 0.00, -2.17, 0.00),
  ('email', 'local_mixed', 1.98, 0.00, 1.69, 0.00),
  ('email', 'local_public', -0.86, 0.00, -0.85, 0.00),
  ('email', 'local_slip', -4.23, 0.00, -4.28, 0.00),
  ('email', 'loose', 2.90, -0.39, 3.21, -0.39),
  ('email', 'missing', 0.00, 0.00, 0.00, 0.00),
  ('email', 'mixed', -0.85, 0.00, -0.85, 0.00),
  ('email', 'numbered', -9.13, 0.00, -9.19, 0.00),
  ('email', 'numbered_one', -6.40, 0.00, -6.49, 0.00),
  ('email', 'provider', -4.65, 0.00, -4.87, 0.00),
  ('email', 'providers', -6.98, 0.00, -5.92, 0.00),
  ('email', 'role_elsewhere', -1.26, 0.00, -1.42, 0.00),
  ('email', 'site', -3.54, 0.00, -4.03, 0.00),
  ('external_id', 'different', -12.00, 0.00, -12.00, 0.00),
  ('external_id', 'exact', 12.00, 0.00, 12.00, 0.00),
  ('external_id', 'missing', 0.00, 0.00, 0.00, 0.00),
  ('first_name', 'address', 1.49, 0.27, 1.96, 0.24),
  ('first_name', 'alike', -2.75, 0.30, -2.91, 0.31),
  ('first_name', 'different', -5.74, 0.00, -5.04, 0.00),
  ('first_name', 'exact', 1.10, 0.32, 1.73, 0.31),
  ('first_name', 'initial', -1.47, 0.28, -1.24, 0.31),
  ('first_name', 'kindred', -1.81, 0.29, -1.76, 0.30),
  ('first_name', 'missing', 0.00, 0.00, 0.00, 0.00),
  ('first_name', 'nickname', 0.07, 0.29, 0.35, 0.26),
  ('first_name', 'part', -0.92, 0.37, -1.45, 0.42),
  ('first_name', 'same_initial', -4.38, 0.00, -4.92, 0.00),
  ('first_name', 'slip', -1.27, 0.32, -0.97, 0.33),
  ('first_name', 'swapped', -0.14, 0.28, -0.76, 0.30),
  ('full_name', 'exact', 7.55, -0.48, 6.84, -0.47),
  ('full_name', 'other', 0.00, 0.00, 0.00, 0.00),
  ('generation', 'different', -8.00, 0.00, -8.00, 0.00),
  ('generation', 'exact', 0.03, 0.00, 0.10, 0.00),
  ('generation', 'missing', 0.00, 0.00, 0.00, 0.00),
  ('generation', 'one', -4.54, 0.00, -4.54, 0.00),
  ('job_title', 'different', -1.39, 0.00, -1.48, 0.00),
  ('job_title', 'exact', 4.25, 0.00, 4.32, 0.00),
  ('job_title', 'missing', 0.00, 0.00, 0.00, 0.00),
  ('job_title', 'similar', 1.90, 0.00, 1.86, 0.00),
  ('last_name', 'address', 0.23, 0.28, 0.47, 0.29),
  ('last_name', 'alike', -1.56, 0.26, -1.55, 0.26),
  ('last_name', 'different', -4.98, 0.00, -5.06, 0.00),
  ('last_name', 'exact', -1.86, 0.48, -1.70, 0.51),
  ('last_name', 'initial', -0.78, 0.00, -0.78, 0.00),
  ('last_name', 'missing', 0.00, 0.00, 0.00, 0.00),
  ('last_name', 'part', -0.34, 0.28, 0.03, 0.26),
  ('last_name', 'slip', -0.43, 0.29, -0.20, 0.31),
  ('last_name', 'swapped', 0.25, 0.35, -0.32, 0.49),
  ('phone', 'different', -0.97, 0.00, -1.08, 0.00),
  ('phone', 'different_office', -0.35, 0.00, -0.44, 0.00),
  ('phone', 'exact', 9.65, -1.05, 10.42, -1.09),
  ('phone', 'exact_office', 6.30, -1.12, 6.26, -1.13),
  ('phone', 'extension', 4.43, 0.00, 4.66, 0.00),
  ('phone', 'extension_office', 4.46, 0.00, 4.56, 0.00),
  ('phone', 'missing', 0.00, 0.00, 0.00, 0.00),
  ('phone', 'one_extension', 6.88, -1.01, 7.62, -0.94),
  ('phone', 'one_extension_office', 5.08, -1.06, 4.44, -0.98),
  ('phone', 'other_extension', 2.92, -1.06, 2.96, -1.06),
  ('phone', 'other_extension_office', 2.86, -1.06, 2.85, -1.06),
  ('phone', 'range', 0.97, 0.00, 2.29, 0.00),
  ('phone', 'range_office', -0.41, 0.00, -0.60, 0.00),
  ('phone', 'slip', 1.35, 0.00, 2.17, 0.00),
  ('phone', 'slip_office', 0.65, 0.00, 0.36, 0.00),
  ('place', 'alike', 0.60, 0.00, 0.79, 0.00),
  ('place', 'alike_office', 0.52, 0.00, 0.51, 0.00),
  ('place', 'city', 3.77, -0.31, 4.25, -0.29),
  ('place', 'city_office', 3.38, -0.34, 3.45, -0.35),
  ('place', 'different', -3.64, 0.00, -2.72, 0.00),
  ('place', 'different_office', -2.70, 0.00, -2.57, 0.00),
  ('place', 'missing', 0.00, 0.00, 0.00, 0.00),
  ('place', 'postal_code', 2.38, 0.00, 0.95, 0.29),
  ('place', 'postal_code_office', 0.92, 0.00, 0.39, 0.04),
  ('place', 'street', 2.74, 0.00, 2.51, 0.33),
  ('place', 'street_office', 1.01, 0.00, 0.73, 0.00);

-- Whoever has changed a weight, or learned them from the mirror, keeps all.
update rules.match_weight
set weight = shipped.weight,
    rarity = shipped.rarity
from shipped
where match_weight.field = shipped.field
  and match_weight.level = shipped.level
  and not exists (
    select
    from shipped
    left join rules.match_weight as held using (field, level)
    where (held.weight, held.rarity) is distinct from (shipped.was, shipped.was_rarity)
  );
