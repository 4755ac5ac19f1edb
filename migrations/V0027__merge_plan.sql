-- Merge plans: what a merge of contacts that are one person would keep, take over and lose.

create schema merge;
comment on schema merge is 'Plans of merges: which contact stays, which value of each field, and what would be lost. Analysts and stewards read it.';

create table rules.merge_master (
  place     integer primary key,
  criterion text not null,
  field     text,
  note      text,
  constraint merge_master_place check (place between 1 and 100),
  constraint merge_master_criterion check (criterion in ('has', 'most_complete', 'oldest', 'newest', 'recently_changed')),
  constraint merge_master_field check ((criterion = 'has') = (field is not null))
);

comment on table rules.merge_master is 'Which contact of a group stays: the first criterion by which one stands before all others decides; the lowest contact_id if none does.';
comment on column rules.merge_master.place is 'In this order.';
comment on column rules.merge_master.criterion is 'has: it holds a value in the field. most_complete: it holds most values. oldest, newest: it was made first, or last. recently_changed: it was changed last.';
comment on column rules.merge_master.field is 'For has: canonical name, or the CRM''s own name of the property, such as its owner.';
comment on column rules.merge_master.note is 'Why, for people.';

insert into rules.merge_master (place, criterion, field, note)
values
  (10, 'has', 'external_id', 'The one that the leading system knows.'),
  (20, 'most_complete', null, 'Then the one that holds most.'),
  (30, 'oldest', null, 'Then the one that was there first.');

create table merge.plan (
  plan_id        bigint generated always as identity primary key,
  group_id       bigint not null unique,
  state          text not null,
  held_for       text[] not null default '{}',
  master_id      bigint not null,
  master_rule    text not null,
  contacts       integer not null,
  merge_calls    integer not null,
  write_needed   boolean not null,
  digest         text not null,
  policy_version bigint not null,
  planned_at     timestamptz not null default clock_timestamp(),
  planned_by     text not null default session_user,
  constraint plan_state check (state in ('proposed', 'held')),
  constraint plan_held check ((state = 'held') = (held_for <> '{}')),
  constraint plan_contacts check (contacts >= 2 and merge_calls = contacts - 1)
);

comment on table merge.plan is 'One row for each group of duplicates: what a merge would do. Nothing is merged by it. Made anew by each `merge plan`.';
comment on column merge.plan.plan_id is 'Number of the plan.';
comment on column merge.plan.group_id is 'The group, as in report.duplicate_group.';
comment on column merge.plan.state is 'proposed, or held: a person must look at it first, see held_for.';
comment on column merge.plan.held_for is 'Why: chain, large, told_apart (as in report.duplicate_group), different_external_ids (the leading system knows them as different people).';
comment on column merge.plan.master_id is 'The contact that stays.';
comment on column merge.plan.master_rule is 'Which criterion of rules.merge_master made it that.';
comment on column merge.plan.contacts is 'How many contacts there are in the group.';
comment on column merge.plan.merge_calls is 'Merges that it takes: two contacts at a time.';
comment on column merge.plan.write_needed is 'Whether a value of another contact survives, which has to be written after the merges.';
comment on column merge.plan.digest is 'Stands for all of this plan and the versions of its contacts: another digest is another plan.';
comment on column merge.plan.policy_version is 'The rules by which it was made.';
comment on column merge.plan.planned_at is 'When.';
comment on column merge.plan.planned_by is 'The database user.';

create table merge.member (
  plan_id    bigint not null references merge.plan on delete cascade,
  place      integer not null,
  contact_id bigint not null,
  crm_id     text not null,
  updated_at timestamptz,
  primary key (plan_id, place),
  constraint member_place check (place >= 0)
);

create index member_contact on merge.member (contact_id);

comment on table merge.member is 'The contacts of a plan.';
comment on column merge.member.plan_id is 'The plan.';
comment on column merge.member.place is '0: the contact that stays. The others in the order in which they are merged into it.';
comment on column merge.member.contact_id is 'The contact.';
comment on column merge.member.crm_id is 'Its id in the CRM.';
comment on column merge.member.updated_at is 'The version of it that was planned with.';

create table merge.survivor (
  plan_id    bigint not null references merge.plan on delete cascade,
  field      text not null,
  value      text not null,
  contact_id bigint not null,
  source     text,
  rule       text not null,
  lost       jsonb not null,
  primary key (plan_id, field),
  constraint survivor_lost check (jsonb_typeof(lost) = 'array')
);

comment on table merge.survivor is 'Fields in which the contacts of a plan differ, or which the contact that stays lacks: the value that survives, and those that would be lost.';
comment on column merge.survivor.plan_id is 'The plan.';
comment on column merge.survivor.field is 'Canonical name, or the CRM''s own name of the property.';
comment on column merge.survivor.value is 'The value that survives.';
comment on column merge.survivor.contact_id is 'Whose it is.';
comment on column merge.survivor.source is 'Who had set it.';
comment on column merge.survivor.rule is 'The rule of precedence that let it survive.';
comment on column merge.survivor.lost is 'What would be lost: contact_id, value and source of each.';
