//! The true people behind the leads, and what must be so in the end. The daemon never sees who is who: it finds out.

use std::path::Path;

use chrono::{DateTime, Utc};
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use crate::flow::invariants;
use crate::flow::world::World;
use crate::support::{Directory, TestDb};

/// People of a world.
const PEOPLE: usize = 24;

/// Part of every value of a lead that says who it is, and of the token.
const CANARY: &str = "canary";

/// Sources from the lowest rank to the highest: what the last one says must stand in the end.
const SOURCES: [&str; 3] = ["webinar", "sales", "payments"];

/// A world of a seed: leads of all people from all sources in a random order, some of them known to the CRM before.
pub(super) async fn world(seed: u64, change: impl FnOnce(&mut gatekeeper::config::Config)) -> (World, StdRng) {
    world_on(TestDb::new().await, seed, change).await
}

/// The same on this database.
pub(super) async fn world_on(
    db: TestDb,
    seed: u64,
    change: impl FnOnce(&mut gatekeeper::config::Config),
) -> (World, StdRng) {
    let (world, mut random) = world_with(db, seed, change).await;
    let known = (0..PEOPLE).filter(|_| random.random_bool(0.4)).collect::<Vec<_>>();
    world.seed(
        known
            .iter()
            .map(|&person| json!({"email": address(person), "city": "Kiel"}))
            .collect(),
    );
    (world, random)
}

/// A world of a seed in which nobody is yet.
pub(super) async fn world_of(seed: u64, change: impl FnOnce(&mut gatekeeper::config::Config)) -> (World, StdRng) {
    world_with(TestDb::new().await, seed, change).await
}

async fn world_with(db: TestDb, seed: u64, change: impl FnOnce(&mut gatekeeper::config::Config)) -> (World, StdRng) {
    let mut random = StdRng::seed_from_u64(seed);
    let options = gatekeeper::sandbox::Options {
        seed,
        scattered_ids: true,
        token: "canary-token".to_owned(),
        ..Default::default()
    };
    let batch_leads = random.random_range(5..30);
    let world = World::on(db, options, |config| {
        config.gate.batch_leads = batch_leads;
        config.daemon.log_filter = "debug".to_owned();
        // Deaths are the harness's doing and no lead's.
        config.gate.max_claims = 50;
        change(config);
    })
    .await;
    (world, random)
}

/// Delivers all leads, in pieces, each in a transaction of its own.
pub(super) async fn deliver(world: &World, random: &mut StdRng) {
    let mut leads: Vec<Value> = (0..PEOPLE)
        .flat_map(|person| SOURCES.iter().map(move |source| lead(person, source)))
        .collect();
    leads.shuffle(random);
    for piece in leads.chunks(20) {
        world.leads(Value::Array(piece.to_vec())).await;
    }
}

fn address(person: usize) -> String {
    format!("canary.p{person}@example.com")
}

/// The same person is written in another way by each source.
fn lead(person: usize, source: &str) -> Value {
    let email = match source {
        "webinar" => address(person).to_uppercase(),
        _ => format!(" {}", address(person)),
    };
    json!({"source": source, "source_key": person.to_string(), "email": email, "first_name": "Canarypat", "city": source})
}

/// Nothing lost, nothing twice, all of it audited, and the best source has the last word.
pub(super) async fn judge(world: &World) {
    judge_after_loss(world, DateTime::<Utc>::MIN_UTC).await;
}

/// The same for a database that lost what it had committed last before this time, and so the intents of what was sent.
pub(super) async fn judge_after_loss(world: &World, lost_until: DateTime<Utc>) {
    invariants::check_after_loss(world, lost_until).await;
    let contacts = world.contacts();
    assert_eq!(contacts.len(), PEOPLE, "each person is one contact");
    let wrong = not_of_the_best_source(world);
    assert!(wrong.is_empty(), "the best source has the last word: {wrong:#?}");
    let not_done = "select count(*) from gate.work where state <> 'done'";
    assert_eq!(world.count(not_done).await, 0, "each lead is done");
    let twice = "select count(*) from (
           select lead_id
           from audit.decision
           where outcome = 'applied' and action <> 'rewrite'
           group by lead_id
           having count(*) > 1
         ) as twice";
    assert_eq!(world.count(twice).await, 0, "no lead is applied twice");
    let deadlocks = "select deadlocks from pg_stat_database where datname = current_database()";
    assert_eq!(world.count(deadlocks).await, 0, "nobody locks another out");
    let leaks = leaks(world.directory.path());
    assert!(
        leaks.is_empty(),
        "a log or the metrics hold what nobody may read there: {leaks:#?}"
    );
    assert!(
        metrics_were_seen(world.directory.path()),
        "nobody looked at the metrics"
    );
}

/// Lines of the daemons' logs and of their metrics that hold what nobody may read there.
pub(super) fn leaks(directory: &Path) -> Vec<String> {
    let files = std::fs::read_dir(directory).unwrap().map(|file| file.unwrap().path());
    let logs = files.filter(|file| file.extension().is_some_and(|extension| extension == "log"));
    let texts = logs.map(|log| std::fs::read_to_string(log).unwrap());
    texts
        .flat_map(|text| {
            let lines = text.lines().filter(|line| line.to_lowercase().contains(CANARY));
            lines.map(str::to_owned).collect::<Vec<_>>()
        })
        .collect()
}

/// Whether the page of metrics of at least one daemon was kept, where daemons ran as processes.
fn metrics_were_seen(directory: &Path) -> bool {
    let files = std::fs::read_dir(directory).unwrap().map(|file| file.unwrap().path());
    let names: Vec<String> = files.map(|file| file.display().to_string()).collect();
    let any = |end: &str| names.iter().any(|name| name.ends_with(end));
    any(".metrics.log") || !any(".log")
}

#[test]
fn a_value_of_a_lead_in_a_log_is_found() {
    let directory = Directory::new("leaks");
    let write = |name: &str, text: &str| std::fs::write(directory.path().join(name), text).unwrap();
    write("settings.toml", "token = \"canary-token\"");
    write(
        "daemon-1.log",
        "INFO lead_id=7 decided\nWARN the CRM refuses CANARY.P7@EXAMPLE.COM\n",
    );
    assert_eq!(leaks(directory.path()), ["WARN the CRM refuses CANARY.P7@EXAMPLE.COM"]);
}

/// Contacts that do not hold what the source of the highest rank brought.
pub(super) fn not_of_the_best_source(world: &World) -> Vec<Value> {
    let best = SOURCES[SOURCES.len() - 1];
    let contacts = world.contacts().into_iter();
    contacts.filter(|contact| contact["city"] != best).collect()
}
