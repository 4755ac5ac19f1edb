//! Second deliveries: a source that sends a row again, unchanged or changed.

use gatekeeper::sandbox::Kind;
use serde_json::json;

use super::world::{World, but, robert};

#[tokio::test]
async fn a_row_that_is_delivered_again_has_no_effect() {
    let world = World::new().await;
    let leads = world.leads(json!([robert(), robert()])).await;
    world.settle().await;
    let again = world.settled(robert()).await;
    assert_eq!(world.writes(), (1, 0));
    for repeat in [leads[1], again] {
        let decision = world.decision(repeat).await;
        assert_eq!(decision.action, "coalesced");
        assert_eq!(
            decision.reason.unwrap(),
            format!("repeat_delivery of lead {}", leads[0])
        );
    }
}

#[tokio::test]
async fn changed_content_under_the_same_key_is_worked_off() {
    let world = World::new().await;
    world.settled(robert()).await;
    let changed = but(
        robert(),
        json!({"city": "Shelbyville", "occurred_at": "2025-02-01T00:00:00Z"}),
    );
    let changed = world.settled(changed).await;
    assert_eq!(world.decision(changed).await.action, "update");
    assert_eq!(world.only_contact()["city"], "Shelbyville");
    // Back to what it was first, and said to be as old as it was then: rightly without effect, a newer value is known.
    let back = world.settled(robert()).await;
    assert_eq!(world.decision(back).await.action, "unchanged");
    assert_eq!(world.only_contact()["city"], "Shelbyville");
}

#[tokio::test]
async fn a_row_that_changes_and_changes_back_is_no_repeat_of_its_first_delivery() {
    let world = World::new().await;
    let row = |city: &str| but(robert(), json!({"city": city, "occurred_at": null}));
    for batching in ["one by one", "together"] {
        if batching == "together" {
            world.leads(json!([row("Rome"), row("Oslo"), row("Rome")])).await;
            world.settle().await;
        } else {
            world.settled(row("Rome")).await;
            world.settled(row("Oslo")).await;
            world.settled(row("Rome")).await;
        }
        assert_eq!(world.only_contact()["city"], "Rome", "{batching}");
    }
}

#[tokio::test]
async fn rows_without_a_key_are_never_taken_for_repeats() {
    let world = World::new().await;
    let lead = but(robert(), json!({"source_key": null}));
    world.settled(lead.clone()).await;
    let again = world.settled(lead).await;
    assert_eq!(world.decision(again).await.action, "unchanged");
    assert_eq!(world.writes(), (1, 0));
}

#[tokio::test]
async fn a_lead_that_says_the_same_in_another_spelling_is_no_write() {
    let world = World::new().await;
    world.settled(robert()).await;
    let same = but(
        robert(),
        json!({
            "source": "payments", "source_key": "P-9", "email": "ROBERT.SMITH@ACME.EXAMPLE", "phone": "(415) 555-2671",
            "first_name": "ROBERT", "last_name": "smith", "company": "acme inc.", "city": "SPRINGFIELD",
            "occurred_at": "2025-06-01T00:00:00Z",
        }),
    );
    let same = world.settled(same).await;
    let decision = world.decision(same).await;
    assert_eq!(
        (decision.action.as_str(), decision.outcome.as_deref()),
        ("unchanged", Some("none"))
    );
    assert!(world.effects(Kind::Update).is_empty());
}
