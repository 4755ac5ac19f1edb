//! Progress: a bar for each stage on a terminal, a line for each stage elsewhere. On standard error, as the report is
//! what the demo prints.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// A stage that is under way. Dropped without [`Stage::done`], it leaves no trace.
pub(super) struct Stage {
    title: &'static str,
    begun: Instant,
    bar: Option<ProgressBar>,
}

impl Stage {
    /// Begins a stage; `total` is what [`Stage::at`] will end with, when that is known.
    pub(super) fn begin(title: &'static str, total: Option<u64>) -> Stage {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = match total {
                Some(total) => ProgressBar::new(total),
                None => ProgressBar::new_spinner(),
            };
            let template = match total {
                Some(_) => "  {msg:<12} {bar:40.green} {human_pos} of {human_len}, {per_sec}, {eta} left",
                None => "  {msg:<12} {spinner} {elapsed}",
            };
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
            bar.set_message(title);
            bar.enable_steady_tick(Duration::from_millis(100));
            bar
        });
        Stage {
            title,
            begun: Instant::now(),
            bar,
        }
    }

    /// How far it is.
    pub(super) fn at(&self, done: u64) {
        if let Some(bar) = &self.bar {
            bar.set_position(done);
        }
    }

    /// How long it has taken so far.
    pub(super) fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    /// Ends it with what came of it.
    pub(super) fn done(self, result: &str) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        let seconds = self.begun.elapsed().as_secs_f64();
        // Nobody reads it any more: no reason to end the work.
        let _ = writeln!(std::io::stderr(), "  {:<12} {result} ({seconds:.1} s)", self.title);
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
