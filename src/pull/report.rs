//! What the pull loop says of itself.

use std::time::Duration;

use super::PullError;
use crate::store::passes::{Found, Pass};

/// What became of one pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PassReport {
    /// Which pass.
    pub pass: Pass,
    /// How it stands now.
    pub end: PassEnd,
    /// What it found from its beginning on, over all stops; zero when it did not run.
    pub found: Found,
}

/// How a pass stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PassEnd {
    /// All of it is in the mirror.
    Complete,
    /// Its time was over; it goes on when it is asked again.
    Paused,
    /// Nothing can have changed since the last window, or there was no full load yet.
    Idle,
    /// Another replica is at it.
    Held,
}

/// How far a full load has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FullProgress {
    /// Contacts read since the pass began, over all stops.
    pub read: u64,
    /// Of these, read before this run.
    pub read_before: u64,
    /// Contacts that the CRM said it has when the pass began, if it said so.
    pub expected: Option<u64>,
    /// Time since this run began.
    pub elapsed: Duration,
}

impl FullProgress {
    /// Contacts a second in this run.
    pub fn rate(&self) -> f64 {
        (self.read - self.read_before) as f64 / self.elapsed.as_secs_f64().max(0.001)
    }

    /// Time that the rest will take at this rate, if it is known how much is left.
    pub fn time_left(&self) -> Option<Duration> {
        let left = self.expected?.saturating_sub(self.read) as f64;
        let rate = self.rate();
        (rate > 0.0).then(|| Duration::from_secs_f64((left / rate).min(1e9)))
    }
}

/// What one tick did.
#[derive(Debug)]
pub struct TickReport {
    /// The passes that were due.
    pub passes: Vec<PassReport>,
    /// When to come back.
    pub come_back: Duration,
    /// What ended the tick before its time: the CRM or the database is away or wants rest. `come_back` heeds it.
    pub trouble: Option<PullError>,
}
