-- What tells at a glance whether two are worth comparing, in numbers but for the words of a name, and these last: it is read
-- millions of times, and a row is read up to the last column that is asked for. With more of the given name and the whole name
-- of the employer.

-- Filled while all contacts are scanned, empty otherwise. The functions that take a row of it are made anew after the migrations.
drop table gate.signature cascade;

create unlogged table gate.signature (
  contact_id     bigint not null,
  block          bigint,
  contacts       bigint,
  name_bits      bigint not null,
  family_bits    bigint not null,
  employed       boolean not null,
  email_local    integer,
  phone          integer,
  other_phone    integer,
  street         integer,
  firm           integer,
  site           integer,
  whole_firm     integer,
  whole_site     integer,
  firm_tail      integer,
  site_tail      integer,
  city           integer,
  postal_code    integer,
  family_initial integer,
  initial        integer,
  given_head     integer,
  given_start    integer,
  given          integer,
  given_rest     integer,
  given_tail     integer,
  names          text[],
  families       text[]
);

comment on table gate.signature is 'What tells at a glance that two contacts are not worth comparing: hashes of their values, for they are compared millions of times. Filled while all contacts are scanned for duplicates, empty otherwise; unlogged, for it can be made anew at any time. As a type it is what gate.worth_comparing takes.';
comment on column gate.signature.contact_id is 'The contact; of a lead, -1 less its place in the batch.';
comment on column gate.signature.block is 'A block in which it is, while pairs are sought.';
comment on column gate.signature.contacts is 'How many contacts are in that block.';
comment on column gate.signature.name_bits is 'A bit of 64 for each word in names: without a common one, no word is common.';
comment on column gate.signature.family_bits is 'The same of families.';
comment on column gate.signature.employed is 'Whether a company or the domain of one is known.';
comment on column gate.signature.email_local is 'Local part of the primary address.';
comment on column gate.signature.phone is 'Last eight digits of a number.';
comment on column gate.signature.other_phone is 'Of another number.';
comment on column gate.signature.street is 'Street and number.';
comment on column gate.signature.firm is 'The first three letters of the company.';
comment on column gate.signature.site is 'The first three letters of the name of the domain; hashed as those of a company.';
comment on column gate.signature.whole_firm is 'The whole company.';
comment on column gate.signature.whole_site is 'The whole name of the domain; hashed as a company.';
comment on column gate.signature.firm_tail is 'The last four letters of the company.';
comment on column gate.signature.site_tail is 'The last four letters of the name of the domain; hashed as those of a company.';
comment on column gate.signature.city is 'Town.';
comment on column gate.signature.postal_code is 'Postal code.';
comment on column gate.signature.family_initial is 'First letter of the family name.';
comment on column gate.signature.initial is 'First letter of the given name.';
comment on column gate.signature.given_head is 'Its first two letters; the first one, where there is no more.';
comment on column gate.signature.given_start is 'The first four letters of the given name, all its words in one; the first three, where it has no more than four.';
comment on column gate.signature.given is 'The first word of the given name.';
comment on column gate.signature.given_rest is 'The same without its first letter.';
comment on column gate.signature.given_tail is 'The first letter of the first word of the given name and its last three, or two where it has no more than four: a wrong second letter changes neither.';
comment on column gate.signature.names is 'The words of the given name, the name that the address says, and full forms.';
comment on column gate.signature.families is 'The words of the family name, and the one that the address says.';
