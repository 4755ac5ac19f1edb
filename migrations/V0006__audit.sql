-- What was decided and what came of it. Rows are added; the daemon has no right to change or delete them.

create table audit.entry (
  decision_id    bigint generated always as identity primary key,
  lead_id        bigint not null,
  source         text,
  decided_at     timestamptz not null default clock_timestamp(),
  action         text not null,
  tier           text,
  score          real,
  contact_id     bigint,
  crm_id         text,
  reason         text,
  evidence       jsonb not null,
  policy_version bigint not null,
  mirror_age     interval,
  intent_id      uuid,
  replica_id     uuid,
  normalizer     text,
  constraint entry_action check (action in ('create', 'update', 'unchanged', 'coalesced', 'review', 'dead')),
  constraint entry_tier check (tier in ('external_id', 'email', 'phone', 'fuzzy', 'steward')),
  constraint entry_reason check (action not in ('review', 'dead') or reason is not null)
);

create index entry_lead on audit.entry (lead_id);
create index entry_contact on audit.entry (contact_id) where contact_id is not null;
create index entry_decided_at on audit.entry using brin (decided_at);

comment on table audit.entry is 'One row for each time a lead was decided. Read it through audit.decision, which adds the outcome.';
comment on column audit.entry.decision_id is 'Number of the decision.';
comment on column audit.entry.lead_id is 'The lead.';
comment on column audit.entry.source is 'Its source.';
comment on column audit.entry.decided_at is 'When.';
comment on column audit.entry.action is 'create, update, unchanged (the CRM holds it all), coalesced (folded into another lead''s write, or delivered before), review, dead.';
comment on column audit.entry.tier is 'What identified the person: external_id, email, phone, fuzzy, or a steward. Null for a new person.';
comment on column audit.entry.score is 'Score of the best candidate of the fuzzy tier.';
comment on column audit.entry.contact_id is 'The person.';
comment on column audit.entry.crm_id is 'Its id in the CRM when this was decided.';
comment on column audit.entry.reason is 'Reason code.';
comment on column audit.entry.evidence is 'What it was normalized to, the candidates, what agreed and what did not.';
comment on column audit.entry.policy_version is 'The rules that were in force.';
comment on column audit.entry.mirror_age is 'How old the mirror was.';
comment on column audit.entry.intent_id is 'The write it went into.';
comment on column audit.entry.replica_id is 'Who decided.';
comment on column audit.entry.normalizer is 'Version of the normalizer.';

create table audit.settlement (
  decision_id bigint primary key references audit.entry,
  outcome     text not null,
  settled_at  timestamptz not null default clock_timestamp(),
  crm_id      text,
  reason      text,
  message     text,
  call_id     bigint,
  constraint settlement_outcome check (outcome in ('applied', 'rejected', 'unknown', 'shadow', 'none'))
);

comment on table audit.settlement is 'What came of a decision that led to a write.';
comment on column audit.settlement.decision_id is 'The decision.';
comment on column audit.settlement.outcome is 'applied, rejected, unknown (never found out), none (not sent: decided anew).';
comment on column audit.settlement.settled_at is 'When it was known.';
comment on column audit.settlement.crm_id is 'The contact''s id in the CRM.';
comment on column audit.settlement.reason is 'Reason code; recovered when it was found out after a crash or a lost answer.';
comment on column audit.settlement.message is 'The CRM''s own words, where it refused.';
comment on column audit.settlement.call_id is 'The call that brought it.';

create table audit.change (
  decision_id bigint not null references audit.entry,
  field       text not null,
  old_value   text,
  new_value   text,
  verdict     text not null,
  rule        text not null,
  old_source  text,
  primary key (decision_id, field),
  constraint change_verdict check (verdict in ('written', 'kept', 'refused'))
);

comment on table audit.change is 'One row for each field in which a lead differed from the contact: written, or kept as it was, and by which rule.';
comment on column audit.change.decision_id is 'The decision.';
comment on column audit.change.field is 'Canonical name, or the CRM''s own name of the property.';
comment on column audit.change.old_value is 'What the contact held.';
comment on column audit.change.new_value is 'What the lead brought.';
comment on column audit.change.verdict is 'written, kept (a rule protects the old value), refused (the value cannot be used).';
comment on column audit.change.rule is 'The rule: policy and ranks, or the reason of the refusal.';
comment on column audit.change.old_source is 'Who had set the old value.';

create table audit.crm_call (
  call_id        bigint generated always as identity primary key,
  called_at      timestamptz not null,
  operation      text not null,
  priority       text not null,
  rows_sent      integer not null,
  applied        integer not null default 0,
  rejected       integer not null default 0,
  conflict       integer not null default 0,
  unknown        integer not null default 0,
  status         integer,
  failure        text,
  duration_ms    integer not null,
  correlation_id text,
  replica_id     uuid
);

create index crm_call_called_at on audit.crm_call using brin (called_at);

comment on table audit.crm_call is 'One row for each call to the CRM.';
comment on column audit.crm_call.call_id is 'Number of the call.';
comment on column audit.crm_call.called_at is 'When it was begun.';
comment on column audit.crm_call.operation is 'list, search, batch_read, batch_create, batch_update, …';
comment on column audit.crm_call.priority is 'For whom: recovery, live, merge, mirror, backfill.';
comment on column audit.crm_call.rows_sent is 'Rows sent, or values asked for.';
comment on column audit.crm_call.applied is 'Rows the CRM confirmed.';
comment on column audit.crm_call.rejected is 'Rows the CRM refused.';
comment on column audit.crm_call.conflict is 'Rows for which the CRM knew a contact that we did not, or knew none where we did.';
comment on column audit.crm_call.unknown is 'Rows of which it is not known.';
comment on column audit.crm_call.status is 'HTTP status. Null: no answer.';
comment on column audit.crm_call.failure is 'Why it failed as a whole: a code.';
comment on column audit.crm_call.duration_ms is 'From the first byte sent to the last byte read.';
comment on column audit.crm_call.correlation_id is 'The CRM''s own id of the request.';
comment on column audit.crm_call.replica_id is 'Who called.';

create table audit.steward_action (
  action_id  bigint generated always as identity primary key,
  acted_at   timestamptz not null default now(),
  acted_by   text not null default session_user,
  command    text not null,
  lead_id    bigint,
  contact_id bigint,
  note       text
);

comment on table audit.steward_action is 'What people did: replays, discards, reviews.';
comment on column audit.steward_action.action_id is 'Number of the action.';
comment on column audit.steward_action.acted_at is 'When.';
comment on column audit.steward_action.acted_by is 'The database user.';
comment on column audit.steward_action.command is 'dead replay, dead discard, review accept, review create, review reject.';
comment on column audit.steward_action.lead_id is 'The lead.';
comment on column audit.steward_action.contact_id is 'The contact.';
comment on column audit.steward_action.note is 'Why.';
