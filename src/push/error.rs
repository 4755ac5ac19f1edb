//! Why a pass of the push loop came to nothing.

use crate::fault::{Classify, Fault};
use crate::rulebook::RulebookError;
use crate::store::StoreError;

/// Why a pass came to nothing. The leads it had claimed are handed back, uncharged.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The rules.
    #[error(transparent)]
    Rulebook(#[from] RulebookError),
    /// A bug: the task that normalizes panicked. The claims keep their count, so that the lead that did it is found.
    #[error(
        "a lead of this batch cannot be normalized; the process ends and takes the leads one by one after its restart"
    )]
    Normalizer,
}

impl Classify for PushError {
    fn fault(&self) -> Fault {
        match self {
            PushError::Store(error) => error.fault(),
            PushError::Rulebook(error) => error.fault(),
            PushError::Normalizer => Fault::Broken,
        }
    }
}
