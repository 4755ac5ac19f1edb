//! The gate stands still: a person said so, or the database is not the one it was.

use gatekeeper::daemon::{self, DaemonError, RunOptions};
use gatekeeper::domain::ReplicaId;
use gatekeeper::sandbox::Rule;
use gatekeeper::store::hold::{HoldKind, current_hold, lift_hold, list_replicas, pause, release_replica};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::world::World;

/// A run to the end of all work, and how it ends.
async fn run(world: &World) -> Result<(), DaemonError> {
    let options = RunOptions {
        until_idle: true,
        ..RunOptions::default()
    };
    daemon::run(world.config.clone(), options, CancellationToken::new()).await
}

#[tokio::test]
async fn a_paused_gate_takes_leads_in_and_writes_nothing_until_it_is_resumed() {
    let world = World::new().await;
    world
        .settled(json!({"source": "sales", "email": "first@example.com"}))
        .await;
    let client = world.db.client().await;
    assert!(pause(&client, "the CRM is being migrated").await.unwrap());
    assert!(!pause(&client, "again").await.unwrap());
    world.lead(json!({"source": "sales", "email": "ann@example.com"})).await;
    let ended = run(&world).await;
    assert!(
        matches!(ended, Err(DaemonError::Held { kind: HoldKind::Paused })),
        "{ended:?}"
    );
    assert_eq!(world.contacts().len(), 1);

    assert!(lift_hold(&client, HoldKind::Paused, "done").await.unwrap());
    world.settle().await;
    assert_eq!(world.contacts().len(), 2);
    let said = "select string_agg(command || ': ' || note, ', ' order by action_id) from audit.steward_action";
    assert_eq!(world.ask(said).await, "pause: the CRM is being migrated, resume: done");
}

#[tokio::test]
async fn a_pause_stops_what_was_decided_and_not_yet_sent() {
    let world = World::new().await;
    world
        .settled(json!({"source": "sales", "email": "first@example.com"}))
        .await;
    let client = world.db.client().await;
    pause(&client, "look at it first").await.unwrap();
    // Decided before: the intent stands, and its sender is gone.
    world.lead(json!({"source": "sales", "email": "ann@example.com"})).await;
    world
        .db
        .run(
            "with made as (
               insert into crm.contact (gatekeeper_key, email) values ('v1.ann', 'ann@example.com') returning contact_id
             )
             insert into gate.intent (intent_id, contact_id, operation, gatekeeper_key, body, origin, replica_id)
             select gen_random_uuid(), contact_id, 'create', 'v1.ann', '{\"email\": \"ann@example.com\"}', '{}', gen_random_uuid()
             from made",
        )
        .await;
    run(&world).await.unwrap_err();
    assert_eq!(world.requests("batch_create").len(), 1, "that of the first lead");
    lift_hold(&client, HoldKind::Paused, "looked at").await.unwrap();
    let open = "select count(*) from gate.intent where state in ('open', 'unknown')";
    world.run_until(async || world.count(open).await == 0).await;
    assert_eq!(world.contacts().len(), 2);
}

/// As if the database had been `history` when a replica last saw it, `minutes` ago.
async fn was(world: &World, history: &str, minutes: u32) {
    world
        .db
        .run(&format!(
            "update gate.site set history = {history}, history_noted_at = now() - interval '{minutes} minutes'"
        ))
        .await;
}

const OTHER_TIMELINE: &str =
    "split_part(gate.history_now(), '/', 1) || '/0000000F/' || split_part(gate.history_now(), '/', 3)";

#[tokio::test]
async fn after_a_failover_the_writes_of_the_last_hour_are_looked_at_again() {
    let world = World::new().await;
    world
        .settled(json!({"source": "sales", "email": "first@example.com"}))
        .await;
    let doubted = "select count(*) from gate.intent where doubted_at is not null";
    assert_eq!(world.count(doubted).await, 0);
    was(&world, OTHER_TIMELINE, 1).await;
    world
        .settled(json!({"source": "sales", "email": "ann@example.com"}))
        .await;
    assert_eq!(world.count(doubted).await, 1, "the write before the failover");
    let said = "select string_agg(command, ', ' order by action_id) from audit.steward_action";
    assert_eq!(world.ask(said).await, "reconcile, failover");
}

#[tokio::test]
async fn a_restored_database_holds_the_gate_until_a_person_lets_it_go_on() {
    let world = World::new().await;
    world
        .settled(json!({"source": "sales", "email": "first@example.com"}))
        .await;
    for (history, minutes) in [
        (OTHER_TIMELINE, 11),
        (
            "'77/' || split_part(gate.history_now(), '/', 2) || '/' || split_part(gate.history_now(), '/', 3)",
            1,
        ),
        (
            "split_part(gate.history_now(), '/', 1) || '/' || split_part(gate.history_now(), '/', 2) || '/77'",
            1,
        ),
    ] {
        was(&world, history, minutes).await;
        let lead = world.lead(json!({"source": "sales", "email": "ann@example.com"})).await;
        let ended = run(&world).await;
        assert!(
            matches!(
                ended,
                Err(DaemonError::Held {
                    kind: HoldKind::Restored
                })
            ),
            "{history}: {ended:?}"
        );
        assert_eq!(world.state(lead).await, "ready");
        let client = world.db.client().await;
        assert!(!lift_hold(&client, HoldKind::Paused, "no").await.unwrap());
        assert!(current_hold(&client).await.unwrap().is_some());
        assert!(lift_hold(&client, HoldKind::Restored, "looked at").await.unwrap());
        world.settle().await;
        assert_eq!(world.state(lead).await, "done");
    }
}

#[tokio::test]
async fn a_released_replica_ends_by_itself_and_others_go_on() {
    let world = World::with(gatekeeper::sandbox::Options::default(), |config| {
        config.daemon.heartbeat_seconds = 1;
    })
    .await;
    let stop = CancellationToken::new();
    let released = async {
        let client = world.db.client().await;
        let replica = crate::support::eventually(std::time::Duration::from_secs(30), "it runs", async || {
            list_replicas(&client).await.unwrap().pop().ok_or(())
        })
        .await;
        let replica = ReplicaId(replica.replica_id);
        assert!(
            release_replica(&client, replica, "its machine is going away")
                .await
                .unwrap()
        );
        assert!(!release_replica(&client, replica, "again").await.unwrap());
    };
    let (ended, ()) = tokio::join!(
        daemon::run(world.config.clone(), RunOptions::default(), stop.clone()),
        released
    );
    assert!(matches!(ended, Err(DaemonError::LeaseLost)), "{ended:?}");
    world
        .settled(json!({"source": "sales", "email": "ann@example.com"}))
        .await;
}

#[tokio::test]
async fn while_the_mirror_is_a_day_old_and_the_crm_cannot_be_asked_nothing_is_decided() {
    let world = World::new().await;
    world
        .settled(json!({"source": "sales", "email": "first@example.com"}))
        .await;
    world
        .db
        .run("update gate.mirror_progress set watermark = watermark - interval '1 day' where watermark is not null")
        .await;
    let reads = ["search", "list"].map(|operation| Rule {
        operation: Some(operation.to_owned()),
        status: Some(503),
        ..Rule::default()
    });
    world.faults(reads.to_vec());
    let before = world.requests("search").len();
    world
        .lead(json!({"source": "sales", "email": "first@example.com", "city": "Riga"}))
        .await;
    world
        .run_until(async || world.requests("search").len() >= before + 2)
        .await;
    assert_eq!((world.unfinished().await, world.writes()), (1, (1, 0)));
    world.crm.sandbox().clear_faults();
    world.settle().await;
    assert_eq!((world.unfinished().await, world.writes()), (0, (1, 1)));
}
