-- Shadow: what a source brings is decided and audited, and not written.

alter table rules.source add column shadow boolean not null default false;
comment on column rules.source.shadow is 'What this source brings is decided and audited, and nothing of it is written: see report.shadow_diff.';

comment on column audit.settlement.outcome is 'applied, rejected, unknown (never found out), shadow (decided for show: not written), none (not sent: decided anew).';
comment on column audit.entry.intent_id is 'The write it went into. Of a decision in shadow: the write that it would have gone into.';

-- Leads in shadow are found by what came of them.
create index settlement_shadow on audit.settlement (decision_id) where outcome = 'shadow';
