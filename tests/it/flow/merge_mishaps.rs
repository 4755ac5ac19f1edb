//! Merges that do not go as they should: the CRM refuses or does not answer, the run is stopped or dies, leads come meanwhile.

use gatekeeper::sandbox::{Kind, Rule};
use serde_json::{Value, json};

use super::merge_run::{pair, planned, run, run_json, survivor};
use super::world::World;
use crate::process::{Daemon, gatekeeper};
use crate::support::eventually;

fn merges_take(world: &World, delay_ms: u64) {
    world.faults(vec![Rule {
        operation: Some("merge".to_owned()),
        delay_ms: Some(delay_ms),
        ..Rule::default()
    }]);
}

async fn until_done(world: &World, lead: i64) {
    eventually(
        std::time::Duration::from_secs(30),
        "the lead is done",
        async || match world.state(lead).await.as_str() {
            "done" => Ok(()),
            state => Err(state.to_owned()),
        },
    )
    .await;
}

#[tokio::test]
async fn a_group_that_the_crm_refuses_is_told_and_the_others_go_on() {
    let (world, ids) = planned(3).await;
    run(&world, &["merge", "approve", "--all"]).await;
    let refused = Rule {
        operation: Some("merge".to_owned()),
        status: Some(414),
        times: Some(1),
        ..Rule::default()
    };
    world.faults(vec![refused]);
    let done = gatekeeper(&world, &["merge", "run", "--json"]).await;
    let report: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(done.code, Some(1));
    assert_eq!(
        (&report["merged"], &report["failed"]),
        (&json!(2), &json!(1)),
        "{report}"
    );
    assert_eq!(report["failed_for"]["too_many_merges"], 1);
    assert_eq!(world.contacts().len(), 4);
    let under_way = "select count(*) from merge.under_way";
    assert_eq!(world.count(under_way).await, 0);
    drop(ids);
}

#[tokio::test]
async fn an_answer_that_is_lost_is_looked_up_and_nobody_is_merged_twice() {
    let (world, _) = planned(4).await;
    run(&world, &["merge", "approve", "--all"]).await;
    let lost = Rule {
        operation: Some("merge".to_owned()),
        drop_answer_after_apply: true,
        times: Some(2),
        ..Rule::default()
    };
    let late = Rule {
        operation: Some("merge".to_owned()),
        apply_late_ms: Some(300),
        times: Some(1),
        ..Rule::default()
    };
    world.faults(vec![lost, late]);
    let report = run_json(&world, &["merge", "run"]).await;
    assert_eq!(
        (&report["merged"], &report["failed"]),
        (&json!(4), &json!(0)),
        "{report}"
    );
    assert_eq!(world.effects(Kind::Merge).len(), 4);
    assert_eq!(world.contacts().len(), 4);
    let unknown = "select count(*) from audit.crm_call where operation = 'merge' and unknown > 0";
    assert!(world.count(unknown).await >= 1);
}

#[tokio::test]
async fn leads_wait_for_a_contact_that_is_being_merged() {
    let (world, _) = planned(1).await;
    run(&world, &["merge", "approve", "--all"]).await;
    // The CRM takes its time for the merge.
    merges_take(&world, 1_500);
    let mut daemon = Daemon::start(&world, &[]);
    let merging = run(&world, &["merge", "run"]);
    let leads = async {
        eventually(
            std::time::Duration::from_secs(20),
            "it is being merged",
            async || match world
                .count("select count(*) from merge.plan where state = 'running'")
                .await
            {
                0 => Err(()),
                _ => Ok(()),
            },
        )
        .await;
        world
            .lead(json!({"source": "payments", "email": pair(0)[1]["email"], "city": "Riga"}))
            .await
    };
    let (_, lead) = tokio::join!(merging, leads);
    until_done(&world, lead).await;
    daemon.signal(rustix::process::Signal::TERM);
    daemon.end(std::time::Duration::from_secs(20)).await;
    assert_eq!(world.only_contact()["city"], "Riga");
    let merged_at = world.effects(Kind::Merge)[0].seq;
    let written = world.effects(Kind::Update);
    assert!(
        written.iter().all(|effect| effect.seq > merged_at),
        "nothing is written meanwhile"
    );
}

#[tokio::test]
async fn while_the_gate_is_paused_nothing_is_merged() {
    let (world, _) = planned(1).await;
    run(&world, &["merge", "approve", "--all"]).await;
    run(&world, &["pause", "--note", "looking"]).await;
    let refused = gatekeeper(&world, &["merge", "run"]).await;
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("gatekeeper resume"), "{}", refused.stderr);
    assert!(world.effects(Kind::Merge).is_empty());
}

#[cfg(feature = "failpoints")]
#[tokio::test]
async fn what_a_dead_run_left_the_daemon_ends_and_a_refused_token_only_delays_it() {
    let (world, _) = planned(3).await;
    run(&world, &["merge", "approve", "--all"]).await;
    let mut dying = Daemon::command_to_fail(&world, &world.config, &["merge", "run"], "merged:2:kill");
    assert_eq!(
        dying.end(std::time::Duration::from_secs(30)).await,
        None,
        "it was killed"
    );
    assert!(world.count("select count(*) from merge.under_way").await > 0);
    // The lead waits for its contact; nobody gives the command again.
    let lead = world
        .lead(json!({"source": "payments", "email": pair(2)[0]["email"], "city": "Riga"}))
        .await;
    let refused = Rule {
        operation: Some("merge".to_owned()),
        status: Some(401),
        times: Some(1),
        ..Rule::default()
    };
    world.faults(vec![refused]);
    let mut daemon = Daemon::start(&world, &[]);
    eventually(
        std::time::Duration::from_secs(90),
        "all is merged",
        async || match world
            .ask("select string_agg(state, ' ') from merge.plan")
            .await
            .as_str()
        {
            "merged merged merged" => Ok(()),
            states => Err(states.to_owned()),
        },
    )
    .await;
    until_done(&world, lead).await;
    daemon.signal(rustix::process::Signal::TERM);
    assert_eq!(daemon.end(std::time::Duration::from_secs(30)).await, Some(0));
    assert_eq!(world.contacts().len(), 3);
    assert_eq!(world.effects(Kind::Merge).len(), 3);
    assert_eq!(survivor(&world, 2)["city"], "Riga");
}

#[tokio::test]
async fn asked_to_stop_it_ends_what_is_begun_and_gives_the_rest_back() {
    let (world, _) = planned(20).await;
    run(&world, &["merge", "approve", "--all"]).await;
    merges_take(&world, 400);
    let mut running = Daemon::command_to_fail(&world, &world.config, &["merge", "run"], "");
    eventually(
        std::time::Duration::from_secs(30),
        "some are merged",
        async || match world.effects(Kind::Merge).len() {
            0 => Err(running.log()),
            _ => Ok(()),
        },
    )
    .await;
    running.signal(rustix::process::Signal::INT);
    assert_eq!(
        running.end(std::time::Duration::from_secs(30)).await,
        Some(0),
        "{}",
        running.log()
    );
    let states = "select count(*) from merge.plan where state not in ('merged', 'approved')";
    assert_eq!(world.count(states).await, 0);
    assert_eq!(world.count("select count(*) from merge.under_way").await, 0);
    let merged = world
        .count("select count(*) from merge.plan where state = 'merged'")
        .await;
    assert!((1..20).contains(&merged), "{merged}");
    assert_eq!(world.effects(Kind::Merge).len() as i64, merged);
    world.crm.sandbox().clear_faults();
    assert_eq!(run_json(&world, &["merge", "run"]).await["merged"], 20 - merged);
    assert_eq!(world.contacts().len(), 20);
}
