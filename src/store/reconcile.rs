//! Reconcile: what an old request of ours has overwritten is found and written again.

use chrono::{DateTime, Utc};
use deadpool_postgres::GenericClient;

use super::recover::{OpenIntent, open_intent};
use super::{StoreError, call};
use crate::domain::{CrmId, IntentId, ReplicaId};

/// A doubted write whose contact is to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// The write.
    pub intent_id: IntentId,
    /// The contact; absent if it is gone.
    pub crm_id: Option<CrmId>,
}

/// Takes doubted writes that are due. Whoever takes them has five minutes for [`end_verifications`].
///
/// # Errors
/// As every statement.
pub async fn take_verifications(client: &impl GenericClient, limit: i32) -> Result<Vec<Verification>, StoreError> {
    let rows = call::rows(client, "select * from gate.take_verifications($1)", &[&limit]).await?;
    rows.iter()
        .map(|row| {
            Ok(Verification {
                intent_id: IntentId(row.try_get("intent_id")?),
                crm_id: row.try_get::<_, Option<String>>("crm_id")?.map(CrmId),
            })
        })
        .collect()
}

/// The contacts of these writes are read.
///
/// # Errors
/// As every statement; they are due again in five minutes.
pub async fn end_verifications(client: &impl GenericClient, intents: &[IntentId]) -> Result<(), StoreError> {
    let intents: Vec<uuid::Uuid> = intents.iter().map(|intent_id| intent_id.0).collect();
    call::rows(client, "select gate.end_verifications($1)", &[&intents]).await?;
    Ok(())
}

/// Stores writes for at most `limit` contacts in which the mirror shows an older value of ours. They may be sent.
///
/// # Errors
/// As every statement. Nothing may be sent; if it was stored after all, recovery finds it.
pub async fn rewrite_overwritten(
    client: &impl GenericClient,
    replica: ReplicaId,
    limit: i32,
) -> Result<Vec<OpenIntent>, StoreError> {
    let rows = call::rows(
        client,
        "select * from gate.rewrite_overwritten($1, $2)",
        &[&replica.0, &limit],
    )
    .await?;
    rows.iter().map(open_intent).collect()
}

/// Puts every write since then in doubt: its contact is read again by a running daemon. How many contacts that are.
///
/// # Errors
/// As every statement.
pub async fn doubt_since(client: &impl GenericClient, since: DateTime<Utc>, note: &str) -> Result<i64, StoreError> {
    Ok(call::row(client, "select gate.doubt_since($1, $2)", &[&since, &note])
        .await?
        .try_get(0)?)
}
