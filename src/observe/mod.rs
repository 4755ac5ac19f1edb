//! The log: where it goes and in which shape. Ids and counts only, never a value of a contact.

use tracing_subscriber::EnvFilter;

use crate::config::{Daemon, LogFormat};

/// Starts the log on standard error, once for a process. A filter that cannot be read counts as `info`.
pub fn start(settings: &Daemon) {
    let filter = EnvFilter::try_new(&settings.log_filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    // A second start in one process (tests) leaves the first one in place.
    let _ = match settings.log_format {
        LogFormat::Text => log.with_target(false).try_init(),
        LogFormat::Json => log.json().try_init(),
    };
}
