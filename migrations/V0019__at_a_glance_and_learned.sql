-- What tells at a glance that two contacts are not worth comparing; and what is learned from the mirror about match weights.

create unlogged table gate.signature (
  contact_id   bigint not null,
  initial      text,
  given_head   text,
  given        integer,
  given_rest   integer,
  family_initial text,
  names        text[],
  families     text[],
  employed     boolean not null,
  firm         integer,
  site         integer,
  email_local  integer,
  phone        integer,
  other_phone  integer,
  city         integer,
  street       integer,
  postal_code  integer,
  block        bigint,
  contacts     bigint
);

comment on table gate.signature is 'What tells at a glance that two contacts are not worth comparing: hashes of their values, for they are compared millions of times. Filled while all contacts are scanned for duplicates, empty otherwise; unlogged, for it can be made anew at any time. As a type it is what gate.worth_comparing takes.';
comment on column gate.signature.contact_id is 'The contact; of a lead, -1 less its place in the batch.';
comment on column gate.signature.initial is 'First letter of the given name.';
comment on column gate.signature.given_head is 'Its first two letters; the first one, where there is no more.';
comment on column gate.signature.given is 'The first word of the given name.';
comment on column gate.signature.given_rest is 'The same without its first letter.';
comment on column gate.signature.family_initial is 'First letter of the family name.';
comment on column gate.signature.names is 'The words of the given name, the name that the address says, and full forms.';
comment on column gate.signature.families is 'The words of the family name, and the one that the address says.';
comment on column gate.signature.employed is 'Whether a company or the domain of one is known.';
comment on column gate.signature.firm is 'The first three letters of the company.';
comment on column gate.signature.site is 'The first three letters of the domain; hashed as those of a company.';
comment on column gate.signature.email_local is 'Local part of the primary address.';
comment on column gate.signature.phone is 'Last eight digits of a number.';
comment on column gate.signature.other_phone is 'Of another number.';
comment on column gate.signature.city is 'Town.';
comment on column gate.signature.street is 'Street and number.';
comment on column gate.signature.postal_code is 'Postal code.';
comment on column gate.signature.block is 'A block in which it is, while pairs are sought.';
comment on column gate.signature.contacts is 'How many contacts are in that block.';

-- Read as a whole, never looked up.
alter table gate.card
  drop constraint card_pkey,
  alter contact_id set not null;

-- Two addresses of one domain that differ in their dots and hyphens alone: of 88 such pairs among the labelled contacts one was of two people.
insert into rules.match_weight (field, level, weight, rarity)
values ('email', 'local_alias', 4.25, 0);

create table gate.learned_weight (
  field       text not null,
  level       text not null,
  weight      real not null,
  pairs       real not null,
  same        real not null,
  rules_hash  text not null,
  learned_at  timestamptz not null default clock_timestamp(),
  primary key (field, level),
  constraint learned_weight_range check (weight between -50 and 50),
  constraint learned_weight_same check (same between 0 and pairs)
);

comment on table gate.learned_weight is 'What `rules learn` made of the mirror; in force only when somebody says so. Read report.learned_weight.';
comment on column gate.learned_weight.field is 'As in rules.match_weight.';
comment on column gate.learned_weight.level is 'As in rules.match_weight.';
comment on column gate.learned_weight.weight is 'What it found, in bits.';
comment on column gate.learned_weight.pairs is 'Pairs that agree so, of those it looked at.';
comment on column gate.learned_weight.same is 'Of them, those of one person, as far as the weights can tell.';
comment on column gate.learned_weight.rules_hash is 'Stands for the rules from which it set out.';
comment on column gate.learned_weight.learned_at is 'When.';
