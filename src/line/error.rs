//! Why a call brought nothing: the CRM, or the database in which calls are counted.

use crate::crm::CrmError;
use crate::fault::{Classify, Fault};
use crate::store::StoreError;

/// Why a call brought nothing.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    /// The CRM.
    #[error(transparent)]
    Crm(#[from] CrmError),
    /// The database: without it no call is counted, so none is made.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Classify for LineError {
    fn fault(&self) -> Fault {
        match self {
            LineError::Crm(error) => error.fault(),
            LineError::Store(error) => error.fault(),
        }
    }
}
