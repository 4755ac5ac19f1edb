//! Shadow: everything is decided and audited, nothing is written, and it can be made real.

use gatekeeper::sandbox::Options;
use gatekeeper::store::shadow;
use serde_json::{Value, json};

use super::world::{World, but};
use crate::process::gatekeeper;

fn ann(source: &str, city: &str) -> Value {
    json!({
        "source": source, "email": "ann@example.com", "first_name": "Ann", "last_name": "Arbor", "city": city,
        "occurred_at": "2025-01-10T12:00:00Z",
    })
}

const SUMMARY: &str = "select coalesce(string_agg(concat_ws(' ', source, leads, would_create, would_change, unchanged), '; ' order by source), '')
    from report.shadow_summary";

#[tokio::test]
async fn a_source_in_shadow_is_decided_and_not_written_and_others_see_nothing_of_it() {
    let world = World::new().await;
    let client = world.db.client().await;
    let webinar = ["webinar".to_owned()];
    let changed = shadow::set_shadow(&client, Some(&webinar), true).await.unwrap();
    assert_eq!(changed, ["webinar"]);
    // In one batch: two leads of one new person in shadow, then a real one of the same person.
    let leads = world
        .leads(json!([
            ann("webinar", "Kiel"),
            but(ann("webinar", "Riga"), json!({"occurred_at": "2025-01-11T12:00:00Z"})),
            ann("sales", "Oslo"),
        ]))
        .await;
    world.settle().await;
    let decided = |decision: super::world::Decision| (decision.action, decision.outcome.unwrap_or_default());
    let of = |action: &str, outcome: &str| (action.to_owned(), outcome.to_owned());
    assert_eq!(decided(world.decision(leads[0]).await), of("create", "shadow"));
    assert_eq!(decided(world.decision(leads[1]).await), of("coalesced", "shadow"));
    assert_eq!(decided(world.decision(leads[2]).await), of("create", "applied"));
    assert_eq!(world.only_contact()["city"], "Oslo");
    assert_eq!(world.writes(), (1, 0));
    assert_eq!(world.ask(SUMMARY).await, "webinar 2 1 0 0");
    let diff = "select string_agg(concat_ws(' ', action, contact_id, field, old_value, new_value), '; ' order by decision_id, field)
        from report.shadow_diff where field = 'city'";
    assert_eq!(world.ask(diff).await, "create city Kiel; coalesced city Kiel Riga");
    // The same again against a contact that is there.
    let later = world.settled(ann("webinar", "Bonn")).await;
    assert_eq!(decided(world.decision(later).await), of("unchanged", "shadow"));
    let newer = but(ann("webinar", "Oslo"), json!({"phone": "+1 415 555 2671"}));
    let newer = world.settled(newer).await;
    assert_eq!(decided(world.decision(newer).await), of("update", "shadow"));
    assert_eq!(world.writes(), (1, 0));
    assert_eq!(world.ask(SUMMARY).await, "webinar 4 1 1 1");
}

#[tokio::test]
async fn what_was_decided_in_shadow_is_written_when_it_is_replayed() {
    let world = World::new().await;
    let client = world.db.client().await;
    shadow::set_shadow(&client, None, true).await.unwrap();
    let lead = world.settled(ann("webinar", "Kiel")).await;
    assert_eq!(world.writes(), (0, 0));
    // Replayed while the source is still in shadow: decided anew, and not written.
    let replayed = shadow::replay_shadow(&client, None, 10, None, false).await.unwrap();
    assert_eq!(replayed, 1);
    world.settle().await;
    assert_eq!(world.writes(), (0, 0));
    assert_eq!(world.ask(SUMMARY).await, "webinar 1 1 0 0");
    shadow::set_shadow(&client, None, false).await.unwrap();
    assert_eq!(
        shadow::replay_shadow(&client, Some("fair"), 10, None, true)
            .await
            .unwrap(),
        0
    );
    assert_eq!(
        shadow::replay_shadow(&client, Some("webinar"), 10, None, true)
            .await
            .unwrap(),
        1
    );
    assert_eq!(
        shadow::replay_shadow(&client, Some("webinar"), 10, Some("seen"), false)
            .await
            .unwrap(),
        1
    );
    world.settle().await;
    assert_eq!(world.decision(lead).await.outcome.as_deref(), Some("applied"));
    assert_eq!(world.only_contact()["city"], "Kiel");
    assert_eq!(world.ask(SUMMARY).await, "");
}

#[tokio::test]
async fn a_row_that_was_only_decided_for_show_counts_as_new_when_it_is_delivered_again() {
    let world = World::new().await;
    let client = world.db.client().await;
    shadow::set_shadow(&client, None, true).await.unwrap();
    let row = but(ann("webinar", "Kiel"), json!({"source_key": "W-1"}));
    world.settled(row.clone()).await;
    shadow::set_shadow(&client, None, false).await.unwrap();
    let again = world.settled(row.clone()).await;
    assert_eq!(world.decision(again).await.action, "create");
    let third = world.settled(row).await;
    assert_eq!(
        world.decision(third).await.reason.as_deref(),
        Some(format!("repeat_delivery of lead {again}").as_str())
    );
}

#[tokio::test]
async fn the_setting_puts_everything_in_shadow() {
    let world = World::with(Options::default(), |config| config.gate.shadow = true).await;
    world.seed(json!([{"email": "ann@example.com"}]));
    let lead = world.settled(ann("webinar", "Kiel")).await;
    assert_eq!(world.decision(lead).await.outcome.as_deref(), Some("shadow"));
    let dead = world.settled(json!({"source": "webinar", "city": "Kiel"})).await;
    assert_eq!(world.decision(dead).await.outcome.as_deref(), Some("none"));
    assert_eq!(world.state(dead).await, "dead no_identifier");
    assert_eq!(world.writes(), (0, 0));
}

#[tokio::test]
async fn the_command_shows_what_would_have_been_written_and_makes_it_real() {
    let world = World::new().await;
    let run = async |words: &[&str]| {
        let done = gatekeeper(&world, words).await;
        assert_eq!(done.code, Some(0), "{words:?}: {}", done.stderr);
        done.stdout
    };
    assert!(run(&["shadow", "on", "webinar"]).await.contains("webinar in shadow"));
    assert!(run(&["status"]).await.contains("sources in shadow"));
    world.settled(ann("webinar", "Kiel")).await;
    let shown = run(&["shadow", "show"]).await;
    assert!(shown.contains("would create") && shown.contains("Kiel"), "{shown}");
    let json: Value = serde_json::from_str(&run(&["shadow", "show", "--json"]).await).unwrap();
    assert_eq!(json["summary"][0]["would_create"], 1);
    assert!(
        run(&["shadow", "replay", "--dry-run"])
            .await
            .contains("1 lead would be replayed")
    );
    assert!(run(&["shadow", "off", "--all"]).await.contains("out of shadow"));
    run(&["shadow", "replay", "--source", "webinar", "--note", "seen"]).await;
    world.settle().await;
    assert_eq!(world.only_contact()["city"], "Kiel");
    assert!(run(&["shadow", "show"]).await.contains("No lead"));
}
