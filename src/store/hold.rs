//! Hold: whether the gate stands still, who said so, and what else a person may do about replicas.

use chrono::{DateTime, Utc};
use deadpool_postgres::GenericClient;
use serde::Serialize;

use super::{StoreError, call};
use crate::domain::ReplicaId;

/// Why the gate holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldKind {
    /// A person said so.
    Paused,
    /// The database is not the one it was: a restored backup, or a copy.
    Restored,
}

impl HoldKind {
    /// The word in `gate.hold`.
    pub fn name(self) -> &'static str {
        match self {
            HoldKind::Paused => "paused",
            HoldKind::Restored => "restored",
        }
    }
}

/// A hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// Why.
    pub kind: HoldKind,
    /// What was said about it.
    pub note: String,
}

/// A replica that has not said goodbye.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReplicaRow {
    /// Which.
    pub replica_id: uuid::Uuid,
    /// Boot and process namespace of its machine.
    pub host_id: String,
    /// Process number there.
    pub process_id: i32,
    /// Version of the program.
    pub version: String,
    /// When it started.
    pub started_at: DateTime<Utc>,
    /// Seconds that its lease still holds; negative: run out.
    pub lease_seconds: i64,
    /// Leads that it decides.
    pub claims: i64,
    /// Writes that it makes, or of which it has to find out what became of them.
    pub open_intents: i64,
}

/// The hold in force, if the gate holds.
///
/// # Errors
/// As every statement.
pub async fn current_hold(client: &impl GenericClient) -> Result<Option<Hold>, StoreError> {
    let rows = call::rows(client, "select * from gate.current_hold()", &[]).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let kind = match row.try_get("kind")? {
        "restored" => HoldKind::Restored,
        _ => HoldKind::Paused,
    };
    Ok(Some(Hold {
        kind,
        note: row.try_get("note")?,
    }))
}

/// Holds the gate. `false`: it was paused already.
///
/// # Errors
/// As every statement.
pub async fn pause(client: &impl GenericClient, note: &str) -> Result<bool, StoreError> {
    Ok(call::row(client, "select gate.pause($1)", &[&note]).await?.try_get(0)?)
}

/// Lifts a hold. `false`: there was none of this kind.
///
/// # Errors
/// As every statement.
pub async fn lift_hold(client: &impl GenericClient, kind: HoldKind, note: &str) -> Result<bool, StoreError> {
    Ok(
        call::row(client, "select gate.lift_hold($1, $2)", &[&kind.name(), &note])
            .await?
            .try_get(0)?,
    )
}

/// Ends the lease of a replica at once. `false`: it had none.
///
/// # Errors
/// As every statement.
pub async fn release_replica(client: &impl GenericClient, replica: ReplicaId, note: &str) -> Result<bool, StoreError> {
    Ok(
        call::row(client, "select gate.release_replica($1, $2)", &[&replica.0, &note])
            .await?
            .try_get(0)?,
    )
}

/// The replicas that have not said goodbye.
///
/// # Errors
/// As every statement.
pub async fn list_replicas(client: &impl GenericClient) -> Result<Vec<ReplicaRow>, StoreError> {
    let rows = call::rows(client, "select * from gate.list_replicas()", &[]).await?;
    rows.iter()
        .map(|row| {
            Ok(ReplicaRow {
                replica_id: row.try_get("replica_id")?,
                host_id: row.try_get("host_id")?,
                process_id: row.try_get("process_id")?,
                version: row.try_get("version")?,
                started_at: row.try_get("started_at")?,
                lease_seconds: row.try_get("lease_seconds")?,
                claims: row.try_get("claims")?,
                open_intents: row.try_get("open_intents")?,
            })
        })
        .collect()
}
