//! Writes docs/FAULT-REPORT.md: what was tried, how often, and what came of it.

use std::fmt::Write;
use std::ops::Range;
use std::process::Command;

use super::kinds::Kind;

/// What came of one kind.
pub(super) struct Row {
    pub(super) kind: &'static Kind,
    pub(super) seeds: Range<u64>,
    /// Faults that really happened: deaths, freezes, lost or late requests, ended connections.
    pub(super) faults: u64,
    pub(super) failed: Vec<u64>,
    pub(super) seconds: u64,
}

/// Writes the report.
pub(super) fn write(rows: &[Row]) {
    let mut text = include_str!("preface.md").to_owned();
    let _ = writeln!(text, "\n- date: {}", chrono::Utc::now().format("%Y-%m-%d %H:%M UTC"));
    let _ = writeln!(text, "- commit: {}\n", commit());
    text.push_str("| kind | what is done | seeds | faults | failed | seconds |\n|---|---|---|---|---|---|\n");
    for row in rows {
        let failed: Vec<String> = row.failed.iter().map(u64::to_string).collect();
        let failed = if failed.is_empty() {
            "none".to_owned()
        } else {
            failed.join(", ")
        };
        let Range { start, end } = row.seeds;
        let _ = writeln!(
            text,
            "| {} | {} | {start} to {} | {} | {failed} | {} |",
            row.kind.name,
            row.kind.what,
            end - 1,
            row.faults,
            row.seconds
        );
    }
    std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/FAULT-REPORT.md"), text).unwrap();
}

fn commit() -> String {
    let told = Command::new("git").args(["describe", "--always", "--dirty"]).output();
    let told = told.ok().filter(|told| told.status.success());
    told.map_or_else(
        || "not known".to_owned(),
        |told| String::from_utf8_lossy(&told.stdout).trim().to_owned(),
    )
}
