//! Settle: records calls, and what the CRM answered to each write.

use chrono::{DateTime, Utc};
use deadpool_postgres::GenericClient;
use serde::Serialize;
use serde_json::{Value, json};
use tokio_postgres::types::Json;

use super::{StoreError, call};
use crate::domain::{CrmId, IntentId};

/// How an intent ended, or that it is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SettledAs {
    /// The CRM holds the values.
    Applied,
    /// The CRM refuses the row.
    Rejected,
    /// The CRM knows the person under an id that we did not know: decide anew.
    Conflict,
    /// The contact is gone: decide anew.
    Missing,
    /// Never sent: decide anew, uncharged.
    Withdrawn,
    /// Look it up later.
    Unknown,
}

/// One row to settle.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SettleRow {
    /// The write.
    pub intent_id: IntentId,
    /// Under which epoch we sent it.
    pub epoch: i64,
    /// How it ended.
    pub outcome: SettledAs,
    /// The id in the answer.
    pub crm_id: Option<CrmId>,
    /// When the CRM made the contact.
    pub created_at: Option<DateTime<Utc>>,
    /// When the CRM changed it: now.
    pub updated_at: Option<DateTime<Utc>>,
    /// Reason code.
    pub reason: Option<String>,
    /// The CRM's words.
    pub message: Option<String>,
}

/// One row of `audit.crm_call`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CallRow {
    /// When it was begun.
    pub called_at: DateTime<Utc>,
    /// Endpoint family.
    pub operation: String,
    /// For whom.
    pub priority: String,
    /// Rows sent or asked for.
    pub rows_sent: usize,
    /// Rows the CRM confirmed.
    pub applied: usize,
    /// Rows the CRM refused.
    pub rejected: usize,
    /// Rows on which the CRM knew better.
    pub conflict: usize,
    /// Rows of which it is not known.
    pub unknown: usize,
    /// HTTP status.
    pub status: Option<u16>,
    /// Why it failed as a whole.
    pub failure: Option<String>,
    /// How long it took.
    pub duration_ms: u64,
    /// The CRM's id of the request.
    pub correlation_id: Option<String>,
    /// Who called.
    pub replica_id: Value,
}

/// What settling needs to know.
#[derive(Debug, Clone)]
pub struct SettleRules {
    /// Seconds after which an unknown outcome is looked up.
    pub settle_seconds: i32,
    /// Times a lead may be decided anew.
    pub max_attempts: i32,
    /// Version of the normalizer that derived the keys.
    pub normalizer: String,
}

/// Records a call; its number.
///
/// # Errors
/// As every statement.
pub async fn note_call(client: &impl GenericClient, call_row: &CallRow) -> Result<i64, StoreError> {
    let row = call::row(client, "select gate.note_call($1)", &[&Json(json!(call_row))]).await?;
    Ok(row.try_get(0)?)
}

/// Settles rows. Returns how many were refused because another replica had taken over.
///
/// # Errors
/// As every statement; nothing is settled then, and settling again is safe.
pub async fn settle(
    client: &impl GenericClient,
    rows: &[SettleRow],
    call_id: Option<i64>,
    rules: &SettleRules,
) -> Result<i32, StoreError> {
    let row = call::row(
        client,
        "select gate.settle($1, $2, $3, $4, $5)",
        &[
            &Json(json!(rows)),
            &call_id,
            &rules.settle_seconds,
            &rules.max_attempts,
            &rules.normalizer,
        ],
    )
    .await?;
    Ok(row.try_get(0)?)
}
