//! Plain data that every room speaks of: fields, leads, contacts, matches, decisions, outcomes.
//!
//! Nothing here does I/O, reads a clock or knows a CRM's own names.

mod batch;
mod contact;
mod document;
mod field;
mod ids;
mod lead;
mod matching;
mod merging;

pub use batch::{
    Action, Batch, ChangeRow, ConfirmedRow, DecisionRow, FieldVerdict, IntentRow, Operation, Origin,
    ProvisionalContact, WaitingRow,
};
pub use contact::{Absent, Gone, KeyHolder, KnownContact, Provenance, Record};
pub use document::Document;
pub use field::{CANONICAL, Field};
pub use ids::{ContactId, CrmId, IntentId, LeadId, ReplicaId};
pub use lead::{Lead, MatchKeys, Normalized, Refusal};
pub use matching::{Candidate, Names, Target, Tier};
pub use merging::{Chosen, Criterion, Group, LostRow, MemberRow, MergePlan, Merged, Merging, ValueRow};
