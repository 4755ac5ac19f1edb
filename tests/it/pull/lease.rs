//! One replica at a time.

use std::sync::Arc;
use std::time::Duration;

use gatekeeper::pull::{PassEnd, PullError, PullSettings};
use gatekeeper::sandbox::{Options, Rule};

use super::scene::{Scene, person, sharp};

fn slow_list() -> Rule {
    Rule {
        operation: Some("list".to_owned()),
        delay_ms: Some(20),
        ..Rule::default()
    }
}

#[tokio::test]
async fn two_loops_at_once_do_not_both_run_a_pass() {
    let scene = Scene::new(Options::default()).await;
    scene.seed((0..1_000).map(person));
    scene.faults(vec![slow_list()]);
    let other = scene.another(sharp(), Vec::new()).await;
    let (one, two) = tokio::join!(scene.pull.full_load(|_| ()), other.full_load(|_| ()));
    let mut ends = [one.unwrap().end, two.unwrap().end];
    ends.sort_by_key(|end| *end == PassEnd::Held);
    assert_eq!(ends, [PassEnd::Complete, PassEnd::Held]);
    assert_eq!(scene.calls("list"), 10);
}

#[tokio::test]
async fn a_lapsed_lease_is_taken_over_where_the_pass_stands_and_the_former_holder_writes_no_more() {
    let settings = PullSettings {
        lease: Duration::from_secs(1),
        ..sharp()
    };
    let scene = Scene::with(Options::default(), settings).await;
    let ids = scene.seed((0..2_000).map(person));
    // The eighth page hangs for longer than the lease.
    scene.faults(vec![Rule {
        operation: Some("list".to_owned()),
        nth: Some(8),
        delay_ms: Some(3_000),
        ..Rule::default()
    }]);
    let first = tokio::spawn({
        let pull = Arc::clone(&scene.pull);
        async move { pull.full_load(|_| ()).await }
    });
    let other = scene.another(settings, Vec::new()).await;
    let report = crate::support::eventually(Duration::from_secs(20), "the pass is taken over", async || {
        let begun = scene
            .ask("select count(*)::text from gate.mirror_progress where rows_read >= 700")
            .await;
        if begun == "0" {
            return Err("the first has not come so far".to_owned());
        }
        match other.full_load(|_| ()).await.unwrap() {
            report if report.end == PassEnd::Complete => Ok(report),
            report => Err(format!("{report:?}")),
        }
    })
    .await;
    assert_eq!(report.found.rows, 2_000, "each page counts once");
    assert_eq!(scene.alive().await, ids);
    assert!(matches!(first.await.unwrap(), Err(PullError::TakenOver { .. })));
    assert_eq!(
        scene.ask("select rows_read::text from gate.mirror_progress").await,
        "2000"
    );
}

#[tokio::test]
async fn the_pass_of_a_replica_that_is_known_to_be_dead_is_free_at_once() {
    let scene = Scene::new(Options::default()).await;
    scene.seed((0..200).map(person));
    let dead = uuid::Uuid::now_v7();
    scene
        .db
        .run(&format!(
            "insert into gate.replica (replica_id, host_id, process_id, process_started, version, lease_until)
             values ('{dead}', 'h', 1, '1', '0', now() - interval '1 second');
             insert into gate.mirror_progress (pass, cursor, started_at, replica_id, lease_until)
             values ('full', null, now(), '{dead}', now() + interval '1 hour')"
        ))
        .await;
    let report = scene.pull.tick().await.unwrap();
    assert_eq!(report.passes[0].end, PassEnd::Complete);
}
