//! `kill -9` between the CRM's effect and our commit, and two daemons at once.

use std::time::{Duration, Instant};

use gatekeeper::sandbox::{Kind, Rule};
use rustix::process::Signal;
use serde_json::{Value, json};

use super::Daemon;
use crate::flow::invariants;
use crate::flow::world::World;
use crate::support::eventually;

fn people(count: usize) -> Value {
    let lead = |number: usize| json!({"source": "sales", "email": format!("p{number}@example.com"), "first_name": "Pat", "city": "Riga"});
    (0..count).map(lead).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_between_effect_and_commit_the_next_start_finds_out_and_does_not_wait_for_the_lease() {
    for (operation, kind) in [("batch_create", Kind::Create), ("batch_update", Kind::Update)] {
        let world = World::new().await;
        if operation == "batch_update" {
            world.seed(
                (0..150)
                    .map(|number| json!({"email": format!("p{number}@example.com")}))
                    .collect(),
            );
        }
        world.faults(vec![Rule {
            operation: Some(operation.to_owned()),
            answer_delay_ms: Some(60_000),
            times: Some(1),
            ..Rule::default()
        }]);
        world.leads(people(150)).await;
        let mut daemon = Daemon::start(&world, &[]);
        eventually(Duration::from_secs(30), "the CRM has done it", async || {
            match world.effects(kind).len() {
                0 => Err(daemon.log()),
                _ => Ok(()),
            }
        })
        .await;
        daemon.signal(Signal::KILL);
        assert_eq!(daemon.end(Duration::from_secs(5)).await, None);
        world.crm.sandbox().clear_faults();
        let open = "select count(*) from gate.intent where state in ('open', 'unknown')";
        assert!(world.count(open).await > 0);

        let mut daemon = Daemon::start(&world, &["--until-idle"]);
        let started = Instant::now();
        assert_eq!(daemon.end(Duration::from_secs(60)).await, Some(0), "{}", daemon.log());
        // The lease of the one that died had 50 s and more to go.
        assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
        invariants::check(&world).await;
        assert_eq!(world.contacts().len(), 150);
        let terminal = "select count(*) from (
              select lead_id from audit.decision where outcome = 'applied' group by lead_id having count(*) = 1
            ) as once";
        assert_eq!(world.count(terminal).await, 150);
        let recovered = "select count(*) from audit.settlement where reason = 'recovered'";
        assert!(world.count(recovered).await >= 1);
        if operation == "batch_create" {
            assert_eq!(world.effects(Kind::Create).len(), 150);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_again_and_again_it_still_ends_with_one_contact_for_each_person() {
    let world = World::with(Default::default(), |config| {
        config.gate.batch_leads = 50;
        // Deaths are the test's doing here and no lead's.
        config.gate.max_claims = 20;
    })
    .await;
    world.faults(vec![Rule {
        answer_delay_ms: Some(40),
        ..Rule::default()
    }]);
    // Each person twice.
    let people = people(400).as_array().unwrap().clone();
    let mut leads = people.clone();
    leads.extend(people.into_iter().map(|mut lead| {
        lead["source"] = json!("payments");
        lead["city"] = json!("Oslo");
        lead
    }));
    world.leads(Value::Array(leads)).await;
    for round in 0..6_u64 {
        let before = world.crm.sandbox().journal_after(0).len();
        let mut daemon = Daemon::start(&world, &[]);
        eventually(Duration::from_secs(30), "it is at work", async || {
            let now = world.crm.sandbox().journal_after(0).len();
            if now >= before + 6 + 3 * round as usize {
                Ok(())
            } else {
                Err((now, before))
            }
        })
        .await;
        daemon.signal(Signal::KILL);
        daemon.end(Duration::from_secs(5)).await;
    }
    world.crm.sandbox().clear_faults();
    let mut daemon = Daemon::start(&world, &["--until-idle"]);
    assert_eq!(daemon.end(Duration::from_secs(90)).await, Some(0), "{}", daemon.log());
    invariants::check(&world).await;
    assert_eq!(world.contacts().len(), 400);
    assert!(world.contacts().iter().all(|contact| contact["city"] == "Oslo"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_daemons_on_one_database_do_each_lead_once() {
    let world = World::with(Default::default(), |config| config.gate.batch_leads = 50).await;
    world.faults(vec![Rule {
        answer_delay_ms: Some(20),
        ..Rule::default()
    }]);
    let mut daemons = [Daemon::start(&world, &[]), Daemon::start(&world, &[])];
    eventually(Duration::from_secs(30), "both are at work", async || {
        match world
            .count("select count(*) from gate.replica where stopped_at is null")
            .await
        {
            2 => Ok(()),
            other => Err(other),
        }
    })
    .await;
    // Everybody comes three times, in different order and from different sources.
    for (source, step) in [("sales", 7), ("webinar", 11), ("payments", 13)] {
        let leads = (0..500).map(|number| {
            json!({
                "source": source, "source_key": number.to_string(), "city": source,
                "email": format!("p{}@example.com", number * step % 500),
            })
        });
        world.leads(leads.collect()).await;
    }
    eventually(Duration::from_secs(90), "all is done", async || {
        match world.unfinished().await {
            0 => Ok(()),
            other => Err(other),
        }
    })
    .await;
    for daemon in &mut daemons {
        daemon.signal(Signal::TERM);
        assert_eq!(daemon.end(Duration::from_secs(30)).await, Some(0), "{}", daemon.log());
    }
    invariants::check(&world).await;
    assert_eq!(world.contacts().len(), 500);
    assert!(world.contacts().iter().all(|contact| contact["city"] == "payments"));
    let both = "select count(distinct replica_id) from audit.entry";
    assert_eq!(world.count(both).await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lead_over_which_the_daemon_dies_again_and_again_is_put_aside_and_the_others_go_on() {
    let world = World::new().await;
    let poison = world
        .lead(json!({"source": "sales", "email": "poison@example.com"}))
        .await;
    let allowed = world.config.gate.max_claims;
    for death in 0..allowed {
        let mut daemon = Daemon::start_to_fail(&world, &world.config, &["--until-idle"], "decided:1:kill");
        assert_eq!(
            daemon.end(Duration::from_secs(60)).await,
            None,
            "{death}: {}",
            daemon.log()
        );
    }
    let good = world
        .lead(json!({"source": "sales", "email": "good@example.com"}))
        .await;
    let mut daemon = Daemon::start(&world, &["--until-idle"]);
    assert_eq!(daemon.end(Duration::from_secs(60)).await, Some(0), "{}", daemon.log());
    assert_eq!(world.state(poison).await, "dead crash_suspect");
    assert_eq!(world.state(good).await, "done");
    invariants::check(&world).await;
}
