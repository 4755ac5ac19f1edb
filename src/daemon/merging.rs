//! Merging: carries out merges for a command, under a lease of its own, as a replica beside the daemon.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::bootstrap::Parts;
use super::supervise::{Ended, spawn};
use super::{DaemonError, heartbeat};
use crate::config::Config;
use crate::crm::hubspot::HubSpot;
use crate::purge::{MergeSettings, Merger, PurgeError};
use crate::store::replica::stop_replica;

/// What a merger is told by the settings.
pub(super) fn merge_settings(config: &Config) -> MergeSettings {
    MergeSettings {
        settle_seconds: config.gate.settle_seconds,
        calls_in_flight: config.limits.calls_in_flight,
        associations: config.crm.associations.clone(),
    }
}

/// A merger of these parts.
pub(super) fn merger(parts: &Parts, config: &Config, stop: &CancellationToken) -> Merger<HubSpot> {
    let deadline = Duration::from_secs(config.crm.request_deadline_seconds + 5);
    let lease = parts.lease.clone();
    Merger::new(
        parts.store.clone(),
        parts.line.clone(),
        parts.rulebook.clone(),
        parts.replica,
        merge_settings(config),
        // A call that could outlive the lease is not begun: others may take over what it carries.
        move || lease.remaining() > deadline,
        stop.clone(),
    )
}

/// Takes a lease, and lets `work` merge under it. When the lease is lost, the work is asked to stop.
///
/// # Errors
/// What kept it from beginning, and what ended the work.
pub async fn with_merger<T>(
    config: &Config,
    stop: &CancellationToken,
    work: impl AsyncFnOnce(&Merger<HubSpot>) -> Result<T, PurgeError>,
) -> Result<T, DaemonError> {
    let parts = Parts::gather(config, stop).await?;
    let merger = merger(&parts, config, stop);
    let (quiet, store) = (CancellationToken::new(), parts.store.clone());
    let mut tasks: JoinSet<Ended> = JoinSet::new();
    spawn(
        &mut tasks,
        "heartbeat",
        keep(parts.lease.clone(), store.clone(), quiet.clone(), stop.clone()),
    );
    let done = work(&merger).await;
    quiet.cancel();
    while tasks.join_next().await.is_some() {}
    if let Ok(client) = store.client().await
        && let Err(error) = stop_replica(&client, parts.replica).await
    {
        tracing::warn!(
            error = crate::fault::chain(&error),
            "no goodbye was said; the lease lapses by itself"
        );
    }
    drop((merger, parts));
    store.close().await;
    Ok(done?)
}

async fn keep(
    lease: heartbeat::Lease,
    store: crate::store::Store,
    quiet: CancellationToken,
    stop: CancellationToken,
) -> Result<(), DaemonError> {
    let kept = lease.keep(store, quiet).await;
    if kept.is_err() {
        stop.cancel();
    }
    kept
}
