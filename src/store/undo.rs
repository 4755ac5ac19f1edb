//! Undo: what our updates wrote is taken back where the CRM still holds it.

use chrono::{DateTime, Utc};
use deadpool_postgres::GenericClient;
use serde::Serialize;
use tokio_postgres::types::ToSql;

use super::recover::{OpenIntent, open_intent};
use super::{StoreError, call};
use crate::domain::ReplicaId;

/// Which decisions. What is absent does not narrow the choice; at least one thing must be said.
#[derive(Debug, Clone, Default)]
pub struct UndoChoice {
    /// These.
    pub decisions: Option<Vec<i64>>,
    /// All that one run of a daemon made.
    pub run: Option<uuid::Uuid>,
    /// All about leads of this source.
    pub source: Option<String>,
    /// Those made since then.
    pub since: Option<DateTime<Utc>>,
}

impl UndoChoice {
    fn parameters(&self) -> [&(dyn ToSql + Sync); 4] {
        [&self.decisions, &self.run, &self.source, &self.since]
    }
}

/// What an undo would do about one field of a contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Undoable {
    /// The person.
    pub contact_id: i64,
    /// Its id in the CRM.
    pub crm_id: Option<String>,
    /// The field.
    pub field: String,
    /// The source whose value is taken back.
    pub source: Option<String>,
    /// The decisions that wrote it.
    pub decisions: Vec<i64>,
    /// What we wrote.
    pub written_value: Option<String>,
    /// What was there before; absent when it was blank.
    pub restored_value: Option<String>,
    /// Who had set that.
    pub restored_source: String,
    /// `restore` or `kept`.
    pub verdict: String,
    /// Why it is kept.
    pub reason: Option<String>,
}

impl Undoable {
    /// The contact was made by this: there is no value before.
    pub fn is_of_a_made_contact(&self) -> bool {
        self.reason.as_deref() == Some("created_contact")
    }
}

/// What an undo would do.
///
/// # Errors
/// As every statement.
pub async fn undoable(client: &impl GenericClient, choice: &UndoChoice) -> Result<Vec<Undoable>, StoreError> {
    let rows = call::rows(
        client,
        "select * from gate.undoable($1, $2, $3, $4)",
        &choice.parameters(),
    )
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Undoable {
                contact_id: row.try_get("contact_id")?,
                crm_id: row.try_get("crm_id")?,
                field: row.try_get("field")?,
                source: row.try_get("source")?,
                decisions: row.try_get("decisions")?,
                written_value: row.try_get("written_value")?,
                restored_value: row.try_get("restored_value")?,
                restored_source: row.try_get("restored_source")?,
                verdict: row.try_get("verdict")?,
                reason: row.try_get("reason")?,
            })
        })
        .collect()
}

/// Notes what is to be restored; a running daemon does it. How many values.
///
/// # Errors
/// As every statement.
pub async fn request_undo(
    client: &impl GenericClient,
    choice: &UndoChoice,
    note: Option<&str>,
) -> Result<i64, StoreError> {
    let [decisions, run, source, since] = choice.parameters();
    let row = call::row(
        client,
        "select gate.request_undo($1, $2, $3, $4, $5)",
        &[decisions, run, source, since, &note],
    )
    .await?;
    Ok(row.try_get(0)?)
}

/// Stores writes that restore what was asked for, for at most `limit` contacts. They may be sent.
///
/// # Errors
/// As every statement. Nothing may be sent; if it was stored after all, recovery finds it.
pub async fn intend_undo(
    client: &impl GenericClient,
    replica: ReplicaId,
    limit: i32,
) -> Result<Vec<OpenIntent>, StoreError> {
    let rows = call::rows(client, "select * from gate.intend_undo($1, $2)", &[&replica.0, &limit]).await?;
    rows.iter().map(open_intent).collect()
}
