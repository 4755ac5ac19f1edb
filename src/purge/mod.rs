//! The purge: what becomes of contacts that are one person already. The plan says which one stays, which values survive and what
//! would be lost; what a person has approved is carried out, and can be taken back as far as the CRM allows it.
//!
//! | file | does |
//! |---|---|
//! | `plan`, `master` | pure: what a merge of one group would do |
//! | `planning` | plans all groups, or some anew |
//! | `run` | carries out what is approved, chunk by chunk |
//! | `begin` | reads every contact of a chunk, keeps it, and begins what has not changed |
//! | `merging` | the merges of one group, and what became of one whose answer was lost |
//! | `writing` | writes the values that survive, and reads them back |
//! | `undo` | makes of the snapshots what the CRM allows |
//! | `ties` | what contacts are tied to, kept and made again |
//! | `resume` | takes over what a dead run left |

mod begin;
mod error;
mod master;
mod merging;
mod plan;
mod planning;
mod resume;
mod run;
mod ties;
mod undo;
mod writing;

pub use error::PurgeError;
pub use plan::plan;
pub use planning::{PlanReport, plan_all, plan_groups};
pub use run::{MergeReport, MergeSettings, Merger, RunPick};
pub use undo::{NotRestored, Undone};
