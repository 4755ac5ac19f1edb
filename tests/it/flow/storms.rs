//! The CRM as such is not well: nobody is charged for it, nothing dies of it, all is done afterwards.

use std::time::{Duration, Instant};

use gatekeeper::crm::CrmError;
use gatekeeper::daemon::{self, DaemonError, RunOptions};
use gatekeeper::sandbox::Rule;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::world::World;
use crate::support::eventually;

fn people(count: usize) -> Value {
    let lead =
        |number: usize| json!({"source": "sales", "email": format!("p{number}@example.com"), "first_name": "Pat"});
    (0..count).map(lead).collect()
}

async fn nobody_was_charged(world: &World, leads: i64) {
    let done = "select count(*) from gate.work where state = 'done' and attempts = 0";
    assert_eq!(world.count(done).await, leads);
    assert_eq!(world.count("select count(*) from gate.dead_letter").await, 0);
    assert_eq!(world.contacts().len() as i64, leads);
}

#[tokio::test]
async fn storms_of_429_503_and_423_charge_no_lead_and_kill_none() {
    for (status, retry_after_s) in [(429, Some(1)), (503, None), (423, Some(1)), (477, Some(1)), (500, None)] {
        let world = World::new().await;
        world.faults(vec![Rule {
            status: Some(status),
            for_ms: Some(3_000),
            retry_after_s,
            ..Rule::default()
        }]);
        world.leads(people(150)).await;
        world.settle().await;
        nobody_was_charged(&world, 150).await;
        // Nobody hammers on the door.
        let during = world.crm.sandbox().faults()[0].hit;
        assert!((1..=40).contains(&during), "{during} calls during a storm of {status}");
    }
}

#[tokio::test]
async fn a_storm_that_hits_writes_alone_leaves_one_contact_for_each_person() {
    for status in [429, 503, 423] {
        let world = World::new().await;
        world.faults(vec![Rule {
            operation: Some("batch_create".to_owned()),
            status_after_apply: (status == 503).then_some(status),
            status: (status != 503).then_some(status),
            times: Some(3),
            retry_after_s: Some(1),
            ..Rule::default()
        }]);
        world.leads(people(250)).await;
        world.settle().await;
        nobody_was_charged(&world, 250).await;
    }
}

#[tokio::test]
async fn a_token_that_went_stale_stops_all_until_a_new_one_stands_in_its_file() {
    let world = World::new().await;
    world
        .settled(json!({"source": "sales", "email": "first@example.com"}))
        .await;
    world.faults(vec![Rule {
        operation: Some("batch_read".to_owned()),
        answer_delay_ms: Some(500),
        ..Rule::default()
    }]);
    world.leads(people(20)).await;
    let meddle = async {
        let patience = Duration::from_secs(20);
        eventually(patience, "the probe is on the wire", async || {
            match world.requests("batch_read").len() {
                1 => Err(()),
                _ => Ok(()),
            }
        })
        .await;
        world.set_token("gone-stale");
        eventually(patience, "the token is refused", async || {
            let creates = world.requests("batch_create");
            let refused = creates.iter().any(|request| request.status == Some(401));
            if refused { Ok(()) } else { Err(creates) }
        })
        .await;
        assert_eq!(world.contacts().len(), 1);
        world.set_token("sandbox-token");
    };
    tokio::join!(meddle, world.run());
    super::invariants::check(&world).await;
    nobody_was_charged(&world, 21).await;
}

#[tokio::test]
async fn a_run_that_somebody_waits_for_ends_when_the_token_stays_refused() {
    let world = World::new().await;
    world
        .settled(json!({"source": "sales", "email": "first@example.com"}))
        .await;
    world.faults(vec![Rule {
        operation: Some("batch_create".to_owned()),
        status: Some(401),
        ..Rule::default()
    }]);
    world.leads(people(20)).await;
    let options = RunOptions {
        until_idle: true,
        patience: Duration::from_secs(1),
    };
    let run = daemon::run(world.config.clone(), options, CancellationToken::new());
    let ended = tokio::time::timeout(Duration::from_secs(60), run).await;
    let error = ended.expect("the run ends").unwrap_err();
    assert!(
        matches!(error, DaemonError::Crm(CrmError::Unauthorized { .. })),
        "{error:?}"
    );

    world.crm.sandbox().clear_faults();
    world.settle().await;
    nobody_was_charged(&world, 21).await;
}

#[tokio::test]
async fn refusals_of_the_token_that_pass_charge_nobody() {
    let world = World::new().await;
    world
        .settled(json!({"source": "sales", "email": "first@example.com"}))
        .await;
    world.faults(vec![Rule {
        operation: Some("batch_create".to_owned()),
        status: Some(401),
        for_ms: Some(2_000),
        ..Rule::default()
    }]);
    world.leads(people(20)).await;
    world.settle().await;
    nobody_was_charged(&world, 21).await;
}

#[tokio::test]
async fn with_nothing_left_for_retries_they_are_few_and_the_lead_comes_through() {
    let world = World::new().await;
    world
        .settled(json!({"source": "sales", "email": "first@example.com"}))
        .await;
    world.faults(vec![Rule {
        operation: Some("batch_read".to_owned()),
        status: Some(503),
        times: Some(2),
        ..Rule::default()
    }]);
    world
        .db
        .run("update gate.retry_budget set tokens = 0, counted_at = clock_timestamp()")
        .await;
    let begun = Instant::now();
    let lead = world
        .settled(json!({"source": "sales", "email": "ann@example.com"}))
        .await;
    assert_eq!(world.state(lead).await, "done");
    let took = begun.elapsed();
    // Two retries of five tokens each, one token a second, and one for each call that worked meanwhile.
    assert!(took >= Duration::from_secs(6), "the retries cost nothing: {took:?}");
}
