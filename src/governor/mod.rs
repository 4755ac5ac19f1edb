//! The governor: nothing reaches the CRM without a [`Permit`], and only this room makes one.

mod backoff;
mod governed;
mod ledger;
mod permit;
mod retries;
mod unlimited;

pub use backoff::Backoff;
pub use governed::{Governor, Limits};
pub use ledger::{Allowance, Leave, Ledger};
pub use permit::{Bucket, Permit, Priority};
pub use retries::Went;
pub use unlimited::Unlimited;
