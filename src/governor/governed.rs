//! The governor itself: waits until a call may be made, and learns from what the CRM answers.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use tokio::sync::Mutex;

use super::ledger::{Allowance, Leave, Ledger};
use super::retries::Retries;
use super::{Bucket, Permit, Priority, Went};
use crate::progress;

/// The CRM's limits as configured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Ordinary calls in any [`Limits::general_window`]; 0 for no limit.
    pub general_calls: u32,
    /// Length of that window.
    pub general_window: Duration,
    /// Search calls in any [`Limits::search_window`]; 0 for no limit.
    pub search_calls: u32,
    /// Length of that window.
    pub search_window: Duration,
    /// Calls a day that we may use; 0 for no limit.
    pub daily_calls: u32,
    /// Longest time between a grant and the call's arrival at the CRM; added to each window.
    pub margin: Duration,
}

/// Gives permits within the CRM's limits, for all replicas together.
///
/// Four means, each for one thing: the shared rolling window holds the limit, the pacer (GCRA, by the `governor` crate)
/// spreads what one process sends so that a backlog does not spend a whole window in its first second, and the shares keep
/// room for those with a higher priority, and the budget for retries keeps failures from feeding on themselves.
///
/// The rule `b + r·(W + J) ≤ N` holds for the strictest window `W` and any delay up to the margin `J`, for any number of
/// replicas: the ledger counts grants, not a rate, and gives at the most `N` in any `W + J`.
#[derive(Debug)]
pub struct Governor<L> {
    ledger: L,
    limits: Limits,
    general: Lane,
    search: Lane,
    retries: Retries,
}

#[derive(Debug)]
struct Lane {
    pacer: Option<DefaultDirectRateLimiter>,
    /// One at a time asks the ledger, the others queue here.
    turn: Arc<Mutex<()>>,
}

impl<L: Ledger> Governor<L> {
    /// A governor that counts in `ledger`.
    pub fn new(ledger: L, limits: Limits) -> Self {
        let general = Lane::new(limits.general_calls, limits.general_window);
        let search = Lane::new(limits.search_calls, limits.search_window);
        Self {
            ledger,
            limits,
            general,
            search,
            retries: Retries::default(),
        }
    }

    /// Waits until one call may be made. Dropping the future gives up the place in the queue and spends nothing.
    ///
    /// # Errors
    /// When the ledger cannot be asked: no call is made without having been counted.
    pub async fn permit(&self, bucket: Bucket, priority: Priority) -> Result<Permit, L::Error> {
        let lane = match bucket {
            Bucket::General => &self.general,
            Bucket::Search => &self.search,
        };
        let mut allowance = self.allowance(bucket, priority);
        // Without limits too: a pause that the CRM asked for holds for all.
        loop {
            progress::made();
            // Read anew each time: another call for the same end may have worked meanwhile.
            allowance.retry_cost = self.retries.cost(priority);
            let leave = {
                let _turn = lane.turn.lock().await;
                if let Some(pacer) = &lane.pacer {
                    pacer.until_ready().await;
                }
                self.ledger.take(bucket, allowance).await?
            };
            match leave {
                Leave::Granted => return Ok(Permit::new(bucket, priority)),
                Leave::Wait { wait, why } => {
                    tracing::debug!(
                        bucket = bucket.name(),
                        wait_ms = wait.as_millis() as u64,
                        why,
                        "permit waits"
                    );
                    // Asked again at least once a second: somebody may have lifted a pause.
                    #[expect(clippy::disallowed_methods, reason = "the governor is who waits")]
                    tokio::time::sleep(wait.min(Duration::from_secs(1))).await;
                }
            }
        }
    }

    /// Notes how a call went: those for the same end that follow a failed one are retries, and cost.
    pub fn note(&self, priority: Priority, went: Went) {
        self.retries.note(priority, went);
    }

    /// Nobody calls for this long; absent: until the account's midnight.
    ///
    /// # Errors
    /// When the ledger cannot be reached.
    pub async fn pause(&self, bucket: Option<Bucket>, wait: Option<Duration>, reason: &str) -> Result<(), L::Error> {
        tracing::warn!(
            bucket = bucket.map_or("all", Bucket::name),
            wait_ms = wait.map(|wait| wait.as_millis() as u64),
            reason,
            "calls to the CRM are paused"
        );
        self.ledger.pause(bucket, wait, reason).await
    }

    /// Takes note of what the CRM's headers said. `window_used` and `day_used` are the CRM's own counts.
    ///
    /// # Errors
    /// When the ledger cannot be reached.
    pub async fn learn(&self, bucket: Bucket, window_used: Option<u32>, day_used: Option<u32>) -> Result<(), L::Error> {
        let allowance = self.allowance(bucket, Priority::Recovery);
        // Our own calls are in the CRM's count, and some of ours may still be on the wire: only a clear surplus counts.
        let surplus = window_used.filter(|used| allowance.calls > 0 && used * 10 >= allowance.calls * 8);
        if surplus.is_none() && day_used.is_none_or(|used| used % 100 != 0) {
            return Ok(());
        }
        self.ledger
            .learn(bucket, surplus.unwrap_or(0), allowance.window, day_used)
            .await
    }

    /// What a priority may use of a bucket. The shares leave room for the more urgent ones, not more than needed.
    fn allowance(&self, bucket: Bucket, priority: Priority) -> Allowance {
        let (calls, window) = match bucket {
            Bucket::General => (self.limits.general_calls, self.limits.general_window),
            Bucket::Search => (self.limits.search_calls, self.limits.search_window),
        };
        let share = match priority {
            Priority::Recovery => 1.0,
            Priority::Live => 0.98,
            Priority::Merge => 0.96,
            Priority::Mirror => 0.85,
            Priority::Backfill => 0.8,
        };
        Allowance {
            calls,
            window: window + self.limits.margin,
            daily_calls: self.limits.daily_calls,
            share,
            retry_cost: 0,
            for_leads: matches!(priority, Priority::Recovery | Priority::Live | Priority::Merge),
        }
    }
}

impl Lane {
    /// Three times the sustained rate, a tenth of the window's calls at once: a single lead never waits, a backlog is
    /// spread over the first third of a window.
    fn new(calls: u32, window: Duration) -> Self {
        let per_second = f64::from(calls) * 3.0 / window.as_secs_f64().max(0.001);
        let pacer = NonZeroU32::new(per_second.ceil().min(f64::from(u32::MAX)) as u32).map(|rate| {
            let burst = NonZeroU32::new(calls / 10).unwrap_or(NonZeroU32::MIN);
            RateLimiter::direct(Quota::per_second(rate).allow_burst(burst))
        });
        Self {
            pacer,
            turn: Arc::default(),
        }
    }
}
