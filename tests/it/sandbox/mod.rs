//! The sandbox CRM through real HTTP: it is the judge of all other tests, so each behaviour is pinned here.

// A test that cannot go on should say where.
#![allow(clippy::unwrap_used)]

mod batches;
mod caller;
mod control;
mod faults;
mod invariants;
mod limits;
mod merges;
mod naive;
mod properties;
mod records;
mod searches;
mod speed;
