//! What unsettled leads bring is found by the leads that come after them, in later batches too.

use std::time::Duration;

use gatekeeper::sandbox::Rule;
use serde_json::{Value, json};

use super::world::World;
use crate::support::eventually;

/// A world in which the answer to the first change of a contact comes late.
async fn world_with_a_slow_change() -> World {
    let world = World::new().await;
    world.seed(json!([{"email": "pat@example.com", "city": "Kiel"}]));
    world
        .settled(json!({"source": "sales", "email": "first@example.com"}))
        .await;
    world.faults(vec![Rule {
        operation: Some("batch_update".to_owned()),
        answer_delay_ms: Some(2_000),
        times: Some(1),
        ..Rule::default()
    }]);
    world
}

async fn until_a_change_is_on_the_wire(world: &World) {
    let open = "select count(*) from gate.intent where operation = 'update' and state = 'open'";
    eventually(Duration::from_secs(20), "a change is under way", async || {
        match world.count(open).await {
            0 => Err(()),
            _ => Ok(()),
        }
    })
    .await;
}

async fn until_it_waits(world: &World, lead: i64) {
    let waits = format!("select count(*) from gate.work where lead_id = {lead} and waits_for is not null");
    eventually(Duration::from_secs(20), "the lead waits", async || {
        match world.count(&waits).await {
            0 => Err(world.state(lead).await),
            _ => Ok(()),
        }
    })
    .await;
}

fn with_phone(lead: Value) -> Value {
    super::world::but(
        lead,
        json!({"phone": "+1 415 555 2671", "first_name": "Pat", "last_name": "Lee"}),
    )
}

#[tokio::test]
async fn a_lead_that_shares_only_what_a_write_under_way_brings_is_the_same_person() {
    let world = world_with_a_slow_change().await;
    world
        .lead(with_phone(json!({"source": "sales", "email": "pat@example.com"})))
        .await;
    let later = async {
        until_a_change_is_on_the_wire(&world).await;
        let later = world
            .lead(with_phone(json!({"source": "fair", "company": "Acme"})))
            .await;
        until_it_waits(&world, later).await;
        later
    };
    let ((), later) = tokio::join!(world.run(), later);
    super::invariants::check(&world).await;
    assert_eq!(world.contacts().len(), 2, "{:#?}", world.contacts());
    let decision = world.decision(later).await;
    assert_eq!(
        (decision.action.as_str(), decision.tier.as_deref()),
        ("update", Some("phone"))
    );
}

#[tokio::test]
async fn a_lead_that_shares_only_what_a_waiting_lead_brings_is_the_same_person() {
    let world = world_with_a_slow_change().await;
    world
        .lead(json!({"source": "sales", "email": "pat@example.com", "city": "Bonn"}))
        .await;
    let later = async {
        until_a_change_is_on_the_wire(&world).await;
        let waiting = world
            .lead(with_phone(json!({"source": "sales", "email": "pat@example.com"})))
            .await;
        until_it_waits(&world, waiting).await;
        let later = world
            .lead(with_phone(json!({"source": "fair", "company": "Acme"})))
            .await;
        until_it_waits(&world, later).await;
        later
    };
    let ((), later) = tokio::join!(world.run(), later);
    super::invariants::check(&world).await;
    assert_eq!(world.contacts().len(), 2, "{:#?}", world.contacts());
    assert_eq!(world.decision(later).await.tier.as_deref(), Some("phone"));
}

#[tokio::test]
async fn what_a_refused_write_had_brought_finds_nobody_any_more() {
    let world = World::new().await;
    let pat = world.seed(json!([{"email": "pat@example.com", "city": "Kiel"}]));
    world
        .settled(json!({"source": "sales", "email": "first@example.com"}))
        .await;
    world.faults(vec![Rule {
        operation: Some("batch_update".to_owned()),
        status: Some(400),
        ..Rule::default()
    }]);
    let refused = world
        .settled(with_phone(json!({"source": "sales", "email": "pat@example.com"})))
        .await;
    assert!(
        world.state(refused).await.starts_with("dead "),
        "{}",
        world.state(refused).await
    );
    world.crm.sandbox().clear_faults();
    // Another run, whose sweep derives the keys anew.
    let added = "select count(*) from gate.contact_keys where normalizer = ''";
    let running = world.run_until(async || world.count(added).await == 0);
    running.await;
    let later = world.settled(with_phone(json!({"source": "fair"}))).await;
    assert_eq!(world.decision(later).await.action, "create");
    assert_eq!(world.contact(&pat[0])["phone"], Value::Null);
}

#[tokio::test]
async fn of_two_new_people_with_one_person_key_the_second_is_asked_about_and_not_sent_in_vain() {
    let world = World::new().await;
    world
        .db
        .run("insert into rules.shared_phone (phone) values ('+14155552671')")
        .await;
    let bob =
        |company: &str| json!({"source": "sales", "phone": "+1 415 555 2671", "first_name": "Bob", "company": company});
    let leads = world.leads(json!([bob("Acme"), bob("Globex Mining")])).await;
    world.settle().await;
    assert_eq!(world.decision(leads[0]).await.action, "create");
    assert_eq!(world.state(leads[1]).await, "review same_person_key");
    assert_eq!(world.requests("batch_create").len(), 1);
    assert_eq!(world.contacts().len(), 1);
}

/// A world in which the first question whether the CRM knows somebody is answered late.
async fn world_with_a_slow_answer() -> World {
    let world = World::new().await;
    world
        .settled(json!({"source": "sales", "email": "first@example.com"}))
        .await;
    world.faults(vec![Rule {
        operation: Some("batch_read".to_owned()),
        answer_delay_ms: Some(2_000),
        times: Some(1),
        ..Rule::default()
    }]);
    world
}

async fn until_a_creation_is_under_way(world: &World) {
    let open = "select count(*) from gate.intent where operation = 'create' and state = 'open'";
    eventually(
        Duration::from_secs(20),
        "a creation is under way",
        async || match world.count(open).await {
            0 => Err(()),
            _ => Ok(()),
        },
    )
    .await;
}

#[tokio::test]
async fn nobody_is_asked_which_of_two_it_is_while_one_of_them_is_only_being_created() {
    let world = world_with_a_slow_answer().await;
    world
        .lead(json!({"source": "sales", "email": "pat@example.com", "city": "Bonn"}))
        .await;
    let later = async {
        until_a_creation_is_under_way(&world).await;
        // Somebody else makes the contact meanwhile, and the mirror hears of it before the answer comes.
        let made = world.seed(json!([{"email": "pat@example.com"}]));
        world.mirror().await;
        let both = "select count(*) from gate.identifier where kind = 'email' and value = 'pat@example.com'";
        assert_eq!(world.count(both).await, 2);
        let later = world
            .lead(json!({"source": "payments", "email": "pat@example.com", "city": "Kiel"}))
            .await;
        until_it_waits(&world, later).await;
        (later, made)
    };
    let ((), (later, made)) = tokio::join!(world.run(), later);
    super::invariants::check(&world).await;
    assert_eq!(world.decision(later).await.crm_id.as_ref(), made.first());
    assert_eq!(world.contact(&made[0])["city"], "Kiel");
    assert_eq!(world.contacts().len(), 2, "{:#?}", world.contacts());
}

#[tokio::test]
async fn a_lead_that_only_may_be_the_person_who_is_being_created_lends_that_person_nothing() {
    let world = world_with_a_slow_answer().await;
    world
        .db
        .run("insert into rules.shared_phone (phone) values ('+14155552671')")
        .await;
    let bob =
        |company: &str| json!({"source": "sales", "phone": "+1 415 555 2671", "first_name": "Bob", "company": company});
    let first = world.lead(bob("Acme")).await;
    let later = async {
        until_a_creation_is_under_way(&world).await;
        // One person key, and nothing else that says who it is.
        let namesake = super::world::but(bob("Globex Mining"), json!({"mobile_phone": "+1 212 555 0199"}));
        let waiting = world.lead(namesake).await;
        until_it_waits(&world, waiting).await;
        world
            .lead(json!({"source": "fair", "mobile_phone": "+1 212 555 0199", "first_name": "Bob"}))
            .await
    };
    let ((), other) = tokio::join!(world.run(), later);
    super::invariants::check(&world).await;
    let (first, other) = (world.decision(first).await, world.decision(other).await);
    assert_eq!((first.action.as_str(), other.action.as_str()), ("create", "create"));
    assert_ne!(first.contact_id, other.contact_id);
}
