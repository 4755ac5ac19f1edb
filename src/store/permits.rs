//! Permits: the governor's ledger in the database, shared by all replicas.

use std::time::Duration;

use super::{Store, StoreError, call};
use crate::governor::{Allowance, Bucket, Leave, Ledger};

impl Ledger for Store {
    type Error = StoreError;

    async fn take(&self, bucket: Bucket, allowance: Allowance) -> Result<Leave, StoreError> {
        let client = self.client().await?;
        let calls = i32::try_from(allowance.calls).unwrap_or(i32::MAX);
        let window_ms = i32::try_from(allowance.window.as_millis()).unwrap_or(i32::MAX);
        let retry_cost = i32::try_from(allowance.retry_cost).unwrap_or(i32::MAX);
        let daily = i64::from(allowance.daily_calls);
        let row = call::row(
            &client,
            "select * from gate.take_permit($1, $2, $3, $4, $5, $6, $7)",
            &[
                &bucket.name(),
                &calls,
                &window_ms,
                &daily,
                &allowance.share,
                &allowance.for_leads,
                &retry_cost,
            ],
        )
        .await?;
        let wait_ms: i64 = row.try_get("wait_ms")?;
        Ok(match u64::try_from(wait_ms).unwrap_or(0) {
            0 => Leave::Granted,
            wait_ms => Leave::Wait {
                wait: Duration::from_millis(wait_ms),
                why: row.try_get::<_, Option<String>>("why")?.unwrap_or_default(),
            },
        })
    }

    async fn pause(&self, bucket: Option<Bucket>, wait: Option<Duration>, reason: &str) -> Result<(), StoreError> {
        let client = self.client().await?;
        let seconds = match wait {
            Some(wait) => wait.as_secs_f64(),
            None => call::row(&client, "select gate.seconds_to_midnight()", &[])
                .await?
                .try_get(0)?,
        };
        let bucket = match (bucket, wait) {
            (Some(bucket), Some(_)) => bucket.name(),
            _ => "daily",
        };
        call::rows(
            &client,
            "select gate.pause_bucket($1, $2, $3)",
            &[&bucket, &seconds, &reason],
        )
        .await?;
        Ok(())
    }

    async fn learn(
        &self,
        bucket: Bucket,
        window_used: u32,
        window: Duration,
        day_used: Option<u32>,
    ) -> Result<(), StoreError> {
        let client = self.client().await?;
        let used = i32::try_from(window_used).unwrap_or(i32::MAX);
        let window_ms = i32::try_from(window.as_millis()).unwrap_or(i32::MAX);
        let day_used = day_used.map(i64::from).unwrap_or(0);
        call::rows(
            &client,
            "select gate.learn_usage($1, $2, $3, $4)",
            &[&bucket.name(), &used, &window_ms, &day_used],
        )
        .await?;
        Ok(())
    }
}

/// One limit as it stands, for status.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct BucketState {
    /// general, search or daily.
    pub bucket: String,
    /// Calls in the window now.
    pub used_now: i64,
    /// Calls today.
    pub day_used: i64,
    /// Seconds that nobody calls.
    pub paused_seconds: f64,
    /// Why.
    pub pause_reason: Option<String>,
}

/// The limits as they stand.
///
/// # Errors
/// As every statement.
pub async fn governor_state(
    client: &impl deadpool_postgres::GenericClient,
    window: Duration,
) -> Result<Vec<BucketState>, StoreError> {
    let window_ms = i32::try_from(window.as_millis()).unwrap_or(i32::MAX);
    let rows = call::rows(client, "select * from gate.governor_state($1)", &[&window_ms]).await?;
    rows.iter()
        .map(|row| {
            Ok(BucketState {
                bucket: row.try_get("bucket")?,
                used_now: row.try_get("used_now")?,
                day_used: row.try_get("day_used")?,
                paused_seconds: row.try_get::<_, Option<f64>>("paused_seconds")?.unwrap_or(0.0),
                pause_reason: row.try_get("pause_reason")?,
            })
        })
        .collect()
}
