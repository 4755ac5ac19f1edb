-- Merges: who approved a plan, what was done of it, what was there before, and what was taken back.

alter table rules.merge_master
  drop constraint merge_master_criterion,
  drop constraint merge_master_field,
  add constraint merge_master_criterion check (
    criterion in ('has', 'highest', 'most_complete', 'oldest', 'newest', 'recently_changed')
  ),
  add constraint merge_master_field check ((criterion in ('has', 'highest')) = (field is not null));

comment on column rules.merge_master.criterion is 'has: it holds a value in the field. highest: it holds the highest number there, or the latest time. most_complete: it holds most values. oldest, newest: it was made first, or last. recently_changed: it was changed last.';
comment on column rules.merge_master.field is 'For has and highest: canonical name, or the CRM''s own name of the property, such as its owner. It is mirrored from then on.';

create table rules.merge_option (
  single    boolean primary key default true,
  four_eyes boolean not null default false,
  constraint merge_option_single check (single)
);

comment on table rules.merge_option is 'How merges are approved. One row.';
comment on column rules.merge_option.single is 'There is one row.';
comment on column rules.merge_option.four_eyes is 'Whoever planned a merge may not approve it.';

insert into rules.merge_option default values;

create table merge.chosen_master (
  group_id  bigint primary key,
  crm_id    text not null,
  chosen_by text not null default session_user,
  chosen_at timestamptz not null default clock_timestamp()
);

comment on table merge.chosen_master is 'Which contact of a group a person wants to stay, whatever rules.merge_master says. Heeded by the next `merge plan`.';
comment on column merge.chosen_master.group_id is 'The group.';
comment on column merge.chosen_master.crm_id is 'The contact that is to stay, by its id in the CRM.';
comment on column merge.chosen_master.chosen_by is 'The database user.';
comment on column merge.chosen_master.chosen_at is 'When.';

create table merge.chosen_value (
  group_id  bigint not null,
  field     text not null,
  value     text not null,
  chosen_by text not null default session_user,
  chosen_at timestamptz not null default clock_timestamp(),
  primary key (group_id, field),
  constraint chosen_value_filled check (btrim(value) <> '')
);

comment on table merge.chosen_value is 'Which value of a field a person wants to survive, whatever the rules of precedence say. Heeded by the next `merge plan`.';
comment on column merge.chosen_value.group_id is 'The group.';
comment on column merge.chosen_value.field is 'Canonical name, or the CRM''s own name of the property.';
comment on column merge.chosen_value.value is 'The value that is to survive.';
comment on column merge.chosen_value.chosen_by is 'The database user.';
comment on column merge.chosen_value.chosen_at is 'When.';

alter table merge.plan
  drop constraint plan_group_id_key,
  drop constraint plan_state,
  drop constraint plan_held,
  add column approved_digest text,
  add column decided_at timestamptz,
  add column decided_by text,
  add column note text,
  add column replica_id uuid,
  add column epoch bigint not null default 0,
  add column begun_at timestamptz,
  add column ended_at timestamptz,
  add column reason text,
  add column survivor_crm_id text,
  add column evidence jsonb,
  add column not_kept jsonb not null default '{}',
  add column doubted_at timestamptz,
  add column after jsonb,
  add column undo_note text,
  add column not_restored jsonb,
  add constraint plan_state check (
    state in ('proposed', 'held', 'rejected', 'approved', 'running', 'merged', 'failed', 'stale', 'undoing', 'undone')
  ),
  add constraint plan_held check ((state <> 'proposed' or held_for = '{}') and (state <> 'held' or held_for <> '{}')),
  add constraint plan_approved check (state not in ('approved', 'running', 'merged', 'undoing', 'undone') or approved_digest is not null),
  add constraint plan_in_hand check (state not in ('running', 'undoing') or replica_id is not null),
  add constraint plan_ended check ((state in ('merged', 'failed', 'stale', 'undoing', 'undone')) = (ended_at is not null)),
  add constraint plan_reason check ((state in ('failed', 'stale')) = (reason is not null)),
  add constraint plan_not_kept check (jsonb_typeof(not_kept) = 'object');

create unique index plan_open on merge.plan (group_id) where state in ('proposed', 'held', 'rejected', 'approved', 'running');
create index plan_doubted on merge.plan (master_id) where doubted_at is not null;
create index plan_at_work on merge.plan (state, plan_id) where state in ('approved', 'running', 'undoing');

comment on table merge.plan is 'One row for each group of duplicates: what a merge would do, who approved it, and what was done. Plans that are not begun are made anew by each `merge plan`; the others are the ledger.';
comment on column merge.plan.state is 'proposed, held (a person must look at it first, see held_for), rejected, approved, running, merged, failed and stale (see reason; plan the group again), undoing, undone. A steward sets approved, rejected or held, also by an update.';
comment on column merge.plan.held_for is 'Why it is, or was, held: chain, large, told_apart (as in report.duplicate_group), contradiction (names, generation, country or external ids of two of them differ), different_external_ids (the leading system knows them as different people), by_hand.';
comment on column merge.plan.digest is 'Stands for all of this plan and what its contacts hold: another digest is another plan.';
comment on column merge.plan.approved_digest is 'The digest that was approved: nothing else is run.';
comment on column merge.plan.decided_at is 'When it was approved, rejected or held by a person.';
comment on column merge.plan.decided_by is 'By which database user.';
comment on column merge.plan.note is 'Why, for people.';
comment on column merge.plan.replica_id is 'The run that has it in hand, or had it last.';
comment on column merge.plan.epoch is 'Grows when another run takes it over; what an older epoch reports is refused.';
comment on column merge.plan.begun_at is 'When the first merge was about to be sent.';
comment on column merge.plan.ended_at is 'When it ended.';
comment on column merge.plan.reason is 'Why it failed or is stale: contact_changed, contact_gone, plan_changed, told_apart, group_gone, too_many_merges, or the CRM''s own code.';
comment on column merge.plan.survivor_crm_id is 'The id of the contact that stays, as the CRM returned it last: a merge may make a new one.';
comment on column merge.plan.evidence is 'The pairs of the group as the scan had found them when the merge began: contacts, tier, score, agreement.';
comment on column merge.plan.not_kept is 'Fields of which the chosen value is not in the CRM, each with why.';
comment on column merge.plan.doubted_at is 'When a write of its values got no answer: it may land late, and what it overwrites then is written again (gate.rewrite_overwritten).';
comment on column merge.plan.after is 'What the survivor held when it was read back, by field.';
comment on column merge.plan.undo_note is 'Why it was undone.';
comment on column merge.plan.not_restored is 'What an undo could not bring back.';

alter table merge.member
  add column fingerprint text not null default '',
  add column recreated_crm_id text;

comment on column merge.member.fingerprint is 'Stands for all that the mirror held of it when it was planned with.';
comment on column merge.member.recreated_crm_id is 'The contact that an undo made of it.';

create table merge.snapshot (
  plan_id      bigint not null references merge.plan on delete cascade,
  place        integer not null,
  taken_at     timestamptz not null default clock_timestamp(),
  record       jsonb not null,
  provenance   jsonb not null,
  associations jsonb,
  primary key (plan_id, place),
  foreign key (plan_id, place) references merge.member on delete cascade,
  constraint snapshot_record check (jsonb_typeof(record) = 'object'),
  constraint snapshot_provenance check (jsonb_typeof(provenance) = 'object')
);

comment on table merge.snapshot is 'Each contact of a plan as it was before the first merge: all properties that the CRM has.';
comment on column merge.snapshot.plan_id is 'The plan.';
comment on column merge.snapshot.place is 'As in merge.member.';
comment on column merge.snapshot.taken_at is 'When.';
comment on column merge.snapshot.record is 'crm_id, values by field, additional_emails, gatekeeper_key, created_at, updated_at, absorbed_ids.';
comment on column merge.snapshot.provenance is 'Its rows of crm.contact_field, by field.';
comment on column merge.snapshot.associations is 'What it was tied to, by kind of object: ids. Null: not read.';

create table merge.step (
  plan_id         bigint not null references merge.plan on delete cascade,
  place           integer not null,
  absorbed_crm_id text not null,
  primary_crm_id  text,
  result_crm_id   text,
  call_id         bigint,
  done_at         timestamptz,
  primary key (plan_id, place),
  foreign key (plan_id, place) references merge.member on delete cascade,
  constraint step_place check (place >= 1),
  constraint step_done check ((done_at is null) = (result_crm_id is null) and (done_at is null) = (primary_crm_id is null))
);

comment on table merge.step is 'The merges of a plan, one after another: two contacts become one.';
comment on column merge.step.plan_id is 'The plan.';
comment on column merge.step.place is 'As in merge.member: who is absorbed.';
comment on column merge.step.absorbed_crm_id is 'Its id.';
comment on column merge.step.primary_crm_id is 'The id of the contact that stays, before this merge.';
comment on column merge.step.result_crm_id is 'Its id after it, as the CRM returned it.';
comment on column merge.step.call_id is 'audit.crm_call. Null: the answer was lost, and the CRM was asked what had become of it.';
comment on column merge.step.done_at is 'When it was known to be done. Null: not yet.';

create table merge.under_way (
  contact_id bigint primary key,
  plan_id    bigint not null references merge.plan on delete cascade
);

create index under_way_plan on merge.under_way (plan_id);

comment on table merge.under_way is 'Contacts that are being merged, or unmerged: nothing else is written to them, and leads for them wait.';
comment on column merge.under_way.contact_id is 'The contact.';
comment on column merge.under_way.plan_id is 'The plan.';

create table audit.merge_event (
  event_id    bigint generated always as identity primary key,
  plan_id     bigint not null,
  happened_at timestamptz not null default clock_timestamp(),
  event       text not null,
  acted_by    text not null default session_user,
  replica_id  uuid,
  call_id     bigint,
  details     jsonb not null default '{}',
  constraint merge_event_event check (
    event in (
      'approved', 'rejected', 'held', 'approval_lost', 'begun', 'taken_over', 'released', 'absorbed', 'merged', 'failed', 'stale',
      'undo_begun', 'recreated', 'undo_given_up', 'undone'
    )
  ),
  constraint merge_event_details check (jsonb_typeof(details) = 'object')
);

create index merge_event_plan on audit.merge_event (plan_id);

comment on table audit.merge_event is 'What happened to plans of merges, in order. Rows are only added.';
comment on column audit.merge_event.event_id is 'Number of the event.';
comment on column audit.merge_event.plan_id is 'merge.plan.plan_id.';
comment on column audit.merge_event.happened_at is 'When.';
comment on column audit.merge_event.event is 'approved, rejected, held, approval_lost (planned anew it is another plan), begun, taken_over (by another run), released (not begun after all), absorbed (two contacts became one), merged, failed, stale, undo_begun, recreated, undo_given_up (the contact that stayed is gone), undone.';
comment on column audit.merge_event.acted_by is 'The database user.';
comment on column audit.merge_event.replica_id is 'The run.';
comment on column audit.merge_event.call_id is 'The call to the CRM, for absorbed.';
comment on column audit.merge_event.details is 'Ids, digests, reasons: never a value of a contact.';
