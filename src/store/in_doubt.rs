//! In doubt: writes whose outcome nobody could find out, and what a person says of them.

use chrono::{DateTime, Utc};
use deadpool_postgres::GenericClient;
use serde::Serialize;

use super::{StoreError, call};
use crate::domain::{CrmId, IntentId};

/// A write in doubt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InDoubt {
    /// The write; its trace id in the CRM.
    pub intent_id: uuid::Uuid,
    /// The person.
    pub contact_id: i64,
    /// `create` or `update`.
    pub operation: String,
    /// The contact that it changes; absent for a creation.
    pub crm_id: Option<String>,
    /// When it was first intended.
    pub created_at: DateTime<Utc>,
    /// Since when nothing is tried any more.
    pub in_doubt_at: DateTime<Utc>,
    /// How often its outcome was unknown.
    pub attempts: i32,
    /// Why it was unknown last.
    pub reason: Option<String>,
    /// The leads that it is for.
    pub leads: Vec<i64>,
    /// Leads of the same person that wait for it.
    pub waiting: i64,
}

/// How a write in doubt ended, as a person says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The CRM holds it.
    Applied,
    /// It never happened: its leads are decided anew.
    Lost,
    /// Nobody knows: the daemon is to ask and to try once more.
    Again,
}

impl Verdict {
    /// The word for the audit.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Applied => "applied",
            Verdict::Lost => "lost",
            Verdict::Again => "again",
        }
    }
}

/// What came of a person's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolved {
    /// It counts.
    Done,
    /// There is no such write in doubt.
    NotInDoubt,
    /// A creation was applied: under which id, only the person can say.
    NeedsCrmId,
}

/// Writes in doubt, the oldest first.
///
/// # Errors
/// As every statement.
pub async fn list_in_doubt(client: &impl GenericClient) -> Result<Vec<InDoubt>, StoreError> {
    let rows = call::rows(client, "select * from report.in_doubt", &[]).await?;
    rows.iter()
        .map(|row| {
            Ok(InDoubt {
                intent_id: row.try_get("intent_id")?,
                contact_id: row.try_get("contact_id")?,
                operation: row.try_get("operation")?,
                crm_id: row.try_get("crm_id")?,
                created_at: row.try_get("created_at")?,
                in_doubt_at: row.try_get("in_doubt_at")?,
                attempts: row.try_get("attempts")?,
                reason: row.try_get("reason")?,
                leads: row.try_get("leads")?,
                waiting: row.try_get("waiting")?,
            })
        })
        .collect()
}

/// Ends a write in doubt as a person says. `max_attempts` as for every settlement.
///
/// # Errors
/// As every statement.
pub async fn resolve_in_doubt(
    client: &impl GenericClient,
    intent: IntentId,
    verdict: Verdict,
    crm_id: Option<&CrmId>,
    note: &str,
    max_attempts: i32,
) -> Result<Resolved, StoreError> {
    let crm_id = crm_id.map(|crm_id| crm_id.0.as_str());
    let row = call::row(
        client,
        "select gate.resolve_in_doubt($1, $2, $3, $4, $5)",
        &[&intent.0, &verdict.name(), &crm_id, &note, &max_attempts],
    )
    .await?;
    Ok(match row.try_get::<_, &str>(0)? {
        "resolved" => Resolved::Done,
        "needs_crm_id" => Resolved::NeedsCrmId,
        _ => Resolved::NotInDoubt,
    })
}
