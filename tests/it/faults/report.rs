//! Adds a run to docs/fault-runs.csv, and writes docs/FAULT-REPORT.md from all of them: what was tried, how often, and what
//! came of it.

use std::fmt::Write;
use std::path::Path;
use std::process::Command;

use serde::{Deserialize, Serialize};

use super::kinds::KINDS;
use super::{promises, sixty};

/// Where the runs are kept, below docs.
const RUNS: &str = "fault-runs.csv";

/// Where they are told, below docs.
const REPORT: &str = "FAULT-REPORT.md";

/// One kind in one run: a row of the file.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Row {
    pub(super) date: String,
    pub(super) commit: String,
    pub(super) kind: String,
    pub(super) first_seed: u64,
    pub(super) seeds: u64,
    /// Faults that really happened: deaths, freezes, lost or late requests, ended connections, forgotten effects.
    pub(super) faults: u64,
    /// The seeds that failed, apart by spaces.
    pub(super) failed: String,
    pub(super) seconds: u64,
}

/// Adds the rows of a run and writes the report and the results of the promises.
pub(super) fn add(rows: Vec<Row>) {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let mut runs = runs(&docs);
    runs.extend(rows);
    let mut written = csv::Writer::from_path(docs.join(RUNS)).unwrap();
    for run in &runs {
        written.serialize(run).unwrap();
    }
    written.flush().unwrap();
    write(&docs, &runs);
}

/// Writes what is told of the runs.
fn write(docs: &Path, runs: &[Row]) {
    std::fs::write(docs.join(REPORT), report(runs)).unwrap();
    promises::write(docs, runs);
}

/// All runs so far.
pub(super) fn runs(docs: &Path) -> Vec<Row> {
    let known = csv::Reader::from_path(docs.join(RUNS));
    let known = known.map(|mut runs| runs.deserialize().collect::<Result<Vec<Row>, _>>());
    known.map_or_else(|_| Vec::new(), |runs| runs.expect("docs/fault-runs.csv can be read"))
}

fn report(runs: &[Row]) -> String {
    let mut text = include_str!("preface.md").to_owned();
    text.push_str(
        "\n## All runs together\n\n| kind | what is done | seeds | faults | failed |\n|---|---|---|---|---|\n",
    );
    for kind in KINDS {
        let of_kind = || runs.iter().filter(|run| run.kind == kind.name);
        let failed: usize = of_kind().map(|run| run.failed.split_whitespace().count()).sum();
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {failed} |",
            kind.name,
            kind.what,
            of_kind().map(|run| run.seeds).sum::<u64>(),
            of_kind().map(|run| run.faults).sum::<u64>(),
        );
    }
    text.push_str("\n## Each run\n\n| date | commit | kind | seeds | faults | failed seeds | seconds |\n|---|---|---|---|---|---|---|\n");
    for run in runs {
        let failed = if run.failed.is_empty() { "none" } else { &run.failed };
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} to {} | {} | {failed} | {} |",
            run.date,
            run.commit,
            run.kind,
            run.first_seed,
            run.first_seed + run.seeds - 1,
            run.faults,
            run.seconds
        );
    }
    text.push_str(&sixty::chapter());
    text
}

/// What was tried: the commit, and whether something that matters was changed since.
pub(super) fn commit() -> String {
    let git = |words: &[&str]| {
        let told = Command::new("git").args(words).output().ok()?;
        let text = String::from_utf8_lossy(&told.stdout).trim().to_owned();
        told.status.success().then_some(text)
    };
    let Some(commit) = git(&["rev-parse", "--short", "HEAD"]) else {
        return "not known".to_owned();
    };
    let changed = git(&[
        "status",
        "--porcelain",
        "--",
        "src",
        "sql",
        "migrations",
        "tests",
        "Cargo.lock",
    ]);
    match changed.as_deref() {
        Some("") => commit,
        _ => format!("{commit} and changes"),
    }
}

#[test]
fn what_is_told_of_the_runs_is_what_they_were() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let runs = runs(&docs);
    if std::env::var_os("GATEKEEPER_WRITE_SNAPSHOTS").is_some() {
        write(&docs, &runs);
    }
    let told = std::fs::read_to_string(docs.join(REPORT)).unwrap();
    assert_eq!(
        told,
        report(&runs),
        "write docs/{REPORT} anew with GATEKEEPER_WRITE_SNAPSHOTS=1"
    );
    promises::check(&docs, &runs);
}
