//! Where the limits are counted, so that all replicas share them: implemented by the store.

use std::future::Future;
use std::time::Duration;

use super::Bucket;
use crate::fault::Classify;

/// One limit of the CRM's, in the form in which it is counted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Allowance {
    /// Calls in the rolling window; 0 for no limit.
    pub calls: u32,
    /// The CRM's window and our margin for the way of a call.
    pub window: Duration,
    /// Calls a day that we may use; 0 for no limit.
    pub daily_calls: u32,
    /// Share of all these that this priority may use, 0 to 1.
    pub share: f32,
    /// The call serves leads: it is not made while the gate holds.
    pub for_leads: bool,
    /// What the call takes from the budget for retries of all replicas; 0 for a first try.
    pub retry_cost: u32,
}

/// The answer to a request for a permit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Leave {
    /// Counted; call now.
    Granted,
    /// Not now. Ask again after this long.
    Wait {
        /// How long.
        wait: Duration,
        /// Why, for status and log.
        why: String,
    },
}

/// Counts calls for all replicas.
pub trait Ledger: Send + Sync {
    /// Why it could not count.
    type Error: Classify + std::error::Error + Send + Sync + 'static;

    /// Asks for leave to make one call now.
    fn take(&self, bucket: Bucket, allowance: Allowance) -> impl Future<Output = Result<Leave, Self::Error>> + Send;

    /// Nobody calls for this long; absent: until the account's midnight. `bucket` absent: no call at all.
    fn pause(
        &self,
        bucket: Option<Bucket>,
        wait: Option<Duration>,
        reason: &str,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// The CRM counts more than we did: others use the same limit. Our count is raised, never lowered.
    fn learn(
        &self,
        bucket: Bucket,
        window_used: u32,
        window: Duration,
        day_used: Option<u32>,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send;
}
