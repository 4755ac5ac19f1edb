//! Random rows: whatever an ETL job inserts, every lead ends, and the invariants hold.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Map, Value, json};

use crate::flow::world::World;

/// Rows in one batch, and batches.
const ROWS: usize = 80;
const BATCHES: usize = 6;

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => prop::sample::select(vec![
            "ann@example.com", "ANN@EXAMPLE.COM", "bob@example.com", "info@acme.example", "+1 415 555 2671", "4155552671",
            "Ann", "Lee", "Bob", "Acme", "Acme Inc.", "Riga", "n/a", "", "test", "US", "Germany", "sales", "webinar",
        ]).prop_map(str::to_owned),
        1 => "\\PC{0,40}",
        1 => any::<String>().prop_map(|text| text.replace('\0', "")),
        1 => "[a-z]{1,8}@[a-z]{1,8}\\.[a-z]{2,3}",
        1 => "[+0-9() .x-]{0,20}",
        1 => "[\u{200b}-\u{200f}\u{202a}-\u{202e}\u{1}-\u{1f}a-c]{0,10}",
        1 => (1_usize..5_000).prop_map(|length| "é".repeat(length)),
    ]
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        any::<i64>().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    let names = prop_oneof![
        Just("email".to_owned()),
        Just("phone".to_owned()),
        Just("firstname".to_owned()),
        Just("first_name".to_owned()),
        Just("properties".to_owned()),
        Just("lifecyclestage".to_owned()),
        Just("hs_object_id".to_owned()),
        Just("gatekeeper_key".to_owned()),
        text(),
    ];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(names.clone(), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn lead() -> impl Strategy<Value = Value> {
    let columns = [
        "source_key",
        "external_id",
        "email",
        "phone",
        "mobile_phone",
        "first_name",
        "last_name",
        "full_name",
        "company",
        "job_title",
        "street",
        "city",
        "state",
        "postal_code",
        "country",
    ];
    let source = prop_oneof![
        6 => prop::sample::select(vec!["sales", "webinar", "payments", "fair"]).prop_map(str::to_owned),
        1 => text(),
    ];
    let values = prop::collection::vec(prop::option::weighted(0.4, text()), columns.len());
    let occurred_at = prop::option::weighted(
        0.3,
        prop::sample::select(vec![
            "infinity",
            "-infinity",
            "2025-01-01",
            "2024-06-01",
            "0044-03-15 BC",
            "99999-01-01",
        ]),
    );
    let properties = prop::option::weighted(0.4, json());
    (prop::option::weighted(0.95, source), values, occurred_at, properties).prop_map(
        move |(source, values, occurred_at, properties)| {
            let mut lead: Map<String, Value> = columns
                .iter()
                .zip(values)
                .filter_map(|(column, value)| value.map(|value| ((*column).to_owned(), Value::from(value))))
                .collect();
            lead.insert("source".to_owned(), json!(source));
            lead.insert("occurred_at".to_owned(), json!(occurred_at));
            lead.insert("properties".to_owned(), json!(properties));
            Value::Object(lead)
        },
    )
}

#[tokio::test]
async fn every_lead_of_random_batches_ends_and_nobody_stands_twice() {
    let seed: [u8; 32] = match std::env::var("GATEKEEPER_TEST_SEED") {
        Ok(seed) => {
            let mut bytes = [0; 32];
            bytes[..seed.len().min(32)].copy_from_slice(&seed.as_bytes()[..seed.len().min(32)]);
            bytes
        }
        Err(_) => *b"the same garbage in every run  .",
    };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let world = World::new().await;
    for _ in 0..BATCHES {
        let leads: Vec<Value> = (0..ROWS)
            .map(|_| lead().new_tree(&mut runner).unwrap().current())
            .collect();
        world.leads(Value::Array(leads)).await;
        world.settle().await;
    }
    assert_eq!(
        world.count("select count(*) from gate.work").await as usize,
        ROWS * BATCHES
    );
    let actions = "select count(distinct action) from audit.entry";
    assert!(world.count(actions).await >= 5, "the garbage is not varied enough");
}
