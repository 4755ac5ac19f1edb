//! Passes: how far each pass over the CRM has come, and whose it is.

use std::time::Duration;

use chrono::{DateTime, Utc};
use deadpool_postgres::GenericClient;
use serde_json::json;
use tokio_postgres::Row;
use tokio_postgres::types::Json;
use uuid::Uuid;

use super::{StoreError, call};
use crate::domain::ReplicaId;

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

/// Whether a pass may be worked on.
#[derive(Debug, Clone, PartialEq)]
pub enum Standing {
    /// It is ours from here on; `resumed` when it goes on where it was.
    Ours {
        /// How far it has come.
        state: PassState,
        /// It had begun before.
        resumed: bool,
    },
    /// Another replica is at it.
    Held,
    /// Nothing can have changed since the last window.
    Idle,
}

/// How far a pass has come.
#[derive(Debug, Clone, PartialEq)]
pub struct PassState {
    /// Where it goes on.
    pub cursor: Option<String>,
    /// From and to, for a pass over a window.
    pub window: Option<(DateTime<Utc>, DateTime<Utc>)>,
    /// When it began; also names this pass, for what another one reports later is refused.
    pub started_at: DateTime<Utc>,
    /// Its last page is written.
    pub listed: bool,
    /// Contacts read so far.
    pub rows_read: i64,
    /// Contacts that the CRM said it has.
    pub expected: Option<i64>,
    /// It reads exactly the fields that the mirror holds.
    pub same_fields: bool,
}

/// What one step of a pass adds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Found {
    /// Contacts read.
    pub rows: i64,
    /// Contacts that the mirror lacked.
    pub missing: i64,
    /// Contacts that were older or different in the mirror.
    pub stale: i64,
    /// Contacts that are no more in the CRM.
    pub ghost: i64,
}

/// One row of the timetable of passes.
#[derive(Debug, Clone, PartialEq)]
pub struct PassRow {
    /// Which pass: `full`, `changes`, `slow`, `archived`.
    pub pass: String,
    /// When it last began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it last ended; absent while one is under way.
    pub finished_at: Option<DateTime<Utc>>,
    /// Contacts read in it.
    pub rows_read: i64,
    /// Contacts that the CRM said it has, for the full pass.
    pub expected: Option<i64>,
    /// Up to when all is in the mirror.
    pub watermark: Option<DateTime<Utc>>,
    /// Who is at it, and until when it is nobody else's.
    pub lease: Option<(ReplicaId, DateTime<Utc>)>,
}

/// How a pass over a window lies to the present.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reach {
    /// How far it stays behind the present.
    pub lag: Duration,
    /// How far it reaches back into the last window.
    pub overlap: Duration,
}

/// Who works on a pass, and for how long it is theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holder {
    /// Who.
    pub replica: ReplicaId,
    /// From each step on.
    pub lease: Duration,
}

impl Holder {
    fn lease_seconds(self) -> i32 {
        i32::try_from(self.lease.as_secs()).unwrap_or(i32::MAX).max(1)
    }
}

/// Begins a pass, or takes up the one under way. A full pass that does not read `fields` begins anew.
///
/// # Errors
/// As every statement.
pub async fn begin_pass(
    client: &impl GenericClient,
    pass: Pass,
    holder: Holder,
    reach: Option<Reach>,
    fields: &[String],
) -> Result<Standing, StoreError> {
    let lag = reach.map(|reach| reach.lag.as_secs_f64());
    let overlap = reach.map(|reach| reach.overlap.as_secs_f64());
    let row = call::row(
        client,
        "select * from gate.begin_pass($1, $2, $3, $4, $5, $6)",
        &[
            &pass.name(),
            &holder.replica.0,
            &holder.lease_seconds(),
            &lag,
            &overlap,
            &fields,
        ],
    )
    .await?;
    let resumed = match row.try_get("standing")? {
        "begun" => false,
        "resumed" => true,
        "held" => return Ok(Standing::Held),
        _ => return Ok(Standing::Idle),
    };
    let state = pass_state(&row)?;
    Ok(Standing::Ours { state, resumed })
}

fn pass_state(row: &Row) -> Result<PassState, StoreError> {
    let lo: Option<DateTime<Utc>> = row.try_get("window_lo")?;
    let hi: Option<DateTime<Utc>> = row.try_get("window_hi")?;
    let listed_at: Option<DateTime<Utc>> = row.try_get("listed_at")?;
    Ok(PassState {
        cursor: row.try_get("cursor")?,
        window: lo.zip(hi),
        started_at: row.try_get("started_at")?,
        listed: listed_at.is_some(),
        rows_read: row.try_get("rows_read")?,
        expected: row.try_get("expected")?,
        same_fields: row.try_get("same_fields")?,
    })
}

/// Notes how many contacts the CRM says that it has.
///
/// # Errors
/// As every statement.
pub async fn expect_contacts(client: &impl GenericClient, expected: i64) -> Result<(), StoreError> {
    call::rows(client, "select gate.expect_contacts($1)", &[&expected]).await?;
    Ok(())
}

/// Notes how far a pass has come, and prolongs the lease. `false`: it is in other hands now, and what was written in this
/// transaction must be rolled back.
///
/// # Errors
/// As every statement.
pub async fn step_pass(
    client: &impl GenericClient,
    pass: Pass,
    holder: Holder,
    started_at: DateTime<Utc>,
    (cursor, listed): (Option<&str>, bool),
    found: Found,
) -> Result<bool, StoreError> {
    let found = json!({"rows": found.rows, "missing": found.missing, "stale": found.stale, "ghost": found.ghost});
    let row = call::row(
        client,
        "select gate.step_pass($1, $2, $3, $4, $5, $6, $7)",
        &[
            &pass.name(),
            &holder.replica.0,
            &started_at,
            &holder.lease_seconds(),
            &cursor,
            &listed,
            &Json(found),
        ],
    )
    .await?;
    Ok(row.try_get(0)?)
}

/// Makes the next `limit` contacts of the first load findable: whether there are more; absent when the pass is in other
/// hands now.
///
/// # Errors
/// As every statement.
pub async fn index_first_load(
    client: &impl GenericClient,
    holder: Holder,
    started_at: DateTime<Utc>,
    limit: i32,
) -> Result<Option<bool>, StoreError> {
    let row = call::row(
        client,
        "select gate.index_first_load($1, $2, $3, $4)",
        &[&holder.replica.0, &started_at, &holder.lease_seconds(), &limit],
    )
    .await?;
    Ok(row.try_get(0)?)
}

/// Lets others have a pass that stops before its end.
///
/// # Errors
/// As every statement; the lease then lapses by itself.
pub async fn release_pass(client: &impl GenericClient, pass: Pass, replica: ReplicaId) -> Result<(), StoreError> {
    call::rows(client, "select gate.release_pass($1, $2)", &[&pass.name(), &replica.0]).await?;
    Ok(())
}

/// Ends a pass: all changes up to `watermark` are in the mirror. What it found altogether; absent when the pass is in
/// other hands now.
///
/// # Errors
/// As every statement.
pub async fn end_pass(
    client: &impl GenericClient,
    pass: Pass,
    replica: ReplicaId,
    started_at: DateTime<Utc>,
    watermark: Option<DateTime<Utc>>,
) -> Result<Option<Found>, StoreError> {
    let row = call::maybe_row(
        client,
        "select * from gate.end_pass($1, $2, $3, $4)",
        &[&pass.name(), &replica.0, &started_at, &watermark],
    )
    .await?;
    row.map(|row| {
        Ok(Found {
            rows: row.try_get("rows_read")?,
            missing: row.try_get("missing")?,
            stale: row.try_get("stale")?,
            ghost: row.try_get("ghost")?,
        })
    })
    .transpose()
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
    let replica: Option<Uuid> = row.try_get("replica_id")?;
    let until: Option<DateTime<Utc>> = row.try_get("lease_until")?;
    Ok(PassRow {
        pass: row.try_get("pass")?,
        started_at: row.try_get("started_at")?,
        finished_at: row.try_get("finished_at")?,
        rows_read: row.try_get("rows_read")?,
        expected: row.try_get("expected")?,
        watermark: row.try_get("watermark")?,
        lease: replica.map(ReplicaId).zip(until),
    })
}

/// The time by which windows and leases are reckoned.
///
/// # Errors
/// As every statement.
pub async fn database_time(client: &impl GenericClient) -> Result<DateTime<Utc>, StoreError> {
    Ok(call::row(client, "select gate.database_time()", &[])
        .await?
        .try_get(0)?)
}
