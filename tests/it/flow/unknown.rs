//! Outcomes that nobody tells: answers lost, late, cut, or silent about a row. One contact for each person all the same.

use std::time::Duration;

use gatekeeper::sandbox::Rule;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::world::World;

fn people(count: usize) -> Value {
    let lead = |number: usize| json!({"source": "payments", "email": format!("p{number}@example.com"), "first_name": "Pat", "city": "Riga"});
    (0..count).map(lead).collect()
}

fn on(operation: &str, rule: Rule) -> Rule {
    Rule {
        operation: Some(operation.to_owned()),
        times: Some(1),
        ..rule
    }
}

/// Ways in which an answer goes astray.
fn mishaps() -> Vec<(&'static str, Rule)> {
    let rule = Rule::default;
    vec![
        (
            "answer lost after applying",
            Rule {
                drop_answer_after_apply: true,
                ..rule()
            },
        ),
        (
            "applied late",
            Rule {
                apply_late_ms: Some(400),
                ..rule()
            },
        ),
        (
            "applied after it was looked up",
            Rule {
                apply_late_ms: Some(3_000),
                ..rule()
            },
        ),
        (
            "502 after applying",
            Rule {
                status_after_apply: Some(502),
                ..rule()
            },
        ),
        (
            "502 without applying",
            Rule {
                status: Some(502),
                ..rule()
            },
        ),
        (
            "body cut in the middle",
            Rule {
                truncate_body: true,
                ..rule()
            },
        ),
        (
            "not JSON",
            Rule {
                not_json: true,
                ..rule()
            },
        ),
        ("three rows left out", Rule { omit_rows: 3, ..rule() }),
        (
            "dropped before applying",
            Rule {
                drop_before_apply: true,
                ..rule()
            },
        ),
    ]
}

#[tokio::test]
async fn a_creation_of_unknown_outcome_ends_as_exactly_one_contact() {
    // Side by side: each waits for the look-up of its own.
    let ways = mishaps().into_iter().map(|(what, rule)| async move {
        let world = World::new().await;
        world.leads(people(10)).await;
        let late = rule
            .apply_late_ms
            .map(|ms| Instant::now() + Duration::from_millis(ms + 500));
        world.faults(vec![on("batch_create", rule)]);
        world.settle().await;
        if let Some(late) = late {
            // What lands late lands on the clock; nothing else tells of a creation that is refused by then.
            tokio::time::sleep_until(late).await;
        }
        assert_eq!(world.contacts().len(), 10, "{what}");
        let done = "select count(*) from gate.work where state = 'done'";
        assert_eq!(world.count(done).await, 10, "{what}");
        let recovered = "select count(*) from audit.settlement where reason = 'recovered'";
        let expected = match what {
            "answer lost after applying"
            | "applied late"
            | "502 after applying"
            | "body cut in the middle"
            | "not JSON" => 10,
            "three rows left out" => 3,
            _ => 0,
        };
        // When it lands around the time of the look-up, either may come first, and both are right.
        if what != "applied after it was looked up" {
            assert_eq!(world.count(recovered).await, expected, "{what}");
        }
        // All that is held is what the leads said.
        assert!(
            world.contacts().iter().all(|contact| contact["city"] == "Riga"),
            "{what}"
        );
    });
    futures::future::join_all(ways).await;
}

#[tokio::test]
async fn a_change_of_unknown_outcome_is_found_out_or_made_again() {
    // Side by side: each waits for the look-up of its own.
    let ways = mishaps().into_iter().map(|(what, rule)| async move {
        let world = World::new().await;
        let seeds = (0..10).map(|number| json!({"email": format!("p{number}@example.com"), "city": "Kiel"}));
        world.seed(seeds.collect());
        world.faults(vec![on("batch_update", rule)]);
        world.leads(people(10)).await;
        world.settle().await;
        assert!(
            world.contacts().iter().all(|contact| contact["city"] == "Riga"),
            "{what}"
        );
        let done = "select count(*) from gate.work where state = 'done'";
        assert_eq!(world.count(done).await, 10, "{what}");
        assert_eq!(world.contacts().len(), 10, "{what}");
    });
    futures::future::join_all(ways).await;
}

#[tokio::test]
async fn a_look_up_that_fails_is_made_again_without_a_restart() {
    for operation in ["batch_create", "batch_update"] {
        let world = World::new().await;
        if operation == "batch_update" {
            world.seed(json!([{"email": "p0@example.com", "city": "Kiel"}]));
        }
        world
            .settled(json!({"source": "sales", "email": "first@example.com"}))
            .await;
        let probes = if operation == "batch_create" { 1 } else { 0 };
        world.faults(vec![
            on(
                operation,
                Rule {
                    drop_answer_after_apply: true,
                    ..Rule::default()
                },
            ),
            Rule {
                operation: Some("batch_read".to_owned()),
                skip: probes,
                times: Some(2),
                status: Some(503),
                ..Rule::default()
            },
        ]);
        world.leads(people(1)).await;
        world.settle().await;
        assert_eq!(world.contacts().len(), 2, "{operation}");
        let recovered = "select count(*) from audit.settlement where reason = 'recovered'";
        assert_eq!(world.count(recovered).await, 1, "{operation}");
    }
}

#[tokio::test]
async fn leads_of_a_person_whose_write_is_unknown_wait_and_all_others_go_on() {
    let world = World::with(Default::default(), |config| config.gate.settle_seconds = 3).await;
    world.seed(json!([{"email": "p0@example.com", "city": "Kiel"}]));
    world.faults(vec![on(
        "batch_update",
        Rule {
            drop_answer_after_apply: true,
            ..Rule::default()
        },
    )]);
    world.leads(people(1)).await;
    let running = world.run();
    let watching = async {
        let unknown = "select count(*) from gate.intent where state = 'unknown'";
        crate::support::eventually(Duration::from_secs(20), "the outcome is unknown", async || match world
            .count(unknown)
            .await
        {
            1 => Ok(()),
            other => Err(other),
        })
        .await;
        let same = world
            .lead(json!({"source": "payments", "email": "p0@example.com", "job_title": "Boss"}))
            .await;
        let other = world
            .lead(json!({"source": "payments", "email": "other@example.com"}))
            .await;
        crate::support::eventually(Duration::from_secs(20), "the other lead is done", async || match world
            .state(other)
            .await
            .as_str()
        {
            "done" => Ok(()),
            state => Err(state.to_owned()),
        })
        .await;
        let waits = format!(
            "select concat_ws(' ', state, claims::text, waits_for is not null) from gate.work where lead_id = {same}"
        );
        assert_eq!(world.ask(&waits).await, "ready 0 t");
        assert_eq!(world.count(unknown).await, 1);
        same
    };
    let ((), same) = tokio::join!(running, watching);
    super::invariants::check(&world).await;
    assert_eq!(world.decision(same).await.action, "update");
}

#[tokio::test]
async fn an_answer_that_the_database_refuses_to_keep_is_asked_for_again_without_a_restart() {
    let world = World::new().await;
    world
        .db
        .run(
            "create sequence public.refusals;
             create function public.refuse_once() returns trigger language plpgsql as $$
             begin
               if nextval('public.refusals') = 1 then
                 raise exception 'not this one' using errcode = '22000';
               end if;
               return new;
             end
             $$;
             create trigger refuse_once before insert on audit.settlement
             for each row execute function public.refuse_once();",
        )
        .await;
    world.leads(people(3)).await;
    world.settle().await;
    assert_eq!(world.contacts().len(), 3);
    let recovered = "select count(*) from audit.settlement where reason = 'recovered'";
    assert_eq!(world.count(recovered).await, 3);
}
