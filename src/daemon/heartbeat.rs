//! The heartbeat: one row that says that this replica lives, and until when others keep their hands off its work.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::DaemonError;
use super::clock::elapsed;
use super::identity::gone;
use crate::config::Config;
use crate::store::replica::{ReplicaIdentity, beat, replicas_of_host, start_replica};
use crate::store::{Store, StoreError};

/// The lease of this replica. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Lease {
    /// By the boot clock.
    until: Arc<Mutex<Duration>>,
    length: Duration,
    every: Duration,
    replica: crate::domain::ReplicaId,
}

impl Lease {
    /// Writes the heartbeat row. Runs of this machine whose process is gone lose their lease at once.
    pub(super) async fn take(store: &Store, me: &ReplicaIdentity, config: &Config) -> Result<Self, DaemonError> {
        let length = Duration::from_secs(config.daemon.lease_seconds);
        let client = store.client().await?;
        let runs = replicas_of_host(&client, &me.host_id).await?;
        let asked = elapsed();
        start_replica(&client, me, length, &gone(runs)).await?;
        Ok(Self {
            until: Arc::new(Mutex::new(asked + length)),
            length,
            every: Duration::from_secs(config.daemon.heartbeat_seconds),
            replica: me.replica_id,
        })
    }

    /// How long the lease surely holds: counted from before it was asked for, by a clock that counts suspends.
    pub(super) fn remaining(&self) -> Duration {
        let until = *self.until.lock().unwrap_or_else(PoisonError::into_inner);
        until.saturating_sub(elapsed())
    }

    /// Prolongs the lease until `stop`. Ends with an error when the lease has run out.
    #[expect(clippy::disallowed_methods, reason = "raced against the stop")]
    pub(super) async fn keep(self, store: Store, stop: CancellationToken) -> Result<(), DaemonError> {
        loop {
            tokio::select! {
                () = tokio::time::sleep(self.every) => {}
                () = stop.cancelled() => return Ok(()),
            }
            let asked = elapsed();
            match self.beat(&store).await {
                Ok(true) => *self.until.lock().unwrap_or_else(PoisonError::into_inner) = asked + self.length,
                Ok(false) => return Err(DaemonError::LeaseLost),
                Err(error) => {
                    tracing::warn!(error = crate::fault::chain(&error), "no heartbeat");
                    if self.remaining().is_zero() {
                        return Err(DaemonError::LeaseLost);
                    }
                }
            }
        }
    }

    async fn beat(&self, store: &Store) -> Result<bool, StoreError> {
        let client = store.client().await?;
        beat(&client, self.replica, self.length).await
    }
}
