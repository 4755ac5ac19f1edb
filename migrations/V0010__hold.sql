-- A person, or what the database has been through, may hold the gate: nothing is decided and nothing written meanwhile.

create table gate.hold (
  kind    text primary key,
  since   timestamptz not null default clock_timestamp(),
  set_by  text not null default session_user,
  note    text not null,
  constraint hold_kind check (kind in ('paused', 'restored'))
);

comment on table gate.hold is 'Why the gate holds: nothing is claimed, and no call to the CRM is made but those for the mirror. Empty: it works.';
comment on column gate.hold.kind is 'paused: a person said so. restored: the database is not the one it was, and a person must say that it may go on.';
comment on column gate.hold.since is 'Since when.';
comment on column gate.hold.set_by is 'The database user.';
comment on column gate.hold.note is 'Why.';

alter table gate.site
  add column history text,
  add column history_noted_at timestamptz;

comment on column gate.site.history is 'System identifier, timeline and database number of the server, as a replica last saw them. Another one: a failover or a restored backup.';
comment on column gate.site.history_noted_at is 'When a replica last saw it.';

comment on table audit.steward_action is 'What people did: replays, discards, reviews, holds; and what was noted of the database itself (failover, restored).';
comment on column audit.steward_action.command is 'dead replay, dead discard, review accept, review create, review reject, reconcile, pause, resume, replica release; failover, restored.';
