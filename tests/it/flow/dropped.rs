//! A pass that is dropped at any of its waits, as a task that is aborted is: nothing stays half done.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use futures::future::try_join_all;
use gatekeeper::daemon::connect_crm;
use gatekeeper::domain::ReplicaId;
use gatekeeper::push::sender::{Sender, SenderSettings};
use gatekeeper::push::{Push, PushReport, PushSettings};
use gatekeeper::sandbox::Kind;
use gatekeeper::store::replica::{ReplicaIdentity, start_replica, stop_replica};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::world::World;

/// Two leads for each of them.
const PEOPLE: usize = 30;

/// Small, so that the passes are many.
const BATCH_LEADS: usize = 4;

/// Whether a future that is polled `polls` times at most comes to its end.
async fn polled<T>(future: impl Future<Output = T>, polls: usize) -> Option<T> {
    let mut future = pin!(future);
    let mut polled = 0;
    std::future::poll_fn(|context| {
        polled += 1;
        match future.as_mut().poll(context) {
            Poll::Ready(end) => Poll::Ready(Some(end)),
            Poll::Pending if polled >= polls => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// Every connection of the pool answers, and none of them is in a transaction.
async fn all_connections_are_clean(world: &World) {
    let store = world.db.store();
    let asked = (0..world.config.database.pool_size).map(|_| store.client());
    let clients = try_join_all(asked).await.expect("the pool gives connections");
    let answers = clients.iter().map(|client| client.query_one("select 1", &[]));
    try_join_all(answers).await.expect("they work");
    let idle = "select count(*) from pg_stat_activity
         where datname = current_database() and state like 'idle in transaction%'";
    let idle: i64 = clients[0].query_one(idle, &[]).await.unwrap().get(0);
    assert_eq!(idle, 0, "connections are left inside a transaction");
}

#[tokio::test]
async fn a_pass_dropped_at_any_of_its_waits_leaves_nothing_half_done() {
    let world = World::new().await;
    world.mirror().await;
    let person = |person: usize, source: &str| {
        json!({
            "source": source,
            "email": format!("person.{person}@example.com"),
            "first_name": "Pat",
            "last_name": format!("Number{person}"),
        })
    };
    let leads: Vec<Value> = (0..PEOPLE)
        .flat_map(|number| [person(number, "sales"), person(number, "payments")])
        .collect();
    let leads = world.leads(Value::Array(leads)).await;

    let replica = ReplicaId::new();
    let me = ReplicaIdentity {
        replica_id: replica,
        host_id: "dropped".to_owned(),
        process_id: 1,
        process_started: String::new(),
    };
    let store = world.db.store().clone();
    start_replica(&store.client().await.unwrap(), &me, Duration::from_secs(60), &[])
        .await
        .unwrap();
    let stop = CancellationToken::new();
    let (line, rulebook) = connect_crm(&world.config, &store, replica, &stop).await.unwrap();
    let settings = SenderSettings {
        calls_in_flight: 1,
        linger: Duration::ZERO,
        queue_limit: 1_000,
        settle_seconds: 1,
        max_attempts: 3,
    };
    // It is not run: what a dropped pass intended and what a whole one handed over are both left to who comes after.
    let (_sender, handle) = Sender::new(Arc::clone(&line), store.clone(), rulebook.clone(), settings, || true);
    let settings = PushSettings {
        batch_leads: BATCH_LEADS,
        suspect_claims: 1_000,
        max_claims: 1_000,
        max_mirror_age: Duration::from_secs(3_600),
        shadow: false,
    };
    let push = Push::new(store.clone(), line, rulebook, replica, settings, handle);

    let mut dropped = 0;
    let mut whole = 0;
    let mut polls = 0;
    loop {
        polls += 1;
        let report: Option<PushReport> = polled(push.pass(), polls).await.transpose().expect("a pass succeeds");
        all_connections_are_clean(&world).await;
        match report {
            None => dropped += 1,
            Some(report) if report.claimed > 0 => {
                whole += 1;
                polls = 0;
            }
            Some(_) => break,
        }
    }
    assert!(dropped > 20, "{dropped} passes were dropped");
    assert!(whole > 2, "{whole} passes came to their end");

    stop_replica(&store.client().await.unwrap(), replica).await.unwrap();
    world.settle().await;
    assert_eq!(world.effects(Kind::Create).len(), PEOPLE);
    assert_eq!(world.contacts().len(), PEOPLE);
    let twice = "select count(*)
         from (select lead_id from audit.decision where outcome is not null group by lead_id having count(*) > 1) as twice";
    assert_eq!(world.count(twice).await, 0);
    let done = "select count(*) from gate.work where state = 'done'";
    assert_eq!(world.count(done).await, i64::try_from(leads.len()).unwrap());
}
