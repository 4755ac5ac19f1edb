//! How fast a full load is. Not a test of correctness: run it by itself, optimized, with
//! `cargo test --release --test it pull::speed -- --ignored --nocapture`.

use std::time::{Duration, Instant};

use gatekeeper::sandbox::{JournalMode, Options};
use serde_json::{Value, json};

use super::scene::Scene;

const CONTACTS: usize = 100_000;

fn contact(number: usize) -> Value {
    let first = [
        "Robert", "Anna", "Jürgen", "María", "Chloe", "Wei", "Olga", "Tom", "Fatima", "Lars",
    ][number % 10];
    let last = format!(
        "{}{}",
        ["Smith", "Jones", "Müller", "García", "Li", "Berg", "Novak"][number % 7],
        number / 70
    );
    json!({
        "email": format!("{first}.{last}.{number}@company{}.example", number % 5_000).to_lowercase(),
        "firstname": first, "lastname": last, "company": format!("Company {} Ltd", number % 5_000),
        "jobtitle": "Head of Something", "phone": format!("+1 212 {:03}-{:04}", 200 + number % 700, number % 10_000),
        "mobilephone": format!("(415) {:03} {:04}", 200 + number % 799, number / 11 % 10_000),
        "city": (["Boston", "Riga", "Paris"][number % 3]), "country": "United States", "state": "MA", "zip": "02115",
        "address": format!("{number} Main Street"), "ext_id": format!("S-{number}"),
        "lastmodifieddate": "2024-05-01T12:00:00.000Z",
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement, for an optimized build"]
async fn a_full_load_of_100_000_contacts() {
    let scene = Scene::new(Options {
        journal: JournalMode::Off,
        ..Options::default()
    })
    .await;
    for from in (0..CONTACTS).step_by(10_000) {
        scene.seed((from..from + 10_000).map(contact));
    }
    for what in ["first load", "comparison"] {
        let begun = Instant::now();
        let last = std::sync::Mutex::new(Duration::ZERO);
        let report = scene
            .pull
            .full_load(|progress| {
                let mut last = last.lock().unwrap();
                if progress.elapsed - *last > Duration::from_secs(2) {
                    *last = progress.elapsed;
                    println!(
                        "{} of {:?}, {:.0}/s, {:?} left",
                        progress.read,
                        progress.expected,
                        progress.rate(),
                        progress.time_left()
                    );
                }
            })
            .await
            .unwrap();
        let rate = report.found.rows as f64 / begun.elapsed().as_secs_f64();
        println!("{what}: {:?}, {rate:.0} contacts a second", report.found);
    }
}
