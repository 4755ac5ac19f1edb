-- More that tells at a glance whether two are worth comparing: without a look into the names that they have no word in common, and that
-- two given names begin and end alike.

-- What a scan left behind that did not end is of no use.
truncate gate.signature;

alter table gate.signature
  add column name_bits bigint not null,
  add column family_bits bigint not null,
  add column given_tail integer;

comment on column gate.signature.name_bits is 'A bit of 64 for each word in names: without a common one, no word is common.';
comment on column gate.signature.family_bits is 'The same of families.';
comment on column gate.signature.given_tail is 'The first letter of the first word of the given name and its last three, where it has more than four.';
