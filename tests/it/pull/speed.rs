//! How fast a full load is. Not a test of correctness: run it by itself, optimized, with
//! `cargo test --release --test it pull::speed -- --ignored --nocapture`.

use std::time::{Duration, Instant};

use gatekeeper::crm::Reader;
use gatekeeper::domain::{CANONICAL, Field, Record};
use gatekeeper::governor::{Bucket, Priority, Unlimited};
use gatekeeper::normalize::{Lists, Normalizer};
use gatekeeper::sandbox::{JournalMode, Options};
use gatekeeper::store::mirror::MirrorRows;
use serde_json::{Value, json};

use super::scene::{Scene, connector};

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
    let normalizer = Normalizer::new(Some("US"), Lists::default()).unwrap();
    let records: Vec<Record> = (0..10_000).map(record).collect();
    let begun = Instant::now();
    for some in records.chunks(500) {
        assert_eq!(MirrorRows::new(some, &normalizer).len(), 500);
    }
    println!("normalizing alone: {:?} a contact", begun.elapsed() / 10_000);
    let begun = Instant::now();
    let crm = connector(&scene.crm);
    let mut cursor = None;
    loop {
        let fields = CANONICAL.iter().cloned().collect();
        let permit = Unlimited.permit(Bucket::General, Priority::Mirror);
        let page = crm
            .list(permit, &fields, cursor.as_deref(), false)
            .await
            .result
            .unwrap();
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    println!(
        "sandbox, HTTP and JSON alone: {:?} a contact",
        begun.elapsed() / u32::try_from(CONTACTS).unwrap()
    );
    for what in ["first load", "comparison"] {
        let (ours, theirs) = (cpu_seconds("self"), database_cpu_seconds(&scene).await);
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
        let (ours, theirs) = (cpu_seconds("self") - ours, database_cpu_seconds(&scene).await - theirs);
        println!(
            "{what}: {:?}, {rate:.0} contacts a second; CPU: {ours:.1} s of ours and the sandbox, {theirs:.1} s of PostgreSQL",
            report.found
        );
    }
}

fn record(number: usize) -> Record {
    let Value::Object(properties) = contact(number) else {
        panic!("an object")
    };
    let names = [
        (Field::Email, "email"),
        (Field::FirstName, "firstname"),
        (Field::LastName, "lastname"),
        (Field::Company, "company"),
        (Field::JobTitle, "jobtitle"),
        (Field::Phone, "phone"),
        (Field::MobilePhone, "mobilephone"),
        (Field::City, "city"),
        (Field::Country, "country"),
        (Field::ExternalId, "ext_id"),
    ];
    Record {
        crm_id: number.to_string(),
        values: names
            .map(|(field, name)| (field, properties[name].as_str().unwrap().to_owned()))
            .into(),
        ..Record::default()
    }
}

/// CPU time of a process so far.
fn cpu_seconds(process: &str) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let ticks = |at: usize| -> f64 {
        let behind_the_name = stat.rsplit(')').next().unwrap_or_default();
        behind_the_name
            .split_whitespace()
            .nth(at)
            .and_then(|ticks| ticks.parse().ok())
            .unwrap_or(0.0)
    };
    (ticks(11) + ticks(12)) / 100.0
}

async fn database_cpu_seconds(scene: &Scene) -> f64 {
    let sql = "select string_agg(pid::text, ' ') from pg_stat_activity where datname = current_database()";
    scene.ask(sql).await.split(' ').map(cpu_seconds).sum()
}
