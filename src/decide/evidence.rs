//! Evidence: what a decision was made on, as the audit keeps it.

use serde::Serialize;
use serde_json::{Value, json};

use super::input::LeadInput;
use super::policy::Thresholds;
use crate::domain::{Candidate, ContactId, Document, Field, Names, Normalized, Target, Tier};

/// What is kept of a decision: how the lead was read, whom it was compared with, which fields were the same.
///
/// `contact_of` says which contact each earlier lead of the batch became; `key_holder` is the contact that carries the
/// person key the lead would get, and `person_key` is that of the person whom it makes.
pub(super) fn evidence(
    lead: &LeadInput,
    same: &[Field],
    key_holder: Option<ContactId>,
    person_key: Option<&str>,
    contact_of: &[Option<ContactId>],
    thresholds: &Thresholds,
) -> Document {
    let contact_of = |candidate: &Candidate| match candidate.target {
        Target::Contact(contact_id) => Some(contact_id),
        Target::Peer(peer) => contact_of.get(peer).copied().flatten(),
    };
    // A lead of the batch that became a contact which is a candidate itself says nothing new.
    let says_nothing_new = |candidate: &&Candidate| {
        let contact = contact_of(candidate).map(Target::Contact);
        matches!(candidate.target, Target::Peer(_)) && lead.candidates.iter().any(|other| Some(other.target) == contact)
    };
    let compared = lead
        .candidates
        .iter()
        .filter(|candidate| !says_nothing_new(candidate))
        .map(|candidate| {
            Considered::Compared(Compared {
                contact_id: contact_of(candidate),
                in_batch: matches!(candidate.target, Target::Peer(_)),
                tier: candidate.tier,
                names: candidate.names,
                score: candidate.score,
                person: candidate.person,
                levels: &candidate.evidence,
            })
        });
    let by_key = key_holder.map(|contact_id| {
        Considered::ByKey(json!({
            "contact_id": contact_id,
            "in_batch": false,
            "tier": "person_key",
            "names": "unknown",
            "score": null,
            "levels": {"by": ["person_key"]},
        }))
    });
    Document::of(&Evidence {
        normalized: &lead.normalized,
        candidates: compared.chain(by_key).collect(),
        same,
        person_key,
        thresholds,
    })
}

#[derive(Debug, Serialize)]
struct Evidence<'a> {
    normalized: &'a Normalized,
    candidates: Vec<Considered<'a>>,
    same: &'a [Field],
    #[serde(skip_serializing_if = "Option::is_none")]
    person_key: Option<&'a str>,
    thresholds: &'a Thresholds,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Considered<'a> {
    Compared(Compared<'a>),
    ByKey(Value),
}

#[derive(Debug, Serialize)]
struct Compared<'a> {
    contact_id: Option<ContactId>,
    in_batch: bool,
    tier: Tier,
    names: Names,
    score: f32,
    person: i32,
    levels: &'a Document,
}
