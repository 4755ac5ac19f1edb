//! Why a scan stopped before its end.

use crate::fault::{Classify, Fault};
use crate::store::StoreError;

/// Why a scan stopped before its end. What the last one found stays.
#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Two would compare the same contacts twice.
    #[error("another scan for duplicates is running; wait until it ends")]
    Running,
    /// There is nothing to learn from.
    #[error("no pair of contacts looks like one person, so there is nothing to learn from; the weights in force stay")]
    TooFewPairs,
}

impl Classify for ScanError {
    fn fault(&self) -> Fault {
        match self {
            ScanError::Store(error) => error.fault(),
            ScanError::Running => Fault::Transient,
            ScanError::TooFewPairs => Fault::Broken,
        }
    }
}
