//! One test binary for all that needs a real database, a real daemon or a real CRM.

// In a test, a panic is how an answer that cannot be is reported.
#![allow(clippy::unwrap_used)]
// Tests start tasks and look at files and the environment as they need. The homes in clippy.toml are for the program.
#![allow(clippy::disallowed_methods)]

mod bad_input;
mod config;
mod decide;
mod demo;
#[cfg(feature = "failpoints")]
mod faults;
mod flow;
mod hubspot;
mod model;
mod normalize;
mod process;
mod pull;
mod sandbox;
mod sql;
mod store;
mod support;
mod systemd;
mod tidy;
