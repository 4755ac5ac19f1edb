//! The daemon: puts the rooms together, starts the loops, watches over them, and stops them within a bound.

mod assemble;
mod bootstrap;
mod clock;
mod error;
mod heartbeat;
mod identity;
mod loops;
mod merging;
mod metrics;
mod pace;
mod supervise;
mod systemd;

pub use bootstrap::{Parts, connect_crm, connector, connector_settings, governor_limits, open_store};
pub use error::DaemonError;
pub use merging::with_merger;

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::config::Config;

/// How the daemon is run.
#[derive(Debug, Clone, Copy)]
pub struct RunOptions {
    /// End when nothing waits any more.
    pub until_idle: bool,
    /// With `until_idle`: how long what a person must mend, such as a token that is refused, may last before the run ends
    /// with it. Long enough for a token that is being replaced.
    pub patience: Duration,
}

impl Default for RunOptions {
    fn default() -> Self {
        Self {
            until_idle: false,
            patience: Duration::from_secs(60),
        }
    }
}

/// Runs the daemon until `shutdown` is cancelled, or until nothing waits if so asked.
///
/// # Errors
/// What kept it from starting, or what ended it. Leads that were in work are taken up by the next start.
pub async fn run(config: Config, options: RunOptions, shutdown: CancellationToken) -> Result<(), DaemonError> {
    let grace = Duration::from_secs(config.daemon.shutdown_grace_seconds);
    let parts = match Parts::gather(&config, &shutdown).await {
        Err(DaemonError::Stopped) => {
            tracing::info!("asked to stop before the CRM had answered; nothing was begun");
            return Ok(());
        }
        gathered => gathered?,
    };
    let store = parts.store.clone();
    let result = supervise::supervise(parts, &config, options, shutdown).await;
    // Under systemd what is left in the unit is killed: the private cluster stops before we do.
    let _ = tokio::time::timeout(grace, store.close()).await;
    result
}
