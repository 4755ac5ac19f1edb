//! Brake: runs that would create or change too much are held until a person speaks.

use deadpool_postgres::GenericClient;
use serde_json::Value;

use super::{StoreError, call};

/// A brake that has tripped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tripped {
    /// The source whose leads are held.
    pub source: String,
    /// Which limit they would go beyond.
    pub reason: String,
}

/// Looks after the brakes: looks at leads that have arrived, and judges rehearsals. Returns what has tripped just now.
///
/// # Errors
/// As every statement.
pub async fn mind_brakes(client: &impl GenericClient) -> Result<Vec<Tripped>, StoreError> {
    let rows = call::rows(client, "select * from gate.mind_brakes()", &[]).await?;
    rows.iter()
        .map(|row| {
            Ok(Tripped {
                source: row.try_get("source")?,
                reason: row.try_get("reason")?,
            })
        })
        .collect()
}

/// All sources with their limits, what they used of them, and what is held; each as a row of `report.brake`.
///
/// # Errors
/// As every statement.
pub async fn list_brakes(client: &impl GenericClient) -> Result<Vec<Value>, StoreError> {
    call::documents(
        client,
        "select to_jsonb(brake) from report.brake as brake order by source",
        &[],
    )
    .await
}

/// Lets the held leads of a source go on; how many. Absent: no brake holds it.
///
/// # Errors
/// As every statement.
pub async fn release_brake(client: &impl GenericClient, source: &str, note: &str) -> Result<Option<i64>, StoreError> {
    Ok(
        call::row(client, "select gate.release_brake($1, $2)", &[&source, &note])
            .await?
            .try_get(0)?,
    )
}

/// Makes dead letters of the held leads of a source; how many. Absent: no brake holds it.
///
/// # Errors
/// As every statement.
pub async fn reject_brake(client: &impl GenericClient, source: &str, note: &str) -> Result<Option<i64>, StoreError> {
    Ok(call::row(client, "select gate.reject_brake($1, $2)", &[&source, &note])
        .await?
        .try_get(0)?)
}
