//! Why a pass over the CRM stopped before its end.

use crate::fault::{Classify, Fault};
use crate::line::LineError;
use crate::rulebook::RulebookError;
use crate::store::StoreError;

/// Why a pass stopped before its end. What it had written stays, and the next one goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum PullError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The CRM, or the database in which its calls are counted.
    #[error(transparent)]
    Line(#[from] LineError),
    /// The rules.
    #[error(transparent)]
    Rulebook(#[from] RulebookError),
    /// A bug: a task that reads or normalizes contacts panicked.
    #[error(
        "the {pass} pass over the CRM broke off in the middle; the log says where, and the pass goes on from there"
    )]
    Panicked {
        /// Which pass.
        pass: &'static str,
    },
    /// The lease lapsed, and another replica has taken the pass over. Nothing is lost.
    #[error("another replica has taken over the {pass} pass")]
    TakenOver {
        /// Which pass.
        pass: &'static str,
    },
}

impl Classify for PullError {
    fn fault(&self) -> Fault {
        match self {
            PullError::Store(error) => error.fault(),
            PullError::Line(error) => error.fault(),
            PullError::Rulebook(error) => error.fault(),
            PullError::Panicked { .. } => Fault::Broken,
            PullError::TakenOver { .. } => Fault::Transient,
        }
    }
}
