//! Brakes: a run that would write too much stops before its first write, says why, and goes on when a person says so.

use gatekeeper::store::brake::{reject_brake, release_brake};
use serde_json::{Value, json};

use super::world::World;
use crate::process::gatekeeper;

/// Leads of so many people, from a number on.
fn people(source: &str, from: usize, count: usize) -> Value {
    let person = |number: usize| {
        json!({
            "source": source, "email": format!("person{number}@example.com"), "last_name": format!("Person{number}"),
            "occurred_at": "2025-01-10T12:00:00Z",
        })
    };
    (from..from + count).map(person).collect()
}

async fn limit(world: &World, source: &str, columns: &str, values: &str) {
    let sql = format!("insert into rules.brake (source, {columns}) values ('{source}', {values})");
    world.db.run(&sql).await;
}

const BRAKES: &str =
    "select coalesce(string_agg(concat_ws(' ', source, state, held_leads, would_create, would_change), '; '), '')
    from report.brake where state <> 'free'";

const STATES: &str = "select string_agg(format('%s %s', state, leads), ', ' order by state)
    from (select state, count(*) as leads from gate.work group by state) as counted";

#[tokio::test]
async fn a_run_that_would_create_too_many_is_held_before_its_first_write() {
    let world = World::new().await;
    limit(&world, "*", "creates_per_hour", "10").await;
    world.leads(people("webinar", 0, 10)).await;
    world.run().await;
    assert_eq!(world.writes().0, 10, "ten may be created");
    // One more would be too much within the hour; what is known already is not.
    world.leads(people("webinar", 0, 12)).await;
    world.run().await;
    assert_eq!(world.writes().0, 10);
    assert_eq!(world.ask(BRAKES).await, "webinar tripped 12 2 0");
    let said = "select note from audit.steward_action where command = 'brake tripped'";
    assert_eq!(
        world.ask(said).await,
        "webinar: 2 contacts created, and 10 within the last hour; 10 are allowed"
    );
    // So do leads of which nothing is written anyway.
    world
        .leads(json!([{"email": "a@example.com"}, {"source": "nobody", "email": "b@example.com"}]))
        .await;
    // Other sources go on, and what comes meanwhile of this one is held too.
    world.leads(people("sales", 50, 3)).await;
    world.leads(people("webinar", 60, 1)).await;
    world.run().await;
    assert_eq!(world.writes().0, 13);
    assert_eq!(world.ask(STATES).await, "dead 2, done 13, held 13");
    let client = world.db.client().await;
    assert_eq!(release_brake(&client, "fair", "").await.unwrap(), None);
    assert_eq!(
        release_brake(&client, "webinar", "the fair was large").await.unwrap(),
        Some(13)
    );
    world.settle().await;
    assert_eq!(world.writes().0, 16);
    assert_eq!(world.ask(BRAKES).await, "");
}

#[tokio::test]
async fn many_leads_of_few_people_pass_the_rehearsal_and_are_written() {
    let world = World::new().await;
    limit(&world, "webinar", "creates_per_hour, updates_per_hour", "5, 5").await;
    let mut leads = Vec::new();
    for _ in 0..6 {
        leads.extend(people("webinar", 0, 4).as_array().unwrap().clone());
    }
    world.leads(leads.into()).await;
    world.settle().await;
    assert_eq!(world.contacts().len(), 4);
    let rehearsed = "select count(*) from audit.settlement where outcome = 'shadow' and reason = 'rehearsed'";
    assert_eq!(world.count(rehearsed).await, 24);
}

#[tokio::test]
async fn a_share_of_the_mirror_is_a_limit_too_and_a_run_may_be_rejected() {
    let world = World::new().await;
    let seeds: Vec<Value> = (0..20)
        .map(|number| json!({"email": format!("person{number}@example.com")}))
        .collect();
    world.seed(seeds.into());
    world.mirror().await;
    limit(&world, "*", "updates_percent", "25").await;
    let ids = world.leads(people("sales", 0, 6)).await;
    world.run().await;
    assert_eq!(world.writes(), (0, 0));
    assert_eq!(world.ask(BRAKES).await, "sales tripped 6 0 6");
    let client = world.db.client().await;
    assert_eq!(reject_brake(&client, "sales", "a wrong file").await.unwrap(), Some(6));
    world.settle().await;
    assert_eq!(world.state(ids[0]).await, "dead brake_rejected");
    // A person may still replay them: then they go on.
    gatekeeper::store::ask::replay_dead(&client, &ids[..2], None)
        .await
        .unwrap();
    world.settle().await;
    assert_eq!(world.writes(), (0, 2));
}

#[tokio::test]
async fn held_leads_go_on_when_the_rule_is_gone() {
    let world = World::new().await;
    limit(&world, "webinar", "creates_per_hour", "1").await;
    world.leads(people("webinar", 0, 3)).await;
    world.run().await;
    assert_eq!(world.ask(BRAKES).await, "webinar tripped 3 3 0");
    world.db.run("delete from rules.brake").await;
    world.run_until(async || world.contacts().len() == 3).await;
    world.settle().await;
    assert_eq!(world.ask(STATES).await, "done 3");
}

#[tokio::test]
async fn the_command_says_what_is_held_and_why_and_lets_it_go() {
    let world = World::new().await;
    limit(&world, "webinar", "creates_per_hour", "1").await;
    world.leads(people("webinar", 0, 3)).await;
    world.run().await;
    let listed = gatekeeper(&world, &["brake", "list"]).await.stdout;
    assert!(
        listed.contains("tripped") && listed.contains("3 contacts created"),
        "{listed}"
    );
    let held = gatekeeper(&world, &["status", "--json"]).await.stdout;
    assert_eq!(serde_json::from_str::<Value>(&held).unwrap()["leads"]["held"], 3);
    let nobody = gatekeeper(&world, &["brake", "release", "sales", "--note", "x"]).await;
    assert_eq!(nobody.code, Some(2));
    assert!(nobody.stderr.contains("no brake holds"), "{}", nobody.stderr);
    let released = gatekeeper(&world, &["brake", "release", "webinar", "--note", "looked at"]).await;
    assert!(
        released.stdout.contains("3 leads of webinar go on"),
        "{}",
        released.stdout
    );
    world.settle().await;
    assert_eq!(world.contacts().len(), 3);
}
