//! Windows of changes, the slow pass behind them, and the recycle bin.

use std::time::Duration;

use chrono::{DateTime, Utc};
use gatekeeper::pull::{PassEnd, PullSettings};
use gatekeeper::sandbox::Options;
use serde_json::{Value, json};

use super::scene::{LONG_AGO, Scene, account, loop_on, person, seed, sharp};
use crate::support::eventually;

#[tokio::test]
async fn a_poll_brings_what_was_made_and_what_was_changed_and_nothing_else() {
    let scene = Scene::new(Options::default()).await;
    let ids = scene.seed((0..120).map(person));
    assert_eq!(
        scene.pull.changes().await.unwrap().end,
        PassEnd::Idle,
        "there is nothing to go on from"
    );
    scene.load().await;
    scene.edit(&ids[5], json!({"city": "Bonn"}));
    let new = scene.seed([json!({"email": "new@example.org", "firstname": "New"})]);
    let report = scene.pull.changes().await.unwrap();
    assert_eq!((report.end, report.found.rows), (PassEnd::Complete, 2));
    assert_eq!(scene.row(&ids[5]).await, "First5 Bonn");
    assert_eq!(scene.row(&new[0]).await, "New");
    assert_eq!(
        scene.calls("search"),
        1 + 1,
        "one for the expected total, one for the window"
    );
    // The window is closed: its end is the watermark, and the next one begins there.
    let watermark = "select (watermark = window_hi)::text from gate.mirror_progress where pass = 'changes'";
    assert_eq!(scene.ask(watermark).await, "true");
    // Both windows hold their common end: what changed in that very millisecond is read twice, and found unchanged.
    let again = scene.pull.changes().await.unwrap().found;
    assert_eq!((again.missing, again.stale), (0, 0));
}

#[tokio::test]
async fn nothing_is_asked_while_the_window_is_empty() {
    let behind = PullSettings {
        lag: Duration::from_secs(60),
        ..sharp()
    };
    let scene = Scene::with(Options::default(), behind).await;
    scene.load().await;
    assert_eq!(scene.pull.changes().await.unwrap().end, PassEnd::Idle);
    assert_eq!(scene.calls("search"), 1);
}

#[tokio::test]
async fn thousands_of_contacts_with_one_timestamp_are_read_to_the_end() {
    let scene = Scene::new(Options::default()).await;
    scene.load().await;
    let stamp = Utc::now().to_rfc3339();
    let ids = scene.seed((0..10_350).map(|number| {
        let mut person = person(number);
        person["lastmodifieddate"] = stamp.clone().into();
        person
    }));
    let report = scene.pull.changes().await.unwrap();
    assert_eq!((report.end, report.found.rows), (PassEnd::Complete, 10_350));
    assert_eq!(scene.alive().await.len(), ids.len());
}

#[tokio::test]
async fn a_window_that_broke_off_is_read_on_and_not_anew() {
    let scene = Scene::new(Options::default()).await;
    scene.load().await;
    scene.seed((0..1_500).map(|number| {
        let mut person = person(number);
        person["lastmodifieddate"] = Utc::now().to_rfc3339().into();
        person
    }));
    let failing = gatekeeper::sandbox::Rule {
        operation: Some("search".to_owned()),
        nth: Some(4),
        status: Some(502),
        ..Default::default()
    };
    scene.faults(vec![failing]);
    scene.pull.changes().await.unwrap_err();
    let loaded = scene
        .ask("select watermark::text from gate.mirror_progress where pass = 'full'")
        .await;
    let polled = scene
        .ask("select watermark::text from gate.mirror_progress where pass = 'changes'")
        .await;
    assert_eq!(polled, "", "the watermark stays until the window is whole");
    let late = scene.seed([json!({"email": "late@example.org"})]);
    let report = scene.pull.changes().await.unwrap();
    assert_eq!(report.found.rows, 1_500);
    assert_eq!(scene.calls("search"), 1 + 4 + 5);
    let lo = scene
        .ask("select window_lo::text from gate.mirror_progress where pass = 'changes'")
        .await;
    assert_eq!(lo, loaded);
    assert_eq!(scene.row(&late[0]).await, "none", "it belongs to the next window");
    scene.pull.changes().await.unwrap();
    assert_eq!(scene.row(&late[0]).await, "");
}

#[tokio::test]
async fn what_the_index_shows_late_is_caught_by_the_slow_pass() {
    let lag = Duration::from_millis(1_500);
    let settings = PullSettings {
        slow_lag: lag + Duration::from_millis(500),
        ..sharp()
    };
    let scene = Scene::with(
        Options {
            search_lag: lag,
            ..Options::default()
        },
        settings,
    )
    .await;
    let ids = scene.seed((0..3).map(person));
    scene.load().await;
    scene.edit(&ids[1], json!({"city": "Bonn"}));
    let edited = std::time::Instant::now();
    assert_eq!(scene.pull.changes().await.unwrap().found.rows, 0);
    assert!(edited.elapsed() < lag, "this machine is too slow for this test");
    // Once the index shows it, the poll's window is over.
    eventually(Duration::from_secs(10), "the slow pass has it", async || {
        scene.pull.changes().await.unwrap();
        let polled = scene.row(&ids[1]).await;
        if polled != "First1 Riga" {
            panic!("the poll saw it, so this test shows nothing");
        }
        match scene.pull.slow().await.unwrap() {
            report if report.found.rows > 0 => Ok(()),
            report => Err(report),
        }
    })
    .await;
    assert_eq!(scene.row(&ids[1]).await, "First1 Bonn");
}

#[tokio::test]
async fn a_contact_in_the_bin_is_a_tombstone_and_comes_back_when_it_is_restored() {
    let scene = Scene::new(Options::default()).await;
    let ids = scene.seed((0..250).map(person));
    scene.load().await;
    let number = scene.person(&ids[9]).await;
    scene.crm.sandbox().human_archive(&ids[9]).unwrap();
    assert_eq!(scene.pull.changes().await.unwrap().found.rows, 0, "no search shows it");
    assert_eq!(scene.pull.archived().await.unwrap().found.rows, 1);
    assert_eq!(scene.row(&ids[9]).await, "First9 Riga archived");
    let keys = "select count(*)::text from gate.identifier where value = 'p9@example.org'";
    assert_eq!(scene.ask(keys).await, "0");
    // The same account on the day after somebody restored it.
    let restored = account(Options::default()).await;
    seed(
        &restored,
        scene.crm.sandbox().contacts().into_iter().map(|mut contact| {
            contact["archived"] = Value::Bool(false);
            contact
        }),
    );
    let pull = loop_on(&scene.db, &restored, sharp(), Vec::new()).await;
    pull.full_load(|_| ()).await.unwrap();
    assert_eq!(scene.row(&ids[9]).await, "First9 Riga");
    assert_eq!(scene.person(&ids[9]).await, number);
    assert_eq!(scene.ask(keys).await, "1");
}

#[tokio::test]
async fn an_older_version_never_overwrites_a_newer_one() {
    let scene = Scene::new(Options::default()).await;
    let ids = scene.seed((0..3).map(person));
    scene.load().await;
    let newer = "update crm.contact set city = 'Oslo', updated_at = now()";
    scene.db.run(newer).await;
    scene.load().await;
    assert_eq!(scene.row(&ids[0]).await, "First0 Oslo");
    let drift = "select concat_ws(' ', contacts, missing, stale, ghost) from gate.mirror_drift";
    assert_eq!(scene.ask(drift).await, "3 0 0 0");
}

#[tokio::test]
async fn our_own_settled_write_is_in_the_mirror_and_no_poll_undoes_it() {
    let scene = Scene::new(Options::default()).await;
    let ids = scene.seed((0..2).map(person));
    scene.load().await;
    let number = scene.person(&ids[0]).await;
    // What the sender does: intend, send, settle by the answer.
    let intent = uuid::Uuid::now_v7();
    scene
        .db
        .run(&format!(
            "insert into gate.intent (intent_id, contact_id, operation, crm_id, body, origin, replica_id)
             values ('{intent}', {number}, 'update', '{}', '{{\"city\": \"Bonn\"}}', '{{}}', gen_random_uuid())",
            ids[0]
        ))
        .await;
    let path = format!("/crm/objects/2026-09/contacts/{}", ids[0]);
    let answer = super::scene::patch(&scene, &path, &json!({"properties": {"city": "Bonn"}})).await;
    let updated_at: DateTime<Utc> = answer["updatedAt"].as_str().unwrap().parse().unwrap();
    let settled =
        json!([{"intent_id": intent, "epoch": 1, "outcome": "applied", "crm_id": ids[0], "updated_at": updated_at}]);
    scene
        .db
        .run(&format!("select gate.settle('{settled}', null, 60, 8, 'n')"))
        .await;
    assert_eq!(scene.row(&ids[0]).await, "First0 Bonn", "without waiting for a poll");
    // A page that was read before the write and is written after it.
    let page = json!([{"crm_id": ids[0], "first_name": "First0", "city": "Riga", "updated_at": LONG_AGO, "keys": {}}]);
    scene
        .db
        .run(&format!("select * from gate.mirror_write('{page}', 'n')"))
        .await;
    assert_eq!(scene.row(&ids[0]).await, "First0 Bonn");
    let report = scene.pull.changes().await.unwrap();
    assert_eq!(
        (report.found.rows, report.found.stale),
        (1, 0),
        "its echo brings nothing new"
    );
    assert_eq!(scene.row(&ids[0]).await, "First0 Bonn");
}

#[tokio::test]
async fn index_rows_that_a_hand_left_behind_keep_no_contact_from_the_mirror() {
    let scene = Scene::new(Options::default()).await;
    let ids = scene.seed((0..3).map(person));
    scene.load().await;
    scene.db.run("delete from gate.contact_keys").await;
    scene.edit(&ids[1], json!({"city": "Bonn", "email": "other@example.org"}));
    scene.pull.changes().await.unwrap();
    assert_eq!(scene.row(&ids[1]).await, "First1 Bonn");
    let keys = format!(
        "select string_agg(value, ' ') from gate.identifier where contact_id = {}",
        scene.person(&ids[1]).await
    );
    assert_eq!(scene.ask(&keys).await, "other@example.org");
}
