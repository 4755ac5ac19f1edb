//! A contact: as a CRM returns it, and as the mirror knows it with the origin of each value.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{ContactId, CrmId, Field};

/// A contact as a CRM returned it, in canonical names.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The id under which the CRM returned it, which may differ from the id asked for after a merge.
    pub crm_id: String,
    /// All values that are not blank, unchanged.
    pub values: BTreeMap<Field, String>,
    /// Secondary addresses; they identify the person as much as the primary one.
    pub additional_emails: Vec<String>,
    /// Our own unique property: the person key.
    pub gatekeeper_key: Option<String>,
    /// Ids that were merged into this contact.
    pub absorbed_ids: Vec<CrmId>,
    /// When the CRM made it.
    pub created_at: Option<DateTime<Utc>>,
    /// When the CRM last changed it; guards the mirror against older versions.
    pub updated_at: Option<DateTime<Utc>>,
    /// In the recycle bin.
    pub archived: bool,
}

impl Record {
    /// Whether the contact holds all of these values; an empty one means that it holds none. Case and outer blanks do not
    /// count: a CRM changes them.
    pub fn holds(&self, values: &BTreeMap<Field, String>) -> bool {
        values.iter().all(|(field, value)| {
            let held = self.values.get(field).map_or("", String::as_str);
            held.trim().to_lowercase() == value.trim().to_lowercase()
        })
    }
}

/// Where a value of a contact came from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Provenance {
    /// The value that this source set; a different value in the mirror means that somebody else changed it since.
    pub value: Option<String>,
    /// Name of the source, as in `rules.source`.
    pub source: String,
    /// When the source saw the value.
    pub occurred_at: DateTime<Utc>,
    /// The lead that brought it.
    pub lead_id: Option<i64>,
    /// When a person last set or cleared the field in the CRM.
    #[serde(default)]
    pub edited_at: Option<DateTime<Utc>>,
    /// That was clearing it.
    #[serde(default)]
    pub cleared: bool,
    /// Of a field of several values, those that somebody took out in the CRM.
    #[serde(default)]
    pub removed: Option<BTreeSet<String>>,
}

/// A contact that a read by its id did not find.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Absent {
    /// The CRM's id.
    pub crm_id: String,
    /// The addresses that the mirror knows of it.
    pub emails: Vec<String>,
}

/// What became of contacts that are not among the CRM's living any more; by the CRM's id.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Gone {
    /// In the recycle bin, from which somebody may take them.
    pub archived: Vec<String>,
    /// Nowhere, and nobody holds an address of theirs: deleted for good.
    pub erased: Vec<String>,
    /// Nowhere, but somebody holds an address of theirs: merged, or erased and entered anew. Nobody can tell.
    pub missing: Vec<String>,
    /// Who holds those addresses.
    pub holders: Vec<Record>,
}

/// The contact that carries a person key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyHolder {
    /// The person.
    pub contact_id: ContactId,
    /// Its creation is under way: the CRM does not know it yet.
    pub provisional: bool,
}

/// What the mirror knows of a contact when a decision is made.
#[derive(Debug, Clone, PartialEq)]
pub struct KnownContact {
    /// The person.
    pub contact_id: ContactId,
    /// The CRM's id; absent while the contact is provisional.
    pub crm_id: Option<CrmId>,
    /// All mirrored values that are not blank.
    pub values: BTreeMap<Field, String>,
    /// Origin of each value that a source is known to have set.
    pub provenance: BTreeMap<Field, Provenance>,
    /// Values that an old request of ours may have brought back after a newer write: ours, and no edit of somebody else.
    pub doubted: Vec<(Field, Provenance)>,
    /// Secondary addresses.
    pub additional_emails: Vec<String>,
    /// When the CRM last changed the contact, as far as the mirror knows.
    pub updated_at: Option<DateTime<Utc>>,
    /// Values without a provenance were set before.
    pub noted_since: Option<DateTime<Utc>>,
    /// A write about this person is under way or its outcome is not known: nothing else may be written now.
    pub has_open_intent: bool,
}

impl KnownContact {
    /// Whether a write about the contact is under way; a provisional contact is one that is being created.
    pub fn is_in_motion(&self) -> bool {
        self.has_open_intent || self.crm_id.is_none()
    }
}
