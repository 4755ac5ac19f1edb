//! Why the daemon did not start, or ended.

use crate::crm::CrmError;
use crate::fault::{Classify, Fault};
use crate::line::LineError;
use crate::pull::PullError;
use crate::purge::PurgeError;
use crate::push::PushError;
use crate::rulebook::RulebookError;
use crate::store::StoreError;
use crate::store::hold::HoldKind;
use crate::sweep::SweepError;

/// Why the daemon did not start, or ended.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The CRM.
    #[error(transparent)]
    Crm(#[from] CrmError),
    /// The rules.
    #[error(transparent)]
    Rulebook(#[from] RulebookError),
    /// Carrying out merges.
    #[error(transparent)]
    Purge(#[from] PurgeError),
    /// A secret is not where the settings say.
    #[error(transparent)]
    Secret(#[from] crate::config::SecretError),
    /// The token leads to another account than the mirror was filled from.
    #[error(
        "the token leads to the CRM account {found}, but this database mirrors another one; correct crm.token or crm.base_url, or use a database of its own for each account"
    )]
    OtherAccount {
        /// The account the token leads to.
        found: String,
    },
    /// Asked to stop while the start waited for the CRM.
    #[error("asked to stop before the CRM had answered")]
    Stopped,
    /// The metrics cannot be served.
    #[error("cannot serve metrics on {address}; correct daemon.metrics_listen")]
    Metrics {
        /// Where.
        address: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The lease ran out: this process was stopped for too long, or cut off from the database.
    #[error(
        "this replica's lease ran out, others may have taken over; the process ends, and what it was doing is looked up by whoever runs next"
    )]
    LeaseLost,
    /// A run to the end of all work, while the gate holds.
    #[error("{}", match kind {
        HoldKind::Paused => "leads wait, and the gate is paused; `gatekeeper resume` ends it",
        HoldKind::Restored => "leads wait, and the database is not the one it was: a restored backup, or a copy; `gatekeeper resume --after-restore` says that it may go on",
    })]
    Held {
        /// Why.
        kind: HoldKind,
    },
    /// A loop cannot go on.
    #[error("the {name} loop cannot go on")]
    Loop {
        /// Which.
        name: &'static str,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A bug: a loop panicked.
    #[error("the {name} loop ended by itself; this is a bug, please report it with the log")]
    Panicked {
        /// Which.
        name: &'static str,
    },
}

impl From<LineError> for DaemonError {
    fn from(error: LineError) -> Self {
        match error {
            LineError::Crm(error) => DaemonError::Crm(error),
            LineError::Store(error) => DaemonError::Store(error),
        }
    }
}

impl From<PushError> for DaemonError {
    fn from(error: PushError) -> Self {
        match error {
            PushError::Store(error) => DaemonError::Store(error),
            PushError::Rulebook(error) => DaemonError::Rulebook(error),
            PushError::Stopping => DaemonError::Stopped,
        }
    }
}

impl From<PullError> for DaemonError {
    fn from(error: PullError) -> Self {
        match error {
            PullError::Store(error) => DaemonError::Store(error),
            PullError::Line(error) => error.into(),
            PullError::Rulebook(error) => DaemonError::Rulebook(error),
            PullError::Panicked { .. } | PullError::TakenOver { .. } => DaemonError::Loop {
                name: "pull",
                source: error.into(),
            },
        }
    }
}

impl From<SweepError> for DaemonError {
    fn from(error: SweepError) -> Self {
        match error {
            SweepError::Line(error) => error.into(),
            SweepError::Store(error) => DaemonError::Store(error),
        }
    }
}

impl Classify for DaemonError {
    fn fault(&self) -> Fault {
        match self {
            DaemonError::Store(error) => error.fault(),
            DaemonError::Crm(error) => error.fault(),
            DaemonError::Rulebook(error) => error.fault(),
            DaemonError::Purge(error) => error.fault(),
            DaemonError::LeaseLost | DaemonError::Stopped => Fault::Transient,
            DaemonError::Secret(_)
            | DaemonError::OtherAccount { .. }
            | DaemonError::Metrics { .. }
            | DaemonError::Held { .. }
            | DaemonError::Loop { .. }
            | DaemonError::Panicked { .. } => Fault::Broken,
        }
    }
}
