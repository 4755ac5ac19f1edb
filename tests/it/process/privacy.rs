//! Personal data stays inside: neither the log at its most talkative nor the metrics hold a value of a lead.

use std::time::Duration;

use gatekeeper::sandbox::Rule;
use rustix::process::Signal;
use serde_json::json;

use super::Daemon;
use super::pages::scrape;
use crate::flow::world::World;
use crate::support::eventually;

/// What the leads and the settings hold that must be seen nowhere.
const CANARIES: [&str; 8] = [
    "canaryfirst",
    "canarylast",
    "canarymail",
    "canarycompany",
    "canarystreet",
    "5552671",
    "canaryid",
    "canary-token",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_value_of_a_lead_and_no_token_is_in_the_log_or_in_the_metrics() {
    let options = gatekeeper::sandbox::Options {
        token: "canary-token-4711".to_owned(),
        ..Default::default()
    };
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let world = World::with(options, |config| {
        config.daemon.log_filter = "trace".to_owned();
        config.daemon.metrics_listen = format!("127.0.0.1:{port}");
    })
    .await;
    world.seed(json!([
        {"email": "canarymail.a@example.com", "firstname": "Canaryfirst", "lastname": "Canarylast"},
        {"phone": "+1 415 555 2671", "firstname": "Canaryfirst", "lastname": "Canarylast"},
    ]));
    // Every way: created, changed, refused by us and by the CRM, in review, unknown, throttled, conflicting.
    world.faults(vec![
        Rule {
            operation: Some("batch_create".to_owned()),
            body_contains: Some("canarymail.bad".to_owned()),
            status: Some(400),
            ..Rule::default()
        },
        Rule {
            operation: Some("batch_create".to_owned()),
            nth: Some(2),
            drop_answer_after_apply: true,
            ..Rule::default()
        },
        Rule {
            operation: Some("batch_update".to_owned()),
            nth: Some(1),
            status: Some(429),
            retry_after_s: Some(1),
            ..Rule::default()
        },
    ]);
    let person = json!({
        "source": "payments", "first_name": "Canaryfirst", "last_name": "Canarylast", "company": "Canarycompany",
        "street": "Canarystreet 1", "properties": {"message": "canarystreet", "no_such": "canarystreet"},
    });
    let with = |changes| crate::flow::world::but(person.clone(), changes);
    world
        .leads(json!([
            with(json!({"email": "canarymail.a@example.com"})),
            with(json!({"email": "canarymail.b@example.com", "external_id": "canaryid", "first_name": "Jo"})),
            with(json!({"email": "canarymail.bad@example.com", "first_name": "Kim"})),
            with(json!({"email": "canarymail@@example.com", "phone": "+1 415 canaryid"})),
            with(json!({"email": "canarymail.a@example.com", "phone": "+1 415 555 2671"})),
            with(json!({"source": "canaryid", "email": "canarymail.c@example.com"})),
        ]))
        .await;
    let mut daemon = Daemon::start(&world, &[]);
    eventually(Duration::from_secs(60), "all is done", async || {
        match world.unfinished().await {
            0 => Ok(()),
            _ => Err(world.ask("select string_agg(state, ' ') from gate.work").await),
        }
    })
    .await;
    let metrics = scrape(([127, 0, 0, 1], port).into()).await.unwrap();
    assert!(metrics.contains("gatekeeper_decisions_total"), "{metrics}");
    daemon.signal(Signal::TERM);
    assert_eq!(daemon.end(Duration::from_secs(30)).await, Some(0));
    let log = daemon.log();
    assert!(log.contains("a batch is decided"), "{log}");
    for line in log.lines().chain(metrics.lines()) {
        let lower = line.to_lowercase();
        for canary in CANARIES {
            assert!(!lower.contains(canary), "{canary} is in: {line}");
        }
    }
}
