//! Where and when it was measured.

use std::collections::HashMap;
use std::process::Command;
use std::time::{Duration, Instant};

/// One line for each thing that a reader needs to judge the figures.
pub(crate) fn describe() -> Vec<String> {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let model = line_of("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown processor".to_owned());
    let memory = line_of("/proc/meminfo", "MemTotal").unwrap_or_default();
    let kilobytes: u64 = memory
        .split_whitespace()
        .next()
        .and_then(|kb| kb.parse().ok())
        .unwrap_or(0);
    let changed = said("git", &["status", "--porcelain", "--untracked-files=no"]);
    let commit = said("git", &["rev-parse", "--short=12", "HEAD"]);
    let more = if changed.is_empty() {
        ""
    } else {
        ", with changes that are not committed"
    };
    vec![
        format!(
            "machine: {cores} cores of {model}, {} GB, Linux {}",
            kilobytes / 1024 / 1024,
            said("uname", &["-r"])
        ),
        format!("date: {}", chrono::Utc::now().format("%Y-%m-%d %H:%M UTC")),
        format!("commit: {commit}{more}"),
    ]
}

/// The load of the machine now: what else runs shows in the figures.
pub(crate) fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().take(3).collect::<Vec<_>>().join(" ")
}

fn line_of(file: &str, name: &str) -> Option<String> {
    let text = std::fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    output.map_or_else(
        |_| String::new(),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    )
}

/// Watches who uses the processors while something is measured.
pub(crate) struct Watch {
    begun: Instant,
    busy: f64,
    ours: f64,
}

impl Watch {
    /// From now on.
    pub(crate) fn start() -> Watch {
        Watch {
            begun: Instant::now(),
            busy: busy_seconds(),
            ours: our_seconds(),
        }
    }

    /// How long it has been.
    pub(crate) fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    /// What processes that are not ours have had of all processors meanwhile, for the reader: `others had 12 % of the CPUs`.
    pub(crate) fn others(&self) -> String {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let all = self.begun.elapsed().as_secs_f64() * cores as f64;
        let theirs = (busy_seconds() - self.busy) - (our_seconds() - self.ours);
        format!(
            "others had {:.0} % of the CPUs",
            (100.0 * theirs / all).clamp(0.0, 100.0)
        )
    }
}

/// The kernel counts in hundredths of a second for programs, on every machine.
const TICKS: f64 = 100.0;

/// Seconds that all processors together have worked since the machine started.
fn busy_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/stat").unwrap_or_default();
    let line = text.lines().next().unwrap_or_default();
    let ticks: Vec<f64> = line
        .split_whitespace()
        .skip(1)
        .filter_map(|field| field.parse().ok())
        .collect();
    // user nice system, not idle and iowait, irq softirq steal
    let busy: f64 = ticks
        .iter()
        .enumerate()
        .filter(|(place, _)| *place < 8 && ![3, 4].contains(place))
        .map(|(_, ticks)| ticks)
        .sum();
    busy / TICKS
}

/// Seconds that this process and all that it has started have worked: the server, the daemon, the sandbox.
fn our_seconds() -> f64 {
    let mut parents = HashMap::new();
    let mut worked = HashMap::new();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        // After the name in parentheses: state, parent, …, and as 12th to 15th the times, those of ended children last.
        let stat = std::fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        let Some((_, rest)) = stat.rsplit_once(')') else {
            continue;
        };
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let parent = fields.get(1).and_then(|parent| parent.parse::<u32>().ok()).unwrap_or(0);
        let ticks: f64 = fields
            .iter()
            .skip(11)
            .take(4)
            .filter_map(|ticks| ticks.parse::<f64>().ok())
            .sum();
        parents.insert(pid, parent);
        worked.insert(pid, ticks / TICKS);
    }
    let me = std::process::id();
    let is_ours = |pid: &u32| std::iter::successors(Some(*pid), |pid| parents.get(pid).copied()).any(|pid| pid == me);
    worked
        .iter()
        .filter(|(pid, _)| is_ours(pid))
        .map(|(_, seconds)| seconds)
        .sum()
}
