//! Dead letters decided anew, repeats of them, and leads that are suspected of killing the process.

use gatekeeper::daemon::connect_crm;
use gatekeeper::domain::ReplicaId;
use gatekeeper::push::{PushSettings, action_name, predict};
use gatekeeper::store::ask::{Pick, list_dead, replay_dead, replay_review};
use serde_json::json;
use tokio_util::sync::CancellationToken;

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

/// What would be decided about leads today: `action reason`, by lead.
async fn predicted(world: &World, leads: &[i64]) -> Vec<String> {
    let stop = CancellationToken::new();
    let (line, rulebook) = connect_crm(&world.config, world.db.store(), ReplicaId::new(), &stop)
        .await
        .unwrap();
    let settings = PushSettings::of(&world.config);
    let decisions = predict(world.db.store(), &line, &rulebook, &settings, leads)
        .await
        .unwrap();
    let told = decisions.into_iter().map(|decision| {
        let action = action_name(decision.action);
        decision
            .reason
            .map_or_else(|| action.to_owned(), |reason| format!("{action} {reason}"))
    });
    told.collect()
}

/// The leads of the dead letters that a pick finds.
async fn picked(world: &World, pick: Pick) -> Vec<i64> {
    let rows = list_dead(&world.db.client().await, &pick).await.unwrap();
    let mut leads: Vec<i64> = rows.iter().filter_map(|row| row["lead_id"].as_i64()).collect();
    leads.sort_unstable();
    leads
}

#[tokio::test]
async fn dead_letters_are_picked_by_reason_source_and_time_and_a_dry_run_says_what_they_would_be() {
    let world = World::new().await;
    let leads = world
        .leads(json!([
            {"source": "new_feed", "email": "ann@example.com", "city": "Kiel"},
            {"source": "new_feed", "email": "ann@example.com", "city": "Riga"},
            {"source": "other_feed", "email": "bob@example.com"},
            {"source": "webinar", "city": "Kiel"},
        ]))
        .await;
    world.settle().await;
    let all = Pick {
        limit: 100,
        ..Pick::default()
    };
    let of = |reason: &str| Pick {
        reason: Some(reason.to_owned()),
        ..all.clone()
    };
    assert_eq!(picked(&world, of("unknown_source")).await, leads[..3]);
    assert_eq!(
        picked(
            &world,
            Pick {
                source: Some("new_feed".to_owned()),
                ..all.clone()
            }
        )
        .await,
        leads[..2]
    );
    assert_eq!(
        picked(
            &world,
            Pick {
                since: Some(chrono::Utc::now()),
                ..all.clone()
            }
        )
        .await,
        Vec::<i64>::new()
    );
    assert_eq!(
        picked(
            &world,
            Pick {
                until: Some(chrono::Utc::now()),
                ..all.clone()
            }
        )
        .await,
        leads
    );
    assert_eq!(
        picked(
            &world,
            Pick {
                limit: 1,
                ..all.clone()
            }
        )
        .await
        .len(),
        1
    );

    assert_eq!(predicted(&world, &leads[..3]).await, ["dead unknown_source"; 3]);
    world
        .db
        .run("insert into rules.source (source, rank) values ('new_feed', 10)")
        .await;
    let would_be = predicted(&world, &leads).await;
    assert_eq!(
        would_be,
        ["create", "coalesced", "dead unknown_source", "dead no_identifier"]
    );
    assert_eq!(world.writes(), (0, 0));
    assert_eq!(
        world.state(leads[0]).await,
        "dead unknown_source",
        "a dry run changes nothing"
    );

    let chosen = picked(
        &world,
        Pick {
            source: Some("new_feed".to_owned()),
            ..all
        },
    )
    .await;
    replay_dead(&world.db.client().await, &chosen, Some("entered"))
        .await
        .unwrap();
    world.settle().await;
    assert_eq!(world.decision(leads[0]).await.action, "create");
    assert_eq!(world.decision(leads[1]).await.action, "coalesced");
    assert_eq!(world.writes(), (1, 0));
}

#[tokio::test]
async fn reviews_are_decided_anew_when_what_made_them_is_mended() {
    let world = World::new().await;
    world.seed(json!([
        {"email": "ann@example.com", "firstname": "Ann", "lastname": "Arbor"},
        {"email": "bob@example.com", "firstname": "Bob", "lastname": "Brook", "phone": "+1 415 555 2671"},
    ]));
    let lead = json!({"source": "webinar", "email": "ann@example.com", "phone": "+1 415 555 2671", "city": "Kiel"});
    let lead = world.settled(lead).await;
    assert_eq!(world.state(lead).await, "review tiers_disagree");
    let client = world.db.client().await;
    assert_eq!(predicted(&world, &[lead]).await, ["review tiers_disagree"]);
    // Still in question: asked again.
    assert_eq!(replay_review(&client, &[lead], None).await.unwrap(), 1);
    world.settle().await;
    assert_eq!(world.state(lead).await, "review tiers_disagree");
    world
        .db
        .run("insert into rules.shared_phone (phone) values ('+14155552671')")
        .await;
    assert_eq!(predicted(&world, &[lead]).await, ["update"]);
    assert_eq!(replay_review(&client, &[lead], Some("a switchboard")).await.unwrap(), 1);
    world.settle().await;
    assert_eq!(world.decision(lead).await.action, "update");
    assert_eq!(world.ask("select state from gate.review").await, "replayed");
    assert_eq!(replay_review(&client, &[lead], None).await.unwrap(), 0);
}
