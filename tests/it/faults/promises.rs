//! The column "last result" of the promises in docs/GUARANTEES.md: written from docs/fault-runs.csv, never by hand.

use std::collections::BTreeMap;
use std::path::Path;

use super::report::Row;

const FILE: &str = "GUARANTEES.md";
const HEADING: &str = "## Promises";

/// Writes the column anew.
pub(super) fn write(docs: &Path, runs: &[Row]) {
    let file = docs.join(FILE);
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(file, with_results(&text, runs)).unwrap();
}

/// The text with the last cell of each promise as the runs have it.
fn with_results(text: &str, runs: &[Row]) -> String {
    let (before, table) = text.split_once(HEADING).expect("there is a table of promises");
    let end = table.find("\n## ").unwrap_or(table.len());
    let (table, after) = table.split_at(end);
    let lines: Vec<String> = table.lines().map(|line| with_result(line, runs)).collect();
    format!("{before}{HEADING}{}\n{after}", lines.join("\n"))
}

fn with_result(line: &str, runs: &[Row]) -> String {
    let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
    let [promise, condition, tests, _] = cells[..] else {
        assert!(!line.starts_with('|') || line.starts_with("|---"), "four cells: {line}");
        return line.to_owned();
    };
    if promise == "promise" {
        return line.to_owned();
    }
    let harness = tests.contains("`faults::`");
    let others = tests.split(',').any(|test| !test.contains("`faults::`"));
    let mut result = Vec::new();
    if harness {
        result.push(of_harness(runs));
    }
    if others {
        result.push("held by `make test` at every commit".to_owned());
    }
    format!("| {promise} | {condition} | {tests} | {} |", result.join("; "))
}

/// The newest run of each kind counts for what holds now, all runs together for how often it was tried.
fn of_harness(runs: &[Row]) -> String {
    let mut newest: BTreeMap<&str, &Row> = BTreeMap::new();
    for run in runs {
        newest.insert(&run.kind, run);
    }
    let broken: Vec<&str> = newest
        .values()
        .filter(|run| !run.failed.is_empty())
        .map(|run| run.kind.as_str())
        .collect();
    let seeds: u64 = runs.iter().map(|run| run.seeds).sum();
    let faults: u64 = runs.iter().map(|run| run.faults).sum();
    let failed: usize = runs.iter().map(|run| run.failed.split_whitespace().count()).sum();
    let day = runs
        .last()
        .map_or("never", |run| run.date.split(' ').next().unwrap_or_default());
    let now = match broken[..] {
        [] => "kept".to_owned(),
        _ => format!("broken by {}", broken.join(", ")),
    };
    format!("{now} on {day}: {seeds} seeds with {faults} faults until then, {failed} failed")
}

/// Every promise has the result that the runs give.
pub(super) fn check(docs: &Path, runs: &[Row]) {
    let text = std::fs::read_to_string(docs.join(FILE)).unwrap();
    assert!(text.contains(" | tests | last result |"), "the column is gone");
    assert_eq!(
        text,
        with_results(&text, runs),
        "write docs/{FILE} anew with GATEKEEPER_WRITE_SNAPSHOTS=1"
    );
}
