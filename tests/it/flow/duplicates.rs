//! Duplicates that are in the CRM already: found, put together, told apart, and looked at again when something changed.

use std::collections::BTreeSet;

use gatekeeper::duplicates::{ScanError, ScanReport, scan};
use serde_json::{Value, json};

use super::world::World;
use crate::process::gatekeeper;

async fn scanned(world: &World, full: bool) -> ScanReport {
    scan(world.db.store(), full, 10, |_| ()).await.unwrap()
}

/// The groups, as the ids of their members, with their flags and numbers.
async fn groups(world: &World) -> Vec<(i64, BTreeSet<String>, Vec<String>)> {
    let sql = "select group_id, crm_ids, flags from report.duplicate_group order by group_id";
    let rows = world.db.client().await.query(sql, &[]).await.unwrap();
    rows.iter()
        .map(|row| {
            let ids: Vec<String> = row.get(1);
            (row.get(0), ids.into_iter().collect(), row.get(2))
        })
        .collect()
}

/// All pairs with their scores, as text.
async fn pairs(world: &World) -> String {
    let sql = "select coalesce(string_agg(format('%s %s %s %s', left_id, right_id, score, evidence), E'\n'
               order by left_id, right_id), '')
         from gate.duplicate_pair";
    world.ask(sql).await
}

fn set(ids: &[&String]) -> BTreeSet<String> {
    ids.iter().map(|id| (*id).clone()).collect()
}

fn robert(changes: Value) -> Value {
    let robert = json!({
        "email": "robert.tavistock@brockwell.com", "firstname": "Robert", "lastname": "Tavistock",
        "company": "Brockwell Instruments Ltd", "city": "Leeds", "phone": "+44 113 496 0123",
    });
    super::world::but(robert, changes)
}

/// Robert three times, his namesake elsewhere, his colleague behind the same number, and two mailboxes of one office.
fn contacts() -> Value {
    json!([
        robert(json!({})),
        robert(json!({"email": "bob.tavistock@gmail.com", "firstname": "Bob", "company": "Brockwell Instruments"})),
        robert(json!({"email": "", "firstname": "Tavistock", "lastname": "Robert"})),
        {"email": "r.tavistock@umbra.fr", "firstname": "Robert", "lastname": "Tavistock", "company": "Umbra SA", "city": "Lyon",
         "phone": "+33 4 72 00 00 11"},
        {"email": "helen.oduya@brockwell.com", "firstname": "Helen", "lastname": "Oduya",
         "company": "Brockwell Instruments Ltd", "city": "Leeds", "phone": "+44 113 496 0123"},
        {"email": "info@brockwell.com", "firstname": "Sven", "lastname": "Lindqvist", "company": "Brockwell Instruments Ltd"},
    ])
}

#[tokio::test]
async fn who_is_there_several_times_is_one_group_and_namesakes_and_colleagues_are_not() {
    let world = World::new().await;
    let ids = world.seed(contacts());
    world.mirror().await;
    let report = scanned(&world, false).await;
    assert!(report.full, "the first scan is of all contacts");
    assert_eq!(report.contacts, 6);
    let found = groups(&world).await;
    assert_eq!(found.len(), 1, "{found:?} of {ids:?}");
    assert_eq!(found[0].1, set(&[&ids[0], &ids[1], &ids[2]]));

    let again = scanned(&world, false).await;
    assert!(!again.full);
    assert_eq!((again.contacts, again.groups), (0, 0), "nothing has changed");
    assert_eq!(groups(&world).await, found);
}

#[tokio::test]
async fn a_scan_of_what_changed_finds_what_a_scan_of_all_would() {
    let world = World::new().await;
    let mut ids = world.seed(contacts());
    world.mirror().await;
    scanned(&world, false).await;
    let before = groups(&world).await;

    // One of the three turns out to be somebody else, and the namesake comes to work here.
    world.edit(
        &ids[1],
        json!({"firstname": "Gunnar", "lastname": "Aaby", "email": "gunnar.aaby@gmail.com", "phone": "", "company": "Aaby AS"}),
    );
    world.edit(
        &ids[3],
        json!({"email": "r.tavistock@brockwell.com", "company": "Brockwell Instruments", "city": "Leeds", "phone": ""}),
    );
    ids.extend(world.seed(json!([
        {"email": "helen.oduya@gmail.com", "firstname": "Helen", "lastname": "Oduya", "company": "Brockwell Instruments",
         "phone": "+44 113 496 0123"},
    ])));
    world.mirror().await;
    // More than a fifth of so few contacts have changed: on its own it would look at all.
    world.db.run("update gate.scan set contacts = contacts; insert into gate.contact_keys (contact_id, emails, loose_emails, phones, blocks, normalizer)
        select 1000 + n, '{}', '{}', '{}', '{}', '' from generate_series(1, 30) as n; delete from gate.unscanned where contact_id > 1000;
        update gate.scan set contacts = 40").await;
    let report = scanned(&world, false).await;
    assert!(!report.full);
    assert_eq!(report.contacts, 3);
    let changed = groups(&world).await;
    let of_changed = pairs(&world).await;
    assert_eq!(changed.len(), 2, "{changed:?}");
    assert_eq!(changed[0].0, before[0].0, "the group keeps its number");
    assert_eq!(changed[0].1, set(&[&ids[0], &ids[2], &ids[3]]));
    assert_eq!(changed[1].1, set(&[&ids[4], &ids[6]]));

    scanned(&world, true).await;
    assert_eq!(groups(&world).await, changed);
    // How rare a name is was counted anew: scores may differ by it, pairs may not.
    let without_scores = |pairs: &str| -> Vec<String> {
        let lines = pairs
            .lines()
            .map(|line| line.split(' ').take(2).collect::<Vec<_>>().join(" "));
        lines.collect()
    };
    assert_eq!(without_scores(&pairs(&world).await), without_scores(&of_changed));
}

#[tokio::test]
async fn who_was_told_apart_stays_apart_and_who_is_gone_is_no_duplicate() {
    let world = World::new().await;
    let ids = world.seed(contacts());
    world.mirror().await;
    scanned(&world, false).await;

    let done = gatekeeper(&world, &["duplicates", "apart", &ids[0], &ids[1], "--note", "cousins"]).await;
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    let sql = "select count(*) from report.duplicate_pair where verdict = 'duplicate'";
    let before = world.count(sql).await;
    scanned(&world, false).await;
    for full in [false, true] {
        scanned(&world, full).await;
        let found = groups(&world).await;
        let together = |group: &BTreeSet<String>| group.contains(&ids[0]) && group.contains(&ids[1]);
        assert!(found.iter().all(|(_, members, _)| !together(members)), "{found:?}");
        assert!(found[0].2.contains(&"told_apart".to_owned()), "{found:?}");
    }
    assert_eq!(world.count(sql).await, before, "the pair itself is not shown any more");
    let noted = "select count(*) from rules.not_duplicate where note = 'cousins' and noted_by <> ''";
    assert_eq!(world.count(noted).await, 1);

    world.db.run("delete from rules.not_duplicate").await;
    scanned(&world, false).await;
    assert_eq!(groups(&world).await[0].1, set(&[&ids[0], &ids[1], &ids[2]]));

    // Who is gone is left out at once, before any scan.
    world
        .db
        .run(&format!(
            "update crm.contact set archived_at = now(), gone_reason = 'archived' where crm_id in ('{}', '{}')",
            ids[0], ids[1]
        ))
        .await;
    assert_eq!(groups(&world).await, []);
    assert_eq!(world.count("select count(*) from report.duplicate_member").await, 0);
    let unknown = gatekeeper(&world, &["duplicates", "apart", &ids[0], "999", "--note", "x"]).await;
    assert_eq!(unknown.code, Some(2), "{}", unknown.stderr);
}

#[tokio::test]
async fn rules_that_changed_make_the_next_scan_look_at_all_contacts() {
    let world = World::new().await;
    world.seed(contacts());
    world.mirror().await;
    scanned(&world, false).await;
    assert!(!scanned(&world, false).await.full);
    world
        .db
        .run("update rules.match_threshold set score = 99 where name = 'duplicate'")
        .await;
    assert!(scanned(&world, false).await.full);
    assert_eq!(groups(&world).await, []);
}

#[tokio::test]
async fn two_scans_at_once_are_one_and_a_scan_that_is_dropped_leaves_what_was_found() {
    let world = World::new().await;
    world.seed(contacts());
    world.mirror().await;
    scanned(&world, false).await;
    let found = groups(&world).await;
    let held = world.db.client().await;
    held.batch_execute("begin; select gate.lock_scan()").await.unwrap();
    let refused = scan(world.db.store(), true, 10, |_| ()).await;
    assert!(matches!(refused, Err(ScanError::Running)), "{refused:?}");
    held.batch_execute("rollback").await.unwrap();

    // Dropped while the pairs are compared.
    let begun = tokio::sync::Notify::new();
    tokio::select! {
        _ = scan(world.db.store(), true, 10, |_| begun.notify_one()) => {}
        () = begun.notified() => {}
    }
    assert_eq!(groups(&world).await, found);
    assert!(scanned(&world, true).await.full);
    assert_eq!(groups(&world).await, found);
}

#[tokio::test]
async fn the_commands_show_and_write_what_was_found() {
    let world = World::new().await;
    let ids = world.seed(contacts());
    world.mirror().await;
    let early = gatekeeper(&world, &["duplicates", "list"]).await;
    assert_eq!(early.code, Some(2));
    assert!(early.stderr.contains("gatekeeper duplicates scan"), "{}", early.stderr);

    let done = gatekeeper(&world, &["duplicates", "scan"]).await;
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    assert!(
        done.stdout
            .contains("6 contacts looked at, all against all: 1 group of 3 contacts."),
        "{}",
        done.stdout
    );
    let again = gatekeeper(&world, &["duplicates", "scan"]).await;
    assert!(
        again.stdout.contains("Nothing has changed since the last scan"),
        "{}",
        again.stdout
    );
    let table = gatekeeper(&world, &["duplicates", "list", "--pairs"]).await;
    assert!(table.stdout.contains("first_name nickname"), "{}", table.stdout);
    assert!(!table.stdout.contains("weights"), "{}", table.stdout);
    let listed = gatekeeper(&world, &["duplicates", "list"]).await;
    assert!(
        ids[..3].iter().all(|id| listed.stdout.contains(id.as_str())),
        "{}",
        listed.stdout
    );
    let pairs = gatekeeper(&world, &["duplicates", "list", "--pairs", "--json"]).await;
    let pairs: Vec<Value> = serde_json::from_str(&pairs.stdout).unwrap();
    assert!(pairs.iter().all(|pair| pair["verdict"] == "duplicate"), "{pairs:?}");
    assert!(
        pairs.iter().any(|pair| pair["evidence"]["first_name"] == "nickname"),
        "{pairs:?}"
    );

    let file = world.directory.path().join("duplicates.csv");
    let file = file.to_str().unwrap();
    let written = gatekeeper(&world, &["duplicates", "export", "--to", file]).await;
    assert_eq!(written.code, Some(0), "{}", written.stderr);
    let text = std::fs::read_to_string(file).unwrap();
    assert!(text.starts_with("group_id,flags,crm_id,first_name,last_name"), "{text}");
    assert_eq!(text.lines().count(), 4);
    let exported = gatekeeper(&world, &["duplicates", "export", "--pairs", "--format", "json"]).await;
    let exported: Vec<Value> = serde_json::from_str(&exported.stdout).unwrap();
    assert!(exported.len() >= pairs.len());
}

#[tokio::test]
async fn weights_are_learned_and_shown_and_come_into_force_only_when_somebody_says_so() {
    let world = World::new().await;
    let early = gatekeeper(&world, &["rules", "learn", "--use"]).await;
    assert_eq!(early.code, Some(2));
    assert!(
        early.stderr.contains("`gatekeeper rules learn` first"),
        "{}",
        early.stderr
    );
    let nothing = gatekeeper(&world, &["rules", "learn"]).await;
    assert_ne!(nothing.code, Some(0));
    assert!(nothing.stderr.contains("nothing to learn from"), "{}", nothing.stderr);

    world.seed(contacts());
    world.mirror().await;
    let in_force = "select string_agg(format('%s %s %s', field, level, weight), ', ' order by field, level) from rules.match_weight";
    let before = world.ask(in_force).await;
    let version = world.count("select gate.policy_version()").await;
    let shown = gatekeeper(&world, &["rules", "learn"]).await;
    assert_eq!(shown.code, Some(0), "{}", shown.stderr);
    assert!(shown.stdout.contains("first_name"), "{}", shown.stdout);
    assert!(
        shown.stdout.contains("Nothing works by these weights yet"),
        "{}",
        shown.stdout
    );
    assert_eq!(world.ask(in_force).await, before);
    assert_eq!(world.count("select count(*) from gate.candidate_pair").await, 0);

    let used = gatekeeper(&world, &["rules", "learn", "--use"]).await;
    assert_eq!(used.code, Some(0), "{}", used.stderr);
    assert_ne!(world.ask(in_force).await, before);
    assert_eq!(world.count("select gate.policy_version()").await, version + 1);
    let differs = "select count(*) from report.learned_weight where weight_in_force <> learned_weight";
    assert_eq!(world.count(differs).await, 0);
    assert!(scanned(&world, false).await.full, "the rules have changed");
    assert_eq!(groups(&world).await.len(), 1);

    // What was learned from other rules than those in force is not used.
    let again = gatekeeper(&world, &["rules", "learn", "--use", "--json"]).await;
    assert_eq!(again.code, Some(2), "{}", again.stdout);
    world.db.run("update rules.match_threshold set score = score - 1").await;
    let stale = gatekeeper(&world, &["rules", "learn", "--use"]).await;
    assert_eq!(stale.code, Some(2), "{}", stale.stdout);
}
