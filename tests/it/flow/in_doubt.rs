//! Writes whose outcome stays unknown however often it is asked: a person says how they ended.

use gatekeeper::sandbox::{Kind, Rule};
use serde_json::{Value, json};

use super::world::World;
use crate::process::gatekeeper;

const UNKNOWN: &str = "select count(*) from gate.intent where state = 'unknown' and attempts > 0";
const IN_DOUBT: &str = "select count(*) from gate.intent where in_doubt_at is not null";

/// A lead whose creation came to no known end for a day, and another lead of the same person that waits for it.
async fn in_doubt(world: &World, applies: bool) -> (i64, i64, String) {
    world
        .settled(json!({"source": "sales", "email": "first@example.com"}))
        .await;
    let rule = Rule {
        operation: Some("batch_create".to_owned()),
        drop_before_apply: !applies,
        drop_answer_after_apply: applies,
        ..Rule::default()
    };
    // What it may have made cannot be seen either: else there would be no doubt.
    let blind = Rule {
        operation: Some("batch_read".to_owned()),
        omit_rows: 100,
        ..Rule::default()
    };
    world.faults(vec![rule, blind]);
    let lead = json!({"source": "sales", "email": "ann@example.com", "first_name": "Ann"});
    let lead = world.lead(lead).await;
    world.run_until(async || world.count(UNKNOWN).await == 1).await;
    world
        .db
        .run(
            "update gate.intent
             set created_at = now() - interval '25 hours', attempts = 9, recover_at = now()
             where state = 'unknown'",
        )
        .await;
    let waits = json!({"source": "payments", "email": "ann@example.com", "city": "Riga"});
    let waits = world.lead(waits).await;
    // A run to the end of all work does not wait for a person.
    world.run().await;
    assert_eq!(world.count(IN_DOUBT).await, 1);
    assert_eq!(world.state(lead).await, "intended");
    assert_eq!(world.state(waits).await, "ready");
    world.crm.sandbox().clear_faults();
    world.run().await;
    assert_eq!(
        world.state(lead).await,
        "intended",
        "nothing is tried before a person has spoken"
    );
    let listed = gatekeeper(world, &["in-doubt", "list", "--json"]).await;
    let listed: Value = serde_json::from_str(&listed.stdout).unwrap();
    assert_eq!(listed[0]["leads"], json!([lead]));
    assert_eq!(listed[0]["waiting"], 1);
    (lead, waits, listed[0]["intent_id"].as_str().unwrap().to_owned())
}

async fn resolve(world: &World, intent: &str, words: &[&str]) -> (Option<i32>, String) {
    let said = gatekeeper(
        world,
        &[&["in-doubt", "resolve", intent, "--note", "looked at"], words].concat(),
    )
    .await;
    (said.code, said.stdout + &said.stderr)
}

#[tokio::test]
async fn a_write_that_a_person_calls_applied_is_done_and_the_next_one_goes_on() {
    let world = World::new().await;
    let (lead, waits, intent) = in_doubt(&world, true).await;
    let (code, said) = resolve(&world, &intent, &["--as", "applied"]).await;
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("--crm-id"), "{said}");
    let made = world.effects(Kind::Create).last().unwrap().id.to_string();
    let (code, said) = resolve(&world, &intent, &["--as", "applied", "--crm-id", &made]).await;
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(resolve(&world, &intent, &["--as", "lost"]).await.0, Some(2), "once");
    world.settle().await;
    assert_eq!(world.state(lead).await, "done");
    assert_eq!(world.state(waits).await, "done");
    assert_eq!(world.contact(&made)["city"], "Riga");
    assert_eq!(world.contacts().len(), 2);
    let acted = "select command || ' ' || split_part(note, ' ', 3) || ' ' || split_part(note, ': ', 2) from audit.steward_action";
    assert_eq!(world.ask(acted).await, "in-doubt resolve applied: looked at");
}

#[tokio::test]
async fn a_write_that_a_person_calls_lost_is_decided_anew_and_one_contact_whoever_was_right() {
    for applies in [false, true] {
        let world = World::new().await;
        let (lead, waits, intent) = in_doubt(&world, applies).await;
        let (code, said) = resolve(&world, &intent, &["--as", "lost"]).await;
        assert_eq!(code, Some(0), "{said}");
        world.settle().await;
        assert_eq!(world.state(lead).await, "done");
        assert_eq!(world.state(waits).await, "done");
        assert_eq!(world.contacts().len(), 2);
    }
}

#[tokio::test]
async fn a_write_that_a_person_wants_tried_again_is_looked_up_and_made() {
    let world = World::new().await;
    let (lead, _, intent) = in_doubt(&world, false).await;
    let (code, said) = resolve(&world, &intent, &["--as", "again"]).await;
    assert_eq!(code, Some(0), "{said}");
    world.settle().await;
    assert_eq!(world.state(lead).await, "done");
    assert_eq!(world.contacts().len(), 2);
}
