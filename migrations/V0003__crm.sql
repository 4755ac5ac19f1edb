-- The mirror: what the CRM holds, and where each value came from.

create table crm.contact (
  contact_id        bigint generated always as identity primary key,
  crm_id            text unique,
  gatekeeper_key    text,
  external_id       text,
  email             text,
  phone             text,
  mobile_phone      text,
  first_name        text,
  last_name         text,
  company           text,
  job_title         text,
  street            text,
  city              text,
  state             text,
  postal_code       text,
  country           text,
  additional_emails text[] not null default '{}',
  properties        jsonb not null default '{}',
  created_at        timestamptz,
  updated_at        timestamptz,
  archived_at       timestamptz,
  gone_reason       text,
  seen_at           timestamptz not null default now(),
  constraint contact_provisional_or_known check (crm_id is not null or (archived_at is null and gatekeeper_key is not null)),
  constraint contact_gone check ((archived_at is null) = (gone_reason is null)),
  constraint contact_gone_reason check (gone_reason in ('archived', 'merged', 'erased', 'missing')),
  constraint contact_properties_object check (jsonb_typeof(properties) = 'object')
);

create index contact_gatekeeper_key on crm.contact (gatekeeper_key) where gatekeeper_key is not null;
create index contact_updated_at on crm.contact (updated_at);

comment on table crm.contact is 'The mirror: one row for each contact of the CRM, also those that are gone (tombstones), and provisional ones that are being created.';
comment on column crm.contact.contact_id is 'The person, as Gatekeeper numbers it; stays the same when the CRM gives a new id.';
comment on column crm.contact.crm_id is 'The CRM''s id. Null while the contact is provisional: its creation is under way.';
comment on column crm.contact.gatekeeper_key is 'The person key: our unique property in the CRM. Only contacts that Gatekeeper created have one.';
comment on column crm.contact.external_id is 'The id of the person in the leading system.';
comment on column crm.contact.email is 'Primary e-mail address.';
comment on column crm.contact.phone is 'Phone number as the CRM holds it.';
comment on column crm.contact.mobile_phone is 'Mobile number as the CRM holds it.';
comment on column crm.contact.first_name is 'Given name.';
comment on column crm.contact.last_name is 'Family name.';
comment on column crm.contact.company is 'Name of the company as text.';
comment on column crm.contact.job_title is 'Position at the company.';
comment on column crm.contact.street is 'Street and number.';
comment on column crm.contact.city is 'Town.';
comment on column crm.contact.state is 'State, province or region.';
comment on column crm.contact.postal_code is 'Postal code.';
comment on column crm.contact.country is 'Country as the CRM holds it.';
comment on column crm.contact.additional_emails is 'Secondary addresses. They belong to the person as much as the primary one.';
comment on column crm.contact.properties is 'Other mirrored properties by their CRM name; blank ones are absent.';
comment on column crm.contact.created_at is 'When the CRM made the contact.';
comment on column crm.contact.updated_at is 'When the CRM last changed it. An older version never overwrites a newer one.';
comment on column crm.contact.archived_at is 'When it was found to be gone. A tombstone is never matched.';
comment on column crm.contact.gone_reason is 'archived (in the bin), merged (see crm.contact_alias), erased, or missing (a full comparison did not find it).';
comment on column crm.contact.seen_at is 'When this row was last read from the CRM or confirmed by our own write.';

create table crm.contact_alias (
  absorbed_crm_id text primary key,
  crm_id          text not null,
  gatekeeper_key  text,
  reason          text not null default 'merge',
  noted_at        timestamptz not null default now(),
  constraint alias_is_another check (absorbed_crm_id <> crm_id)
);

create index contact_alias_crm_id on crm.contact_alias (crm_id);
create index contact_alias_gatekeeper_key on crm.contact_alias (gatekeeper_key) where gatekeeper_key is not null;

comment on table crm.contact_alias is 'Ids that the CRM absorbed in a merge, and the contact that they lead to now. Always one step: chains are shortened.';
comment on column crm.contact_alias.absorbed_crm_id is 'The id that is gone.';
comment on column crm.contact_alias.crm_id is 'The id that took its place.';
comment on column crm.contact_alias.gatekeeper_key is 'The person key of the absorbed contact, which the CRM drops in a merge.';
comment on column crm.contact_alias.reason is 'How it was learned.';
comment on column crm.contact_alias.noted_at is 'When it was learned.';

create table crm.contact_field (
  contact_id  bigint not null references crm.contact on delete cascade,
  field       text not null,
  value       text,
  source      text not null,
  lead_id     bigint,
  occurred_at timestamptz not null,
  written_at  timestamptz not null default now(),
  rule        text not null,
  primary key (contact_id, field)
);

comment on table crm.contact_field is 'Provenance: which source set which value of which contact. A value in crm.contact that differs from the one here was changed in the CRM since.';
comment on column crm.contact_field.contact_id is 'The person.';
comment on column crm.contact_field.field is 'Canonical name, or the CRM''s own name of the property.';
comment on column crm.contact_field.value is 'The value that was written.';
comment on column crm.contact_field.source is 'The source that set it.';
comment on column crm.contact_field.lead_id is 'The lead that brought it.';
comment on column crm.contact_field.occurred_at is 'When the source saw it.';
comment on column crm.contact_field.written_at is 'When the CRM confirmed it.';
comment on column crm.contact_field.rule is 'The rule that let it through.';
