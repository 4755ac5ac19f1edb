//! How fast the judge is: `cargo test --release --test it sandbox::speed -- --ignored --nocapture`.

use std::time::{Duration, Instant};

use gatekeeper::sandbox::{JournalMode, Options};
use reqwest::Method;
use serde_json::{Value, json};

use super::caller::Caller;

fn resident_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .unwrap_or("0 kB");
    line.split_whitespace()
        .next()
        .and_then(|kb| kb.parse::<u64>().ok())
        .unwrap_or(0)
        / 1024
}

/// Figures that the other rooms' benchmarks stand on. Means something in a release build only.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement, for release builds"]
async fn a_million_contacts_fit_and_pages_and_batches_are_fast() {
    let options = Options {
        journal: JournalMode::Counts,
        unique: vec!["ext_id".to_owned()],
        ..Options::default()
    };
    let crm = Caller::new(options).await;
    let before = resident_mb();
    let contact = |n: u32| {
        json!({"email": format!("person.{n}@example{}.com", n % 1000), "firstname": "Maximiliane", "lastname": format!("Mustermann {n}"),
               "company": "Example Trading Company", "phone": format!("+49 30 {n:07}"), "city": "Berlin", "country": "Germany",
               "ext_id": format!("key-{n:032}")})
    };
    let begun = Instant::now();
    for chunk in 0..1000 {
        crm.seed((chunk * 1000..(chunk + 1) * 1000).map(contact).collect());
    }
    println!(
        "seeded 1,000,000 in {:?}, {} MB",
        begun.elapsed(),
        resident_mb() - before
    );

    // What the client does with an answer is left out of the time: it is the server that is measured.
    let (mut spent, mut after) = (Duration::ZERO, String::new());
    for _ in 0..1000 {
        let fields =
            "email,firstname,lastname,company,phone,city,country,ext_id,hs_additional_emails,hs_merged_object_ids";
        let path = format!("/crm/v3/objects/contacts?limit=100&properties={fields}{after}");
        let begun = Instant::now();
        let page = crm
            .request(Method::GET, &path)
            .send()
            .await
            .unwrap()
            .bytes()
            .await
            .unwrap();
        spent += begun.elapsed();
        let page: Value = serde_json::from_slice(&page).unwrap();
        after = format!("&after={}", page["paging"]["next"]["after"].as_str().unwrap());
    }
    let pages = 1000.0 / spent.as_secs_f64();
    println!("{pages:.0} list pages of 100 a second");
    assert!(pages > 150.0);

    for (tail, id) in [("create", 0), ("update", 1), ("read", 2)] {
        let (mut spent, mut slowest) = (Duration::ZERO, Duration::ZERO);
        let ids: Vec<String> = crm.get("?limit=100").await.ids();
        for round in 0..100u32 {
            let row = |n: u32| match id {
                0 => json!({"objectWriteTraceId": n.to_string(), "properties": contact(2_000_000 + round * 100 + n)}),
                1 => {
                    let properties = json!({"city": format!("c{round}")});
                    json!({"id": ids[n as usize], "objectWriteTraceId": n.to_string(), "properties": properties})
                }
                _ => json!({"id": format!("person.{}@example{}.com", n * 7919, n * 7919 % 1000)}),
            };
            let inputs: Vec<Value> = (0..100).map(row).collect();
            let path = format!("/crm/v3/objects/contacts/batch/{tail}");
            let request = crm
                .request(Method::POST, &path)
                .json(&json!({"idProperty": "email", "inputs": inputs}));
            let begun = Instant::now();
            let answer = request.send().await.unwrap().bytes().await.unwrap();
            let took = begun.elapsed();
            (spent, slowest) = (spent + took, slowest.max(took));
            let answer: Value = serde_json::from_slice(&answer).unwrap();
            assert_eq!(answer["results"].as_array().unwrap().len(), 100);
        }
        let mean = spent / 100;
        println!("batch {tail} of 100: {mean:?} on average, {slowest:?} at most");
        assert!(mean < Duration::from_millis(5));
    }

    let begun = Instant::now();
    let filters = json!([
        {"propertyName": "lastmodifieddate", "operator": "GTE", "value": (chrono::Utc::now().timestamp_millis() - 2_000).to_string()},
        {"propertyName": "hs_object_id", "operator": "GT", "value": "0"},
    ]);
    let body = json!({"filterGroups": [{"filters": filters}], "sorts": ["hs_object_id"], "limit": 200, "after": "0"});
    let answer = crm.post("/search", body).await;
    println!(
        "search of a window with {} hits: {:?}",
        answer.body["total"],
        begun.elapsed()
    );
}
