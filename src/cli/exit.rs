//! Why a command failed, and the exit code that says so to scripts and to systemd.

use std::process::ExitCode;

use crate::config::ConfigError;
use crate::crm::CrmError;
use crate::daemon::DaemonError;
use crate::demo::DemoError;
use crate::duplicates::ScanError;
use crate::line::LineError;
use crate::pull::PullError;
use crate::purge::PurgeError;
use crate::push::PushError;
use crate::rulebook::RulebookError;
use crate::sandbox::SandboxError;
use crate::store::StoreError;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The settings.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The daemon.
    #[error(transparent)]
    Daemon(#[from] DaemonError),
    /// The demo.
    #[error(transparent)]
    Demo(#[from] DemoError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The CRM, or the database in which calls are counted.
    #[error(transparent)]
    Line(#[from] LineError),
    /// The mirror.
    #[error(transparent)]
    Pull(#[from] PullError),
    /// The scan for duplicates.
    #[error(transparent)]
    Scan(#[from] ScanError),
    /// Matching and deciding.
    #[error(transparent)]
    Push(#[from] PushError),
    /// The rules.
    #[error(transparent)]
    Rulebook(#[from] RulebookError),
    /// The sandbox.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// A file named on the command line.
    #[error("cannot use {file}: {problem}")]
    File {
        /// Which.
        file: String,
        /// What is wrong with it.
        problem: String,
    },
    /// What was asked for is not there.
    #[error("{0}")]
    NotFound(String),
    /// `check` found something.
    #[error("not everything is as it should be; see above")]
    ChecksFailed {
        /// The code that fits the worst of it.
        code: u8,
    },
    /// Standard output is closed or full.
    #[error("cannot write the answer")]
    Output(#[from] std::io::Error),
}

/// Exit codes: 0 done, 1 failed, 2 wrong settings or arguments, 3 the CRM refuses us, 4 the database is newer.
pub fn code(error: &CliError) -> ExitCode {
    ExitCode::from(number(error))
}

fn number(error: &CliError) -> u8 {
    match error {
        CliError::Config(_) | CliError::NotFound(_) | CliError::File { .. } => 2,
        CliError::Daemon(error) => daemon(error),
        CliError::Store(error) | CliError::Line(LineError::Store(error)) | CliError::Scan(ScanError::Store(error)) => {
            store(error)
        }
        CliError::Line(LineError::Crm(error)) => crm(error),
        CliError::ChecksFailed { code } => *code,
        _ => 1,
    }
}

fn daemon(error: &DaemonError) -> u8 {
    match error {
        DaemonError::Store(error) => store(error),
        DaemonError::Crm(error) | DaemonError::Purge(PurgeError::Line(LineError::Crm(error))) => crm(error),
        DaemonError::Purge(PurgeError::NotUndone(_)) => 2,
        DaemonError::Secret(_) | DaemonError::OtherAccount { .. } | DaemonError::Metrics { .. } => 2,
        _ => 1,
    }
}

fn store(error: &StoreError) -> u8 {
    match error {
        StoreError::NewerDatabase { .. } => 4,
        StoreError::Secret(_) | StoreError::Url | StoreError::Roots { .. } => 2,
        _ => 1,
    }
}

fn crm(error: &CrmError) -> u8 {
    match error {
        CrmError::Unauthorized { .. } | CrmError::Forbidden { .. } | CrmError::NoUniqueKey { .. } => 3,
        CrmError::Settings { .. } => 2,
        _ => 1,
    }
}
