//! Why the demo could not be shown.

use std::path::PathBuf;

use crate::config::ConfigError;
use crate::sandbox::SandboxError;
use crate::store::StoreError;

/// Why the demo could not be shown.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The directory holds something else.
    #[error("{} is not empty and not a directory of the demo, which empties it at each start; name another with --directory", path.display())]
    NotOurs {
        /// Which.
        path: PathBuf,
    },
    /// The directory belongs to somebody else.
    #[error("{} does not belong to this user; name another with --directory", path.display())]
    Foreign {
        /// Which.
        path: PathBuf,
    },
    /// Another demo runs in it, or a command still uses its database.
    #[error("a demo is running in {}; end it, or name another directory with --directory", path.display())]
    Busy {
        /// Which.
        path: PathBuf,
    },
    /// Root started it, and the server's user cannot enter.
    #[error(
        "started as root, PostgreSQL runs as a user without privileges, who cannot enter {}; name a directory below one \
         that everybody may enter with --directory",
        path.display()
    )]
    Unreachable {
        /// The closed directory.
        path: PathBuf,
    },
    /// A file or directory.
    #[error("{operation} {} failed; name a directory that can be written with --directory", path.display())]
    Directory {
        /// What was tried.
        operation: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// The sample is not what this program reads; it is built with the sample, so this is a mistake in the project.
    #[error("the sample's {file} cannot be used: {problem}")]
    Sample {
        /// Which file of demo/.
        file: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// The settings that were written are refused.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The sandbox.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// A command of this program did not do its work.
    #[error("`gatekeeper {command}` failed ({status}); its last words, of {}:\n{tail}", log.display())]
    Command {
        /// Which.
        command: String,
        /// How it ended.
        status: std::process::ExitStatus,
        /// Where it wrote.
        log: PathBuf,
        /// The end of that.
        tail: String,
    },
    /// This program cannot be started again.
    #[error("cannot start {} {command}", program.display())]
    Start {
        /// Which program.
        program: PathBuf,
        /// With which arguments.
        command: String,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// No signal can be listened for.
    #[error("cannot listen for Ctrl-C")]
    Signals(#[source] std::io::Error),
    /// Standard output is closed or full.
    #[error("cannot print the report")]
    Output(#[from] std::io::Error),
    /// Ctrl-C, SIGTERM or SIGHUP.
    #[error("interrupted; nothing is left running")]
    Interrupted,
}
