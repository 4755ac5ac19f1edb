//! What was measured, beside its goal and the other client, as a table for the terminal and for `docs/BENCHMARKS.md`.

use std::fmt::Write;
use std::time::Duration;

use comfy_table::{Table, presets};

/// The most memory that the daemon may ever have, bytes.
const MEMORY: u64 = 80 * 1024 * 1024;

/// One figure.
pub(crate) struct Figure {
    name: String,
    goal: String,
    measured: String,
    naive: String,
    met: bool,
}

impl Figure {
    /// A figure with its goal, not measured yet.
    pub(crate) fn new(name: impl Into<String>, goal: impl Into<String>) -> Figure {
        Figure {
            name: name.into(),
            goal: goal.into(),
            measured: String::new(),
            naive: String::new(),
            met: false,
        }
    }

    /// What was measured, and whether that is the goal.
    pub(crate) fn measured(mut self, measured: String, met: bool) -> Figure {
        (self.measured, self.met) = (measured, met);
        self
    }

    /// What the other client took for the same work.
    pub(crate) fn naive(mut self, naive: String) -> Figure {
        self.naive = naive;
        self
    }
}

/// All figures of a run.
#[derive(Default)]
pub(crate) struct Figures {
    figures: Vec<Figure>,
    notes: Vec<String>,
    memory: Vec<(String, u64)>,
}

impl Figures {
    pub(crate) fn add(&mut self, figure: Figure) {
        println!(
            "{}  {}: {} (goal {})",
            if figure.met { "met   " } else { "MISSED" },
            figure.name,
            figure.measured,
            figure.goal
        );
        self.figures.push(figure);
    }

    /// Something that has no goal and is worth knowing.
    pub(crate) fn note(&mut self, note: String) {
        println!("        {note}");
        self.notes.push(note);
    }

    /// The peak memory of one daemon's life so far.
    pub(crate) fn daemon_memory(&mut self, when: &str, bytes: u64) {
        println!("        daemon's peak memory, {when}: {}", megabytes(bytes));
        self.memory.push((when.to_owned(), bytes));
    }

    /// Makes a figure of the largest of the daemon's peaks.
    pub(crate) fn conclude_memory(&mut self) {
        if let Some((when, most)) = self.memory.iter().max_by_key(|(_, bytes)| *bytes).cloned() {
            let measured = format!("{} ({when})", megabytes(most));
            let figure = Figure::new("the daemon's peak memory in all of this", "≤ 80 MB");
            self.add(figure.measured(measured, most <= MEMORY).naive("no daemon".to_owned()));
        }
    }

    /// Whether every goal was met.
    pub(crate) fn all_met(&self) -> bool {
        self.figures.iter().all(|figure| figure.met)
    }

    /// The table, and the notes below it.
    pub(crate) fn text(&self) -> String {
        let mut table = Table::new();
        table.load_style(presets::ASCII_MARKDOWN);
        table.set_header(["figure", "goal", "measured", "one by one", "verdict"]);
        for figure in &self.figures {
            let verdict = if figure.met { "met" } else { "missed" };
            table.add_row([&figure.name, &figure.goal, &figure.measured, &figure.naive, verdict]);
        }
        let mut text = format!("{table}\n\n");
        for note in &self.notes {
            let _ = writeln!(text, "- {note}");
        }
        let peaks: Vec<String> = self
            .memory
            .iter()
            .map(|(when, bytes)| format!("{} {when}", megabytes(*bytes)))
            .collect();
        if !peaks.is_empty() {
            let _ = writeln!(text, "- The daemon's peak memory: {}.", peaks.join(", "));
        }
        text
    }
}

/// `12,345`.
pub(crate) fn number(value: usize) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1,234/s`.
pub(crate) fn rate(per_second: f64) -> String {
    format!("{}/s", number(per_second.round() as usize))
}

/// `12.3 s`.
pub(crate) fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

pub(crate) fn megabytes(bytes: u64) -> String {
    format!("{:.0} MB", bytes as f64 / 1024.0 / 1024.0)
}
