//! The fault harness: the real binary, a real database and a real CRM, with faults drawn by a seed, and a look at the end at
//! whether every promise was kept. `make faults SEEDS=n` runs n seeds of each kind and adds them to docs/FAULT-REPORT.md.

mod commits;
mod connections;
mod kinds;
mod line;
mod merging;
mod people;
mod promises;
mod report;
mod server;
mod sixty;

use std::time::Instant;

use futures::stream::{self, StreamExt};

use kinds::{KINDS, Kind};
use report::Row;

/// Seeds of each kind in `make test`.
const FEW: u64 = 4;

/// Worlds at the same time: most of the time each waits.
const TOGETHER: usize = 6;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_fails_nothing_is_lost_and_nobody_stands_twice() {
    let asked = std::env::var("GATEKEEPER_FAULT_SEEDS").ok();
    let asked = asked.and_then(|seeds| seeds.parse().ok());
    let first = std::env::var("GATEKEEPER_TEST_SEED").ok();
    let first: u64 = first.and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let commit = report::commit();
    let mut rows = Vec::new();
    let mut failed = Vec::new();
    let only = std::env::var("GATEKEEPER_FAULT_KIND").unwrap_or_default();
    assert!(
        only.is_empty() || KINDS.iter().any(|kind| kind.name == only),
        "there is no kind {only}"
    );
    for kind in KINDS.iter().filter(|kind| only.is_empty() || kind.name == only) {
        let begun = Instant::now();
        let seeds = first..first + asked.unwrap_or(FEW);
        let count = seeds.end - seeds.start;
        // What failed once is tried for ever, and is in no figure.
        let known = kind.failed_once.iter().copied().filter(|_| asked.is_none());
        let ends: Vec<(u64, Result<u64, String>)> = stream::iter(seeds.clone().chain(known))
            .map(|seed| one(kind, seed))
            .buffer_unordered(TOGETHER)
            .collect()
            .await;
        let mut faults = 0;
        let mut wrong = Vec::new();
        for (seed, end) in ends {
            match end {
                Ok(happened) => faults += happened,
                Err(said) => wrong.push((seed, said)),
            }
        }
        wrong.sort();
        let seconds = begun.elapsed().as_secs();
        println!(
            "{}: {count} seeds from {first}, {faults} faults, {} failed, {seconds} s",
            kind.name,
            wrong.len()
        );
        // A harness that breaks nothing proves nothing.
        assert!(faults > 0 || !wrong.is_empty(), "{} never happened", kind.name);
        let failed_seeds: Vec<String> = wrong.iter().map(|(seed, _)| seed.to_string()).collect();
        rows.push(Row {
            date: chrono::Utc::now().format("%Y-%m-%d %H:%M").to_string(),
            commit: commit.clone(),
            kind: kind.name.to_owned(),
            first_seed: first,
            seeds: count,
            faults,
            failed: failed_seeds.join(" "),
            seconds,
        });
        failed.extend(
            wrong
                .into_iter()
                .map(|(seed, said)| format!("{} with seed {seed}: {said}", kind.name)),
        );
    }
    if asked.is_some() {
        report::add(rows);
    }
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}

/// One seed, in a runtime of its own. What it complains of is what it panicked with.
async fn one(kind: &'static Kind, seed: u64) -> (u64, Result<u64, String>) {
    let work = move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on((kind.run)(seed))
    };
    let end = tokio::task::spawn_blocking(work).await.map_err(|error| {
        let panic = error.into_panic();
        panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(|&said| said.to_owned()))
            .unwrap_or_else(|| "a panic without words".to_owned())
    });
    (seed, end)
}
