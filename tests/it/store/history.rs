//! A database that went on from another point than it was left at is noticed.

use std::path::Path;
use std::time::Duration;

use gatekeeper::config::Config;
use gatekeeper::domain::ReplicaId;
use gatekeeper::store::Store;
use gatekeeper::store::embedded::{Embedded, Plan};
use gatekeeper::store::hold::{HoldKind, current_hold};
use gatekeeper::store::replica::{ReplicaIdentity, start_replica};

use crate::support::{Directory, config_for, plan_of_a_standby, write_in_cluster};

/// Opens the cluster, starts a replica on it, and says what is held and what was noted.
async fn start(plan: &Plan, after: &str) -> (Option<HoldKind>, String) {
    let embedded = Embedded::open(plan).await.unwrap();
    let mut config: Config = config_for("postgres");
    config.database.url = embedded.url("gatekeeper");
    let store = Store::open(&config).await.unwrap();
    store.install().await.unwrap();
    let client = store.client().await.unwrap();
    let me = ReplicaIdentity {
        replica_id: ReplicaId::new(),
        host_id: "test".to_owned(),
        process_id: 1,
        process_started: String::new(),
    };
    start_replica(&client, &me, Duration::from_secs(60), &[]).await.unwrap();
    let hold = current_hold(&client).await.unwrap().map(|hold| hold.kind);
    let noted = "select coalesce(string_agg(command, ', ' order by action_id), '') from audit.steward_action";
    let noted = client.query_one(noted, &[]).await.unwrap().get(0);
    client.batch_execute(after).await.unwrap();
    drop(client);
    store.close().await;
    embedded.close().await;
    (hold, noted)
}

/// From its next start on the cluster goes on as one that was recovered from its log: on a new timeline, as a standby that is
/// promoted does.
fn recover_at_the_next_start(data_directory: &Path) {
    write_in_cluster(&data_directory.join("cluster"), "recovery.signal", "");
}

#[tokio::test]
async fn a_promoted_server_is_a_failover_and_one_that_was_not_seen_for_long_is_a_restored_one() {
    let directory = Directory::new("history");
    let plan = plan_of_a_standby(&directory.path().join("data"));
    assert_eq!(start(&plan, "").await, (None, String::new()));
    assert_eq!(start(&plan, "").await, (None, String::new()), "a restart is nothing");

    recover_at_the_next_start(&plan.data_directory);
    let long_ago = "update gate.site set history_noted_at = now() - interval '1 hour'";
    assert_eq!(start(&plan, long_ago).await, (None, "reconcile, failover".to_owned()));

    recover_at_the_next_start(&plan.data_directory);
    let (hold, noted) = start(&plan, "").await;
    assert_eq!(hold, Some(HoldKind::Restored));
    assert_eq!(noted, "reconcile, failover, restored");
}
