//! What is carried out of approved plans.

use std::collections::BTreeMap;

use deadpool_postgres::GenericClient;
use serde::Serialize;
use tokio_postgres::types::Json;

use crate::domain::{CrmId, Field, Merging, Record, ReplicaId};
use crate::store::{StoreError, call};

/// The next approved plans above a number, with together at most so many contacts.
///
/// # Errors
/// As every statement.
pub async fn approved_merges(
    client: &impl GenericClient,
    after: i64,
    contacts: usize,
    plans: Option<&[i64]>,
) -> Result<Vec<i64>, StoreError> {
    let contacts = i32::try_from(contacts).unwrap_or(i32::MAX);
    let statement = "select * from gate.approved_merges($1, $2, $3)";
    let rows = call::rows(client, statement, &[&after, &contacts, &plans]).await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// How many plans are approved, and how many merges they take.
///
/// # Errors
/// As every statement.
pub async fn count_approved(client: &impl GenericClient, plans: Option<&[i64]>) -> Result<(i64, i64), StoreError> {
    let row = call::row(client, "select * from gate.count_approved($1)", &[&plans]).await?;
    Ok((row.try_get(0)?, row.try_get(1)?))
}

/// Plans as the run needs them, in order; the values in the order in which they were planned.
///
/// # Errors
/// As every statement.
pub async fn read_merges(client: &impl GenericClient, plans: &[i64]) -> Result<Vec<Merging>, StoreError> {
    let rows = call::rows(client, "select * from gate.read_merges($1)", &[&plans]).await?;
    rows.iter()
        .map(|row| {
            let Json(mut merging): Json<Merging> = row.try_get(0)?;
            merging.values.sort_by(|left, right| left.field.cmp(&right.field));
            Ok(merging)
        })
        .collect()
}

/// A plan that is to be begun.
#[derive(Debug, Clone, Serialize)]
pub struct ToBegin<'a> {
    /// The plan.
    pub plan_id: i64,
    /// The digest of what was read of it.
    pub digest: String,
    /// Why it is not to be begun.
    pub stale: Option<&'static str>,
    /// Its contacts as the CRM holds them.
    pub members: Vec<ToSnapshot<'a>>,
}

/// A contact before a merge.
#[derive(Debug, Clone, Serialize)]
pub struct ToSnapshot<'a> {
    /// Its place in the plan.
    pub place: usize,
    /// All that the CRM has of it.
    pub record: &'a Record,
    /// What it is tied to, by kind of object.
    pub associations: Option<&'a BTreeMap<String, Vec<String>>>,
}

/// What came of a plan that was to be begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begun {
    /// The plan.
    pub plan_id: i64,
    /// Its epoch now.
    pub epoch: i64,
    /// Why it is not begun: `busy`, `not_approved`, `stale`.
    pub refused: Option<String>,
}

/// Begins plans, in the transaction that writes into the mirror what was read of their contacts.
///
/// # Errors
/// As every statement.
pub async fn begin_merges(
    client: &impl GenericClient,
    replica: ReplicaId,
    plans: &[ToBegin<'_>],
) -> Result<Vec<Begun>, StoreError> {
    let statement = "select * from gate.begin_merges($1, $2)";
    let rows = call::rows(client, statement, &[&replica.0, &Json(plans)]).await?;
    rows.iter()
        .map(|row| {
            Ok(Begun {
                plan_id: row.try_get("plan_id")?,
                epoch: row.try_get::<_, Option<i64>>("epoch")?.unwrap_or_default(),
                refused: row.try_get("refused")?,
            })
        })
        .collect()
}

/// Notes one merge that is done. `false`: the plan is not in these hands any more.
///
/// # Errors
/// As every statement.
pub async fn note_absorbed(
    client: &impl GenericClient,
    replica: ReplicaId,
    (plan, epoch): (i64, i64),
    place: usize,
    crm_id: &CrmId,
    call_id: Option<i64>,
) -> Result<bool, StoreError> {
    let place = i32::try_from(place).unwrap_or(i32::MAX);
    let row = call::row(
        client,
        "select gate.note_absorbed($1, $2, $3, $4, $5, $6)",
        &[&replica.0, &plan, &epoch, &place, &crm_id.0, &call_id],
    )
    .await?;
    Ok(row.try_get(0)?)
}

/// How a plan ends.
#[derive(Debug, Clone, Serialize)]
pub struct End {
    /// The plan.
    pub plan_id: i64,
    /// In whose hands it was.
    pub epoch: i64,
    /// `merged` or `failed`.
    pub state: &'static str,
    /// Why it failed.
    pub reason: Option<String>,
    /// Fields whose chosen value is not in the CRM, with why.
    pub not_kept: BTreeMap<Field, String>,
    /// What the survivor holds now.
    pub after: Option<BTreeMap<Field, String>>,
    /// A write of its values got no answer, and may land late.
    pub doubted: bool,
}

/// Ends plans, in the transaction that writes into the mirror what was read back. Returns those that were in these hands.
///
/// # Errors
/// As every statement.
pub async fn end_merges(client: &impl GenericClient, replica: ReplicaId, ends: &[End]) -> Result<Vec<i64>, StoreError> {
    let statement = "select * from gate.end_merges($1, $2)";
    let rows = call::rows(client, statement, &[&replica.0, &Json(ends)]).await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// Gives plans back of which nothing was sent.
///
/// # Errors
/// As every statement.
pub async fn release_merges(client: &impl GenericClient, replica: ReplicaId, plans: &[i64]) -> Result<(), StoreError> {
    call::rows(client, "select gate.release_merges($1, $2)", &[&replica.0, &plans]).await?;
    Ok(())
}

/// Takes over plans of dead runs in a state: `running` or `undoing`.
///
/// # Errors
/// As every statement.
pub async fn take_merges(
    client: &impl GenericClient,
    replica: ReplicaId,
    state: &str,
    settle_seconds: i32,
    limit: i32,
) -> Result<Vec<i64>, StoreError> {
    let statement = "select * from gate.take_merges($1, $2, $3, $4)";
    let rows = call::rows(client, statement, &[&replica.0, &state, &settle_seconds, &limit]).await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// How many plans are running in the hands of others: of living runs, and of dead ones.
///
/// # Errors
/// As every statement.
pub async fn merges_of_others(client: &impl GenericClient, replica: ReplicaId) -> Result<(i64, i64), StoreError> {
    let row = call::row(client, "select * from gate.merges_of_others($1)", &[&replica.0]).await?;
    Ok((row.try_get(0)?, row.try_get(1)?))
}
