-- Where leads arrive. Nothing that an ETL job inserts is refused for its content.

create table staging.lead (
  lead_id      bigint generated always as identity primary key,
  source       text,
  source_key   text,
  external_id  text,
  email        text,
  phone        text,
  mobile_phone text,
  first_name   text,
  last_name    text,
  full_name    text,
  company      text,
  job_title    text,
  street       text,
  city         text,
  state        text,
  postal_code  text,
  country      text,
  properties   jsonb,
  occurred_at  timestamptz,
  received_at  timestamptz default now(),
  delivered_by text default session_user
);

comment on table staging.lead is 'One row for each lead as the source delivered it. ETL jobs insert; nobody updates.';
comment on column staging.lead.lead_id is 'Number of the delivered row, given by the database.';
comment on column staging.lead.source is 'Name of the source as in rules.source. A lead of an unknown source becomes a dead letter until the source is entered.';
comment on column staging.lead.source_key is 'The source''s own id of the row. The same row delivered twice has one effect.';
comment on column staging.lead.external_id is 'The id that the leading system gives the person. The first key of the hierarchy.';
comment on column staging.lead.email is 'E-mail address in any spelling. The second key.';
comment on column staging.lead.phone is 'Phone number in any spelling. The third key.';
comment on column staging.lead.mobile_phone is 'Mobile number in any spelling. The third key as well.';
comment on column staging.lead.first_name is 'Given name.';
comment on column staging.lead.last_name is 'Family name.';
comment on column staging.lead.full_name is 'Whole name, for sources that do not keep the two apart. Used only to fill first_name and last_name.';
comment on column staging.lead.company is 'Name of the company.';
comment on column staging.lead.job_title is 'Position at the company.';
comment on column staging.lead.street is 'Street and number.';
comment on column staging.lead.city is 'Town.';
comment on column staging.lead.state is 'State, province or region.';
comment on column staging.lead.postal_code is 'Postal code.';
comment on column staging.lead.country is 'Country by name or code. Also says how to read a phone number without country code.';
comment on column staging.lead.properties is 'Any other CRM property by its CRM name: {"lifecyclestage": "lead"}.';
comment on column staging.lead.occurred_at is 'When the source saw these values. Decides where the newest value wins. Absent, or in the future: received_at counts.';
comment on column staging.lead.received_at is 'When the row arrived.';
comment on column staging.lead.delivered_by is 'The database user that delivered it; may read its state in staging.lead_status.';
