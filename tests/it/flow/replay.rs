//! Dead letters decided anew, repeats of them, and leads that are suspected of killing the process.

use serde_json::json;

use super::world::{World, but, robert};
use crate::process::gatekeeper;

async fn dead(world: &World, words: &[&str]) -> String {
    let done = gatekeeper(world, &[&["dead"], words].concat()).await;
    assert_eq!(done.code, Some(0), "{words:?}: {}", done.stderr);
    done.stdout
}

#[tokio::test]
async fn a_replay_decides_anew_against_todays_rules_and_mirror() {
    let world = World::new().await;
    let lead = world.settled(but(robert(), json!({"source": "trade fair"}))).await;
    assert_eq!(world.state(lead).await, "dead unknown_source");
    assert!(world.contacts().is_empty());
    // Replayed too early it is dead again, with a reason of its own.
    dead(&world, &["replay", &lead.to_string()]).await;
    world.settle().await;
    assert_eq!(world.state(lead).await, "dead unknown_source");
    // The steward enters the source; meanwhile somebody else has made the person.
    world
        .db
        .run("insert into rules.source (source, rank) values ('trade fair', 70)")
        .await;
    let id = world
        .seed(json!([{"email": "robert.smith@acme.example", "firstname": "Robert"}]))
        .remove(0);
    world.mirror().await;
    let said = dead(&world, &["replay", "--reason", "unknown_source", "--note", "entered"]).await;
    assert!(said.contains('1'), "{said}");
    world.settle().await;
    let decision = world.decision(lead).await;
    assert_eq!((decision.action.as_str(), decision.crm_id), ("update", Some(id)));
    assert_eq!(world.only_contact()["lastname"], "Smith");
    let decisions =
        format!("select string_agg(action, ' ' order by decision_id) from audit.decision where lead_id = {lead}");
    assert_eq!(world.ask(&decisions).await, "dead dead update");
}

#[tokio::test]
async fn a_discarded_lead_stays_dead() {
    let world = World::new().await;
    let lead = world.settled(but(robert(), json!({"source": "nobody"}))).await;
    dead(&world, &["discard", &lead.to_string()]).await;
    dead(&world, &["replay", &lead.to_string()]).await;
    world.settle().await;
    assert_eq!(world.count("select count(*) from audit.entry").await, 1);
    assert_eq!(world.ask("select state from report.dead_letter").await, "discarded");
}

#[tokio::test]
async fn a_repeat_of_a_dead_lead_is_a_repeat_and_the_replay_of_the_first_serves_both() {
    let world = World::new().await;
    let lead = but(robert(), json!({"source": "trade fair"}));
    let first = world.settled(lead.clone()).await;
    let second = world.settled(lead.clone()).await;
    world
        .db
        .run("insert into rules.source (source, rank) values ('trade fair', 70)")
        .await;
    dead(&world, &["replay", "--reason", "unknown_source"]).await;
    world.settle().await;
    assert_eq!(world.contacts().len(), 1);
    assert_eq!(world.decision(first).await.action, "create");
    let third = world.settled(lead).await;
    for repeat in [second, third] {
        let decision = world.decision(repeat).await;
        assert_eq!(decision.action, "coalesced");
        assert_eq!(decision.reason.unwrap(), format!("repeat_delivery of lead {first}"));
    }
}

#[tokio::test]
async fn a_lead_suspected_of_killing_the_process_is_taken_alone_and_then_not_at_all() {
    let world = World::new().await;
    let leads = world
        .leads(json!([
            {"source": "sales", "email": "a@example.com"},
            {"source": "sales", "email": "b@example.com"},
            {"source": "sales", "email": "c@example.com"},
        ]))
        .await;
    // As if the process had died over the first one three times, and over the second one five times.
    world
        .db
        .run(&format!(
            "update gate.work set claims = 3 where lead_id = {}; update gate.work set claims = 5 where lead_id = {}",
            leads[0], leads[1]
        ))
        .await;
    world.settle().await;
    assert_eq!(world.state(leads[0]).await, "done");
    assert_eq!(world.state(leads[1]).await, "dead crash_suspect");
    assert_eq!(world.state(leads[2]).await, "done");
    // Each of the suspects was decided in a transaction of its own.
    let together = "select count(distinct xmin::text) from audit.entry";
    assert_eq!(world.count(together).await, 3);
}
