//! Leads are matched while the batch before theirs is decided. What that batch brings, they find all the same.

use gatekeeper::sandbox::Options;
use serde_json::{Value, json};

use super::invariants;
use super::world::World;

/// People of whom each lead is in a batch of its own.
const PEOPLE: usize = 40;

/// For each person the same lead in several batches, one right after the other, and each in other words.
fn backlog(of: impl Fn(usize) -> Vec<Value>) -> Value {
    let deliveries: Vec<Vec<Value>> = (0..PEOPLE).map(of).collect();
    let times = deliveries[0].len();
    let leads = (0..PEOPLE + times).flat_map(|batch| {
        let deliveries = &deliveries;
        (0..times).filter_map(move |time| deliveries.get(batch.checked_sub(time)?)?.get(time).cloned())
    });
    Value::Array(leads.collect())
}

async fn world(batch_leads: usize) -> World {
    World::with(Options::default(), |config| {
        config.gate.batch_leads = batch_leads;
        config.gate.linger_milliseconds = 0;
    })
    .await
}

#[tokio::test]
async fn who_is_new_in_one_batch_is_known_to_the_next_by_each_identifier_and_by_name() {
    let world = world(3).await;
    let leads = backlog(|number| {
        let (email, phone) = (
            format!("p{number}@example.com"),
            format!("+1415555{:04}", 2000 + number),
        );
        let (family, firm) = family_and_firm(number);
        let name = json!({"first_name": "William", "last_name": family, "company": firm});
        let with = |more: Value| super::world::but(name.clone(), more);
        vec![
            with(json!({"source": "sales", "email": email, "phone": phone})),
            with(json!({"source": "fair", "phone": phone, "job_title": "Buyer"})),
            json!({"source": "payments", "first_name": "Bill", "last_name": family, "company": format!("{firm} GmbH")}),
        ]
    });
    world.leads(leads).await;
    world.settle().await;
    invariants::check(&world).await;
    assert_eq!(world.contacts().len(), PEOPLE);
    assert!(world.contacts().iter().all(|contact| contact["jobtitle"] == "Buyer"));
}

#[tokio::test]
async fn what_a_batch_brings_of_a_known_contact_is_known_to_the_next() {
    let world = world(2).await;
    let seeds = (0..PEOPLE).map(|number| json!({"email": format!("p{number}@example.com"), "firstname": "Pat"}));
    world.seed(seeds.collect());
    let leads = backlog(|number| {
        let phone = format!("+1415555{:04}", 2000 + number);
        vec![
            json!({"source": "sales", "email": format!("p{number}@example.com"), "phone": phone, "first_name": "Pat"}),
            json!({"source": "fair", "phone": phone, "first_name": "Pat", "city": "Kiel"}),
        ]
    });
    world.leads(leads).await;
    world.settle().await;
    invariants::check(&world).await;
    assert_eq!(world.contacts().len(), PEOPLE);
    assert!(world.contacts().iter().all(|contact| contact["city"] == "Kiel"));
}

/// Families and firms that nobody takes one for another.
fn family_and_firm(number: usize) -> (String, String) {
    let (one, other) = (number % 8, number / 8);
    let head = ["Lind", "Carter", "Steph", "Okon", "Waller", "Fisch", "Moren", "Dubo"][one];
    let tail = ["qvist", "hauser", "ova", "smith", "iades"][other];
    let firm = ["Acorn", "Birch", "Cedar", "Dogwood", "Elm", "Fir", "Ginkgo", "Hazel"][(one * 3 + other) % 8];
    let trade = ["Foods", "Motors", "Press", "Glassworks", "Sails"][other];
    (format!("{head}{tail}"), format!("{firm} {trade}"))
}
