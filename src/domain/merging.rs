//! Merging: a group of contacts that are one person, and the plan of what a merge of them would do.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::{ContactId, CrmId, Field};

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
    /// Stands for all of this and the versions of the contacts.
    pub digest: String,
}

/// A contact of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MemberRow {
    /// The contact.
    pub contact_id: ContactId,
    /// Its id in the CRM.
    pub crm_id: CrmId,
    /// The version that was planned with.
    pub updated_at: Option<DateTime<Utc>>,
}

/// A field of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LostRow {
    /// Whose.
    pub contact_id: ContactId,
    /// The value.
    pub value: String,
    /// Who had set it.
    pub source: Option<String>,
}
