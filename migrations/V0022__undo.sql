-- Undo: values that our updates replaced are restored where the CRM still holds what we wrote.

create table gate.undo (
  undo_id              bigint generated always as identity primary key,
  contact_id           bigint not null,
  field                text not null,
  lead_id              bigint not null,
  decisions            bigint[] not null,
  written_value        text not null,
  restored_value       text,
  restored_source      text not null,
  restored_lead_id     bigint,
  restored_occurred_at timestamptz not null,
  requested_at         timestamptz not null default clock_timestamp(),
  requested_by         text not null default session_user,
  note                 text,
  state                text not null default 'waiting',
  reason               text,
  done_at              timestamptz,
  constraint undo_state check (state in ('waiting', 'intended', 'kept')),
  constraint undo_done check ((state = 'waiting') = (done_at is null)),
  constraint undo_kept check ((state = 'kept') = (reason is not null))
);

create unique index undo_waiting on gate.undo (contact_id, field) where state = 'waiting';

comment on table gate.undo is 'Values that a person wants to have restored. A running daemon does it, as soon as no other write about the contact is under way.';
comment on column gate.undo.undo_id is 'Number of the row.';
comment on column gate.undo.contact_id is 'The person.';
comment on column gate.undo.field is 'Which field.';
comment on column gate.undo.lead_id is 'The lead whose value is taken back.';
comment on column gate.undo.decisions is 'The decisions that are undone by this.';
comment on column gate.undo.written_value is 'What we wrote: only while the CRM holds it is anything restored.';
comment on column gate.undo.restored_value is 'What was there before. Null: it was blank.';
comment on column gate.undo.restored_source is 'Who had set that.';
comment on column gate.undo.restored_lead_id is 'The lead that had brought it, if one did.';
comment on column gate.undo.restored_occurred_at is 'When its source had seen it.';
comment on column gate.undo.requested_at is 'When the person said so.';
comment on column gate.undo.requested_by is 'The database user.';
comment on column gate.undo.note is 'Why, for people.';
comment on column gate.undo.state is 'waiting, intended (a write is made of it), kept (nothing was restored, see reason).';
comment on column gate.undo.reason is 'Why nothing was restored: changed_since, contact_gone, in_doubt.';
comment on column gate.undo.done_at is 'When that was found, or the write was made.';

alter table audit.entry
  drop constraint entry_action,
  add constraint entry_action check (
    action in ('create', 'update', 'unchanged', 'coalesced', 'review', 'dead', 'rewrite', 'undo')
  );

comment on column audit.steward_action.command is 'dead replay, dead discard, review accept, review create, review reject, reconcile, pause, resume, replica release, shadow replay, undo; failover, restored.';

comment on column audit.entry.action is 'create, update, unchanged (the CRM holds it all), coalesced (folded into another lead''s write, or delivered before), review, dead, rewrite (an earlier request of ours landed late over what this lead had brought: written again), undo (what this lead had brought is taken back).';
