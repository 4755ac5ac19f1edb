-- Brakes: a run that would create or change too much stops before its first write, until a person lets it go on.

create table rules.brake (
  source           text primary key,
  creates_per_hour integer,
  updates_per_hour integer,
  creates_percent  real,
  updates_percent  real,
  note             text,
  constraint brake_creates check (creates_per_hour >= 0 and (creates_percent is null or creates_percent >= 0)),
  constraint brake_updates check (updates_per_hour >= 0 and (updates_percent is null or updates_percent >= 0)),
  constraint brake_says_something check (
    coalesce(creates_per_hour, updates_per_hour, creates_percent, updates_percent) is not null
  )
);

comment on table rules.brake is 'How many contacts a source may create and change within an hour. What would go beyond that is rehearsed and held, until a person says that it may go on.';
comment on column rules.brake.source is 'As in rules.source; ''*'' for each source that has no row of its own.';
comment on column rules.brake.creates_per_hour is 'Contacts created within an hour. Null: any number.';
comment on column rules.brake.updates_per_hour is 'Contacts changed within an hour. Null: any number.';
comment on column rules.brake.creates_percent is 'The same as a share of the living contacts in the mirror. The lower of the two counts.';
comment on column rules.brake.updates_percent is 'The same for changes.';
comment on column rules.brake.note is 'Why, for people.';

create table gate.brake (
  source     text primary key,
  state      text not null,
  since      timestamptz not null default clock_timestamp(),
  creates    bigint,
  updates    bigint,
  reason     text,
  constraint brake_state check (state in ('rehearsing', 'tripped')),
  constraint brake_tripped check ((state = 'tripped') = (reason is not null))
);

comment on table gate.brake is 'Sources whose leads are decided for show and held. Read report.brake.';
comment on column gate.brake.source is 'The source.';
comment on column gate.brake.state is 'rehearsing: it is being found out how much its leads would write. tripped: too much; a person must speak.';
comment on column gate.brake.since is 'Since when.';
comment on column gate.brake.creates is 'Contacts that its held leads would create.';
comment on column gate.brake.updates is 'Contacts that they would change.';
comment on column gate.brake.reason is 'Which limit that goes beyond.';

create table gate.brake_use (
  source   text not null,
  minute   timestamptz not null,
  creates  bigint not null default 0,
  updates  bigint not null default 0,
  let_go   bigint not null default 0,
  primary key (source, minute)
) with (fillfactor = 50);

comment on table gate.brake_use is 'What each source has created and changed, by minute, for a day. Kept while there are brakes.';
comment on column gate.brake_use.source is 'The source.';
comment on column gate.brake_use.minute is 'Which minute.';
comment on column gate.brake_use.creates is 'Contacts created.';
comment on column gate.brake_use.updates is 'Contacts changed.';
comment on column gate.brake_use.let_go is 'Leads that were let go on without a rehearsal, for even if each of them wrote, it would not be too much.';

alter table gate.work
  add column brake text,
  drop constraint work_state,
  add constraint work_state check (state in ('ready', 'claimed', 'intended', 'done', 'dead', 'review', 'held')),
  add constraint work_brake check (brake in ('free', 'rehearse')),
  add constraint work_held check (state <> 'held' or brake is not distinct from 'rehearse');

create index work_held on gate.work (lead_id) where state = 'held';

comment on column gate.work.state is 'ready, claimed by a replica, intended (a write is under way), done, dead (see gate.dead_letter), review (see gate.review), held (a brake has tripped, see gate.brake).';
comment on column gate.work.brake is 'Where there are brakes: free (it may be written), rehearse (it is decided for show, and held). Null: nobody has looked yet.';

comment on column audit.steward_action.command is 'dead replay, dead discard, review accept, review create, review reject, reconcile, pause, resume, replica release, shadow replay, undo, brake release, brake reject; failover, restored, brake tripped.';
