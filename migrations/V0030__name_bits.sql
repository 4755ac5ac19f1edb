-- What tells without a look into the names that two have no word of them in common.

alter table gate.signature
  add column name_bits bigint not null,
  add column family_bits bigint not null;

comment on column gate.signature.name_bits is 'A bit of 64 for each word in names: without a common one, no word is common.';
comment on column gate.signature.family_bits is 'The same of families.';
