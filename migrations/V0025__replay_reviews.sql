-- Reviews may be put back to be decided anew, when rules or the mirror have changed.

alter table gate.review
  drop constraint review_state,
  add constraint review_state check (state in ('open', 'accepted', 'created', 'rejected', 'replayed'));

comment on column gate.review.state is 'open; accepted (it is contact_id), created (it is a new person), rejected (the lead is not wanted), replayed (decided anew).';
comment on column audit.steward_action.command is 'dead replay, dead discard, review accept, review create, review reject, review replay, reconcile, pause, resume, replica release, shadow replay, undo, brake release, brake reject; failover, restored, brake tripped.';
