-- A second delivery is told from staging itself, in whatever order leads are worked off. What unsettled leads bring is
-- found by the leads after them. What a replica reports too late is kept. Fewer checks for each row.

drop table gate.delivery;

-- Of hashes: a key of any length may arrive, and no index takes a long text.
create index lead_delivery on staging.lead (hashtextextended(source_key, hashtextextended(source, 0)), lead_id)
where source is not null and source_key is not null;

alter table gate.work
  drop constraint work_waits,
  add constraint work_waits check (waits_for is null or state in ('ready', 'claimed'));

create index work_dead on gate.work (lead_id) where state = 'dead';
create index work_review on gate.work (lead_id) where state = 'review';

comment on column gate.work.waits_for is 'The person whose open intent had to be settled first. Stands until the lead is decided.';

comment on column gate.contact_keys.normalizer is 'Version of the normalizer that derived the row. Empty: it holds more than the contact does, brought by leads that are not settled; derived anew when they are.';

create index contact_keys_added on gate.contact_keys (contact_id) where normalizer = '';

-- Rows are forgotten by age.
create index intent_created_at on gate.intent using brin (created_at);

-- A check for each row was a fifth of the time of a decision. These rows are written by one function each, together with the
-- row that they belong to; the audit is only added to; whoever deletes a contact or an intent takes its rows along.
alter table audit.change drop constraint change_decision_id_fkey;
alter table audit.settlement drop constraint settlement_decision_id_fkey;
alter table crm.contact_field drop constraint contact_field_contact_id_fkey;
alter table gate.intent_lead drop constraint intent_lead_intent_id_fkey;

-- Nobody asked by it, and each contact that is written had to keep it.
drop index crm.contact_updated_at;

-- During the first load nobody is looked up: the indexes by which people are found are filled at its end, in order.
alter table gate.mirror_progress add column indexed_until bigint not null default 0;
comment on column gate.mirror_progress.indexed_until is 'For the first full pass: up to which contact_id the keys are in gate.identifier and gate.block_key, once all pages are written.';

-- A person key is claimed by one creation at a time.
create unique index contact_provisional on crm.contact (gatekeeper_key) where crm_id is null;
create index contact_gone on crm.contact (contact_id) where archived_at is not null;

create table audit.late_report (
  late_report_id bigint generated always as identity primary key,
  reported_at    timestamptz not null default clock_timestamp(),
  intent_id      uuid not null,
  epoch          bigint not null,
  outcome        text not null,
  crm_id         text,
  reason         text,
  call_id        bigint,
  constraint late_report_outcome check (outcome in ('applied', 'rejected', 'conflict', 'missing', 'unknown', 'withdrawn'))
);

comment on table audit.late_report is 'What a replica reported about a write after another one had taken it over: an effect that may have happened, and that changed nothing here.';
comment on column audit.late_report.late_report_id is 'Number of the report.';
comment on column audit.late_report.reported_at is 'When.';
comment on column audit.late_report.intent_id is 'The write.';
comment on column audit.late_report.epoch is 'The epoch that the reporter held; the write was in a later one, or settled.';
comment on column audit.late_report.outcome is 'What the CRM had answered: applied, rejected, conflict, missing, unknown; withdrawn: it was not sent.';
comment on column audit.late_report.crm_id is 'The contact that the CRM named.';
comment on column audit.late_report.reason is 'Reason code.';
comment on column audit.late_report.call_id is 'The call that brought it.';
