//! Supervision: the loops are started, watched over, and stopped within a bound.
//!
//! A loop that fails waits and tries again; a loop that ends by itself ends the daemon, and systemd starts it anew.
//! There is one way to recover from a crash and from a stop: what was open is found by the next start.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::assemble::start;
use super::bootstrap::Parts;
use super::loops::watchdog;
use super::{DaemonError, RunOptions, systemd};
use crate::config::Config;
use crate::store::replica::stop_replica;

/// What a loop's task ended with: its name, and why.
pub(super) type Ended = (&'static str, Result<(), DaemonError>);

/// Starts the loops and waits for the end.
pub(super) async fn supervise(
    parts: Parts,
    config: &Config,
    options: RunOptions,
    shutdown: CancellationToken,
) -> Result<(), DaemonError> {
    super::metrics::serve(config)?;
    let grace = Duration::from_secs(config.daemon.shutdown_grace_seconds);
    let (store, replica) = (parts.store.clone(), parts.replica);
    // Two stops: no new work, and then no more signs of life.
    let stop = CancellationToken::new();
    let quiet = CancellationToken::new();
    let mut tasks: JoinSet<Ended> = JoinSet::new();
    let lease = parts.lease.clone();
    spawn(&mut tasks, "heartbeat", lease.keep(store.clone(), quiet.clone()));
    let progress = start(&mut tasks, parts, config, options, &stop);
    systemd::ready("at work");
    spawn(&mut tasks, "watchdog", watchdog(progress, quiet.clone()));

    let first = tokio::select! {
        () = shutdown.cancelled() => None,
        Some(ended) = tasks.join_next() => Some(ended),
    };
    systemd::stopping();
    tracing::info!("stopping: what is on the wire is waited for");
    stop.cancel();
    let mut result = first.map_or(Ok(()), outcome);
    let drained = tokio::time::timeout(grace, async {
        // The heartbeat and the watchdog go on to the end of the drain.
        while tasks.len() > 2 {
            if let Some(ended) = tasks.join_next().await {
                let ended = outcome(ended);
                if result.is_ok() {
                    result = ended;
                }
            }
        }
    });
    if drained.await.is_err() {
        tracing::warn!("not all was settled in time; the next start looks it up");
    }
    quiet.cancel();
    tasks.shutdown().await;
    if let Ok(client) = store.client().await
        && let Err(error) = stop_replica(&client, replica).await
    {
        tracing::warn!(
            error = crate::fault::chain(&error),
            "no goodbye was said; the lease lapses by itself"
        );
    }
    result
}

fn outcome(ended: Result<Ended, tokio::task::JoinError>) -> Result<(), DaemonError> {
    match ended {
        Ok((_, result)) => result,
        Err(error) if error.is_cancelled() => Ok(()),
        Err(_) => Err(DaemonError::Panicked { name: "daemon's" }),
    }
}

/// Starts a task of the daemon under its name.
pub(super) fn spawn(
    tasks: &mut JoinSet<Ended>,
    name: &'static str,
    task: impl Future<Output = Result<(), DaemonError>> + Send + 'static,
) {
    tasks.spawn(async move { (name, task.await) });
}
