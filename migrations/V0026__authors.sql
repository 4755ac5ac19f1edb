-- Authors: whether a person or another integration changed a value in the CRM, as the CRM's own history tells.

alter table crm.contact_field
  add column author text,
  add constraint contact_field_author check (author in ('person', 'integration', 'unknown'));

comment on column crm.contact_field.author is 'Of a change made in the CRM: person, integration (another app, an import, a workflow), or unknown (the CRM''s history does not tell). Null: nobody has asked yet, or a source set it.';
comment on column crm.contact_field.source is 'The source that set it; crm for somebody in the CRM itself, crm_integration for another integration.';

create index contact_field_unasked on crm.contact_field (contact_id) where source = 'crm' and author is null;

comment on table rules.source is 'The sources, and how far each is trusted. The row ''crm'' stands for values that were set in the CRM itself. A row ''crm_integration'' sets apart what other integrations set there; without it they count as people.';
