//! One test binary for all that needs a real database, a real daemon or a real CRM.

// In a test, a panic is how an answer that cannot be is reported.
#![allow(clippy::unwrap_used)]

mod config;
mod hubspot;
mod normalize;
mod pull;
mod sandbox;
mod store;
mod support;
