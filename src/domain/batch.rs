//! A decided batch: the rows that `gate.intend` stores, ready to be turned into JSON.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{ContactId, CrmId, Document, Field, IntentId, LeadId, MatchKeys, Tier};

/// What was decided about a lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// A new person.
    Create,
    /// A known person gets new values.
    Update,
    /// The CRM holds all of it, or holds better.
    Unchanged,
    /// Folded into the write of another lead, or delivered before.
    Coalesced,
    /// A person must decide.
    Review,
    /// Cannot be processed.
    Dead,
}

/// What kind of write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Make a contact.
    Create,
    /// Change a contact.
    Update,
}

/// What was decided about one field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldVerdict {
    /// The lead's value goes to the CRM.
    Written,
    /// A rule protects the value that is there.
    Kept,
    /// The lead's value cannot be used.
    Refused,
}

/// Where a value that is to be written came from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Origin {
    /// The source.
    pub source: String,
    /// The lead.
    pub lead_id: LeadId,
    /// When the source saw it.
    pub occurred_at: DateTime<Utc>,
    /// The rule that let it through.
    pub rule: String,
    /// When a person last set or cleared the field in the CRM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edited_at: Option<DateTime<Utc>>,
    /// That was clearing it.
    #[serde(default)]
    pub cleared: bool,
    /// Of a field of several values, those that somebody took out in the CRM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removed: Option<BTreeSet<String>>,
}

/// A value that the CRM holds already, brought again by a source with a better claim: it is that source's from now on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ConfirmedRow {
    /// The person.
    pub contact_id: ContactId,
    /// The field.
    pub field: Field,
    /// The value as the CRM holds it.
    pub value: String,
    /// Where it comes from.
    #[serde(flatten)]
    pub origin: Origin,
}

/// A contact that exists in the mirror from the moment its creation is intended.
#[derive(Debug, Clone, PartialEq)]
pub struct ProvisionalContact {
    /// Its number, reserved before.
    pub contact_id: ContactId,
    /// The person key.
    pub gatekeeper_key: String,
    /// Its values.
    pub values: BTreeMap<Field, String>,
}

/// A write that may be sent once the batch is committed.
#[derive(Debug, Clone, PartialEq)]
pub struct IntentRow {
    /// Trace id and idempotency key.
    pub intent_id: IntentId,
    /// The person.
    pub contact_id: ContactId,
    /// Create or update.
    pub operation: Operation,
    /// The contact to change.
    pub crm_id: Option<CrmId>,
    /// The person key of the contact to make.
    pub gatekeeper_key: Option<String>,
    /// Values to write.
    pub body: BTreeMap<Field, String>,
    /// Provenance of each value.
    pub origin: BTreeMap<Field, Origin>,
    /// All values the contact will hold afterwards, from which its keys are derived.
    pub desired: BTreeMap<Field, String>,
    /// Secondary addresses the contact has.
    pub additional_emails: Vec<String>,
}

/// One row of `audit.entry`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DecisionRow {
    /// Its number, reserved before.
    pub decision_id: i64,
    /// The lead.
    pub lead_id: LeadId,
    /// Its source.
    pub source: Option<String>,
    /// What was decided.
    pub action: Action,
    /// What identified the person.
    pub tier: Option<Tier>,
    /// Score of the best candidate.
    pub score: Option<f32>,
    /// The person.
    pub contact_id: Option<ContactId>,
    /// Its id in the CRM.
    pub crm_id: Option<CrmId>,
    /// Reason code.
    pub reason: Option<String>,
    /// What it was decided on.
    pub evidence: Document,
    /// The write it went into; of a decision in shadow, the one it would have gone into.
    pub intent_id: Option<IntentId>,
    /// Decided for show: nothing of it is written.
    pub shadow: bool,
}

/// One row of `audit.change`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChangeRow {
    /// The decision.
    pub decision_id: i64,
    /// The field.
    pub field: Field,
    /// What the contact held.
    pub old_value: Option<String>,
    /// What the lead brought.
    pub new_value: Option<String>,
    /// What was decided.
    pub verdict: FieldVerdict,
    /// By which rule.
    pub rule: String,
    /// Who had set the old value.
    pub old_source: Option<String>,
    /// When that source had seen it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old_seen_at: Option<DateTime<Utc>>,
    /// When a person had last set or cleared the field in the CRM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old_edited_at: Option<DateTime<Utc>>,
    /// That was clearing it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old_cleared: Option<bool>,
}

/// A lead that must wait for another write about the same person.
#[derive(Debug, Clone, PartialEq)]
pub struct WaitingRow {
    /// The lead.
    pub lead_id: LeadId,
    /// The person.
    pub contact_id: ContactId,
    /// By what the lead, and so the person, is found by the leads that come after it.
    pub keys: MatchKeys,
}

/// All that one pass decided.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Batch {
    /// New people.
    pub contacts: Vec<ProvisionalContact>,
    /// Writes.
    pub intents: Vec<IntentRow>,
    /// One for each lead that was decided.
    pub decisions: Vec<DecisionRow>,
    /// One for each field in which a lead differed.
    pub changes: Vec<ChangeRow>,
    /// Values that need no write and have another origin now.
    pub confirmed: Vec<ConfirmedRow>,
    /// Leads that were not decided because their person is being written.
    pub waiting: Vec<WaitingRow>,
}

impl Batch {
    /// Takes over of a batch what was decided in shadow: those decisions and their changes, and who waits. Whatever it would
    /// have written stays out.
    pub fn add_shadow(&mut self, all: Batch, in_shadow: &BTreeSet<i64>) {
        let decided = all
            .decisions
            .into_iter()
            .filter(|decision| in_shadow.contains(&decision.decision_id));
        self.decisions.extend(decided.map(|decision| DecisionRow {
            shadow: true,
            ..decision
        }));
        let changes = all
            .changes
            .into_iter()
            .filter(|change| in_shadow.contains(&change.decision_id));
        self.changes.extend(changes);
        let others: BTreeSet<LeadId> = self.waiting.iter().map(|waiting| waiting.lead_id).collect();
        let decided: BTreeSet<LeadId> = self.decisions.iter().map(|decision| decision.lead_id).collect();
        let waiting = all.waiting.into_iter();
        let waiting_in_shadow =
            waiting.filter(|waiting| !others.contains(&waiting.lead_id) && !decided.contains(&waiting.lead_id));
        // They lend the person no keys.
        self.waiting.extend(waiting_in_shadow.map(|waiting| WaitingRow {
            keys: MatchKeys::default(),
            ..waiting
        }));
    }
}
