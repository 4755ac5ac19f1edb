//! Why a pass of the push loop came to nothing.

use crate::fault::{Classify, Fault};
use crate::rulebook::RulebookError;
use crate::store::StoreError;

/// Why a pass came to nothing. The leads it had claimed are handed back.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The rules.
    #[error(transparent)]
    Rulebook(#[from] RulebookError),
    /// The runtime ends before the leads are normalized.
    #[error("the process is ending")]
    Stopping,
}

impl Classify for PushError {
    fn fault(&self) -> Fault {
        match self {
            PushError::Store(error) => error.fault(),
            PushError::Rulebook(error) => error.fault(),
            PushError::Stopping => Fault::Transient,
        }
    }
}
