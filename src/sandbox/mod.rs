//! The sandbox CRM: a HubSpot-compatible server on loopback, for trial and as the judge in tests.
//!
//! It keeps contacts in memory and behaves as the real thing is documented or was recorded to behave, awkwardness included:
//! batches that fail as a whole, results in no order, rows left out, a search index that lags, merges that make new ids,
//! two bodies for one refusal. It can be told to misbehave (see [`Rule`]) and it journals every request and every effect
//! (see [`Entry`]), so that a test can ask what really happened. It knows nothing of the rooms that it judges.
//!
//! A request goes through these files: `socket`, `request` (journal, token, limits, scopes), `faults` and `mishap`,
//! then one of `read`, `write`, `batch`, `merge`, `search`, `property_calls` on the `world`, and out through `answer`.

mod answer;
mod associations;
mod batch;
mod book;
mod builtin;
mod check;
mod contact;
mod control;
mod faults;
mod filter;
mod handle;
mod journal;
mod lag;
mod limits;
mod merge;
mod mishap;
mod options;
mod properties;
mod property_calls;
mod read;
mod refusals;
mod request;
mod routes;
mod search;
mod server;
mod socket;
mod values;
mod wire;
mod world;
mod write;

pub use faults::{Active, Body, Rule};
pub use journal::{Counts, Effect, End, Entry, Kind, Received};
pub use options::{ConflictBody, JournalMode, Limits, Options, SCOPES};
pub use server::{Running, Sandbox, SandboxError, serve, start};
