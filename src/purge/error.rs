//! Why carrying out merges stopped.

use crate::fault::{Classify, Fault};
use crate::line::LineError;
use crate::store::StoreError;

/// Why carrying out merges stopped. What was begun is gone on with by the next run, or by the daemon.
#[derive(Debug, thiserror::Error)]
pub enum PurgeError {
    /// The CRM, or the database in which calls are counted.
    #[error(transparent)]
    Line(#[from] LineError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Nothing is written while the gate is held.
    #[error("the gate is held ({kind}), so nothing is merged; `gatekeeper resume` ends that")]
    Held {
        /// `paused` or `restored`.
        kind: &'static str,
    },
    /// Asked to stop, or the lease has run out, before the end.
    #[error(
        "stopped before the end; what was begun is gone on with by the next `gatekeeper merge run`, or by the daemon"
    )]
    Stopped,
    /// An undo that cannot be.
    #[error("{0}")]
    NotUndone(String),
}

impl Classify for PurgeError {
    fn fault(&self) -> Fault {
        match self {
            PurgeError::Line(error) => error.fault(),
            PurgeError::Store(error) => error.fault(),
            PurgeError::Stopped => Fault::Transient,
            PurgeError::Held { .. } | PurgeError::NotUndone(_) => Fault::Broken,
        }
    }
}
