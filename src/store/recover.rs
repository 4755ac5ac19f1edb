//! Recover: intents of which it is not known what became of them.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use deadpool_postgres::GenericClient;
use tokio_postgres::Row;
use tokio_postgres::types::Json;

use super::{StoreError, call};
use crate::domain::{ContactId, CrmId, Field, IntentId, Operation, ReplicaId};

/// A write as it is sent, or looked up.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenIntent {
    /// Trace id and idempotency key.
    pub intent_id: IntentId,
    /// Ours; what an older epoch reports is refused.
    pub epoch: i64,
    /// The person.
    pub contact_id: ContactId,
    /// Create or update.
    pub operation: Operation,
    /// The contact to change.
    pub crm_id: Option<CrmId>,
    /// The person key.
    pub gatekeeper_key: Option<String>,
    /// Values to write.
    pub body: BTreeMap<Field, String>,
}

/// Takes over intents of dead runs, unknown ones that are due, and those of our own that are not among `held`.
///
/// # Errors
/// As every statement.
pub async fn take_recoverable(
    client: &impl GenericClient,
    replica: ReplicaId,
    settle_seconds: i32,
    limit: i32,
    held: &[IntentId],
) -> Result<Vec<OpenIntent>, StoreError> {
    let held: Vec<uuid::Uuid> = held.iter().map(|intent_id| intent_id.0).collect();
    let rows = call::rows(
        client,
        "select * from gate.take_recoverable($1, $2, $3, $4)",
        &[&replica.0, &settle_seconds, &limit, &held],
    )
    .await?;
    rows.iter().map(open_intent).collect()
}

/// A row of `gate.take_recoverable` or `gate.rewrite_overwritten`.
pub(super) fn open_intent(row: &Row) -> Result<OpenIntent, StoreError> {
    let Json(body): Json<BTreeMap<Field, String>> = row.try_get("body")?;
    let operation: &str = row.try_get("operation")?;
    Ok(OpenIntent {
        intent_id: IntentId(row.try_get("intent_id")?),
        epoch: row.try_get("epoch")?,
        contact_id: ContactId(row.try_get("contact_id")?),
        operation: if operation == "create" {
            Operation::Create
        } else {
            Operation::Update
        },
        crm_id: row.try_get::<_, Option<String>>("crm_id")?.map(CrmId),
        gatekeeper_key: row.try_get("gatekeeper_key")?,
        body,
    })
}

/// When the next intent must be looked up; absent when none waits.
///
/// # Errors
/// As every statement.
pub async fn next_recovery(client: &impl GenericClient, settle_seconds: i32) -> Result<Option<Duration>, StoreError> {
    let row = call::row(client, "select gate.next_recovery($1)", &[&settle_seconds]).await?;
    let seconds: Option<f64> = row.try_get(0)?;
    Ok(seconds.map(|seconds| Duration::from_secs_f64(seconds.clamp(0.0, 86_400.0))))
}

/// Which of these writes are still open at their epochs: nobody took them over, and the database has them.
///
/// # Errors
/// As every statement; nothing may be sent then.
pub async fn still_open(client: &impl GenericClient, intents: &[OpenIntent]) -> Result<HashSet<IntentId>, StoreError> {
    let (ids, epochs): (Vec<uuid::Uuid>, Vec<i64>) =
        intents.iter().map(|intent| (intent.intent_id.0, intent.epoch)).unzip();
    let rows = call::rows(client, "select gate.still_open($1, $2)", &[&ids, &epochs]).await?;
    rows.iter().map(|row| Ok(IntentId(row.try_get(0)?))).collect()
}

/// How many of these intents are stored: asked on a fresh connection after an answer to COMMIT was lost.
///
/// # Errors
/// As every statement; nothing may be sent then.
pub async fn intents_stored(client: &impl GenericClient, intents: &[IntentId]) -> Result<i64, StoreError> {
    let intents: Vec<uuid::Uuid> = intents.iter().map(|intent_id| intent_id.0).collect();
    Ok(call::row(client, "select gate.intents_stored($1)", &[&intents])
        .await?
        .try_get(0)?)
}
