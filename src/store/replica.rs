//! Replica: the heartbeat of one run, and what is taken over from runs that died.

use std::time::Duration;

use deadpool_postgres::GenericClient;

use super::{StoreError, call};
use crate::domain::{LeadId, ReplicaId};

/// Who a run is to others on its machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplicaIdentity {
    /// New at every start.
    pub replica_id: ReplicaId,
    /// Boot and process namespace.
    pub host_id: String,
    /// Process number.
    pub process_id: i32,
    /// Start time of the process in the kernel's ticks.
    pub process_started: String,
}

/// Runs of this machine that have not said goodbye: process number and start time.
///
/// # Errors
/// As every statement.
pub async fn replicas_of_host(client: &impl GenericClient, host_id: &str) -> Result<Vec<(i32, String)>, StoreError> {
    let rows = call::rows(client, "select * from gate.replicas_of_host($1)", &[&host_id]).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// Writes the heartbeat row. `gone` are those of [`replicas_of_host`] whose processes are gone: they lose their
/// lease at once.
///
/// # Errors
/// As every statement.
pub async fn start_replica(
    client: &impl GenericClient,
    me: &ReplicaIdentity,
    lease: Duration,
    gone: &[(i32, String)],
) -> Result<(), StoreError> {
    let gone: Vec<String> = gone.iter().map(|(id, started)| format!("{id}:{started}")).collect();
    let lease = i32::try_from(lease.as_secs()).unwrap_or(i32::MAX);
    let version = env!("CARGO_PKG_VERSION");
    call::rows(
        client,
        "select gate.start_replica($1, $2, $3, $4, $5, $6, $7)",
        &[
            &me.replica_id.0,
            &me.host_id,
            &me.process_id,
            &me.process_started,
            &version,
            &lease,
            &gone,
        ],
    )
    .await?;
    Ok(())
}

/// Prolongs the lease. `false`: it had run out.
///
/// # Errors
/// As every statement.
pub async fn beat(client: &impl GenericClient, replica: ReplicaId, lease: Duration) -> Result<bool, StoreError> {
    let lease = i32::try_from(lease.as_secs()).unwrap_or(i32::MAX);
    Ok(call::row(client, "select gate.beat($1, $2)", &[&replica.0, &lease])
        .await?
        .try_get(0)?)
}

/// Says goodbye and hands back claims.
///
/// # Errors
/// As every statement; the lease then lapses by itself.
pub async fn stop_replica(client: &impl GenericClient, replica: ReplicaId) -> Result<(), StoreError> {
    call::rows(client, "select gate.stop_replica($1)", &[&replica.0]).await?;
    Ok(())
}

/// Hands back claims of dead runs; how many.
///
/// # Errors
/// As every statement.
pub async fn rescue_claims(client: &impl GenericClient) -> Result<i64, StoreError> {
    Ok(call::row(client, "select gate.rescue_claims()", &[])
        .await?
        .try_get(0)?)
}

/// Makes work of leads that have none, among `limit` leads above `after` and as many of the newest: how many, and after
/// which lead to go on.
///
/// # Errors
/// As every statement.
pub async fn adopt_leads(client: &impl GenericClient, after: LeadId, limit: i32) -> Result<(i64, LeadId), StoreError> {
    let row = call::row(client, "select * from gate.adopt_leads($1, $2)", &[&after.0, &limit]).await?;
    Ok((row.try_get("adopted")?, LeadId(row.try_get("looked_until")?)))
}

/// Deletes working rows older than `days`; how many.
///
/// # Errors
/// As every statement.
pub async fn forget_old(client: &impl GenericClient, days: i32, limit: i32) -> Result<i64, StoreError> {
    Ok(call::row(client, "select gate.forget_old($1, $2)", &[&days, &limit])
        .await?
        .try_get(0)?)
}
