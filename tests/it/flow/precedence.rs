//! Which value wins: by rank, by time, only if blank, never; and what people did in the CRM.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};

use super::world::{World, but};

/// A lead about Ann's town, seen on a day of January 2025.
fn town(source: &str, city: &str, day: u32) -> Value {
    json!({
        "source": source, "email": "ann@example.com", "city": city,
        "occurred_at": format!("2025-01-{day:02}T12:00:00Z"),
    })
}

#[tokio::test]
async fn a_higher_rank_wins_and_a_lower_one_never_overwrites() {
    let world = World::new().await;
    world.settled(town("webinar", "Kiel", 10)).await;
    let better = world.settled(town("payments", "Riga", 5)).await;
    assert_eq!(world.only_contact()["city"], "Riga");
    assert_eq!(
        world.ruling(better, "city").await,
        "written highest_rank: payments 90 above webinar 20"
    );
    let worse = world.settled(town("webinar", "Bonn", 20)).await;
    assert_eq!(world.only_contact()["city"], "Riga");
    assert_eq!(
        world.ruling(worse, "city").await,
        "kept highest_rank: webinar 20 below payments 90"
    );
    assert_eq!(world.decision(worse).await.action, "unchanged");
    assert_eq!(world.writes(), (1, 1));
}

#[tokio::test]
async fn within_one_rank_the_newer_value_wins_whatever_the_order() {
    let world = World::new().await;
    world.settled(town("webinar", "Kiel", 10)).await;
    world.settled(town("fair", "Bonn", 5)).await;
    assert_eq!(world.only_contact()["city"], "Kiel");
    world.settled(town("fair", "Riga", 15)).await;
    assert_eq!(world.only_contact()["city"], "Riga");
}

#[tokio::test]
async fn every_order_and_every_division_into_batches_gives_the_same_contact() {
    let leads = [
        town("webinar", "Kiel", 10),
        town("payments", "Riga", 5),
        town("sales", "Bonn", 20),
        town("payments", "Oslo", 7),
    ];
    let mut places: Vec<Vec<usize>> = Vec::new();
    for first in 0..4 {
        for second in (0..4).filter(|second| *second != first) {
            let rest: Vec<usize> = (0..4).filter(|place| *place != first && *place != second).collect();
            places.push([vec![first, second], rest].concat());
        }
    }
    for (number, order) in places.iter().enumerate() {
        let world = World::new().await;
        // All at once, one by one, or two by two.
        for batch in order.chunks([4, 1, 2][number % 3]) {
            world
                .leads(batch.iter().map(|place| leads[*place].clone()).collect())
                .await;
            world.settle().await;
        }
        assert_eq!(world.only_contact()["city"], "Oslo", "{order:?}");
    }
}

#[tokio::test]
async fn policies_hold_for_the_field_and_the_source_that_they_name() {
    let world = World::new().await;
    world.rule("city", "*", "newest").await;
    world.rule("job_title", "*", "only_if_blank").await;
    world.rule("phone", "webinar", "never").await;
    let first = json!({"city": "Riga", "job_title": "Buyer", "occurred_at": "2025-01-05T12:00:00Z"});
    world.settled(but(town("payments", "", 0), first)).await;
    let second = json!({
        "city": "Kiel", "job_title": "Boss", "phone": "+1 415 555 2671", "occurred_at": "2025-01-06T12:00:00Z",
    });
    let second = world.settled(but(town("webinar", "", 0), second)).await;
    let contact = world.only_contact();
    assert_eq!(
        (&contact["city"], &contact["jobtitle"], &contact["phone"]),
        (&json!("Kiel"), &json!("Buyer"), &json!(null))
    );
    assert_eq!(
        world.ruling(second, "city").await,
        "written newest: newer than payments"
    );
    assert_eq!(
        world.ruling(second, "job_title").await,
        "kept only_if_blank: not blank, payments set it"
    );
    assert_eq!(
        world.ruling(second, "phone").await,
        "kept never: webinar may not write it"
    );
    let fair = world
        .settled(but(
            town("fair", "", 0),
            json!({"city": null, "phone": "+1 415 555 2671", "occurred_at": null}),
        ))
        .await;
    assert_eq!(world.ruling(fair, "phone").await, "written highest_rank: blank");
}

#[tokio::test]
async fn a_rule_that_is_changed_holds_from_the_next_batch_on() {
    let world = World::new().await;
    world.settled(town("payments", "Riga", 5)).await;
    world.settled(town("webinar", "Kiel", 10)).await;
    assert_eq!(world.only_contact()["city"], "Riga");
    world.rule("city", "*", "newest").await;
    let lead = world.settled(town("webinar", "Bonn", 11)).await;
    assert_eq!(world.only_contact()["city"], "Bonn");
    let versions = "select count(distinct policy_version) from audit.decision";
    assert_eq!(world.count(versions).await, 2);
    assert_eq!(world.ruling(lead, "city").await, "written newest: newer than payments");
}

#[tokio::test]
async fn a_value_that_a_person_changed_in_the_crm_is_the_crms() {
    let world = World::new().await;
    world.settled(town("webinar", "Kiel", 10)).await;
    let id = world.only_contact()["hs_object_id"].as_str().unwrap().to_owned();
    world.edit(&id, json!({"city": "Oslo"}));
    world.mirror().await;
    let worse = world.settled(town("webinar", "Bonn", 28)).await;
    assert_eq!(world.only_contact()["city"], "Oslo");
    assert_eq!(
        world.ruling(worse, "city").await,
        "kept highest_rank: webinar 20 below crm 50"
    );
    world.settled(town("payments", "Riga", 12)).await;
    assert_eq!(world.only_contact()["city"], "Riga");
}

#[tokio::test]
async fn a_value_that_a_person_cleared_is_not_filled_by_a_lower_rank() {
    let world = World::new().await;
    world.settled(town("webinar", "Kiel", 10)).await;
    let id = world.only_contact()["hs_object_id"].as_str().unwrap().to_owned();
    world.edit(&id, json!({"city": ""}));
    world.mirror().await;
    let worse = world.settled(town("webinar", "Bonn", 28)).await;
    assert_eq!(
        world.ruling(worse, "city").await,
        "kept highest_rank: webinar 20 below crm 50, which cleared it"
    );
    assert!(world.only_contact()["city"].as_str().unwrap_or_default().is_empty());
    world.settled(town("payments", "Riga", 28)).await;
    assert_eq!(world.only_contact()["city"], "Riga");
}

#[tokio::test]
async fn values_of_the_crm_that_nobody_is_known_to_have_set_have_the_crms_rank() {
    let world = World::new().await;
    world.seed(json!([{"email": "ann@example.com", "city": "Oslo"}]));
    let worse = world.settled(town("webinar", "Kiel", 28)).await;
    assert_eq!(
        world.ruling(worse, "city").await,
        "kept highest_rank: webinar 20 below crm 50"
    );
    let better = world.settled(town("sales", "Bonn", 1)).await;
    assert_eq!(
        world.ruling(better, "city").await,
        "written highest_rank: sales 60 above crm 50"
    );
    assert_eq!(world.only_contact()["city"], "Bonn");
}

#[tokio::test]
async fn a_blank_value_erases_nothing() {
    let world = World::new().await;
    world.settled(town("webinar", "Kiel", 10)).await;
    for blank in [json!(""), json!("  "), json!("n/a"), json!("\u{200b}")] {
        world
            .settled(but(town("payments", "", 20), json!({"city": blank})))
            .await;
        assert_eq!(world.only_contact()["city"], "Kiel", "{blank}");
    }
    assert_eq!(world.writes(), (1, 0));
}

#[tokio::test]
async fn an_external_id_that_is_set_does_not_change() {
    let world = World::new().await;
    world
        .settled(but(town("webinar", "Kiel", 10), json!({"external_id": "P-1"})))
        .await;
    let other = world
        .settled(but(town("payments", "Kiel", 20), json!({"external_id": "P-2"})))
        .await;
    assert!(
        world
            .ruling(other, "external_id")
            .await
            .starts_with("kept only_if_blank")
    );
    assert_eq!(world.only_contact()["ext_id"], "P-1");
}

/// Random leads of one person: values of a few fields, from all sources, at times that may be equal.
fn leads_of_one_person() -> impl Strategy<Value = Vec<Value>> {
    let value = prop::sample::select(vec!["Kiel", "Riga", "Oslo", "riga ", "Bonn"]);
    let values = prop::collection::btree_map(
        prop::sample::select(vec!["city", "street", "job_title", "company", "state"]),
        value,
        1..4,
    );
    let source = prop::sample::select(vec!["payments", "sales", "webinar", "fair"]);
    let lead = (source, 1_u32..6, values).prop_map(|(source, day, values)| {
        let mut lead = json!({
            "source": source, "email": "ann@example.com", "occurred_at": format!("2025-01-{day:02}T12:00:00Z"),
        });
        for (field, value) in values {
            lead[field] = json!(value);
        }
        lead
    });
    prop::collection::vec(lead, 3..8)
}

/// What the CRM holds after these leads came in these batches.
async fn after(leads: &[Value], batch: usize) -> Value {
    let world = World::new().await;
    world.rule("street", "*", "newest").await;
    world.rule("state", "webinar", "never").await;
    world.rule("company", "sales", "newest").await;
    world.rule("company", "fair", "only_if_blank").await;
    for batch in leads.chunks(batch) {
        world.leads(batch.to_vec().into()).await;
        world.settle().await;
    }
    let contact = world.only_contact();
    // Of two spellings that say the same the first one stays.
    let value = |property: &str| contact[property].as_str().map(str::to_lowercase);
    json!(["city", "address", "jobtitle", "company", "state"].map(value))
}

#[tokio::test]
async fn any_permutation_of_random_leads_gives_the_same_contact() {
    let seed = std::env::var("GATEKEEPER_TEST_SEED").unwrap_or_default();
    let seed: [u8; 32] = std::array::from_fn(|place| seed.as_bytes().get(place).copied().unwrap_or(7));
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    for _ in 0..5 {
        let leads = leads_of_one_person().new_tree(&mut runner).unwrap().current();
        let shuffled = Just(leads.clone())
            .prop_shuffle()
            .new_tree(&mut runner)
            .unwrap()
            .current();
        let (one, other) = tokio::join!(after(&leads, leads.len()), after(&shuffled, 1));
        assert_eq!(one, other, "{leads:#?}");
        assert_eq!(one, after(&shuffled, 2).await, "{leads:#?}");
    }
}
