-- What may have been sent more than once is looked at again: an old request of ours may land late, over a newer value.

alter table gate.intent
  add column doubted_at timestamptz,
  add column verify_at timestamptz,
  add constraint intent_verify check (verify_at is null or doubted_at is not null);

comment on column gate.intent.doubted_at is 'When it came into doubt whether a request of it may still land: an answer was lost, another replica took it over, or a report came too late.';
comment on column gate.intent.verify_at is 'When the contact is to be read again for it, to see whether such a request has landed over a newer value.';

create index intent_doubted on gate.intent (contact_id) where doubted_at is not null;
create index intent_verify_at on gate.intent (verify_at) where verify_at is not null;

alter table audit.entry
  drop constraint entry_action,
  add constraint entry_action check (action in ('create', 'update', 'unchanged', 'coalesced', 'review', 'dead', 'rewrite'));

comment on column audit.entry.action is 'create, update, unchanged (the CRM holds it all), coalesced (folded into another lead''s write, or delivered before), review, dead, rewrite (an earlier request of ours landed late over what this lead had brought: written again).';
