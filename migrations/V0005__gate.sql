-- Working state of the daemon: who works, what waits, what may have been sent.

create table gate.installed (
  singleton       boolean primary key default true check (singleton),
  sql_hash        text not null,
  version         text not null,
  installed_at    timestamptz not null default now()
);

comment on table gate.installed is 'Which functions and views are installed.';
comment on column gate.installed.singleton is 'Always true: there is one row.';
comment on column gate.installed.sql_hash is 'Hash of all files of sql/.';
comment on column gate.installed.version is 'Version of the program that installed them.';
comment on column gate.installed.installed_at is 'When.';

create table gate.site (
  singleton  boolean primary key default true check (singleton),
  person_key bytea not null,
  account_id text,
  time_zone  text,
  has_unique_key boolean not null default false
);

comment on table gate.site is 'What belongs to this installation alone.';
comment on column gate.site.singleton is 'Always true: there is one row.';
comment on column gate.site.person_key is 'Secret with which person keys are made. Never changed: another one would make other keys for the same people.';
comment on column gate.site.account_id is 'The CRM account that the mirror was filled from. Another one is refused.';
comment on column gate.site.time_zone is 'The account''s time zone; its daily quota begins anew at midnight there.';
comment on column gate.site.has_unique_key is 'The CRM enforces the person key: guarantee class A.';

-- 244 random bits from the database's own strong generator.
insert into gate.site (person_key)
values (decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex'));

create table gate.replica (
  replica_id  uuid primary key,
  host_id     text not null,
  process_id  integer not null,
  process_started text not null,
  version     text not null,
  started_at  timestamptz not null default now(),
  lease_until timestamptz not null,
  stopped_at  timestamptz
);

comment on table gate.replica is 'One row for each run of the daemon: the only heartbeat there is.';
comment on column gate.replica.replica_id is 'New at every start.';
comment on column gate.replica.host_id is 'Boot and process namespace of the machine, so that a daemon started again on it can tell that its forerunner is dead.';
comment on column gate.replica.process_id is 'Number of the process.';
comment on column gate.replica.process_started is 'Start time of the process in the kernel''s ticks, since process numbers are used again.';
comment on column gate.replica.version is 'Version of the program.';
comment on column gate.replica.started_at is 'When it started.';
comment on column gate.replica.lease_until is 'Until then its claims and intents are its own. By the database''s clock.';
comment on column gate.replica.stopped_at is 'When it said that it was done. Null if it runs or died.';

create table gate.work (
  lead_id    bigint primary key,
  state      text not null default 'ready',
  replica_id uuid,
  epoch      bigint not null default 0,
  claims     integer not null default 0,
  attempts   integer not null default 0,
  next_at    timestamptz not null default now(),
  waits_for  bigint,
  constraint work_state check (state in ('ready', 'claimed', 'intended', 'done', 'dead', 'review')),
  constraint work_claimed check ((state = 'claimed') = (replica_id is not null)),
  constraint work_waits check (waits_for is null or state = 'ready')
) with (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);

create index work_ready on gate.work (next_at, lead_id) where state = 'ready';
create index work_claimed on gate.work (replica_id) where state = 'claimed';
create index work_intended on gate.work (lead_id) where state = 'intended';
create index work_waits_for on gate.work (waits_for) where waits_for is not null;

comment on table gate.work is 'State of each lead. One narrow row, changed only by the functions of this schema.';
comment on column gate.work.lead_id is 'The lead.';
comment on column gate.work.state is 'ready, claimed by a replica, intended (a write is under way), done, dead (see gate.dead_letter), review (see gate.review).';
comment on column gate.work.replica_id is 'Who has claimed it.';
comment on column gate.work.epoch is 'Grows at every claim; what an older claimer reports is refused.';
comment on column gate.work.claims is 'How often it was claimed and not handed back clean: a lead that kills the process is found by this. Below zero: to be taken alone.';
comment on column gate.work.attempts is 'How often it was decided anew after the CRM contradicted the mirror.';
comment on column gate.work.next_at is 'Not before.';
comment on column gate.work.waits_for is 'The person whose open intent must be settled first.';

create table gate.delivery (
  source       text not null,
  source_key   text not null,
  content_hash bytea not null,
  lead_id      bigint not null,
  primary key (source, source_key, content_hash)
);

comment on table gate.delivery is 'Which row of a source was delivered with which content, so that a second delivery has no effect.';
comment on column gate.delivery.source is 'The source.';
comment on column gate.delivery.source_key is 'The source''s id of the row.';
comment on column gate.delivery.content_hash is 'Hash of all that was delivered.';
comment on column gate.delivery.lead_id is 'The first lead that brought it.';

create table gate.contact_keys (
  contact_id   bigint primary key,
  external_id  text,
  emails       text[] not null,
  loose_emails text[] not null,
  phones       text[] not null,
  first_name   text,
  last_name    text,
  company      text,
  email_domain text,
  email_local  text,
  city         text,
  country      text,
  blocks       bigint[] not null,
  normalizer   text not null
);

comment on table gate.contact_keys is 'What each contact is compared by: derived from crm.contact by the normalizer, never edited. No foreign key, for speed: a fifth of a full load; whoever deletes a contact calls gate.drop_keys.';
comment on column gate.contact_keys.contact_id is 'The person.';
comment on column gate.contact_keys.external_id is 'External id, trimmed.';
comment on column gate.contact_keys.emails is 'All addresses.';
comment on column gate.contact_keys.loose_emails is 'Addresses without plus-tag and gmail dots, where that differs.';
comment on column gate.contact_keys.phones is 'All valid numbers in E.164.';
comment on column gate.contact_keys.first_name is 'Given name, folded.';
comment on column gate.contact_keys.last_name is 'Family name, folded.';
comment on column gate.contact_keys.company is 'Company without suffixes, folded.';
comment on column gate.contact_keys.email_domain is 'Domain of the primary address unless public.';
comment on column gate.contact_keys.email_local is 'Local part of the primary address.';
comment on column gate.contact_keys.city is 'Town, folded.';
comment on column gate.contact_keys.country is 'ISO code.';
comment on column gate.contact_keys.blocks is 'Hashes of the blocking keys.';
comment on column gate.contact_keys.normalizer is 'Version of the normalizer that derived the row.';

create table gate.identifier (
  kind       text not null,
  value      text not null,
  contact_id bigint not null,
  primary key (kind, value, contact_id),
  constraint identifier_kind check (kind in ('external_id', 'email', 'loose_email', 'phone'))
);

comment on table gate.identifier is 'From an identifier to the contacts that carry it. Kept with gate.contact_keys by gate.put_keys; no foreign key, for speed.';
comment on column gate.identifier.kind is 'external_id, email, loose_email or phone.';
comment on column gate.identifier.value is 'The normalized value.';
comment on column gate.identifier.contact_id is 'Who carries it.';

create table gate.block_key (
  block      bigint not null,
  contact_id bigint not null,
  primary key (block, contact_id)
);

comment on table gate.block_key is 'From a blocking key to the contacts that share it: only these are compared by the fuzzy tier.';
comment on column gate.block_key.block is 'Hash of the blocking key.';
comment on column gate.block_key.contact_id is 'Who shares it.';

create table gate.intent (
  intent_id      uuid primary key,
  contact_id     bigint not null,
  operation      text not null,
  crm_id         text,
  gatekeeper_key text,
  body           jsonb not null,
  origin         jsonb not null,
  keys           jsonb,
  state          text not null default 'open',
  replica_id     uuid not null,
  epoch          bigint not null default 1,
  attempts       integer not null default 0,
  reason         text,
  created_at     timestamptz not null default now(),
  recover_at     timestamptz,
  settled_at     timestamptz,
  constraint intent_operation check (operation in ('create', 'update')),
  constraint intent_target check ((operation = 'update') = (crm_id is not null)),
  constraint intent_key check (operation = 'update' or gatekeeper_key is not null),
  constraint intent_state check (state in ('open', 'unknown', 'applied', 'rejected', 'conflict', 'missing', 'withdrawn')),
  constraint intent_settled check ((state in ('open', 'unknown')) = (settled_at is null)),
  constraint intent_recover check ((state = 'unknown') = (recover_at is not null))
) with (fillfactor = 70);

create unique index intent_one_open on gate.intent (contact_id) where state in ('open', 'unknown');
create index intent_open_by_replica on gate.intent (replica_id) where state in ('open', 'unknown');

comment on table gate.intent is 'A write that may be sent from now on. Committed before anything is sent; one open one for a person.';
comment on column gate.intent.intent_id is 'Made by the sender; also trace id and idempotency key of the row sent.';
comment on column gate.intent.contact_id is 'The person.';
comment on column gate.intent.operation is 'create or update.';
comment on column gate.intent.crm_id is 'The contact to change.';
comment on column gate.intent.gatekeeper_key is 'The person key of the contact to make.';
comment on column gate.intent.body is 'The values to write, by field name; an empty text clears.';
comment on column gate.intent.origin is 'Provenance of each value, by field name: source, lead_id, occurred_at, rule.';
comment on column gate.intent.keys is 'The keys that the contact will have when this is applied.';
comment on column gate.intent.state is 'open (may have been sent), unknown (sent, outcome not known), then applied, rejected, conflict (the CRM knew better: decided anew), missing (contact gone: decided anew), withdrawn (never sent).';
comment on column gate.intent.replica_id is 'Who sends it.';
comment on column gate.intent.epoch is 'Grows when another replica takes it over; what the former one reports is refused.';
comment on column gate.intent.attempts is 'How often it was sent again after an unknown outcome.';
comment on column gate.intent.reason is 'Why it ended or is unknown: a code.';
comment on column gate.intent.created_at is 'When it was committed.';
comment on column gate.intent.recover_at is 'When to look in the CRM what became of it.';
comment on column gate.intent.settled_at is 'When it ended.';

create table gate.intent_lead (
  intent_id   uuid not null references gate.intent on delete cascade,
  lead_id     bigint not null,
  decision_id bigint not null,
  primary key (intent_id, lead_id)
);

create index intent_lead_lead on gate.intent_lead (lead_id);

comment on table gate.intent_lead is 'Which leads are folded into which write.';
comment on column gate.intent_lead.intent_id is 'The write.';
comment on column gate.intent_lead.lead_id is 'The lead.';
comment on column gate.intent_lead.decision_id is 'The decision that put it there.';

create table gate.dead_letter (
  lead_id     bigint primary key,
  decision_id bigint,
  reason      text not null,
  message     text,
  died_at     timestamptz not null default now(),
  state       text not null default 'waiting',
  resolved_at timestamptz,
  resolved_by text,
  note        text,
  constraint dead_letter_state check (state in ('waiting', 'replayed', 'discarded')),
  constraint dead_letter_resolved check ((state = 'waiting') = (resolved_at is null))
);

comment on table gate.dead_letter is 'Leads that could not be processed, with the reason. The lead itself stays in staging.';
comment on column gate.dead_letter.lead_id is 'The lead.';
comment on column gate.dead_letter.decision_id is 'The decision that gave up.';
comment on column gate.dead_letter.reason is 'Reason code.';
comment on column gate.dead_letter.message is 'The CRM''s own words, where it refused.';
comment on column gate.dead_letter.died_at is 'When.';
comment on column gate.dead_letter.state is 'waiting for a person, replayed (decided anew) or discarded.';
comment on column gate.dead_letter.resolved_at is 'When a person replayed or discarded it.';
comment on column gate.dead_letter.resolved_by is 'Who.';
comment on column gate.dead_letter.note is 'Why.';

create table gate.review (
  lead_id     bigint primary key,
  decision_id bigint not null,
  reason      text not null,
  candidates  jsonb not null,
  opened_at   timestamptz not null default now(),
  state       text not null default 'open',
  contact_id  bigint,
  resolved_at timestamptz,
  resolved_by text,
  note        text,
  constraint review_state check (state in ('open', 'accepted', 'created', 'rejected')),
  constraint review_resolved check ((state = 'open') = (resolved_at is null)),
  constraint review_accepted check ((state = 'accepted') = (contact_id is not null))
);

comment on table gate.review is 'Leads about which a person must decide, and what the person decided.';
comment on column gate.review.lead_id is 'The lead.';
comment on column gate.review.decision_id is 'The decision that asked.';
comment on column gate.review.reason is 'Why: a code.';
comment on column gate.review.candidates is 'The contacts in question with their evidence.';
comment on column gate.review.opened_at is 'When it was asked.';
comment on column gate.review.state is 'open; accepted (it is contact_id), created (it is a new person), rejected (the lead is not wanted).';
comment on column gate.review.contact_id is 'Whom the person named.';
comment on column gate.review.resolved_at is 'When.';
comment on column gate.review.resolved_by is 'Who.';
comment on column gate.review.note is 'Why.';

create table gate.governor (
  bucket       text primary key,
  grants       timestamptz[] not null default '{}',
  paused_until timestamptz,
  pause_reason text,
  day          date,
  day_used     bigint not null default 0,
  constraint governor_bucket check (bucket in ('general', 'search', 'daily'))
) with (fillfactor = 20);

comment on table gate.governor is 'The CRM''s limits, shared by all replicas: one row for each.';
comment on column gate.governor.bucket is 'general, search or daily.';
comment on column gate.governor.grants is 'When the permits of the rolling window were given.';
comment on column gate.governor.paused_until is 'Nobody calls before.';
comment on column gate.governor.pause_reason is 'Why.';
comment on column gate.governor.day is 'The day in the account''s time zone that day_used counts.';
comment on column gate.governor.day_used is 'Calls of that day.';

insert into gate.governor (bucket)
values ('general'), ('search'), ('daily');

create table gate.mirror_progress (
  pass        text primary key,
  cursor      text,
  window_lo   timestamptz,
  window_hi   timestamptz,
  started_at  timestamptz,
  listed_at   timestamptz,
  finished_at timestamptz,
  rows_read   bigint not null default 0,
  expected    bigint,
  missing     bigint not null default 0,
  stale       bigint not null default 0,
  ghost       bigint not null default 0,
  reading     text[] not null default '{}',
  fields      text[] not null default '{}',
  watermark   timestamptz,
  replica_id  uuid,
  lease_until timestamptz,
  constraint mirror_progress_pass check (pass in ('full', 'changes', 'slow', 'archived')),
  constraint mirror_progress_lease check ((replica_id is null) = (lease_until is null))
);

comment on table gate.mirror_progress is 'How far each pass over the CRM has come; a stopped pass goes on where it was.';
comment on column gate.mirror_progress.pass is 'full (all contacts), changes (what changed lately), slow (the same, an hour behind, for what the CRM''s index showed late), archived (the bin).';
comment on column gate.mirror_progress.cursor is 'Where the pass goes on: the CRM''s page cursor, or the last id of the window.';
comment on column gate.mirror_progress.window_lo is 'From, for a pass over a window that is under way.';
comment on column gate.mirror_progress.window_hi is 'To.';
comment on column gate.mirror_progress.started_at is 'When the pass under way, or the last one, began.';
comment on column gate.mirror_progress.listed_at is 'When the last page of this pass was written. What remains is to look for ghosts and to end it.';
comment on column gate.mirror_progress.finished_at is 'When the last pass ended. Null: never, or one is under way.';
comment on column gate.mirror_progress.rows_read is 'Contacts read in this pass.';
comment on column gate.mirror_progress.expected is 'How many contacts the CRM said that it has, at the beginning of a full pass.';
comment on column gate.mirror_progress.missing is 'Found in this pass: in the CRM and not in the mirror, although the mirror should have had them.';
comment on column gate.mirror_progress.stale is 'Found in this pass: not in the mirror as the CRM has them, although they should have been.';
comment on column gate.mirror_progress.ghost is 'Found in this pass: in the mirror and no more in the CRM.';
comment on column gate.mirror_progress.reading is 'For the full pass: the fields that it reads.';
comment on column gate.mirror_progress.fields is 'For the full pass: the fields that the mirror holds since the last complete one.';
comment on column gate.mirror_progress.watermark is 'All changes up to then are in the mirror, as far as this pass knows.';
comment on column gate.mirror_progress.replica_id is 'Who is at it.';
comment on column gate.mirror_progress.lease_until is 'Until then it is nobody else''s. Prolonged with every page; when it has lapsed, another replica goes on from the cursor.';

create table gate.mirror_drift (
  compared_at  timestamptz primary key default now(),
  contacts     bigint not null,
  missing      bigint not null,
  stale        bigint not null,
  ghost        bigint not null
);

comment on table gate.mirror_drift is 'What each full comparison of the mirror with the CRM found and repaired.';
comment on column gate.mirror_drift.compared_at is 'When it ended.';
comment on column gate.mirror_drift.contacts is 'Contacts the CRM has.';
comment on column gate.mirror_drift.missing is 'Were in the CRM and not in the mirror. What changed after the last poll does not count, here and in stale: it was not due yet.';
comment on column gate.mirror_drift.stale is 'Were older in the mirror, or different.';
comment on column gate.mirror_drift.ghost is 'Were in the mirror and no more in the CRM.';
