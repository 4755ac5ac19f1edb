-- Evidence weighed by how rare a value is, and what a full scan for duplicates works on.

create extension if not exists fuzzystrmatch;

alter table rules.match_weight
  add column rarity real not null default 0,
  add constraint match_weight_rarity check (rarity between -2 and 2);

comment on table rules.match_weight is 'Match weights after Fellegi and Sunter, in bits: log2 of how much more often two records of one person agree so than two of different people. The score of a pair is the sum over its fields of weight + rarity × how rare the value is.';
comment on column rules.match_weight.field is 'What is compared: first_name, last_name, full_name, company, email, phone, place, job_title, generation, country, external_id; base stands once in every pair.';
comment on column rules.match_weight.level is 'How well it agrees: exact, nickname, initial, slip, different, …; docs/MATCHING.md explains each.';
comment on column rules.match_weight.rarity is 'Added for each bit of how rare the value is that both have: a name that one in 1,024 contacts carries has 10 bits. For e-mail and phone: for each doubling of the people who carry the value. For base: for each doubling of the contacts.';

create table gate.term (
  kind        text not null,
  value       text not null,
  carriers    bigint not null,
  counted_at  timestamptz not null default clock_timestamp(),
  primary key (kind, value),
  constraint term_kind check (kind in ('contact', 'first_name', 'last_name', 'full_name', 'company', 'city', 'email', 'phone')),
  constraint term_carriers check (carriers >= 0)
);

comment on table gate.term is 'How many contacts carry a value, where it is more than one; of an e-mail address and the end of a phone number, how many people. Counted by gate.count_terms; what stands here may be a little old.';
comment on column gate.term.kind is 'first_name (its first word), last_name, full_name (first word|last name), company (without spaces), city, email, phone (last eight digits); contact: one row, all contacts.';
comment on column gate.term.value is 'The value, folded.';
comment on column gate.term.counted_at is 'When it was counted.';
comment on column gate.term.carriers is 'Contacts; of email and phone, different family names.';

delete from rules.match_weight;

drop function if exists
  gate.first_name_level(text, text, text[], text[]),
  gate.one_slip(text, text),
  gate.last_name_level(text, text),
  gate.company_level(text, text),
  gate.plain_level(text, text),
  gate.numbered_apart(text, text),
  gate.names_verdict(text, text);

insert into rules.match_weight (field, level, weight, rarity)
values
  ('base', 'pair', 0.04, -0.40),
  ('first_name', 'swapped', 3.11, 0.00),
  ('first_name', 'address', 1.38, 0.29),
  ('first_name', 'exact', 0.50, 0.36),
  ('first_name', 'missing', 0.00, 0.00),
  ('first_name', 'nickname', -0.15, 0.29),
  ('first_name', 'part', -0.64, 0.36),
  ('first_name', 'slip', -1.39, 0.29),
  ('first_name', 'initial', -1.45, 0.29),
  ('first_name', 'kindred', -1.82, 0.29),
  ('first_name', 'alike', -2.74, 0.29),
  ('first_name', 'same_initial', -3.95, 0.00),
  ('first_name', 'different', -5.82, 0.00),
  ('last_name', 'swapped', 3.48, 0.00),
  ('last_name', 'address', 0.10, 0.28),
  ('last_name', 'missing', 0.00, 0.00),
  ('last_name', 'slip', -0.38, 0.28),
  ('last_name', 'part', -0.56, 0.28),
  ('last_name', 'initial', -0.78, 0.00),
  ('last_name', 'alike', -1.50, 0.28),
  ('last_name', 'exact', -2.24, 0.51),
  ('last_name', 'different', -4.54, 0.00),
  ('full_name', 'exact', 7.60, -0.47),
  ('full_name', 'other', 0.00, 0.00),
  ('company', 'site_prefix', 3.70, 0.00),
  ('company', 'domain_other', 3.42, 0.00),
  ('company', 'similar', 3.35, 0.00),
  ('company', 'prefix', 2.99, 0.00),
  ('company', 'domain', 0.24, 0.28),
  ('company', 'missing', 0.00, 0.00),
  ('company', 'related', -2.50, 0.00),
  ('company', 'exact', -0.29, 0.38),
  ('company', 'site', -0.73, 0.39),
  ('company', 'first_word', -1.41, 0.00),
  ('company', 'alike', -1.97, 0.00),
  ('company', 'site_other', -3.36, 0.00),
  ('company', 'different', -3.98, 0.00),
  ('email', 'exact', 11.69, -0.39),
  ('email', 'exact_other', 8.63, -0.39),
  ('email', 'domain_slip', 4.25, 0.00),
  ('email', 'loose', 2.75, -0.39),
  ('email', 'local_mixed', 2.35, 0.00),
  ('email', 'missing', 0.00, 0.00),
  ('email', 'domain_role', -0.47, 0.00),
  ('email', 'local_public', -0.87, 0.00),
  ('email', 'local_elsewhere', -0.87, 0.00),
  ('email', 'mixed', -0.95, 0.00),
  ('email', 'exact_role', -1.09, -0.39),
  ('email', 'role_elsewhere', -1.19, 0.00),
  ('email', 'different', -1.67, 0.00),
  ('email', 'site', -3.29, 0.00),
  ('email', 'domain_other', -3.92, 0.00),
  ('email', 'local_slip', -4.06, 0.00),
  ('email', 'provider', -4.52, 0.00),
  ('email', 'domain_name', -5.01, 0.00),
  ('email', 'numbered_one', -6.28, 0.00),
  ('email', 'providers', -6.65, 0.00),
  ('email', 'numbered', -9.07, 0.00),
  ('phone', 'exact', 7.66, -1.06),
  ('phone', 'one_extension', 6.15, -1.06),
  ('phone', 'extension', 4.41, 0.00),
  ('phone', 'other_extension', 2.91, -1.06),
  ('phone', 'slip', 0.92, 0.00),
  ('phone', 'missing', 0.00, 0.00),
  ('phone', 'range', -0.03, 0.00),
  ('phone', 'different', -0.67, 0.00),
  ('place', 'city', 3.51, -0.31),
  ('place', 'street', 1.58, 0.00),
  ('place', 'postal_code', 1.46, 0.00),
  ('place', 'alike', 0.61, 0.00),
  ('place', 'missing', 0.00, 0.00),
  ('place', 'different', -3.09, 0.00),
  ('job_title', 'exact', 4.31, 0.00),
  ('job_title', 'similar', 1.90, 0.00),
  ('job_title', 'missing', 0.00, 0.00),
  ('job_title', 'different', -1.31, 0.00),
  ('generation', 'exact', 0.00, 0.00),
  ('generation', 'missing', 0.00, 0.00),
  ('generation', 'one', -3.00, 0.00),
  ('generation', 'different', -8.00, 0.00),
  ('country', 'exact', 0.24, 0.00),
  ('country', 'missing', 0.00, 0.00),
  ('country', 'different', -5.48, 0.00),
  ('external_id', 'exact', 12.00, 0.00),
  ('external_id', 'missing', 0.00, 0.00),
  ('external_id', 'different', -12.00, 0.00);

create unlogged table gate.card (
  contact_id    bigint primary key,
  external_id   text,
  emails        text[],
  loose_emails  text[],
  phone_tails   text[],
  extensions    text[],
  first_name    text,
  last_name     text,
  generation    text,
  company       text,
  firm          text,
  firm_word     text,
  email_domain  text,
  site          text,
  email_local   text,
  email_fit     text,
  city          text,
  country       text,
  street        text,
  postal_code   text,
  job_title     text,
  given_word    text,
  address_first text,
  given_words   text[],
  given         text[],
  formal        text[],
  family        text[],
  first_bits    real,
  last_bits     real,
  full_bits     real,
  company_bits  real,
  city_bits     real,
  email_people  real,
  phone_people  real,
  contact_bits  real
);

comment on table gate.card is 'What a contact is compared by, complete: its keys, its other names, and how rare its values are. Filled while all contacts are scanned for duplicates, empty otherwise; unlogged, for it can be made anew at any time. As a type it is what gate.compare takes.';
comment on column gate.card.contact_id is 'The contact; of a lead, -1 less its place in the batch.';
comment on column gate.card.external_id is 'As in gate.contact_keys, as are those below without a comment of their own.';
comment on column gate.card.emails is 'All addresses.';
comment on column gate.card.loose_emails is 'Addresses without plus-tag and gmail dots, where that differs.';
comment on column gate.card.phone_tails is 'Last eight digits of each number.';
comment on column gate.card.extensions is 'tail/extension of each number that has one.';
comment on column gate.card.first_name is 'Given name.';
comment on column gate.card.last_name is 'Family name.';
comment on column gate.card.generation is 'junior, senior, third or fourth.';
comment on column gate.card.company is 'Company without suffixes.';
comment on column gate.card.firm is 'The same without spaces.';
comment on column gate.card.email_domain is 'Domain of the primary address unless public.';
comment on column gate.card.site is 'The name in that domain: acme of acme.co.uk.';
comment on column gate.card.email_local is 'Local part of the primary address.';
comment on column gate.card.email_fit is 'How it fits the name.';
comment on column gate.card.city is 'Town.';
comment on column gate.card.country is 'ISO code.';
comment on column gate.card.street is 'Street and number.';
comment on column gate.card.postal_code is 'Postal code.';
comment on column gate.card.job_title is 'Job title.';
comment on column gate.card.firm_word is 'The first word of the company, of three letters or more.';
comment on column gate.card.given_word is 'The first word of the given name.';
comment on column gate.card.address_first is 'The given name that the address says.';
comment on column gate.card.given_words is 'The words of the given name, where it has several.';
comment on column gate.card.given is 'The given name by which somebody is called, and the one that the address says.';
comment on column gate.card.formal is 'Full forms of those, from rules.nickname; null where there are none.';
comment on column gate.card.family is 'The words of the family name, and the one that the address says.';
comment on column gate.card.first_bits is 'How rare the given name is, in bits.';
comment on column gate.card.last_bits is 'How rare the family name is.';
comment on column gate.card.full_bits is 'How rare both together are.';
comment on column gate.card.company_bits is 'How rare the company is.';
comment on column gate.card.city_bits is 'How rare the town is.';
comment on column gate.card.email_people is 'log2 of how many people carry an address of it.';
comment on column gate.card.phone_people is 'log2 of how many people carry a number of it.';
comment on column gate.card.contact_bits is 'log2 of how many contacts there are.';

create type gate.agreement as (
  left_id       bigint,
  right_id      bigint,
  first_name    text,
  last_name     text,
  company       text,
  email         text,
  phone         text,
  place         text,
  job_title     text,
  generation    text,
  country       text,
  external_id   text,
  first_bits    real,
  last_bits     real,
  full_bits     real,
  company_bits  real,
  city_bits     real,
  email_people  real,
  phone_people  real,
  contact_bits  real
);

comment on type gate.agreement is 'How two records agree: the level of each field, and how rare what they share is. Made by gate.agree, weighed by gate.weigh.';

alter table rules.match_threshold
  drop constraint match_threshold_name,
  add constraint match_threshold_name check (name in ('match', 'review', 'margin', 'duplicate', 'possible'));

comment on column rules.match_threshold.name is 'match, review, margin: of a lead and a contact. duplicate, possible: of two contacts.';

update rules.match_threshold
set score = case name when 'match' then 3.75 when 'review' then 1 else 3 end
where name in ('match', 'review', 'margin');

insert into rules.match_threshold (name, score, note)
values
  ('duplicate', 1.3, 'from this score on two contacts are one person'),
  ('possible', -1.5, 'from this score on a pair of contacts is listed');

create table gate.scan (
  scan_id      bigint generated always as identity primary key,
  kind         text not null,
  started_at   timestamptz not null default clock_timestamp(),
  finished_at  timestamptz,
  rules_hash   text not null,
  contacts     bigint not null,
  compared     bigint,
  found        bigint,
  constraint scan_kind check (kind in ('full', 'changed')),
  constraint scan_finished check ((finished_at is null) = (found is null) and (finished_at is null) = (compared is null))
);

comment on table gate.scan is 'Runs of `duplicates scan`.';
comment on column gate.scan.scan_id is 'Number.';
comment on column gate.scan.kind is 'full: all contacts against all; changed: those that changed since the last one.';
comment on column gate.scan.started_at is 'When it began; from then on changes of contacts are noted for the next one.';
comment on column gate.scan.finished_at is 'When it ended; null while it runs, and for ever when it was stopped.';
comment on column gate.scan.rules_hash is 'Stands for the rules it worked by; when they change, all are compared anew.';
comment on column gate.scan.contacts is 'Contacts that it looked at.';
comment on column gate.scan.compared is 'Pairs that were compared.';
comment on column gate.scan.found is 'Of them, those whose score is not below `possible`.';

create table gate.unscanned (
  unscanned_id  bigint generated always as identity primary key,
  contact_id    bigint not null
);

comment on table gate.unscanned is 'Contacts whose keys have changed since the last scan for duplicates, some of them several times.';
comment on column gate.unscanned.unscanned_id is 'Number: a scan removes the rows that it has seen.';
comment on column gate.unscanned.contact_id is 'The contact, which may be gone.';

create unlogged table gate.candidate_pair (
  left_id   bigint not null,
  right_id  bigint not null
);

comment on table gate.candidate_pair is 'Pairs that share a block or an address, while all contacts are scanned; empty otherwise. Unlogged, for it can be made anew at any time.';
comment on column gate.candidate_pair.left_id is 'The contact with the smaller number.';
comment on column gate.candidate_pair.right_id is 'The other one.';

create table gate.duplicate_pair (
  left_id   bigint not null,
  right_id  bigint not null,
  score     real not null,
  tier      text not null,
  evidence  jsonb not null,
  found_at  timestamptz not null default clock_timestamp(),
  primary key (left_id, right_id),
  constraint duplicate_pair_order check (left_id < right_id),
  constraint duplicate_pair_tier check (tier in ('external_id', 'email', 'phone', 'fuzzy'))
);

create index duplicate_pair_right on gate.duplicate_pair (right_id);

comment on table gate.duplicate_pair is 'Pairs of contacts that may be one person, as the last scan found them; contacts may be gone since. Read report.duplicate_pair.';
comment on column gate.duplicate_pair.left_id is 'The contact with the smaller number.';
comment on column gate.duplicate_pair.right_id is 'The other one.';
comment on column gate.duplicate_pair.score is 'Sum of the match weights, in bits; not below `possible`.';
comment on column gate.duplicate_pair.tier is 'The strongest identifier that both carry; fuzzy: none.';
comment on column gate.duplicate_pair.evidence is 'The level of each field that both have.';
comment on column gate.duplicate_pair.found_at is 'When it was found or confirmed.';

create unlogged table gate.found_pair (like gate.duplicate_pair including defaults including constraints);

comment on table gate.found_pair is 'What a scan of all contacts has found so far; takes the place of gate.duplicate_pair at its end.';
comment on column gate.found_pair.left_id is 'As in gate.duplicate_pair.';
comment on column gate.found_pair.right_id is 'As in gate.duplicate_pair.';
comment on column gate.found_pair.score is 'As in gate.duplicate_pair.';
comment on column gate.found_pair.tier is 'As in gate.duplicate_pair.';
comment on column gate.found_pair.evidence is 'As in gate.duplicate_pair.';
comment on column gate.found_pair.found_at is 'As in gate.duplicate_pair.';

create table gate.duplicate_group (
  group_id    bigint generated always as identity primary key,
  flags       text[] not null default '{}',
  changed_at  timestamptz not null default clock_timestamp(),
  constraint duplicate_group_flags check (flags <@ array['chain', 'large', 'told_apart'])
);

comment on table gate.duplicate_group is 'Contacts that are one person, as far as the last scan knows. Read report.duplicate_group.';
comment on column gate.duplicate_group.group_id is 'Number; a group that grows or shrinks keeps it.';
comment on column gate.duplicate_group.flags is 'Why a person must look at it: chain (some members are tied to the others by one pair alone), large, told_apart (somebody has said that two of its members are two people).';
comment on column gate.duplicate_group.changed_at is 'When its members or flags last changed.';

create table gate.duplicate_member (
  contact_id  bigint primary key,
  group_id    bigint not null references gate.duplicate_group on delete cascade
);

create index duplicate_member_group on gate.duplicate_member (group_id);

comment on table gate.duplicate_member is 'Who is in which group; contacts may be gone since.';
comment on column gate.duplicate_member.contact_id is 'The contact.';
comment on column gate.duplicate_member.group_id is 'Its group.';
