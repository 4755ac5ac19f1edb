-- What cannot be found out about a write is not asked for ever: a person says how it ended.

alter table gate.intent
  add column in_doubt_at timestamptz,
  drop constraint intent_recover,
  add constraint intent_recover check ((state = 'unknown' and in_doubt_at is null) = (recover_at is not null)),
  add constraint intent_in_doubt check (in_doubt_at is null or state = 'unknown');

create index intent_in_doubt on gate.intent (in_doubt_at) where in_doubt_at is not null;

comment on column gate.intent.in_doubt_at is 'Since when nothing is tried any more, because the outcome stayed unknown again and again for a day: `gatekeeper in-doubt` lists it, a person resolves it. Leads of this person wait.';
comment on column audit.steward_action.command is 'dead replay, dead discard, review accept, review create, review reject, reconcile, pause, resume, replica release, in-doubt resolve; failover, restored.';
