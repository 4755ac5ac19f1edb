//! Why a pass of the sweep stopped.

use crate::fault::{Classify, Fault};
use crate::line::LineError;
use crate::store::StoreError;

/// Why a pass of the sweep stopped. What it had taken over stays open and is taken over again.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// The CRM, or the database in which calls are counted.
    #[error(transparent)]
    Line(#[from] LineError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Classify for SweepError {
    fn fault(&self) -> Fault {
        match self {
            SweepError::Line(error) => error.fault(),
            SweepError::Store(error) => error.fault(),
        }
    }
}
