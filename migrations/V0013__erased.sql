-- A person whom somebody erased in the CRM is never made anew: what is kept of them is enough to know them again, and no more.

create table gate.erased_key (
  person_key text primary key,
  contact_id bigint not null,
  erased_at  timestamptz not null default now(),
  constraint erased_key_form check (person_key ~ '^v[0-9]+[.][a-z2-7]+$')
);

create index erased_key_contact on gate.erased_key (contact_id);

comment on table gate.erased_key is 'Person keys of people who were erased in the CRM, one for each identifier that they had. A lead that would be a new person and founds one of them ends in the dead letters as erased_in_crm.';
comment on column gate.erased_key.person_key is 'Keyed hash (HMAC-SHA-256) of an external id, an address, or a number with the name. The identifier itself is not kept.';
comment on column gate.erased_key.contact_id is 'The tombstone in crm.contact, which holds no value any more.';
comment on column gate.erased_key.erased_at is 'When Gatekeeper found out.';

comment on column crm.contact.gone_reason is 'archived (in the bin), merged (see crm.contact_alias), erased (nowhere: values and provenance are dropped, see gate.erased_key), or missing (nowhere, but somebody holds an address of theirs).';
