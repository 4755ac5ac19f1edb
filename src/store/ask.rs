//! Ask: documents that the commands show.

use chrono::{DateTime, Utc};
use deadpool_postgres::GenericClient;
use serde::Serialize;
use serde_json::Value;
use tokio_postgres::types::{Json, ToSql};

use super::{StoreError, call};

async fn document(
    client: &impl GenericClient,
    statement: &str,
    parameters: &[&(dyn ToSql + Sync)],
) -> Result<Value, StoreError> {
    Ok(call::documents(client, statement, parameters)
        .await?
        .pop()
        .unwrap_or(Value::Null))
}

/// Which dead letters or reviews. What is absent does not narrow the choice.
#[derive(Debug, Clone, Default)]
pub struct Pick {
    /// Of this reason code.
    pub reason: Option<String>,
    /// Of this source.
    pub source: Option<String>,
    /// Dead, or asked about, since then.
    pub since: Option<DateTime<Utc>>,
    /// And before.
    pub until: Option<DateTime<Utc>>,
    /// At most so many.
    pub limit: i64,
    /// Those that are resolved as well.
    pub all: bool,
}

impl Pick {
    fn parameters(&self) -> [&(dyn ToSql + Sync); 6] {
        [
            &self.reason,
            &self.source,
            &self.since,
            &self.until,
            &self.limit,
            &self.all,
        ]
    }
}

/// Dead letters, newest first; each as a row of `report.dead_letter`.
///
/// # Errors
/// As every statement.
pub async fn list_dead(client: &impl GenericClient, pick: &Pick) -> Result<Vec<Value>, StoreError> {
    call::documents(
        client,
        "select to_jsonb(letter) from gate.list_dead($1, $2, $3, $4, $5, $6) as letter",
        &pick.parameters(),
    )
    .await
}

/// Reviews, oldest first; each as a row of `report.review`.
///
/// # Errors
/// As every statement.
pub async fn list_review(client: &impl GenericClient, pick: &Pick) -> Result<Vec<Value>, StoreError> {
    call::documents(
        client,
        "select to_jsonb(review) from gate.list_review($1, $2, $3, $4, $5, $6) as review",
        &pick.parameters(),
    )
    .await
}

/// All that is known of a lead; null when there is none.
///
/// # Errors
/// As every statement.
pub async fn story(client: &impl GenericClient, lead: i64) -> Result<Value, StoreError> {
    document(client, "select gate.story($1)", &[&lead]).await
}

/// The lead of a source's row.
///
/// # Errors
/// As every statement.
pub async fn find_lead(client: &impl GenericClient, source: &str, key: &str) -> Result<Option<i64>, StoreError> {
    Ok(call::row(client, "select gate.find_lead($1, $2)", &[&source, &key])
        .await?
        .try_get(0)?)
}

/// A contact by its number or by the CRM's id; null when there is none.
///
/// # Errors
/// As every statement.
pub async fn find_contact(
    client: &impl GenericClient,
    contact_id: Option<i64>,
    crm_id: Option<&str>,
) -> Result<Value, StoreError> {
    document(client, "select gate.find_contact($1, $2)", &[&contact_id, &crm_id]).await
}

/// One field of a comparison.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Compared {
    /// What was compared.
    pub field: String,
    /// How well it agrees.
    pub level: String,
    /// What that adds to the score.
    pub weight: f32,
}

/// How well two sets of keys agree.
///
/// # Errors
/// As every statement.
pub async fn compare_pair(
    client: &impl GenericClient,
    left: &crate::domain::MatchKeys,
    right: &crate::domain::MatchKeys,
) -> Result<Vec<Compared>, StoreError> {
    let rows = call::rows(
        client,
        "select * from gate.compare_pair($1, $2)",
        &[&Json(left), &Json(right)],
    )
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Compared {
                field: row.try_get(0)?,
                level: row.try_get(1)?,
                weight: row.try_get(2)?,
            })
        })
        .collect()
}

/// Whether two sets of keys are compared for the blocks that they share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Meeting {
    /// Contacts in the smallest of these blocks; absent when each has too many.
    pub contacts: Option<i64>,
    /// So much agrees at a glance that they are compared.
    pub compared: bool,
}

/// Whether two sets of keys that share these blocks are compared for them.
///
/// # Errors
/// As every statement.
pub async fn meet(
    client: &impl GenericClient,
    left: &crate::domain::MatchKeys,
    right: &crate::domain::MatchKeys,
    blocks: &[String],
) -> Result<Meeting, StoreError> {
    let blocks: Vec<i32> = blocks.iter().map(|block| super::matching::block_hash(block)).collect();
    let row = call::row(
        client,
        "select * from gate.meet($1, $2, $3)",
        &[&Json(left), &Json(right), &blocks],
    )
    .await?;
    Ok(Meeting {
        contacts: row.try_get("contacts")?,
        compared: row.try_get("compared")?,
    })
}

/// The state of the whole.
///
/// # Errors
/// As every statement.
pub async fn status(client: &impl GenericClient, window_ms: i32) -> Result<Value, StoreError> {
    document(client, "select gate.status($1)", &[&window_ms]).await
}

/// What `check` looks at.
///
/// # Errors
/// As every statement.
pub async fn checkup(client: &impl GenericClient) -> Result<Value, StoreError> {
    document(client, "select gate.checkup()", &[]).await
}

/// Puts dead letters back to work; how many were waiting.
///
/// # Errors
/// As every statement.
pub async fn replay_dead(client: &impl GenericClient, leads: &[i64], note: Option<&str>) -> Result<i32, StoreError> {
    Ok(call::row(client, "select gate.replay_dead($1, $2)", &[&leads, &note])
        .await?
        .try_get(0)?)
}

/// Puts reviews back to be decided anew; how many were open.
///
/// # Errors
/// As every statement.
pub async fn replay_review(client: &impl GenericClient, leads: &[i64], note: Option<&str>) -> Result<i32, StoreError> {
    Ok(call::row(client, "select gate.replay_review($1, $2)", &[&leads, &note])
        .await?
        .try_get(0)?)
}

/// Closes dead letters for good; how many were waiting.
///
/// # Errors
/// As every statement.
pub async fn discard_dead(client: &impl GenericClient, leads: &[i64], note: Option<&str>) -> Result<i32, StoreError> {
    Ok(call::row(client, "select gate.discard_dead($1, $2)", &[&leads, &note])
        .await?
        .try_get(0)?)
}

/// Notes what a person decided about a lead in review. `false`: no review is open, or the contact is not there.
///
/// # Errors
/// As every statement.
pub async fn resolve_review(
    client: &impl GenericClient,
    lead: i64,
    state: &str,
    contact: Option<i64>,
    note: Option<&str>,
) -> Result<bool, StoreError> {
    let parameters: [&(dyn ToSql + Sync); 4] = [&lead, &state, &contact, &note];
    Ok(
        call::row(client, "select gate.resolve_review($1, $2, $3, $4)", &parameters)
            .await?
            .try_get(0)?,
    )
}
