//! Several replicas on one database share the CRM's limits, whatever the way to the CRM does to their calls.

use std::time::Duration;

use futures::future::join_all;
use gatekeeper::daemon::{self, RunOptions};
use gatekeeper::fault::chain;
use gatekeeper::sandbox::{Limits, Options, Rule};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::invariants;
use super::world::World;
use crate::support::{Proxy, eventually};

/// Replicas that hold leads and whose decision waits for a lock.
const BOTH_WAIT: &str = "select least(
       (select count(distinct replica_id) from gate.work where state = 'claimed'),
       (select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'))";

/// Calls in any window of the CRM's.
const CALLS: u32 = 20;

#[tokio::test(flavor = "multi_thread")]
async fn four_replicas_behind_a_shaky_line_are_never_told_429_and_use_what_they_may() {
    let limits = Limits {
        general: CALLS,
        window: Duration::from_secs(2),
        search: 4,
        search_window: Duration::from_secs(1),
        ..Limits::PROFESSIONAL
    };
    let options = Options {
        limits: Some(limits),
        scattered_ids: true,
        ..Options::default()
    };
    let mut world = World::with(options, |config| {
        config.limits.general_calls = CALLS;
        config.limits.general_window_seconds = 2;
        config.limits.search_calls = 4;
        config.limits.daily_calls = 625_000;
        // Longer than any call is held back on its way.
        config.limits.window_margin_milliseconds = 1_000;
        config.gate.batch_leads = 5;
        config.gate.linger_milliseconds = 0;
        config.limits.calls_in_flight = 8;
    })
    .await;
    let proxy = Proxy::before(world.crm.address(), Duration::from_millis(800), 7).await;
    world.config.crm.base_url = proxy.base_url();
    let leads = (0..400).map(|number| {
        json!({"source": "sales", "source_key": number.to_string(), "email": format!("p{}@example.com", number % 300), "city": number.to_string()})
    });
    world.leads(leads.collect()).await;
    let options = RunOptions {
        until_idle: true,
        ..RunOptions::default()
    };
    let runs = (0..4).map(|_| daemon::run(world.config.clone(), options, CancellationToken::new()));
    for ended in join_all(runs).await {
        ended.unwrap_or_else(|error| panic!("a replica ended: {}", chain(&error)));
    }
    invariants::check(&world).await;
    assert_eq!(world.contacts().len(), 300);
    let replicas =
        "select count(distinct replica_id) from audit.crm_call where operation in ('batch_create', 'batch_update')";
    assert_eq!(world.count(replicas).await, 4, "all of them wrote");
    // The limit was felt: a window was used up to what the margin leaves of it.
    let most = "select max(calls) from (
           select count(*) over (order by called_at range between interval '3 seconds' preceding and current row) as calls
           from audit.crm_call where operation not like 'search%'
         ) as windows";
    let most = world.count(most).await;
    assert!(most >= i64::from(CALLS) * 8 / 10, "at most {most} calls in a window");
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_crm_fails_one_call_of_four_replicas_probes_it_and_then_all_go_on() {
    let world = World::with(Options::default(), |config| {
        config.gate.batch_leads = 5;
        config.gate.linger_milliseconds = 0;
    })
    .await;
    let leads = (0..200).map(|number| json!({"source": "sales", "email": format!("p{number}@example.com")}));
    world.leads(leads.collect()).await;
    let options = RunOptions {
        until_idle: true,
        ..RunOptions::default()
    };
    let runs = (0..4).map(|_| daemon::run(world.config.clone(), options, CancellationToken::new()));
    let storm = async {
        eventually(Duration::from_secs(30), "they write", async || {
            match world.requests("batch_create").len() {
                0 | 1 => Err(()),
                _ => Ok(()),
            }
        })
        .await;
        world.faults(vec![Rule {
            status: Some(502),
            for_ms: Some(12_000),
            ..Rule::default()
        }]);
    };
    let (ends, ()) = tokio::join!(join_all(runs), storm);
    for ended in ends {
        ended.unwrap_or_else(|error| panic!("a replica ended: {}", chain(&error)));
    }
    invariants::check(&world).await;
    assert_eq!(world.contacts().len(), 200);
    // What was on its way when the breaker opened fails at once; from then on the probes stand alone.
    let probes = "select count(*) from audit.crm_call
         where failure = 'no_answer'
           and called_at > (select min(called_at) + interval '2 seconds' from audit.crm_call where failure = 'no_answer')";
    let probes = world.count(probes).await;
    assert!(
        (1..=2).contains(&probes),
        "{probes} probes in 12 s: after 5 s, and 10 s later"
    );
    let state = "select failures || ' ' || coalesce(open_until::text, 'closed') from gate.breaker";
    assert_eq!(world.ask(state).await, "0 closed");
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_that_take_the_same_people_in_opposite_orders_neither_lock_each_other_out_nor_make_one_twice() {
    const PEOPLE: usize = 30;
    let world = World::with(Options::default(), |config| {
        config.gate.batch_leads = PEOPLE;
        config.gate.linger_milliseconds = 0;
    })
    .await;
    world.mirror().await;
    // Each round people whom nobody knows: one batch goes up through them, by the address and for every second one the number
    // too, the other down by both.
    for round in 0..3 {
        let lead = |person: usize, upward: bool| {
            let number = (!upward || person.is_multiple_of(2)).then(|| format!("+49 30 23{round}{person:02}45"));
            json!({
                "source": if upward { "sales" } else { "payments" },
                "email": format!("pat@firm-{round}-{person}.example"),
                "phone": number,
                "city": if upward { "Riga" } else { "Oslo" },
            })
        };
        let upward = (0..PEOPLE).map(|person| lead(person, true));
        let downward = (0..PEOPLE).rev().map(|person| lead(person, false));
        world.leads(upward.chain(downward).collect()).await;
        let runs = (0..2).map(|_| {
            let options = RunOptions {
                until_idle: true,
                ..RunOptions::default()
            };
            daemon::run(world.config.clone(), options, CancellationToken::new())
        });
        // Both have their batch in hand, and each has come as far as it can, when the way is free.
        let door = world.db.client().await;
        door.batch_execute("begin; lock table crm.contact in exclusive mode")
            .await
            .unwrap();
        let at_once = async {
            eventually(Duration::from_secs(20), "both wait", async || {
                match world.count(BOTH_WAIT).await {
                    2.. => Ok(()),
                    _ => Err(()),
                }
            })
            .await;
            door.batch_execute("commit").await.unwrap();
        };
        let (ends, ()) = tokio::join!(join_all(runs), at_once);
        for ended in ends {
            ended.unwrap_or_else(|error| panic!("a replica ended: {}", chain(&error)));
        }
        invariants::check(&world).await;
        assert_eq!(world.contacts().len(), PEOPLE * (round + 1));
    }
    let deadlocks = "select deadlocks from pg_stat_database where datname = current_database()";
    assert_eq!(world.count(deadlocks).await, 0);
}
