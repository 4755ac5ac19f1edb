//! One test binary for all that needs a real database, a real daemon or a real CRM.

mod config;
mod hubspot;
mod store;
mod support;
mod sandbox;
mod normalize;
