//! Plan: what a merge of one group would keep, take over and lose. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::master::{Candidate, in_order};
use crate::decide::{Judge, Survivor, is_flat, survivors};
use crate::domain::{ContactId, Criterion, CrmId, Field, Group, KnownContact, LostRow, MemberRow, MergePlan, ValueRow};

/// By which rule a contact stays, or a value survives, that a person has chosen.
const CHOSEN: &str = "chosen by a person";

/// Plans the merge of a group. Nothing if fewer than two of its contacts are known. What a person has chosen stands above all rules.
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
    let (mut ordered, mut master_rule) = in_order(&candidates, criteria);
    let is_chosen =
        |candidate: &Candidate<'_>| group.chosen.master.is_some() && candidate.known.crm_id == group.chosen.master;
    if let Some(place) = ordered.iter().position(is_chosen) {
        let chosen = ordered.remove(place);
        ordered.insert(0, chosen);
        master_rule = CHOSEN.to_owned();
    }
    let contacts: Vec<&KnownContact> = ordered.iter().map(|candidate| candidate.known).collect();
    let master = *contacts.first().filter(|_| contacts.len() >= 2)?;
    let members: Option<Vec<MemberRow>> = contacts.iter().map(member).collect();
    let members = members?;
    let mut values = Vec::new();
    let mut write_needed = false;
    let mut surviving = survivors(&contacts, by);
    for (field, value) in &group.chosen.values {
        surviving.insert(field.clone(), chosen(field, value, &contacts, by));
    }
    for (field, survivor) in surviving {
        let held_by_master = master.values.get(&field);
        let is_better_spelt = |held: &str| is_flat(&field, held) && !is_flat(&field, &survivor.value);
        let differs =
            held_by_master.is_none_or(|held| !by.says_same(&field, held, &survivor.value) || is_better_spelt(held));
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

/// A value that a person wants to survive: whose it is, if it is anybody's, and what is lost by it.
fn chosen(field: &Field, value: &str, contacts: &[&KnownContact], by: Judge<'_>) -> Survivor {
    let held = |contact: &&KnownContact| contact.values.get(field).cloned();
    let says_it = |contact: &&KnownContact| held(contact).is_some_and(|held| by.says_same(field, &held, value));
    let others = contacts.iter().enumerate();
    let others = others.filter(|(_, contact)| held(contact).is_some() && !says_it(contact));
    let source_of = |contact: &KnownContact| contact.provenance.get(field).map(|known| known.source.clone());
    Survivor {
        value: value.to_owned(),
        of: contacts.iter().position(says_it).unwrap_or(0),
        source: None,
        rule: CHOSEN.to_owned(),
        lost: others.map(|(place, contact)| (place, source_of(contact))).collect(),
    }
}

fn member(contact: &&KnownContact) -> Option<MemberRow> {
    Some(MemberRow {
        contact_id: contact.contact_id,
        crm_id: contact.crm_id.clone()?,
        updated_at: contact.updated_at,
        fingerprint: fingerprint(contact),
    })
}

/// Stands for all that the mirror holds of a contact: its values and its addresses. Not for its version, which changes with much
/// that nobody sees.
pub(super) fn fingerprint(contact: &KnownContact) -> String {
    hash(&(&contact.values, &contact.additional_emails))
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

/// Stands for who is merged into whom, for what each of them holds, and for the values that survive.
pub(super) fn digest(members: &[MemberRow], values: &[ValueRow]) -> String {
    let members: Vec<(&CrmId, &str)> = members
        .iter()
        .map(|member| (&member.crm_id, member.fingerprint.as_str()))
        .collect();
    hash(&(members, values))
}

fn hash(content: &impl Serialize) -> String {
    let text = serde_json::to_vec(content).unwrap_or_default();
    Sha256::digest(&text)
        .iter()
        .take(16)
        .fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}
