//! What is taken back of merges.

use deadpool_postgres::GenericClient;
use serde_json::Value;
use tokio_postgres::types::Json;

use crate::domain::{CrmId, Field, ReplicaId};
use crate::store::{StoreError, call};

/// Takes a plan in hand whose merges are to be undone. Returns why not, if not: `no_plan`, `not_merged`, `survivor_gone`, `busy`.
///
/// # Errors
/// As every statement.
pub async fn begin_undo(
    client: &impl GenericClient,
    replica: ReplicaId,
    plan: i64,
    note: &str,
) -> Result<Option<String>, StoreError> {
    let row = call::row(
        client,
        "select gate.begin_undo($1, $2, $3)",
        &[&replica.0, &plan, &note],
    )
    .await?;
    Ok(row.try_get(0)?)
}

/// The contact that a plan's survivor is today; absent when it is gone.
///
/// # Errors
/// As every statement.
pub async fn survivor_of(client: &impl GenericClient, plan: i64) -> Result<Option<CrmId>, StoreError> {
    let row = call::row(client, "select gate.survivor_of($1)", &[&plan]).await?;
    Ok(row.try_get::<_, Option<String>>(0)?.map(CrmId))
}

/// Notes a contact that was made again. `false`: the plan is not in these hands any more.
///
/// # Errors
/// As every statement.
pub async fn note_recreated(
    client: &impl GenericClient,
    replica: ReplicaId,
    (plan, epoch): (i64, i64),
    place: usize,
    crm_id: &CrmId,
) -> Result<bool, StoreError> {
    let place = i32::try_from(place).unwrap_or(i32::MAX);
    let statement = "select gate.note_recreated($1, $2, $3, $4, $5)";
    let row = call::row(client, statement, &[&replica.0, &plan, &epoch, &place, &crm_id.0]).await?;
    Ok(row.try_get(0)?)
}

/// Gives an undo up whose survivor has gone.
///
/// # Errors
/// As every statement.
pub async fn give_up_undo(client: &impl GenericClient, replica: ReplicaId, plan: i64) -> Result<(), StoreError> {
    call::rows(client, "select gate.give_up_undo($1, $2)", &[&replica.0, &plan]).await?;
    Ok(())
}

/// Ends an undo, in the transaction that writes into the mirror what was read back. `false`: the plan is not in these hands any more.
///
/// # Errors
/// As every statement.
pub async fn end_undo(
    client: &impl GenericClient,
    replica: ReplicaId,
    (plan, epoch): (i64, i64),
    restored: &[Field],
    not_restored: &Value,
) -> Result<bool, StoreError> {
    let restored: Vec<&str> = restored.iter().map(Field::name).collect();
    let statement = "select gate.end_undo($1, $2, $3, $4, $5)";
    let row = call::row(
        client,
        statement,
        &[&replica.0, &plan, &epoch, &restored, &Json(not_restored)],
    )
    .await?;
    Ok(row.try_get(0)?)
}
