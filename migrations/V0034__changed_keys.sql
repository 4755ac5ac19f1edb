-- Whom the leads of the next batch are is found out while the batch before it is decided. What changed meanwhile stands here.
create table gate.changed_keys (
  changed_by   xid8 not null default pg_current_xact_id(),
  changed_at   timestamptz not null default clock_timestamp(),
  contact_ids  bigint[] not null
);

comment on table gate.changed_keys is 'Contacts whose keys changed within the last hour or two, a row for each statement that changed some: what a match that was made before did not see.';
comment on column gate.changed_keys.changed_by is 'The transaction.';
comment on column gate.changed_keys.changed_at is 'When.';
comment on column gate.changed_keys.contact_ids is 'The contacts, which may be gone.';

create index changed_keys_changed_by on gate.changed_keys (changed_by);
