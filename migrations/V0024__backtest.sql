-- Back-test: the audit keeps all that a ruling on a field looked at, so that it can be made again under other rules.

alter table audit.change
  add column old_seen_at timestamptz,
  add column old_edited_at timestamptz,
  add column old_cleared boolean;

comment on column audit.change.old_seen_at is 'When its source had seen the old value.';
comment on column audit.change.old_edited_at is 'When a person had last set or cleared the field in the CRM.';
comment on column audit.change.old_cleared is 'That was clearing it. Null: nobody had.';
