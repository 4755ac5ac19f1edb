//! What the pull loop is told by the settings.

use std::time::Duration;

use crate::config::Mirror;

/// What the pull loop is told by the settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PullSettings {
    /// Between two polls for changes. Also the time after which a long pass pauses for one.
    pub poll_every: Duration,
    /// A poll stays so far behind the present.
    pub lag: Duration,
    /// A window reaches so far back into the last one.
    pub overlap: Duration,
    /// The slow pass stays so far behind the present.
    pub slow_lag: Duration,
    /// Between two slow passes.
    pub slow_every: Duration,
    /// Between two comparisons of everything.
    pub full_every: Duration,
    /// Between two readings of the recycle bin.
    pub archived_every: Duration,
    /// A pass belongs to one replica for so long after each page.
    pub lease: Duration,
}

impl PullSettings {
    /// The settings of `[mirror]`; `lease` is the daemon's.
    pub fn new(mirror: &Mirror, lease: Duration) -> Self {
        let hours = |hours: u64| Duration::from_secs(hours.saturating_mul(3_600));
        Self {
            poll_every: Duration::from_secs(mirror.poll_seconds),
            lag: Duration::from_secs(mirror.lag_seconds),
            overlap: Duration::from_secs(mirror.overlap_seconds),
            slow_lag: Duration::from_secs(mirror.slow_pass_lag_seconds),
            slow_every: Duration::from_secs(mirror.slow_pass_seconds),
            full_every: hours(mirror.full_comparison_hours),
            archived_every: hours(mirror.archived_scan_hours),
            lease,
        }
    }
}
