//! `run`: the daemon, until SIGTERM or SIGINT.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::CliError;
use crate::config::Config;
use crate::daemon::{self, RunOptions};

pub(super) async fn run(config: Config, until_idle: bool) -> Result<(), CliError> {
    crate::observe::start(&config.daemon);
    let shutdown = CancellationToken::new();
    let options = RunOptions {
        until_idle,
        ..RunOptions::default()
    };
    let daemon = daemon::run(config, options, shutdown.clone());
    tokio::pin!(daemon);
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut asked = false;
    loop {
        tokio::select! {
            result = &mut daemon => return Ok(result?),
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        if asked {
            // Asked twice: somebody is in a hurry. What is open is looked up by the next start.
            tracing::warn!("asked a second time: ending at once");
            std::process::exit(1);
        }
        asked = true;
        shutdown.cancel();
    }
}
