//! The decision: from leads, their candidates, what is known of the people and the rules, to what shall be done.
//!
//! No I/O, no clock, no `Result`: the same inputs always give the same decision, so that any decision can be replayed,
//! explained and back-tested. The audit keeps the inputs.

mod batch;
mod desired;
mod evidence;
mod identity;
mod input;
mod known;
mod offering;
mod person_key;
mod policy;
mod precedence;
mod several;
mod standing;
mod survive;
mod unfit;
mod waiting;

pub use batch::decide_batch;
pub use desired::Judge;
pub use identity::{Identity, identify};
pub use input::{BatchInput, LeadInput, Verdict};
pub use person_key::{Founding, PersonKeys};
pub use policy::{CRM_SOURCE, FieldPolicy, FieldRule, Policy, Thresholds};
pub use precedence::{Current, Incoming, Ruling, rule};
pub use survive::{Survivor, is_flat, survivors};
