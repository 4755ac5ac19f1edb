//! The demo, as a user runs it: the real binary, and then a look at what it left.

mod journal;
mod planted;
mod run;

use std::time::Duration;

use gatekeeper::store::embedded::{DATABASE, Embedded};
use rustix::process::{Pid, Signal, kill_process};
use tokio_postgres::NoTls;

use crate::support::{eventually, plan};
use run::Demo;

/// Leads of the sample.
const LEADS: i64 = 660;

#[tokio::test]
async fn the_demo_decides_every_lead_once_writes_no_duplicate_and_leaves_nothing_running() {
    let mut demo = Demo::start("whole");
    let (status, output, errors) = demo.wait();
    assert!(status.success(), "{status}\n{output}\n{errors}");
    assert_eq!(demo.processes(), Vec::<String>::new(), "still running");
    for said in [
        "660 delivered by COPY",
        "660 leads decided and written",
        "What was decided",
        "Calls to the CRM",
        "explain sales:00Q9001",
        "Duplicates that were there before",
        "gatekeeper merge show",
        "psql -h ",
    ] {
        assert!(
            output.contains(said) || errors.contains(said),
            "not said: {said}\n{output}"
        );
    }

    let journal = journal::read(&demo.directory().join("crm-journal.jsonl"));
    journal.nobody_is_there_twice();
    journal.no_call_was_refused();

    let cluster = Embedded::open(&plan(&demo.directory().join("database"))).await.unwrap();
    let (client, connection) = cluster.connection(DATABASE).connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    let count = async |sql: &str| client.query_one(sql, &[]).await.unwrap().get::<_, i64>(0);

    assert_eq!(count("select count(*) from staging.lead").await, LEADS);
    // One state each, and a last one.
    let ended = count("select count(*) from gate.work where state in ('done', 'review', 'dead')").await;
    assert_eq!(ended, LEADS);
    let states = "select count(*) from staging.lead_status where state in ('done', 'review', 'dead')";
    assert_eq!(count(states).await, LEADS);
    assert_eq!(
        count("select sum(leads)::bigint from report.decision_count").await,
        LEADS
    );
    assert_eq!(
        count("select count(*) from audit.decision where outcome is null").await,
        0
    );
    assert_eq!(
        count("select count(*) from report.dead_letter where state = 'waiting'").await,
        count("select count(*) from audit.decision where action = 'dead'").await
    );
    // What the audit says was created is what the CRM saw.
    assert_eq!(
        count("select count(*) from audit.decision where action = 'create' and outcome = 'applied'").await,
        i64::try_from(journal.created()).unwrap()
    );
    assert_eq!(count("select count(*) from crm.contact where crm_id is null").await, 0);

    // What was approved was merged, and nothing of it is left half-way.
    let merges = count("select merges from report.purge").await;
    assert!(merges > 100, "{merges}");
    assert_eq!(merges, i64::try_from(journal.merged()).unwrap());
    let left = "select count(*) from merge.plan where state not in ('merged', 'held')";
    assert_eq!(count(left).await, 0);
    assert_eq!(count("select count(*) from merge.plan where not_kept <> '{}'").await, 0);

    planted::check(&client).await;
    drop(client);
    cluster.close().await;
}

#[tokio::test]
async fn an_interrupted_demo_ends_what_it_started() {
    let mut demo = Demo::start("interrupted");
    // The daemon is at work then.
    let log = demo.directory().join("daemon.log");
    eventually(Duration::from_secs(60), "the daemon runs", async || {
        let text = std::fs::read_to_string(&log).unwrap_or_default();
        let running = demo.processes().iter().any(|command| command.contains("--until-idle"));
        if running { Ok(()) } else { Err(text) }
    })
    .await;
    let pid = Pid::from_raw(i32::try_from(demo.id()).unwrap()).unwrap();
    kill_process(pid, Signal::INT).unwrap();
    let (status, _, errors) = demo.wait();
    assert_eq!(status.code(), Some(1), "{errors}");
    assert!(errors.contains("interrupted"), "{errors}");
    assert_eq!(demo.processes(), Vec::<String>::new(), "still running");
}

#[test]
fn the_demo_empties_no_directory_that_is_not_its_own() {
    let directory = tempfile::tempdir().unwrap();
    let precious = directory.path().join("precious");
    std::fs::write(&precious, "x").unwrap();
    let (status, _, errors) = run::in_directory(directory.path());
    assert_eq!(status.code(), Some(1));
    assert!(
        errors.contains("is not empty and not a directory of the demo"),
        "{errors}"
    );
    assert!(precious.exists());
}
