//! The whole way of a lead, with real parts: PostgreSQL, the daemon, a CRM that journals what happened to it.

mod backtest;
mod brakes;
mod burst;
mod delivery;
mod dropped;
mod duplicates;
mod erased;
mod held;
mod in_doubt;
mod in_motion;
pub(crate) mod invariants;
mod labelled;
mod late;
mod people;
mod policies;
mod precedence;
mod refusals;
mod replay;
mod replicas;
mod reviews;
mod shadow;
mod storms;
mod surprises;
mod undo;
mod unknown;
mod weather;
pub(crate) mod world;
