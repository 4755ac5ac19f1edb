//! The full load: complete, resumable, and what it takes when a page cannot carry all.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use gatekeeper::domain::Field;
use gatekeeper::fault::{Classify, Fault};
use gatekeeper::pull::PassEnd;
use gatekeeper::sandbox::{Options, Rule};
use serde_json::{Map, Value, json};

use super::scene::{Scene, person, sharp};

#[tokio::test]
async fn a_full_load_brings_every_contact_with_its_keys() {
    let scene = Scene::new(Options::default()).await;
    let mut people: Vec<Value> = (0..2_350).map(person).collect();
    people[7]["hs_additional_emails"] = "second@example.org".into();
    people[7]["phone"] = "+1 212 555 0100".into();
    let ids = scene.seed(people);
    let seen = Mutex::new(Vec::new());
    let report = scene
        .pull
        .full_load(|progress| seen.lock().unwrap().push((progress.read, progress.expected)))
        .await
        .unwrap();
    assert_eq!((report.end, report.found.rows), (PassEnd::Complete, 2_350));
    let seen = seen.into_inner().unwrap();
    assert_eq!(seen.last(), Some(&(2_350, Some(2_350))), "{seen:?}");
    assert_eq!(scene.alive().await, ids);
    let keys = "select string_agg(kind || ' ' || value, ', ' order by kind, value) from gate.identifier
                join crm.contact using (contact_id) where email = 'p7@example.org'";
    assert_eq!(
        scene.ask(keys).await,
        "email p7@example.org, email second@example.org, phone +12125550100"
    );
    assert_eq!(
        scene.ask("select count(*)::text from gate.mirror_drift").await,
        "0",
        "a first load is no comparison"
    );
    let held = scene.ask("select array_to_string(gate.mirrored_fields(), ' ')").await;
    assert!(held.contains("email") && held.contains("first_name"), "{held}");
    assert_eq!(scene.calls("list"), 24);
}

#[tokio::test]
async fn a_load_that_is_dropped_in_the_middle_goes_on_where_it_was() {
    let scene = Scene::new(Options::default()).await;
    let ids = scene.seed((0..3_000).map(person));
    // A CRM that takes its time, and a loader that has seen enough after some pages.
    let slow = Rule {
        operation: Some("list".to_owned()),
        delay_ms: Some(10),
        ..Rule::default()
    };
    scene.faults(vec![slow]);
    let written = AtomicUsize::new(0);
    let enough = tokio::sync::Notify::new();
    tokio::select! {
        _ = scene.pull.full_load(|_| if written.fetch_add(1, Ordering::Relaxed) == 3 { enough.notify_one() }) => panic!("it was not stopped"),
        () = enough.notified() => {}
    }
    let before: i64 = scene
        .ask("select rows_read::text from gate.mirror_progress")
        .await
        .parse()
        .unwrap();
    assert!((300..2_900).contains(&before), "{before}");
    assert_eq!(
        scene.ask("select count(*)::text from crm.contact").await,
        before.to_string()
    );
    scene.crm.sandbox().clear_faults();
    let called = scene.calls("list");
    let report = scene.pull.full_load(|_| ()).await.unwrap();
    assert_eq!((report.end, report.found.rows), (PassEnd::Complete, 3_000));
    let left = (3_000 - usize::try_from(before).unwrap()) / 100;
    assert_eq!(scene.calls("list") - called, left, "what was written is not read again");
    assert_eq!(scene.alive().await, ids);
}

#[tokio::test]
async fn what_was_read_before_the_crm_failed_is_kept() {
    let scene = Scene::new(Options::default()).await;
    scene.seed((0..1_000).map(person));
    let failing = Rule {
        operation: Some("list".to_owned()),
        nth: Some(8),
        status: Some(429),
        retry_after_s: Some(7),
        ..Rule::default()
    };
    scene.faults(vec![failing]);
    let error = scene.pull.full_load(|_| ()).await.unwrap_err();
    assert_eq!(error.fault(), Fault::Throttled(std::time::Duration::from_secs(7)));
    assert_eq!(
        scene.ask("select rows_read::text from gate.mirror_progress").await,
        "700"
    );
    assert_eq!(
        scene.ask("select watermark::text from gate.mirror_progress").await,
        "",
        "not before the end"
    );
    scene.crm.sandbox().clear_faults();
    // The governor pauses all calls after a 429; nobody has to sit through that here.
    scene.db.run("update gate.governor set paused_until = null").await;
    assert_eq!(scene.pull.full_load(|_| ()).await.unwrap().found.rows, 1_000);
    assert_eq!(scene.calls("list"), 8 + 3);
}

#[tokio::test]
async fn fields_that_no_page_can_carry_are_read_by_id() {
    let scene = Scene::new(Options::default()).await;
    let names: Vec<String> = (0..320)
        .map(|at| format!("a_custom_property_with_number_{at:03}"))
        .collect();
    for name in &names {
        define(&scene, name).await;
    }
    let ids = scene.seed((0..230).map(|number| {
        let mut person = person(number);
        person[&names[319]] = format!("value {number}").into();
        person
    }));
    let extra: Vec<Field> = names.iter().map(|name| Field::from_name(name)).collect();
    let pull = scene.another(sharp(), extra).await;
    let report = pull.full_load(|_| ()).await.unwrap();
    assert_eq!(report.found.rows, 230);
    assert_eq!(scene.calls("batch_read"), 3);
    let last = format!(
        "select properties ->> '{}' from crm.contact where crm_id = '{}'",
        names[319], ids[229]
    );
    assert_eq!(scene.ask(&last).await, "value 229");
    // Changes as well.
    scene.edit(
        &ids[3],
        Value::Object(Map::from_iter([(names[319].clone(), json!("new"))])),
    );
    assert_eq!(pull.changes().await.unwrap().found.rows, 1);
    let third = format!(
        "select properties ->> '{}' || city from crm.contact where crm_id = '{}'",
        names[319], ids[3]
    );
    assert_eq!(scene.ask(&third).await, "newRiga");
}

async fn define(scene: &Scene, name: &str) {
    let body =
        json!({"name": name, "label": name, "type": "string", "fieldType": "text", "groupName": "contactinformation"});
    let answer = super::scene::post(scene, "/crm/properties/2026-09/contacts", &body).await;
    assert_eq!(answer, 201);
}

#[tokio::test]
async fn a_character_that_no_column_holds_keeps_neither_its_contact_nor_another_from_the_mirror() {
    let scene = Scene::new(Options::default()).await;
    let mut people: Vec<Value> = (0..150).map(person).collect();
    people[42]["city"] = "Ri\u{0}ga".into();
    let ids = scene.seed(people);
    scene.load().await;
    assert_eq!(scene.alive().await, ids);
}
