//! What a batch is decided on.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::desired::{Judge, SameValue};
use super::person_key::PersonKeys;
use super::policy::Policy;
use crate::domain::{Candidate, ContactId, Field, IntentId, KeyHolder, KnownContact, Lead, LeadId, Normalized};

/// What a steward has said about a lead in review.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is this contact.
    Accepted(ContactId),
    /// It is a new person.
    Created,
}

/// One lead with all that was found about it.
#[derive(Debug, Clone)]
pub struct LeadInput {
    /// The lead.
    pub lead: Lead,
    /// The staging row is there; somebody may have deleted it.
    pub is_there: bool,
    /// Made comparable.
    pub normalized: Normalized,
    /// What the matcher found.
    pub candidates: Vec<Candidate>,
    /// The lead that brought the same row with the same content before.
    pub repeat_of: Option<LeadId>,
    /// What a steward has said.
    pub verdict: Option<Verdict>,
    /// Decided for show: nothing of it is written.
    pub shadow: bool,
}

/// All that a batch is decided on.
pub struct BatchInput<'a> {
    /// The leads, in the order in which they count.
    pub leads: Vec<LeadInput>,
    /// What is known of every contact that may be meant.
    pub known: BTreeMap<ContactId, KnownContact>,
    /// Who holds an address that a lead brings.
    pub holders: BTreeMap<String, Vec<ContactId>>,
    /// Addresses that do not identify one person.
    pub shared_emails: BTreeSet<String>,
    /// Contacts by the person key that they carry, or that a contact carried which was merged into them.
    pub key_holders: BTreeMap<String, KeyHolder>,
    /// Of the keys by which the leads' people would be known again, those of people who were erased in the CRM.
    pub erased_keys: BTreeSet<String>,
    /// The rules.
    pub policy: &'a Policy,
    /// Makes person keys.
    pub person_keys: &'a PersonKeys,
    /// Numbers for new contacts, one for each lead.
    pub contact_ids: Vec<ContactId>,
    /// Numbers for decisions, one for each lead.
    pub decision_ids: Vec<i64>,
    /// Names for writes, one for each lead.
    pub intent_ids: Vec<IntentId>,
    /// A lead claimed more often than this has killed the process each time.
    pub max_claims: i32,
    /// Why the CRM would not take a value: unknown or read-only property, not an option.
    pub refuse: &'a dyn Fn(&Field, &str) -> Option<&'static str>,
    /// Whether the mirror holds a field. What it does not hold of a known contact is never written: without the value that
    /// is there, nobody can say whether another one may replace it. A new person has none.
    pub mirrored: &'a dyn Fn(&Field) -> bool,
    /// Whether two values say the same.
    pub same: SameValue<'a>,
    /// Whether the CRM keeps several values in a field, joined with `;`.
    pub multiple: &'a dyn Fn(&Field) -> bool,
    /// When it is decided: ranks may have faded by then.
    pub now: DateTime<Utc>,
}

impl BatchInput<'_> {
    /// By what values are ruled on.
    pub(super) fn judge(&self) -> Judge<'_> {
        Judge {
            policy: self.policy,
            same: self.same,
            multiple: self.multiple,
            now: self.now,
        }
    }
}
