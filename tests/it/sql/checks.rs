//! Bad states cannot be stored: one case for each constraint, and a constraint for each case.

use std::collections::BTreeSet;

use tokio_postgres::error::SqlState;

use super::session::Session;
use super::value;
use crate::support::TestDb;

/// Constraint, and a row that it refuses.
const CASES: &[(&str, &str)] = &[
    (
        "late_report_outcome",
        "insert into audit.late_report (intent_id, epoch, outcome) values (gen_random_uuid(), 1, 'lost')",
    ),
    (
        "contact_provisional_or_known",
        "insert into crm.contact (email) values ('a@example.com')",
    ),
    (
        "contact_gone",
        "insert into crm.contact (crm_id, archived_at) values ('1', now())",
    ),
    (
        "retry_budget_only_row",
        "insert into gate.retry_budget (only_row) values (false)",
    ),
    ("retry_budget_tokens", "update gate.retry_budget set tokens = 501"),
    (
        "contact_keys_generation",
        "insert into gate.contact_keys (generation) values ('eldest')",
    ),
    (
        "contact_keys_email_fit",
        "insert into gate.contact_keys (email_fit) values ('perhaps')",
    ),
    (
        "match_weight_rarity",
        "insert into rules.match_weight (field, level, weight, rarity) values ('city', 'same', 1, 3)",
    ),
    (
        "term_kind",
        "insert into gate.term (kind, value, carriers) values ('planet', 'a', 2)",
    ),
    (
        "term_carriers",
        "insert into gate.term (kind, value, carriers) values ('city', 'a', -1)",
    ),
    (
        "scan_kind",
        "insert into gate.scan (kind, rules_hash, contacts) values ('half', '', 0)",
    ),
    (
        "scan_finished",
        "insert into gate.scan (kind, rules_hash, contacts, finished_at) values ('full', '', 0, now())",
    ),
    (
        "duplicate_pair_order",
        "insert into gate.duplicate_pair (left_id, right_id, score, tier, evidence) values (2, 1, 0, 'fuzzy', '{}')",
    ),
    (
        "duplicate_pair_tier",
        "insert into gate.duplicate_pair (left_id, right_id, score, tier, evidence) values (1, 2, 0, 'guess', '{}')",
    ),
    (
        "learned_weight_range",
        "insert into gate.learned_weight (field, level, weight, pairs, same, rules_hash) values ('x', 'y', 51, 1, 1, '')",
    ),
    (
        "learned_weight_same",
        "insert into gate.learned_weight (field, level, weight, pairs, same, rules_hash) values ('x', 'y', 1, 1, 2, '')",
    ),
    (
        "brake_creates",
        "insert into rules.brake (source, creates_per_hour) values ('web', -1)",
    ),
    (
        "brake_updates",
        "insert into rules.brake (source, updates_per_hour) values ('web', -1)",
    ),
    ("brake_says_something", "insert into rules.brake (source) values ('web')"),
    ("brake_state", "insert into gate.brake (source, state) values ('web', 'free')"),
    ("brake_tripped", "insert into gate.brake (source, state) values ('web', 'tripped')"),
    ("work_brake", "insert into gate.work (lead_id, brake) values (1, 'tripped')"),
    ("work_held", "insert into gate.work (lead_id, state) values (1, 'held')"),
    (
        "merge_master_place",
        "insert into rules.merge_master (place, criterion) values (0, 'oldest')",
    ),
    (
        "merge_master_criterion",
        "insert into rules.merge_master (place, criterion) values (1, 'nicest')",
    ),
    ("merge_master_field", "insert into rules.merge_master (place, criterion) values (1, 'has')"),
    (
        "plan_state",
        "insert into merge.plan (group_id, state, master_id, master_rule, contacts, merge_calls, write_needed, digest, policy_version)
         values (1, 'done', 1, '', 2, 1, false, '', 1)",
    ),
    (
        "plan_held",
        "insert into merge.plan (group_id, state, master_id, master_rule, contacts, merge_calls, write_needed, digest, policy_version)
         values (1, 'held', 1, '', 2, 1, false, '', 1)",
    ),
    (
        "plan_held",
        "insert into merge.plan (group_id, state, master_id, master_rule, contacts, merge_calls, write_needed, digest, policy_version, held_for)
         values (1, 'proposed', 1, '', 2, 1, false, '', 1, '{chain}')",
    ),
    (
        "plan_approved",
        "insert into merge.plan (group_id, state, master_id, master_rule, contacts, merge_calls, write_needed, digest, policy_version)
         values (1, 'approved', 1, '', 2, 1, false, '', 1)",
    ),
    (
        "plan_in_hand",
        "insert into merge.plan (group_id, state, master_id, master_rule, contacts, merge_calls, write_needed, digest, policy_version, approved_digest)
         values (1, 'running', 1, '', 2, 1, false, '', 1, 'x')",
    ),
    (
        "plan_ended",
        "insert into merge.plan (group_id, state, master_id, master_rule, contacts, merge_calls, write_needed, digest, policy_version, approved_digest, replica_id)
         values (1, 'merged', 1, '', 2, 1, false, '', 1, 'x', gen_random_uuid())",
    ),
    (
        "plan_reason",
        "insert into merge.plan (group_id, state, master_id, master_rule, contacts, merge_calls, write_needed, digest, policy_version, ended_at)
         values (1, 'failed', 1, '', 2, 1, false, '', 1, now())",
    ),
    (
        "plan_not_kept",
        "insert into merge.plan (group_id, state, master_id, master_rule, contacts, merge_calls, write_needed, digest, policy_version, not_kept)
         values (1, 'proposed', 1, '', 2, 1, false, '', 1, '[]')",
    ),
    (
        "plan_contacts",
        "insert into merge.plan (group_id, state, master_id, master_rule, contacts, merge_calls, write_needed, digest, policy_version)
         values (1, 'proposed', 1, '', 1, 0, false, '', 1)",
    ),
    ("merge_option_single", "insert into rules.merge_option (single) values (false)"),
    ("chosen_value_filled", "insert into merge.chosen_value (group_id, field, value) values (1, 'city', ' ')"),
    ("snapshot_record", "insert into merge.snapshot (plan_id, place, record, provenance) values (1, 0, '[]', '{}')"),
    ("snapshot_provenance", "insert into merge.snapshot (plan_id, place, record, provenance) values (1, 0, '{}', '[]')"),
    ("step_place", "insert into merge.step (plan_id, place, absorbed_crm_id) values (1, 0, '1')"),
    ("step_done", "insert into merge.step (plan_id, place, absorbed_crm_id, done_at) values (1, 1, '1', now())"),
    ("merge_event_event", "insert into audit.merge_event (plan_id, event) values (1, 'liked')"),
    ("merge_event_details", "insert into audit.merge_event (plan_id, event, details) values (1, 'begun', '[]')"),
    ("member_place", "insert into merge.member (plan_id, place, contact_id, crm_id) values (1, -1, 1, '1')"),
    (
        "survivor_lost",
        "insert into merge.survivor (plan_id, field, value, contact_id, rule, lost) values (1, 'city', 'x', 1, '', '{}')",
    ),
    (
        "undo_state",
        "insert into gate.undo (contact_id, field, lead_id, decisions, written_value, restored_source, restored_occurred_at, state, done_at)
         values (1, 'city', 1, '{1}', 'x', 'crm', now(), 'done', now())",
    ),
    (
        "undo_done",
        "insert into gate.undo (contact_id, field, lead_id, decisions, written_value, restored_source, restored_occurred_at, state)
         values (1, 'city', 1, '{1}', 'x', 'crm', now(), 'intended')",
    ),
    (
        "undo_kept",
        "insert into gate.undo (contact_id, field, lead_id, decisions, written_value, restored_source, restored_occurred_at, state, done_at)
         values (1, 'city', 1, '{1}', 'x', 'crm', now(), 'kept', now())",
    ),
    (
        "duplicate_group_flags",
        "insert into gate.duplicate_group (flags) values ('{odd}')",
    ),
    (
        "erased_key_form",
        "insert into gate.erased_key (person_key, contact_id) values ('ann@example.com', 1)",
    ),
    (
        "contact_gone_reason",
        "insert into crm.contact (crm_id, archived_at, gone_reason) values ('1', now(), 'lost')",
    ),
    (
        "contact_properties_object",
        "insert into crm.contact (crm_id, properties) values ('1', '[]')",
    ),
    (
        "alias_is_another",
        "insert into crm.contact_alias (absorbed_crm_id, crm_id) values ('1', '1')",
    ),
    (
        "source_rank_range",
        "insert into rules.source (source, rank) values ('web', 1001)",
    ),
    ("source_name", "insert into rules.source (source, rank) values ('*', 1)"),
    (
        "field_policy",
        "insert into rules.field (field, policy) values ('phone', 'sometimes')",
    ),
    (
        "field_says_something",
        "insert into rules.field (field, source) values ('phone', 'web')",
    ),
    (
        "field_rank",
        "insert into rules.field (field, rank) values ('phone', 10)",
    ),
    (
        "field_rank",
        "insert into rules.field (field, source, rank) values ('phone', 'web', 1001)",
    ),
    (
        "field_expires",
        "insert into rules.field (field, expires_days) values ('phone', 0)",
    ),
    (
        "field_append",
        "insert into rules.field (field, source, policy) values ('*', 'web', 'append')",
    ),
    (
        "field_scale",
        "insert into rules.field (field, policy) values ('phone', 'tighten')",
    ),
    (
        "field_scale",
        "insert into rules.field (field, policy, scale) values ('phone', 'newest', '{a,b}')",
    ),
    (
        "field_scale",
        "insert into rules.field (field, policy, scale) values ('phone', 'tighten', '{a}')",
    ),
    (
        "source_expires",
        "insert into rules.source (source, rank, expires_days) values ('web', 1, 0)",
    ),
    (
        "contact_field_cleared",
        "insert into crm.contact_field (contact_id, field, source, occurred_at, rule, cleared) values (1, 'city', 'crm', now(), '', true)",
    ),
    (
        "contact_field_author",
        "insert into crm.contact_field (contact_id, field, source, occurred_at, rule, author) values (1, 'city', 'crm', now(), '', 'me')",
    ),
    (
        "nickname_lower",
        "insert into rules.nickname (nickname, name) values ('Bob', 'robert')",
    ),
    (
        "shared_mailbox_lower",
        "insert into rules.shared_mailbox (address) values ('Info')",
    ),
    (
        "shared_phone_e164",
        "insert into rules.shared_phone (phone) values ('030 1234')",
    ),
    (
        "match_weight_range",
        "insert into rules.match_weight (field, level, weight) values ('x', 'y', 51)",
    ),
    (
        "match_threshold_name",
        "insert into rules.match_threshold (name, score, note) values ('perhaps', 1, '')",
    ),
    (
        "not_duplicate_order",
        "insert into rules.not_duplicate (crm_id_low, crm_id_high) values ('2', '1')",
    ),
    (
        "installed_singleton_check",
        "insert into gate.installed (singleton, sql_hash, version) values (false, '', '')",
    ),
    (
        "site_singleton_check",
        "insert into gate.site (singleton, person_key) values (false, '')",
    ),
    (
        "work_state",
        "insert into gate.work (lead_id, state) values (1, 'lost')",
    ),
    (
        "work_claimed",
        "insert into gate.work (lead_id, state) values (1, 'claimed')",
    ),
    (
        "work_claimed",
        "insert into gate.work (lead_id, replica_id) values (1, gen_random_uuid())",
    ),
    (
        "work_waits",
        "insert into gate.work (lead_id, state, waits_for) values (1, 'done', 1)",
    ),
    (
        "identifier_kind",
        "insert into gate.identifier (kind, value, contact_id) values ('name', 'x', 1)",
    ),
    (
        "intent_operation",
        "insert into gate.intent (operation) values ('delete')",
    ),
    ("intent_target", "insert into gate.intent (operation) values ('update')"),
    ("intent_target", "insert into gate.intent (crm_id) values ('1')"),
    ("intent_key", "insert into gate.intent (gatekeeper_key) values (null)"),
    (
        "intent_state",
        "insert into gate.intent (state, settled_at) values ('lost', now())",
    ),
    ("intent_settled", "insert into gate.intent (state) values ('applied')"),
    ("intent_settled", "insert into gate.intent (settled_at) values (now())"),
    ("intent_recover", "insert into gate.intent (state) values ('unknown')"),
    (
        "intent_in_doubt",
        "insert into gate.intent (in_doubt_at) values (now())",
    ),
    ("intent_verify", "insert into gate.intent (verify_at) values (now())"),
    (
        "dead_letter_state",
        "insert into gate.dead_letter (lead_id, reason, state, resolved_at) values (1, 'x', 'lost', now())",
    ),
    (
        "dead_letter_resolved",
        "insert into gate.dead_letter (lead_id, reason, state) values (1, 'x', 'replayed')",
    ),
    (
        "review_state",
        "insert into gate.review (state, resolved_at) values ('lost', now())",
    ),
    ("review_resolved", "insert into gate.review (state) values ('rejected')"),
    (
        "review_accepted",
        "insert into gate.review (state, resolved_at) values ('accepted', now())",
    ),
    ("hold_kind", "insert into gate.hold (kind, note) values ('tired', '')"),
    ("breaker_only_row", "insert into gate.breaker (only_row) values (false)"),
    ("breaker_failures", "update gate.breaker set failures = -1"),
    ("breaker_probe", "update gate.breaker set probe_until = now()"),
    (
        "governor_bucket",
        "insert into gate.governor (bucket) values ('hourly')",
    ),
    (
        "mirror_progress_lease",
        "insert into gate.mirror_progress (pass, lease_until) values ('full', now())",
    ),
    (
        "mirror_progress_pass",
        "insert into gate.mirror_progress (pass) values ('sideways')",
    ),
    ("entry_action", "insert into audit.entry (action) values ('guess')"),
    ("entry_tier", "insert into audit.entry (tier) values ('guess')"),
    ("entry_reason", "insert into audit.entry (action) values ('dead')"),
    (
        "settlement_outcome",
        "insert into audit.settlement (decision_id, outcome) values (1, 'perhaps')",
    ),
    (
        "change_verdict",
        "insert into audit.change (decision_id, field, verdict, rule) values (1, 'phone', 'perhaps', '')",
    ),
];

/// So that a case needs only the columns that it is about.
const DEFAULTS: &str = "
    alter table gate.intent alter intent_id set default gen_random_uuid(), alter contact_id set default 1,
      alter operation set default 'create', alter gatekeeper_key set default 'k', alter body set default '{}',
      alter origin set default '{}', alter replica_id set default gen_random_uuid();
    alter table gate.review alter lead_id set default 1, alter decision_id set default 1, alter reason set default 'x',
      alter candidates set default '[]';
    alter table gate.contact_keys alter contact_id set default 1, alter emails set default '{}', alter loose_emails set
      default '{}', alter phones set default '{}', alter blocks set default '{}', alter normalizer set default '';
    alter table audit.entry alter lead_id set default 1, alter action set default 'create', alter evidence set default '{}',
      alter policy_version set default 0;";

#[tokio::test]
async fn bad_states_cannot_be_stored() {
    let db = TestDb::new().await;
    let session = Session::open(&db).await;
    session.run(DEFAULTS).await;
    for (constraint, sql) in CASES {
        let refused = session.client.batch_execute(sql).await.expect_err(sql);
        let said = refused.as_db_error().unwrap();
        let expected = (&SqlState::CHECK_VIOLATION, Some(*constraint));
        assert_eq!((said.code(), said.constraint()), expected, "{sql}: {said:?}");
    }
}

#[tokio::test]
async fn every_check_has_a_case() {
    let db = TestDb::new().await;
    let sql = "select array_agg(conname::text)
               from pg_constraint
               where contype = 'c'
                 and connamespace::regnamespace::text in ('staging', 'crm', 'rules', 'audit', 'merge', 'gate')";
    let there: BTreeSet<String> = value::<Vec<String>>(&db, sql, &[]).await.into_iter().collect();
    let tried: BTreeSet<String> = CASES.iter().map(|(constraint, _)| (*constraint).to_owned()).collect();
    assert_eq!(there, tried);
}

#[tokio::test]
async fn a_person_has_one_open_write_at_a_time() {
    let db = TestDb::new().await;
    let session = Session::open(&db).await;
    session.run(DEFAULTS).await;
    session
        .run("insert into gate.intent (state, settled_at) values ('applied', now()), ('rejected', now())")
        .await;
    session
        .run("insert into gate.intent (state, recover_at) values ('unknown', now())")
        .await;
    let error = session
        .client
        .batch_execute("insert into gate.intent default values")
        .await
        .unwrap_err();
    assert_eq!(
        error.as_db_error().and_then(|said| said.constraint()),
        Some("intent_one_open")
    );
}
