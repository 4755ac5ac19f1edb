//! SIGTERM and SIGINT: what is on the wire is waited for, the rest is left for the next start.

use std::time::{Duration, Instant};

use gatekeeper::sandbox::{Options, Rule};
use rustix::process::Signal;
use serde_json::{Value, json};

use super::Daemon;
use crate::flow::invariants;
use crate::flow::world::World;
use crate::support::eventually;

fn people(count: usize) -> Value {
    let lead =
        |number: usize| json!({"source": "sales", "email": format!("p{number}@example.com"), "first_name": "Pat"});
    (0..count).map(lead).collect()
}

/// A CRM whose every answer takes a while.
async fn slow(ms: u64) -> World {
    let delay = Rule {
        answer_delay_ms: Some(ms),
        ..Rule::default()
    };
    let options = Options {
        faults: vec![delay],
        ..Options::default()
    };
    World::with(options, |config| {
        config.limits.calls_in_flight = 2;
        config.gate.batch_leads = 200;
    })
    .await
}

async fn writes_are_under_way(world: &World) {
    eventually(
        Duration::from_secs(30),
        "a creation is on the wire",
        async || match world.requests("batch_create").len() {
            0 => Err(world.requests("batch_read").len()),
            _ => Ok(()),
        },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_in_the_middle_of_a_burst_ends_clean_and_the_next_run_does_the_rest() {
    for signal in [Signal::TERM, Signal::INT] {
        let world = slow(300).await;
        world.leads(people(2_000)).await;
        let mut daemon = Daemon::start(&world, &[]);
        writes_are_under_way(&world).await;
        daemon.signal(signal);
        let asked = Instant::now();
        assert_eq!(daemon.end(Duration::from_secs(30)).await, Some(0), "{}", daemon.log());
        assert!(asked.elapsed() < Duration::from_secs(10), "{:?}", asked.elapsed());
        assert!(world.contacts().len() < 2_000, "nothing was left to do");
        // What was on the wire is settled; what was never sent is nobody's; nothing hangs on the one that has gone.
        let left = "select concat_ws(' ',
              (select count(*) from gate.intent where state in ('open', 'unknown')),
              (select count(*) from gate.work where state in ('claimed', 'intended')),
              (select count(*) from crm.contact where crm_id is null),
              (select count(*) from gate.replica where stopped_at is null))";
        assert_eq!(world.ask(left).await, "0 0 0 0");
        world.crm.sandbox().clear_faults();
        world.settle().await;
        assert_eq!(world.contacts().len(), 2_000);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_signal_ends_it_at_once_and_nothing_is_lost() {
    let world = slow(4_000).await;
    world.crm.sandbox().clear_faults();
    world.faults(vec![Rule {
        operation: Some("batch_create".to_owned()),
        answer_delay_ms: Some(8_000),
        times: Some(2),
        ..Rule::default()
    }]);
    world.leads(people(300)).await;
    let mut daemon = Daemon::start(&world, &[]);
    writes_are_under_way(&world).await;
    daemon.signal(Signal::TERM);
    let asked = Instant::now();
    eventually(Duration::from_secs(10), "it says that it is stopping", async || {
        if daemon.log().contains("stopping") {
            Ok(())
        } else {
            Err(daemon.log())
        }
    })
    .await;
    daemon.signal(Signal::TERM);
    assert_eq!(daemon.end(Duration::from_secs(3)).await, Some(1), "{}", daemon.log());
    assert!(asked.elapsed() < Duration::from_secs(5));
    world.settle().await;
    assert_eq!(world.contacts().len(), 300);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn until_idle_ends_with_0_when_nothing_waits() {
    let world = World::new().await;
    world.leads(people(5)).await;
    let mut daemon = Daemon::start(&world, &["--until-idle"]);
    assert_eq!(daemon.end(Duration::from_secs(60)).await, Some(0), "{}", daemon.log());
    invariants::check(&world).await;
    assert_eq!(world.contacts().len(), 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_daemon_that_waits_for_the_crm_ends_when_it_is_asked_to() {
    let world = World::new().await;
    let mut config = world.config.clone();
    // Nobody listens there.
    config.crm.base_url = "http://127.0.0.1:9".to_owned();
    let mut daemon = Daemon::start_with(&world, &config, &[]);
    eventually(Duration::from_secs(30), "it says that it waits", async || {
        if daemon.log().contains("waiting for the CRM") {
            Ok(())
        } else {
            Err(daemon.log())
        }
    })
    .await;
    daemon.signal(Signal::TERM);
    assert_eq!(daemon.end(Duration::from_secs(5)).await, Some(0), "{}", daemon.log());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crm_that_never_answers_does_not_keep_the_daemon_from_stopping() {
    let world = slow(600_000).await;
    let mut daemon = Daemon::start(&world, &[]);
    eventually(Duration::from_secs(30), "it has asked the CRM", async || {
        if world.crm.sandbox().journal_after(0).is_empty() {
            Err(())
        } else {
            Ok(())
        }
    })
    .await;
    daemon.signal(Signal::TERM);
    assert_eq!(daemon.end(Duration::from_secs(5)).await, Some(0), "{}", daemon.log());
}
