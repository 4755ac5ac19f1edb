//! What each audience may do, and what it may not.

use gatekeeper::store::Store;
use tokio_postgres::AsyncMessage;

use super::session::Session;
use super::value;
use crate::support::TestDb;

/// A user of this test alone, in one of the groups.
async fn user(db: &TestDb, name: &str, group: &str) -> String {
    let user = format!("{name}_{}", db.name());
    db.run(&format!(
        "drop role if exists {user}; create role {user} login in role {group}"
    ))
    .await;
    user
}

async fn forget(db: &TestDb, users: &[&String]) {
    for user in users {
        db.run(&format!("drop owned by {user}; drop role {user}")).await;
    }
}

#[tokio::test]
async fn an_etl_user_inserts_leads_and_nothing_else() {
    let db = TestDb::new().await;
    let user = user(&db, "web", "gatekeeper_etl").await;
    let etl = Session::of(&db, &user).await;
    etl.run(
        "insert into staging.lead (source, source_key, external_id, email, phone, mobile_phone, first_name, last_name, full_name,
           company, job_title, street, city, state, postal_code, country, properties, occurred_at)
         values ('web', '1', 'x', 'a@example.com', '1', '2', 'A', 'B', 'A B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', '{}', now())",
    )
    .await;
    let returned = "insert into staging.lead (source) values ('web') returning lead_id";
    assert!(etl.client.query_one(returned, &[]).await.unwrap().get::<_, i64>(0) > 0);
    for sql in [
        "insert into staging.lead (lead_id, source) overriding system value values (1, 'web')",
        "insert into staging.lead (source, received_at) values ('web', '1999-01-01')",
        "insert into staging.lead (source, delivered_by) values ('web', 'somebody else')",
        "update staging.lead set email = 'b@example.com'",
        "delete from staging.lead",
        "truncate staging.lead",
        "select email from staging.lead",
        "select * from crm.contact",
        "select * from audit.decision",
        "select * from gate.work",
        "select * from rules.source",
        "select gate.adopt_leads(1)",
        "create table staging.mine ()",
    ] {
        etl.is_denied(sql).await;
    }
    let delivered: String = value(&db, "select distinct delivered_by from staging.lead", &[]).await;
    assert_eq!(delivered, user);
    forget(&db, &[&user]).await;
}

#[tokio::test]
async fn an_etl_user_reads_the_state_of_its_own_leads_alone() {
    let db = TestDb::new().await;
    let (one, other) = (
        user(&db, "one", "gatekeeper_etl").await,
        user(&db, "other", "gatekeeper_etl").await,
    );
    let (mine, theirs) = (Session::of(&db, &one).await, Session::of(&db, &other).await);
    mine.run("insert into staging.lead (source, source_key) values ('web', 'mine')")
        .await;
    theirs
        .run("insert into staging.lead (source, source_key) values ('web', 'secret of the other')")
        .await;
    let rows = mine
        .client
        .query("select source_key, state from staging.lead_status", &[])
        .await
        .unwrap();
    let seen: Vec<(String, String)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    assert_eq!(seen, [("mine".to_owned(), "waiting".to_owned())]);
    drop((mine, theirs));
    forget(&db, &[&one, &other]).await;
}

#[tokio::test]
async fn a_function_of_an_etl_users_own_sees_no_lead_of_others() {
    let db = TestDb::new().await;
    let user = user(&db, "curious", "gatekeeper_etl").await;
    db.run("insert into staging.lead (source, source_key) values ('web', 'secret of the other')")
        .await;
    let mut curious = Session::of(&db, &user).await;
    curious
        .run(
            "create function pg_temp.look(p_text text) returns boolean language plpgsql cost 0.0001 as $$
             begin
               raise notice 'saw %', p_text;
               return true;
             end $$;
             select * from staging.lead_status where pg_temp.look(source_key);",
        )
        .await;
    while let Ok(message) = curious.heard.try_recv() {
        if let AsyncMessage::Notice(notice) = message {
            panic!("{}", notice.message());
        }
    }
    drop(curious);
    forget(&db, &[&user]).await;
}

#[tokio::test]
async fn an_analyst_reads_everything_meant_for_people_and_writes_nothing() {
    let db = TestDb::new().await;
    let user = user(&db, "analyst", "gatekeeper_analyst").await;
    let analyst = Session::of(&db, &user).await;
    let relations = relations(&db, "('staging', 'crm', 'rules', 'audit', 'merge', 'report')").await;
    assert!(relations.len() > 25, "{relations:?}");
    for relation in &relations {
        analyst.run(&format!("select * from {relation}")).await;
    }
    for table in [
        "staging.lead",
        "crm.contact",
        "crm.contact_field",
        "rules.source",
        "audit.entry",
        "audit.change",
    ] {
        analyst.is_denied(&format!("delete from {table}")).await;
        analyst.is_denied(&format!("truncate {table}")).await;
    }
    analyst
        .is_denied("insert into rules.source (source, rank) values ('mine', 1000)")
        .await;
    analyst
        .is_denied("insert into staging.lead (source) values ('web')")
        .await;
    analyst.is_denied("update crm.contact set email = null").await;
    analyst.is_denied("select person_key from gate.site").await;
    analyst.is_denied("create view report.mine as select 1 as one").await;
    drop(analyst);
    forget(&db, &[&user]).await;
}

#[tokio::test]
async fn a_steward_edits_rules_under_the_own_name_and_nothing_else() {
    let db = TestDb::new().await;
    let user = user(&db, "steward", "gatekeeper_steward").await;
    let steward = Session::of(&db, &user).await;
    let before: i64 = value(&db, "select gate.policy_version()", &[]).await;
    steward
        .run(
            "insert into rules.source (source, rank) values ('web', 30);
             update rules.source set rank = 40 where source = 'web';
             insert into rules.field (field, source, policy) values ('phone', 'web', 'only_if_blank');
             insert into rules.not_duplicate (crm_id_low, crm_id_high) values ('1', '2');
             delete from rules.field where field = 'phone';",
        )
        .await;
    let newest =
        "select policy_version || ' ' || changed_by from rules.policy_version order by policy_version desc limit 1";
    assert_eq!(
        value::<String>(&db, newest, &[]).await,
        format!("{} {user}", before + 5)
    );
    for sql in [
        "delete from rules.policy_version",
        "insert into rules.policy_version (rule_table, operation) values ('source', 'insert')",
        "update crm.contact set email = null",
        "delete from audit.entry",
        "update gate.work set state = 'ready'",
        "select person_key from gate.site",
        "insert into staging.lead (source) values ('web')",
    ] {
        steward.is_denied(sql).await;
    }
    drop(steward);
    forget(&db, &[&user]).await;
}

/// A plan of two contacts, as `merge plan` stores it.
const PLAN: &str = r#"select gate.put_plans('[{"group_id": 7, "held_for": [], "master_id": 1, "master_rule": "oldest", "write_needed": false,
     "digest": "d", "policy_version": 1, "members": [{"contact_id": 1, "crm_id": "1", "fingerprint": "f"},
     {"contact_id": 2, "crm_id": "2", "fingerprint": "g"}], "values": []}]')"#;

#[tokio::test]
async fn a_steward_approves_a_merge_by_an_update_and_cannot_say_that_it_is_done() {
    let db = TestDb::new().await;
    let user = user(&db, "approver", "gatekeeper_steward").await;
    let steward = Session::of(&db, &user).await;
    db.run(PLAN).await;
    steward
        .run("update merge.plan set state = 'approved', note = 'looked at' where contacts = 2")
        .await;
    let approved = "select concat_ws(' ', state, approved_digest, decided_by = $1) from merge.plan";
    assert_eq!(value::<String>(&db, approved, &[&user]).await, "approved d t");
    let events =
        "select string_agg(concat_ws(' ', event, acted_by = $1, details ->> 'note'), ', ') from audit.merge_event";
    assert_eq!(value::<String>(&db, events, &[&user]).await, "approved t looked at");
    steward.run("update merge.plan set state = 'held'").await;
    let held = "select concat_ws(' ', state, held_for, approved_digest) from merge.plan";
    assert_eq!(value::<String>(&db, held, &[]).await, "held {by_hand}");
    for sql in [
        "update merge.plan set state = 'merged'",
        "update merge.plan set state = 'running'",
    ] {
        let refused = steward.client.batch_execute(sql).await.expect_err(sql);
        let said = refused.as_db_error().unwrap().message().to_owned();
        assert!(said.contains("cannot be set to"), "{said}");
    }
    for sql in [
        "update merge.plan set digest = 'e'",
        "update merge.plan set approved_digest = 'e'",
        "update merge.survivor set value = 'x'",
        "insert into audit.merge_event (plan_id, event) values (1, 'merged')",
        "delete from merge.plan",
    ] {
        steward.is_denied(sql).await;
    }
    drop(steward);
    forget(&db, &[&user]).await;
}

#[tokio::test]
async fn with_four_eyes_whoever_planned_a_merge_cannot_approve_it() {
    let db = TestDb::new().await;
    let (one, other) = (
        user(&db, "planner", "gatekeeper_daemon").await,
        user(&db, "second", "gatekeeper_steward").await,
    );
    let planner = Session::of(&db, &one).await;
    let second = Session::of(&db, &other).await;
    second.run("update rules.merge_option set four_eyes = true").await;
    planner.run(PLAN).await;
    let approve = "update merge.plan set state = 'approved'";
    let refused = planner.client.batch_execute(approve).await.unwrap_err();
    let said = refused.as_db_error().unwrap();
    assert!(said.message().contains("may not approve it"), "{said:?}");
    assert!(said.hint().unwrap().contains("four_eyes"));
    second.run(approve).await;
    assert_eq!(
        value::<String>(&db, "select decided_by from merge.plan", &[]).await,
        other
    );
    drop((planner, second));
    forget(&db, &[&one, &other]).await;
}

#[tokio::test]
async fn the_daemon_adds_to_the_audit_and_can_change_nothing_of_it() {
    let db = TestDb::new().await;
    let user = user(&db, "daemon", "gatekeeper_daemon").await;
    let daemon = Session::of(&db, &user).await;
    daemon
        .run(
            "insert into audit.entry (lead_id, action, evidence, policy_version) values (1, 'unchanged', '{}', 0);
             insert into audit.change (decision_id, field, verdict, rule) select decision_id, 'phone', 'kept', 'never' from audit.entry;",
        )
        .await;
    for table in relations(&db, "('audit') and table_type = 'BASE TABLE'").await {
        daemon.is_denied(&format!("delete from {table}")).await;
        daemon.is_denied(&format!("truncate {table}")).await;
    }
    daemon.is_denied("update audit.entry set reason = 'nothing'").await;
    daemon.is_denied("update audit.change set new_value = null").await;
    daemon
        .is_denied("update audit.settlement set outcome = 'applied'")
        .await;
    daemon.is_denied("update audit.crm_call set status = 200").await;
    daemon.is_denied("update audit.steward_action set note = null").await;
    daemon.is_denied("update staging.lead set email = null").await;
    daemon.is_denied("update rules.source set rank = 1000").await;
    daemon.is_denied("create table gate.mine ()").await;
    daemon.is_denied("alter table audit.entry add column mine text").await;
    daemon.is_denied("update gate.site set person_key = 'x'").await;
    drop(daemon);
    forget(&db, &[&user]).await;
}

#[tokio::test]
async fn the_groups_own_nothing() {
    let db = TestDb::new().await;
    let sql = "select coalesce(array_agg(distinct relname::text), '{}')
               from pg_class
               join pg_roles on pg_roles.oid = relowner
               where rolname like 'gatekeeper\\_%'";
    assert_eq!(value::<Vec<String>>(&db, sql, &[]).await, Vec::<String>::new());
    let sql =
        "select count(*) from pg_proc join pg_roles on pg_roles.oid = proowner where rolname like 'gatekeeper\\_%'";
    assert_eq!(value::<i64>(&db, sql, &[]).await, 0);
}

#[tokio::test]
async fn the_daemon_does_all_its_work_without_owning_anything() {
    let db = TestDb::new().await;
    let user = user(&db, "worker", "gatekeeper_daemon").await;
    db.run("insert into rules.source (source, rank) values ('web', 30); insert into staging.lead (source, source_key, email) values ('web', '1', 'a@example.com')").await;
    let daemon = Session::of(&db, &user).await;
    daemon
        .run(
            r#"select gate.fill_lists(array['gmbh'], array['n/a']);
               select gate.note_account('1', 'Europe/Berlin', true);
               select gate.start_replica('00000000-0000-0000-0000-000000000001', 'host', 1, 'now', '0', 60, '{}');
               select gate.read_policy(), gate.read_lists(), gate.policy_version();
               select person_key from gate.site;
               select * from gate.begin_pass('full', '00000000-0000-0000-0000-000000000001', 60, null, null, array['email']);
               select gate.expect_contacts(1);
               select gate.mirror_write('[{"crm_id": "7", "email": "b@example.com", "updated_at": "2026-01-01",
                 "keys": {"emails": ["b@example.com"], "loose_emails": [], "phones": [], "blocks": [7]}}]', 'test');
               select gate.step_pass('full', '00000000-0000-0000-0000-000000000001', (select started_at from gate.passes() where pass = 'full'),
                 60, '7', true, '{"rows": 1, "missing": 1, "stale": 0, "ghost": 0}');
               select * from gate.ghosts(now() - interval '1 hour', 0, 10);
               select gate.bury_contacts(array['9'], 'missing');
               select gate.index_first_load('00000000-0000-0000-0000-000000000001',
                 (select started_at from gate.passes() where pass = 'full'), 60, 10);
               select * from gate.end_pass('full', '00000000-0000-0000-0000-000000000001',
                 (select started_at from gate.passes() where pass = 'full'), now());
               select gate.release_pass('full', '00000000-0000-0000-0000-000000000001');
               select gate.mirrored_fields(), gate.mirror_age_seconds(), gate.database_time();
               select gate.outdated_keys('other', 10);
               select * from gate.claim_leads('00000000-0000-0000-0000-000000000001', 10, 1000000, 3);
               begin;
               select * from gate.open_batch('00000000-0000-0000-0000-000000000001', array[1], array[1]);
               select * from gate.match_leads('[{"contact_id": -1, "emails": ["a@example.com"], "loose_emails": [], "phones": [], "blocks": [7]}]');
               select * from gate.match_leads('[]', array[0]);
               select gate.sight_now();
               select * from gate.keys_changed_since(gate.sight_now());
               select gate.reserve_ids(1, 1);
               select * from gate.known_contacts(array[1]);
               select * from gate.holders_of_emails(array['a@example.com']);
               select gate.note_decisions('00000000-0000-0000-0000-000000000001', '{"normalizer": "test", "policy_version": 1,
                 "decisions": [{"decision_id": 1, "lead_id": 1, "source": "web", "action": "create", "contact_id": 2, "evidence": {},
                   "intent_id": "00000000-0000-0000-0000-000000000002"}],
                 "changes": []}');
               select gate.intend('00000000-0000-0000-0000-000000000001', '{"normalizer": "test",
                 "contacts": [{"contact_id": 2, "gatekeeper_key": "v1.x", "email": "a@example.com"}],
                 "intents": [{"intent_id": "00000000-0000-0000-0000-000000000002", "contact_id": 2, "operation": "create",
                   "gatekeeper_key": "v1.x", "body": {"email": "a@example.com"}, "origin": {},
                   "keys": {"contact_id": 2, "emails": ["a@example.com"], "loose_emails": [], "phones": [], "blocks": []}}],
                 "carried": [{"intent_id": "00000000-0000-0000-0000-000000000002", "lead_id": 1, "decision_id": 1}],
                 "confirmed": [], "waiting": []}');
               commit;
               select * from gate.take_permit('general', 10, 1000, 100, 1);
               select gate.note_call('{"called_at": "2026-01-01", "operation": "batch_create", "priority": "live", "rows_sent": 1, "duration_ms": 5}');
               select gate.settle('[{"intent_id": "00000000-0000-0000-0000-000000000002", "epoch": 1, "outcome": "applied", "crm_id": "8"}]',
                 1, 30, 8, 'test');
               select * from gate.take_recoverable('00000000-0000-0000-0000-000000000001', 30, 10);
               select gate.rescue_claims(), gate.adopt_leads(0, 10), gate.forget_old(30, 100), gate.next_due();
               select gate.grown_keys(10), gate.rederive_keys('[]', 'test'), gate.status(1000);
               select gate.groups_to_plan(0, 10, null), gate.count_groups(), gate.read_merge_master(), gate.retire_plans(), gate.put_plans('[]');
               select gate.list_plans(null, 1), gate.show_plan(1), gate.export_plans(null);
               select gate.put_plans('[{"group_id": 1, "held_for": [], "master_id": 1, "master_rule": "oldest", "write_needed": false, "digest": "d",
                 "policy_version": 1, "members": [{"contact_id": 1, "crm_id": "1", "fingerprint": "f"}, {"contact_id": 2, "crm_id": "2", "fingerprint": "g"}],
                 "values": []}]');
               select gate.choose_for_plan(1, null, '{}'), gate.groups_of_plans(array[1]);
               select gate.decide_plans('approved', array[1], null, null, null, false, null, null, 'x', false);
               select gate.approved_merges(0, 100, null), gate.count_approved(null), gate.read_merges(array[1]);
               select gate.begin_merges('00000000-0000-0000-0000-000000000001', '[{"plan_id": 1, "digest": "d", "members": [
                 {"place": 0, "record": {}}, {"place": 1, "record": {}}]}]');
               select gate.note_absorbed('00000000-0000-0000-0000-000000000001', 1, 1, 1, '3', null);
               select gate.end_merges('00000000-0000-0000-0000-000000000001', '[{"plan_id": 1, "epoch": 1, "state": "merged"}]');
               select gate.release_merges('00000000-0000-0000-0000-000000000001', array[1]);
               select gate.take_merges('00000000-0000-0000-0000-000000000001', 'running', 10, 10), gate.merges_of_others('00000000-0000-0000-0000-000000000001');
               select gate.begin_undo('00000000-0000-0000-0000-000000000001', 1, 'x'), gate.survivor_of(1);
               select gate.note_recreated('00000000-0000-0000-0000-000000000001', 1, 2, 1, '4');
               select gate.end_undo('00000000-0000-0000-0000-000000000001', 1, 2, array['city'], '[]');
               select gate.give_up_undo('00000000-0000-0000-0000-000000000001', 1);
               select gate.unasked_changes(10), gate.note_authors('[]', '[]');
               select gate.read_leads(array[1]), gate.replay_review(array[1], 'x');
               select gate.list_dead(null, null, null, null, 1, true), gate.list_review(null, null, null, null, 1, true);
               select gate.past_range('2020-01-01', null), gate.past_decisions(0, 10, null, 10);
               select gate.replay_dead(array[1], 'x'), gate.discard_dead(array[1], 'x');
               select gate.resolve_review(1, 'created', null, 'x');
               begin;
               select gate.take_time(), gate.lock_scan();
               select * from gate.begin_scan(true);
               select gate.count_terms(), gate.fill_signatures(0, 1), gate.analyze_signatures(), gate.find_pairs(0, 1), gate.fill_cards(0, 1), gate.compare_cards(0, 1);
               select gate.match_weights(), gate.pair_patterns(1), gate.put_learned('x', '{base}', '{pair}', '{1}', '{1}', '{1}');
               select gate.unranked_sources(), gate.shadow_diff(null, 1), gate.replay_shadow(null, 1, '', false);
               select gate.mind_brakes(), gate.release_brake('x', ''), gate.reject_brake('x', '');
               select gate.undoable('{1}', null, null, null), gate.request_undo('{1}', null, null, null, 'x');
               select gate.intend_undo('00000000-0000-0000-0000-000000000001', 10);
               select gate.set_shadow(null, true), gate.set_shadow(null, false);
               select gate.learned_weights(), gate.use_learned(), gate.clear_pairs(), gate.meet('{}', '{}', '{7}');
               select gate.end_full_scan(max(scan_id), 0) from gate.scan;
               select gate.new_group_ids(1), gate.put_groups(null, '{}', '{}', '{}', '{}');
               select gate.tell_apart('7', '8', 'x');
               select * from gate.begin_scan(false);
               select gate.scan_changed(max(scan_id)) from gate.scan;
               select gate.group_region('{1}'), gate.links_among('{1}'), gate.members_among('{1}'), gate.told_apart();
               select gate.duplicate_threshold(), gate.last_scan(), gate.list_members(true, 1), gate.list_pairs(null, 1);
               commit;
               select gate.doubt_since(now() - interval '1 hour', 'x'), gate.take_verifications(10), gate.end_verifications('{}');
               update crm.contact set email = 'old@example.com' where contact_id = 2;
               update gate.intent set body = '{"email": "old@example.com"}', created_at = now() - interval '1 hour';
               insert into crm.contact_field (contact_id, field, value, source, lead_id, occurred_at, rule)
               values (2, 'email', 'a@example.com', 'web', 1, now(), 'x');
               select 1 / count(*) from gate.rewrite_overwritten('00000000-0000-0000-0000-000000000001', 10);
               select gate.beat('00000000-0000-0000-0000-000000000001', 60);
               select 1 / count(*) from gate.site where history = gate.history_now();
               update gate.site set history = '1/2/3';
               select gate.note_history(), gate.pause('x'), gate.current_hold(), gate.list_replicas();
               select gate.lift_hold('restored', 'x'), gate.lift_hold('paused', 'x');
               select gate.release_replica('00000000-0000-0000-0000-000000000001', 'x');
               select gate.stop_replica('00000000-0000-0000-0000-000000000001');
               select * from report.backlog;"#,
        )
        .await;
    drop(daemon);
    let done: String = value(
        &db,
        "select state || ' ' || outcome || ' ' || crm_id from staging.lead_status",
        &[],
    )
    .await;
    assert_eq!(done, "done applied 8");
    forget(&db, &[&user]).await;
}

#[tokio::test]
async fn a_daemon_that_owns_nothing_finds_everything_installed() {
    let db = TestDb::new().await;
    let user = user(&db, "starter", "gatekeeper_daemon").await;
    let config = db.config_with(|config| {
        config.database.url = config.database.url.replace("user=postgres", &format!("user={user}"));
    });
    let store = Store::open(&config).await.unwrap();
    let installed = store.install().await;
    store.close().await;
    drop(store);
    let installed = installed.unwrap_or_else(|error| panic!("{}", gatekeeper::fault::chain(&error)));
    assert!(installed.is_nothing(), "{installed:?}");
    forget(&db, &[&user]).await;
}

#[tokio::test]
async fn a_daemon_that_may_not_install_says_who_must() {
    let db = TestDb::new().await;
    let user = user(&db, "upgraded", "gatekeeper_daemon").await;
    db.run("update gate.installed set sql_hash = 'of another version'")
        .await;
    let config = db.config_with(|config| {
        config.database.url = config.database.url.replace("user=postgres", &format!("user={user}"));
    });
    let store = Store::open(&config).await.unwrap();
    let error = store.install().await.unwrap_err();
    store.close().await;
    drop(store);
    let said = gatekeeper::fault::chain(&error);
    assert!(
        said.contains("run `gatekeeper migrate` once as the one that owns the schemas"),
        "{said}"
    );
    forget(&db, &[&user]).await;
}

/// Tables and views of these schemas.
async fn relations(db: &TestDb, schemas: &str) -> Vec<String> {
    let sql = format!(
        "select array_agg(format('%I.%I', table_schema, table_name) order by 1)
         from information_schema.tables
         where table_schema in {schemas}"
    );
    value(db, &sql, &[]).await
}
