//! Mirror: writes what the CRM returned, and keeps how far each pass has come.

use std::time::Duration;

use chrono::{DateTime, Utc};
use deadpool_postgres::GenericClient;
use serde_json::{Value, json};
use tokio_postgres::Row;
use tokio_postgres::types::Json;

use super::{StoreError, call, intend, matching};
use crate::domain::{ContactId, MatchKeys, Record};
use crate::normalize::Normalizer;

/// A pass over the CRM.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Pass {
    /// All contacts.
    Full,
    /// What changed lately.
    Changes,
    /// What changed an hour ago, for what the CRM's index showed late.
    Slow,
    /// The recycle bin.
    Archived,
}

impl Pass {
    /// The word in `gate.mirror_progress`.
    pub fn name(self) -> &'static str {
        match self {
            Pass::Full => "full",
            Pass::Changes => "changes",
            Pass::Slow => "slow",
            Pass::Archived => "archived",
        }
    }
}

/// How far a pass has come.
#[derive(Debug, Clone, PartialEq)]
pub struct PassState {
    /// Where it goes on.
    pub cursor: Option<String>,
    /// From, for a window.
    pub window_lo: Option<DateTime<Utc>>,
    /// To.
    pub window_hi: Option<DateTime<Utc>>,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// Contacts read so far.
    pub rows_read: i64,
}

/// One row of the timetable of passes.
#[derive(Debug, Clone, PartialEq)]
pub struct PassRow {
    /// Which pass.
    pub pass: String,
    /// When it last began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it last ended; absent while one is under way.
    pub finished_at: Option<DateTime<Utc>>,
    /// Contacts read in it.
    pub rows_read: i64,
    /// Up to when all is in the mirror.
    pub watermark: Option<DateTime<Utc>>,
}

/// What writing a page changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    /// Contacts that were new to the mirror.
    pub missing: i64,
    /// Contacts that were older in the mirror.
    pub stale: i64,
}

/// Writes contacts with the keys by which they are found. An older version never overwrites a newer one.
///
/// # Errors
/// As every statement; nothing of the page is written then.
pub async fn mirror_write(
    client: &impl GenericClient,
    records: &[Record],
    normalizer: &Normalizer,
) -> Result<Written, StoreError> {
    let rows: Vec<Value> = records
        .iter()
        .map(|record| record_json(record, &normalizer.record(record).keys))
        .collect();
    let row = call::row(
        client,
        "select * from gate.mirror_write($1, $2)",
        &[&Json(Value::Array(rows)), &normalizer.version()],
    )
    .await?;
    Ok(Written {
        missing: row.try_get("missing")?,
        stale: row.try_get("stale")?,
    })
}

fn record_json(record: &Record, keys: &MatchKeys) -> Value {
    let mut row = intend::columns(&record.values);
    row["crm_id"] = json!(record.crm_id);
    row["gatekeeper_key"] = json!(record.gatekeeper_key);
    row["additional_emails"] = json!(record.additional_emails);
    row["created_at"] = json!(record.created_at);
    row["updated_at"] = json!(record.updated_at);
    row["archived"] = json!(record.archived);
    row["absorbed_ids"] = json!(record.absorbed_ids);
    row["keys"] = matching::keys_json(keys);
    row
}

/// Begins a pass, or takes up the one under way.
///
/// # Errors
/// As every statement.
pub async fn begin_pass(
    client: &impl GenericClient,
    pass: Pass,
    window: Option<(DateTime<Utc>, DateTime<Utc>)>,
) -> Result<PassState, StoreError> {
    let (lo, hi) = (window.map(|window| window.0), window.map(|window| window.1));
    let row = call::row(
        client,
        "select * from gate.begin_pass($1, $2, $3)",
        &[&pass.name(), &lo, &hi],
    )
    .await?;
    Ok(PassState {
        cursor: row.try_get("cursor")?,
        window_lo: row.try_get("window_lo")?,
        window_hi: row.try_get("window_hi")?,
        started_at: row.try_get("started_at")?,
        rows_read: row.try_get("rows_read")?,
    })
}

/// Notes how far a pass has come.
///
/// # Errors
/// As every statement.
pub async fn step_pass(
    client: &impl GenericClient,
    pass: Pass,
    cursor: Option<&str>,
    rows: usize,
) -> Result<(), StoreError> {
    let rows = i64::try_from(rows).unwrap_or(i64::MAX);
    call::rows(
        client,
        "select gate.step_pass($1, $2, $3)",
        &[&pass.name(), &cursor, &rows],
    )
    .await?;
    Ok(())
}

/// Ends a pass; all changes up to `watermark` are in the mirror, which holds `fields`.
///
/// # Errors
/// As every statement.
pub async fn end_pass(
    client: &impl GenericClient,
    pass: Pass,
    watermark: Option<DateTime<Utc>>,
    fields: &[String],
) -> Result<(), StoreError> {
    call::rows(
        client,
        "select gate.end_pass($1, $2, $3)",
        &[&pass.name(), &watermark, &fields],
    )
    .await?;
    Ok(())
}

/// The fields that the mirror holds.
///
/// # Errors
/// As every statement.
pub async fn mirrored_fields(client: &impl GenericClient) -> Result<Vec<String>, StoreError> {
    Ok(call::row(client, "select gate.mirrored_fields()", &[])
        .await?
        .try_get(0)?)
}

/// The timetable of passes.
///
/// # Errors
/// As every statement.
pub async fn passes(client: &impl GenericClient) -> Result<Vec<PassRow>, StoreError> {
    let rows = call::rows(client, "select * from gate.passes()", &[]).await?;
    rows.iter().map(pass_row).collect()
}

fn pass_row(row: &Row) -> Result<PassRow, StoreError> {
    Ok(PassRow {
        pass: row.try_get("pass")?,
        started_at: row.try_get("started_at")?,
        finished_at: row.try_get("finished_at")?,
        rows_read: row.try_get("rows_read")?,
        watermark: row.try_get("watermark")?,
    })
}

/// Turns contacts that a complete pass did not see into tombstones; how many.
///
/// # Errors
/// As every statement.
pub async fn bury_ghosts(client: &impl GenericClient, started_at: DateTime<Utc>) -> Result<i64, StoreError> {
    Ok(call::row(client, "select gate.bury_ghosts($1)", &[&started_at])
        .await?
        .try_get(0)?)
}

/// Notes that contacts are not in the CRM any more. `reason` is `archived`, `erased` or `missing`.
///
/// # Errors
/// As every statement.
pub async fn bury_contacts(client: &impl GenericClient, crm_ids: &[String], reason: &str) -> Result<(), StoreError> {
    call::rows(client, "select gate.bury_contacts($1, $2)", &[&crm_ids, &reason]).await?;
    Ok(())
}

/// Records what a full comparison found.
///
/// # Errors
/// As every statement.
pub async fn note_drift(
    client: &impl GenericClient,
    contacts: i64,
    written: Written,
    ghosts: i64,
) -> Result<(), StoreError> {
    let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 4] =
        [&contacts, &written.missing, &written.stale, &ghosts];
    call::rows(client, "select gate.note_drift($1, $2, $3, $4)", &parameters).await?;
    Ok(())
}

/// How old the mirror is; absent before the first full load.
///
/// # Errors
/// As every statement.
pub async fn mirror_age(client: &impl GenericClient) -> Result<Option<Duration>, StoreError> {
    let row = call::row(client, "select * from gate.mirror_age_seconds()", &[]).await?;
    let seconds: Option<f64> = row.try_get(0)?;
    Ok(seconds.map(|seconds| Duration::from_secs_f64(seconds.max(0.0))))
}

/// Contacts whose keys an older normalizer derived.
///
/// # Errors
/// As every statement.
pub async fn outdated_keys(
    client: &impl GenericClient,
    normalizer: &str,
    limit: i32,
) -> Result<Vec<(ContactId, Value)>, StoreError> {
    let rows = call::rows(
        client,
        "select * from gate.outdated_keys($1, $2)",
        &[&normalizer, &limit],
    )
    .await?;
    rows.iter()
        .map(|row| {
            let Json(contact): Json<Value> = row.try_get("contact")?;
            Ok((ContactId(row.try_get("contact_id")?), contact))
        })
        .collect()
}

/// Stores keys that were derived anew.
///
/// # Errors
/// As every statement.
pub async fn put_keys(
    client: &impl GenericClient,
    keys: &[(ContactId, MatchKeys)],
    normalizer: &str,
) -> Result<(), StoreError> {
    let rows: Vec<Value> = keys
        .iter()
        .map(|(contact_id, keys)| {
            let mut row = matching::keys_json(keys);
            row["contact_id"] = json!(contact_id);
            row
        })
        .collect();
    call::rows(
        client,
        "select gate.rederive_keys($1, $2)",
        &[&Json(Value::Array(rows)), &normalizer],
    )
    .await?;
    Ok(())
}
