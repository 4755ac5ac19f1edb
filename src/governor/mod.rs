//! The governor: nothing reaches the CRM without a [`Permit`], and only this room makes one.

mod permit;
mod unlimited;

pub use permit::{Bucket, Permit, Priority};
pub use unlimited::Unlimited;
