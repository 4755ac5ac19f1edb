//! The log: where it goes and in which shape. Ids and counts only, never a value of a contact.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::config::{Daemon, LogFormat};

/// Starts the log on standard error, once for a process. A filter that cannot be read counts as `info`.
pub fn start(settings: &Daemon) {
    // What the libraries say at this level is of no use to an operator.
    let wanted = format!(
        "refinery_core=warn,tokio_postgres=warn,hyper=warn,rustls=warn,{}",
        settings.log_filter
    );
    let filter = EnvFilter::try_new(wanted).unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    // A second start in one process (tests) leaves the first one in place.
    let _ = match settings.log_format {
        LogFormat::Text => log.with_target(false).try_init(),
        LogFormat::Json => log.json().try_init(),
    };
}
