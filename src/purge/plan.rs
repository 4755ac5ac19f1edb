//! Plan: what a merge of one group would keep, take over and lose. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use sha2::{Digest, Sha256};

use super::master::{Candidate, in_order};
use crate::decide::{Judge, survivors};
use crate::domain::{ContactId, Criterion, Field, Group, KnownContact, LostRow, MemberRow, MergePlan, ValueRow};

/// Plans the merge of a group. Nothing if fewer than two of its contacts are known.
pub fn plan(
    group: &Group,
    known: &BTreeMap<ContactId, KnownContact>,
    criteria: &[Criterion],
    by: Judge<'_>,
) -> Option<MergePlan> {
    let candidates: Vec<Candidate<'_>> = group
        .created_at
        .iter()
        .filter_map(|(contact_id, created_at)| {
            Some(Candidate {
                known: known.get(contact_id)?,
                created_at: *created_at,
            })
        })
        .collect();
    let (ordered, master_rule) = in_order(&candidates, criteria);
    let contacts: Vec<&KnownContact> = ordered.iter().map(|candidate| candidate.known).collect();
    let master = *contacts.first().filter(|_| contacts.len() >= 2)?;
    let members: Option<Vec<MemberRow>> = contacts.iter().map(member).collect();
    let members = members?;
    let mut values = Vec::new();
    let mut write_needed = false;
    for (field, survivor) in survivors(&contacts, by) {
        let held_by_master = master.values.get(&field);
        let differs = held_by_master.is_none_or(|held| !by.says_same(&field, held, &survivor.value));
        write_needed |= differs;
        if !differs && survivor.lost.is_empty() {
            continue;
        }
        let lost = survivor.lost.into_iter().filter_map(|(place, source)| {
            let contact = contacts.get(place)?;
            Some(LostRow {
                contact_id: contact.contact_id,
                value: contact.values.get(&field)?.clone(),
                source,
            })
        });
        values.push(ValueRow {
            value: survivor.value,
            contact_id: contacts
                .get(survivor.of)
                .map_or(master.contact_id, |contact| contact.contact_id),
            source: survivor.source,
            rule: survivor.rule,
            lost: lost.collect(),
            field,
        });
    }
    let digest = digest(&members, &values);
    Some(MergePlan {
        group_id: group.group_id,
        held_for: held_for(group, &contacts),
        master_id: master.contact_id,
        master_rule,
        members,
        values,
        write_needed,
        digest,
    })
}

fn member(contact: &&KnownContact) -> Option<MemberRow> {
    Some(MemberRow {
        contact_id: contact.contact_id,
        crm_id: contact.crm_id.clone()?,
        updated_at: contact.updated_at,
    })
}

/// Why a person must look at it: what the scan has flagged, and people whom the leading system knows apart.
fn held_for(group: &Group, contacts: &[&KnownContact]) -> Vec<String> {
    let ids: BTreeSet<&str> = contacts
        .iter()
        .filter_map(|contact| contact.values.get(&Field::ExternalId).map(|id| id.trim()))
        .collect();
    let mut reasons = group.flags.clone();
    if ids.len() > 1 {
        reasons.push("different_external_ids".to_owned());
    }
    reasons
}

fn digest(members: &[MemberRow], values: &[ValueRow]) -> String {
    let text = serde_json::to_vec(&(members, values)).unwrap_or_default();
    Sha256::digest(&text)
        .iter()
        .take(16)
        .fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}
