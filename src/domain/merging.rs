//! Merging: a group of contacts that are one person, the plan of what a merge of them would do, and what is carried out of it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{ContactId, CrmId, Field, Record};

/// One row of `rules.merge_master`: by what a contact stands before others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Criterion {
    /// It holds a value in this field.
    Has(Field),
    /// It holds most values.
    MostComplete,
    /// It was made first.
    Oldest,
    /// It was made last.
    Newest,
    /// It was changed last.
    RecentlyChanged,
    /// It holds the highest number, or the latest time, in this field.
    Highest(Field),
}

impl Criterion {
    /// The field that it looks at, if it looks at one.
    pub fn field(&self) -> Option<&Field> {
        match self {
            Criterion::Has(field) | Criterion::Highest(field) => Some(field),
            Criterion::MostComplete | Criterion::Oldest | Criterion::Newest | Criterion::RecentlyChanged => None,
        }
    }
}

/// Contacts that are one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// `gate.duplicate_group.group_id`.
    pub group_id: i64,
    /// Why a person must look at it.
    pub flags: Vec<String>,
    /// The contacts, and when the CRM made each.
    pub created_at: BTreeMap<ContactId, Option<DateTime<Utc>>>,
    /// What a person wants of it.
    pub chosen: Chosen,
}

/// What a person wants of a group, whatever the rules say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chosen {
    /// Which contact stays.
    pub master: Option<CrmId>,
    /// Which values survive.
    pub values: BTreeMap<Field, String>,
}

/// What a merge of a group would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MergePlan {
    /// The group.
    pub group_id: i64,
    /// Why a person must look at it first; empty: nothing stands against it.
    pub held_for: Vec<String>,
    /// The contact that stays.
    pub master_id: ContactId,
    /// By what it does.
    pub master_rule: String,
    /// All contacts, the one that stays first, the others in the order of the merges.
    pub members: Vec<MemberRow>,
    /// Fields in which they differ, or which the one that stays lacks.
    pub values: Vec<ValueRow>,
    /// Whether a value of another contact survives.
    pub write_needed: bool,
    /// Stands for all of this and what the contacts hold.
    pub digest: String,
}

/// A contact of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberRow {
    /// The contact.
    pub contact_id: ContactId,
    /// Its id in the CRM.
    pub crm_id: CrmId,
    /// The version that was planned with.
    pub updated_at: Option<DateTime<Utc>>,
    /// Stands for all that the mirror held of it.
    pub fingerprint: String,
}

/// A field of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValueRow {
    /// The field.
    pub field: Field,
    /// The value that survives.
    pub value: String,
    /// Whose it is.
    pub contact_id: ContactId,
    /// Who had set it.
    pub source: Option<String>,
    /// Why it survives.
    pub rule: String,
    /// What would be lost.
    pub lost: Vec<LostRow>,
}

/// A value that would be lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LostRow {
    /// Whose.
    pub contact_id: ContactId,
    /// The value.
    pub value: String,
    /// Who had set it.
    pub source: Option<String>,
}

/// An approved plan as it is carried out, or taken back.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Merging {
    /// `merge.plan.plan_id`.
    pub plan_id: i64,
    /// In whose hands it is: what an older epoch reports is refused.
    pub epoch: i64,
    /// What was approved.
    pub approved_digest: Option<String>,
    /// The contact that stays.
    pub master_id: ContactId,
    /// Its id as the CRM returned it last; absent before the plan is begun.
    pub survivor_crm_id: Option<CrmId>,
    /// What the survivor held when it was read back.
    pub after: Option<BTreeMap<Field, String>>,
    /// The contacts, the one that stays first.
    pub members: Vec<Merged>,
    /// The values that survive.
    pub values: Vec<ValueRow>,
}

/// A contact of a plan that is carried out.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Merged {
    /// As it was planned with.
    #[serde(flatten)]
    pub row: MemberRow,
    /// It is merged into the one that stays.
    pub done: bool,
    /// As it was before the first merge; absent before the plan is begun.
    pub snapshot: Option<Record>,
    /// What it was tied to, by kind of object; absent when that was not read.
    pub associations: Option<BTreeMap<String, Vec<String>>>,
    /// The contact that an undo has made of it.
    pub recreated_crm_id: Option<CrmId>,
}
