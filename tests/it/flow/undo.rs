//! Undo: what our updates replaced is restored where the CRM still holds what we wrote, and whose it was.

use gatekeeper::store::undo::{UndoChoice, request_undo, undoable};
use serde_json::{Value, json};

use super::world::{World, but};
use crate::process::gatekeeper;

fn ann(source: &str, day: u32, values: Value) -> Value {
    let lead = json!({
        "source": source, "email": "ann@example.com", "occurred_at": format!("2025-01-{day:02}T12:00:00Z"),
    });
    but(lead, values)
}

fn of_source(source: &str) -> UndoChoice {
    UndoChoice {
        source: Some(source.to_owned()),
        ..UndoChoice::default()
    }
}

/// What an undo would do: `field: written > restored (by), verdict`.
async fn plan(world: &World, choice: &UndoChoice) -> Vec<String> {
    let client = world.db.client().await;
    let values = undoable(&client, choice).await.unwrap();
    let told = values.into_iter().map(|value| {
        format!(
            "{}: {} > {} ({}), {}",
            value.field,
            value.written_value.unwrap_or_default(),
            value.restored_value.unwrap_or_default(),
            value.restored_source,
            value.reason.unwrap_or(value.verdict)
        )
    });
    told.collect()
}

async fn undo(world: &World, choice: &UndoChoice) -> i64 {
    let requested = request_undo(&world.db.client().await, choice, Some("a wrong file"))
        .await
        .unwrap();
    world.settle().await;
    requested
}

const OF_CITY: &str = "select concat_ws(' ', value, source, lead_id is not null, occurred_at::date) from crm.contact_field where field = 'city'";

#[tokio::test]
async fn an_update_is_taken_back_with_its_provenance_and_audited() {
    let world = World::new().await;
    world.settled(ann("webinar", 5, json!({"city": "Kiel"}))).await;
    world
        .settled(ann("payments", 6, json!({"city": "Riga", "street": "Main St 1"})))
        .await;
    let choice = of_source("payments");
    assert_eq!(
        plan(&world, &choice).await,
        [
            "city: Riga > Kiel (webinar), restore",
            "street: Main St 1 >  (payments), restore"
        ]
    );
    assert_eq!(world.only_contact()["city"], "Riga", "a plan changes nothing");
    assert_eq!(undo(&world, &choice).await, 2);
    let contact = world.only_contact();
    assert_eq!(contact["city"], "Kiel");
    assert!(contact["address"].as_str().unwrap_or_default().is_empty());
    assert_eq!(world.ask(OF_CITY).await, "Kiel webinar t 2025-01-05");
    let audited = "select string_agg(concat_ws(' ', action, outcome, field, old_value, new_value), '; ' order by field)
        from audit.decision join audit.change using (decision_id) where action = 'undo'";
    assert_eq!(
        world.ask(audited).await,
        "undo applied city Riga Kiel; undo applied street Main St 1"
    );
    // What was filled and taken back is blank, not cleared: whoever comes may fill it.
    world.settled(ann("fair", 7, json!({"street": "Side St 2"}))).await;
    assert_eq!(world.only_contact()["address"], "Side St 2");
    // Once is enough.
    assert_eq!(undo(&world, &choice).await, 0);
}

#[tokio::test]
async fn what_anybody_changed_since_stays_and_so_does_a_contact_that_was_made() {
    let world = World::new().await;
    world
        .settled(ann(
            "webinar",
            5,
            json!({"city": "Kiel", "street": "Main St 1", "state": "Ohio"}),
        ))
        .await;
    let better = json!({"city": "Riga", "street": "Side St 2", "state": "Utah", "company": "Acme"});
    world.settled(ann("sales", 6, better)).await;
    // A person, a better source that says the same, and a better source that says something else.
    let id = world.only_contact()["hs_object_id"].as_str().unwrap().to_owned();
    world.edit(&id, json!({"city": "Oslo"}));
    world.mirror().await;
    world
        .settled(ann("payments", 7, json!({"street": "Side St 2", "state": "Iowa"})))
        .await;
    assert_eq!(
        plan(&world, &of_source("sales")).await,
        [
            "city: Riga > Kiel (webinar), changed_since",
            "company: Acme >  (sales), restore",
            "state: Utah > Ohio (webinar), changed_since",
            "street: Side St 2 > Main St 1 (webinar), confirmed_by_other",
        ]
    );
    assert_eq!(undo(&world, &of_source("sales")).await, 1);
    let contact = world.only_contact();
    assert_eq!(
        (&contact["city"], &contact["state"], &contact["address"]),
        (&json!("Oslo"), &json!("Iowa"), &json!("Side St 2"))
    );
    let made = plan(&world, &of_source("webinar")).await;
    assert!(made.iter().all(|value| value.ends_with("created_contact")), "{made:?}");
    assert_eq!(undo(&world, &of_source("webinar")).await, 0);
}

#[tokio::test]
async fn several_writes_of_one_source_are_taken_back_as_far_as_they_follow_upon_one_another() {
    let world = World::new().await;
    world.rule("city", "*", "newest").await;
    world.seed(json!([{"email": "ann@example.com", "city": "Oslo"}]));
    world.mirror().await;
    // The value that was there has the time of the last change of the contact: later than these days.
    world.db.run("update crm.contact set noted_since = '2025-01-01'").await;
    let mut decisions = Vec::new();
    for (source, day, city) in [
        ("fair", 5, "Kiel"),
        ("fair", 6, "Riga"),
        ("webinar", 7, "Bonn"),
        ("fair", 8, "Rome"),
    ] {
        let lead = world.settled(ann(source, day, json!({"city": city}))).await;
        let decision = format!("select max(decision_id) from audit.entry where lead_id = {lead}");
        decisions.push(world.count(&decision).await);
    }
    // What another source wrote in between stays.
    assert_eq!(
        plan(&world, &of_source("fair")).await,
        ["city: Rome > Bonn (webinar), restore"]
    );
    let all = UndoChoice {
        decisions: Some(decisions),
        ..UndoChoice::default()
    };
    assert_eq!(plan(&world, &all).await, ["city: Rome > Oslo (crm), restore"]);
    assert_eq!(undo(&world, &all).await, 1);
    assert_eq!(world.only_contact()["city"], "Oslo");
}

#[tokio::test]
async fn what_changes_between_the_request_and_the_write_stays() {
    let world = World::new().await;
    world.settled(ann("webinar", 5, json!({"city": "Kiel"}))).await;
    world.settled(ann("payments", 6, json!({"city": "Riga"}))).await;
    let client = world.db.client().await;
    assert_eq!(request_undo(&client, &of_source("payments"), None).await.unwrap(), 1);
    let id = world.only_contact()["hs_object_id"].as_str().unwrap().to_owned();
    world.edit(&id, json!({"city": "Oslo"}));
    world.mirror().await;
    world.settle().await;
    assert_eq!(world.only_contact()["city"], "Oslo");
    let kept = "select concat_ws(' ', state, reason) from report.undone";
    assert_eq!(world.ask(kept).await, "kept changed_since");
}

#[tokio::test]
async fn the_command_shows_first_and_then_notes_what_the_daemon_restores() {
    let world = World::new().await;
    world.settled(ann("webinar", 5, json!({"city": "Kiel"}))).await;
    world.settled(ann("payments", 6, json!({"city": "Riga"}))).await;
    let nothing = gatekeeper(&world, &["undo", "--dry-run"]).await;
    assert_eq!(nothing.code, Some(2), "something must be chosen: {}", nothing.stderr);
    let words = ["undo", "--source", "payments", "--since", "2020-01-01T00:00:00Z"];
    let shown = gatekeeper(&world, &[&words[..], &["--dry-run"]].concat()).await.stdout;
    assert!(
        shown.contains("Riga") && shown.contains("1 value would be restored"),
        "{shown}"
    );
    assert_eq!(world.count("select count(*) from gate.undo").await, 0);
    let done = gatekeeper(&world, &[&words[..], &["--note", "wrong"]].concat())
        .await
        .stdout;
    assert!(done.contains("1 value noted"), "{done}");
    world.settle().await;
    assert_eq!(world.only_contact()["city"], "Kiel");
}
