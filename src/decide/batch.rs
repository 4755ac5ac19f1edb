//! Decides a batch: each lead in its order, later ones against what the earlier ones changed.

use std::collections::{BTreeMap, BTreeSet};

use super::desired::Desired;
use super::evidence::evidence;
use super::identity::{Identity, identify};
use super::input::{BatchInput, LeadInput, Verdict};
use super::person_key::Founding;
use super::unfit::unidentified;
use crate::domain::{
    Action, Batch, ContactId, DecisionRow, Field, FieldVerdict, IntentId, KeyHolder, ProvisionalContact, Tier,
};

/// Decides. One decision for each lead, except for those that must wait for another write about their person.
///
/// Leads in shadow see what the others do, and each other; the others see nothing of them. So the batch is gone through
/// twice: without them for what is written, and with them for what would have been.
pub fn decide_batch(input: BatchInput<'_>) -> Batch {
    let numbered = input.decision_ids.iter().zip(&input.leads);
    let in_shadow: BTreeSet<i64> = numbered.filter(|(_, lead)| lead.shadow).map(|(id, _)| *id).collect();
    let mut batch = fold(&input, |lead| !lead.shadow);
    if !in_shadow.is_empty() {
        batch.add_shadow(fold(&input, |_| true), &in_shadow);
    }
    batch
}

fn fold(input: &BatchInput<'_>, which: impl Fn(&LeadInput) -> bool) -> Batch {
    let mut fold = Fold {
        contact_of: vec![None; input.leads.len()],
        apart: BTreeSet::new(),
        people: BTreeMap::new(),
        order: Vec::new(),
        emails_taken: BTreeMap::new(),
        keys_founded: BTreeMap::new(),
        batch: Batch::default(),
        input,
    };
    for (place, lead) in input.leads.iter().enumerate() {
        if which(lead) {
            fold.lead(place);
        }
    }
    fold.finish()
}

pub(super) struct Fold<'i, 'a> {
    pub(super) input: &'i BatchInput<'a>,
    /// Which contact each lead became.
    pub(super) contact_of: Vec<Option<ContactId>>,
    /// Leads that wait for a contact without being known to be the same person.
    pub(super) apart: BTreeSet<usize>,
    pub(super) people: BTreeMap<ContactId, Desired>,
    order: Vec<ContactId>,
    /// Addresses that this batch gives to a contact.
    pub(super) emails_taken: BTreeMap<String, ContactId>,
    /// Person keys of the contacts that this batch makes.
    keys_founded: BTreeMap<String, ContactId>,
    pub(super) batch: Batch,
}

/// What is filled in about a decision before it is written down.
#[derive(Default)]
struct Found {
    tier: Option<Tier>,
    score: Option<f32>,
    contact_id: Option<ContactId>,
    reason: Option<String>,
    intent_id: Option<IntentId>,
    same: Vec<Field>,
    /// The contact that carries the key which this lead would found, although nothing else says that it is the same person.
    key_holder: Option<ContactId>,
    /// Of a new person.
    person_key: Option<String>,
}

impl Fold<'_, '_> {
    fn lead(&mut self, place: usize) {
        let lead = &self.input.leads[place];
        if let Some(reason) = self.unfit(lead) {
            self.write_down(
                place,
                Action::Dead,
                Found {
                    reason: Some(reason),
                    ..Found::default()
                },
            );
            return;
        }
        if let Some(first) = lead.repeat_of {
            let reason = Some(format!("repeat_delivery of lead {first}"));
            self.write_down(
                place,
                Action::Coalesced,
                Found {
                    reason,
                    ..Found::default()
                },
            );
            return;
        }
        let contact_of = &self.contact_of;
        let identity = match lead.verdict {
            Some(Verdict::Accepted(contact_id)) => Identity::Known {
                contact_id,
                tier: Tier::Steward,
                score: 0.0,
            },
            Some(Verdict::Created) => Identity::New { best_score: None },
            None => identify(
                &lead.normalized,
                &lead.candidates,
                |peer| contact_of.get(peer).copied().flatten(),
                &self.input.policy.thresholds,
            ),
        };
        // Who lacks all that identifies a person may still be known by what is left, the street or the end of a number that is not
        // valid, or be shown to a person who knows. Only such a person can make somebody new of it.
        if matches!(identity, Identity::New { .. })
            && lead.verdict.is_none()
            && let Some(reason) = unidentified(&lead.normalized)
        {
            let found = Found {
                reason: Some(reason),
                ..Found::default()
            };
            self.write_down(place, Action::Dead, found);
            return;
        }
        match identity {
            Identity::Review {
                reason,
                between,
                best_score,
            } => {
                if let Some(contact_id) = between.into_iter().find(|contact_id| self.is_in_motion(*contact_id)) {
                    // One of them may turn out to be the other, or to be nobody: a person is asked about people who are settled.
                    self.wait_apart(place, contact_id);
                    return;
                }
                let found = Found {
                    score: best_score,
                    reason: Some(reason.to_owned()),
                    ..Found::default()
                };
                self.write_down(place, Action::Review, found);
            }
            Identity::Known {
                contact_id,
                tier,
                score,
            } => {
                let score = (tier != Tier::Steward).then_some(score);
                self.known(place, contact_id, tier, score);
            }
            Identity::New { best_score } => self.new_person(place, best_score),
        }
    }

    fn known(&mut self, place: usize, contact_id: ContactId, tier: Tier, score: Option<f32>) {
        if tier != Tier::Steward && !self.is_known_as(place, contact_id) {
            self.wait_apart(place, contact_id);
            return;
        }
        if !self.people.contains_key(&contact_id) {
            let Some(known) = self.input.known.get(&contact_id) else {
                // The steward's contact has gone since: ask again.
                let found = Found {
                    reason: Some("contact_gone".into()),
                    ..Found::default()
                };
                self.write_down(place, Action::Review, found);
                return;
            };
            if known.is_in_motion() {
                let keys = self.input.leads[place].normalized.keys.clone();
                self.wait(place, contact_id, keys);
                return;
            }
            self.people
                .insert(contact_id, Desired::of_known(known, self.input.judge()));
            self.order.push(contact_id);
        }
        self.contact_of[place] = Some(contact_id);
        let same = self.offer_all(place, contact_id);
        let Some(desired) = self.people.get_mut(&contact_id) else {
            return;
        };
        let wrote = self
            .batch
            .changes
            .iter()
            .rev()
            .take_while(|change| change.decision_id == self.input.decision_ids[place]);
        let wrote = wrote.filter(|change| change.verdict == FieldVerdict::Written).count() > 0;
        let action = match desired.intent_id {
            Some(_) => Action::Coalesced,
            None if wrote => {
                desired.intent_id = Some(self.input.intent_ids[place]);
                Action::Update
            }
            None => Action::Unchanged,
        };
        let intent_id = desired.intent_id;
        let person_key = desired.gatekeeper_key.clone();
        let found = Found {
            tier: Some(tier),
            score,
            contact_id: Some(contact_id),
            intent_id,
            same,
            person_key,
            ..Found::default()
        };
        self.write_down(place, action, found);
    }

    /// The contact that carries a person key, made in this batch or before.
    fn holder_of_key(&self, key: &str) -> Option<KeyHolder> {
        let founded = self.keys_founded.get(key).map(|contact_id| KeyHolder {
            contact_id: *contact_id,
            provisional: true,
        });
        founded.or_else(|| self.input.key_holders.get(key).copied())
    }

    /// Somebody erased this person in the CRM. An address that is shared, or that somebody else holds, says nothing.
    fn is_erased(&self, lead: &LeadInput) -> bool {
        let erased = &self.input.erased_keys;
        !erased.is_empty()
            && Founding::each(&lead.normalized.keys).iter().any(|founding| {
                let is_own = match founding {
                    Founding::Email(email) => {
                        !self.input.shared_emails.contains(email) && self.holder_of(email).is_none()
                    }
                    _ => true,
                };
                is_own && erased.contains(&self.input.person_keys.key(founding))
            })
    }

    fn new_person(&mut self, place: usize, best_score: Option<f32>) {
        let lead = &self.input.leads[place];
        if self.is_erased(lead) {
            let found = Found {
                score: best_score,
                reason: Some("erased_in_crm".into()),
                ..Found::default()
            };
            self.write_down(place, Action::Dead, found);
            return;
        }
        let contact_id = self.input.contact_ids[place];
        let own_email = lead
            .normalized
            .keys
            .emails
            .first()
            .filter(|email| !self.input.shared_emails.contains(*email) && self.holder_of(email).is_none());
        let founding = match lead.verdict {
            Some(Verdict::Created) => Some(Founding::Lead(lead.lead.lead_id)),
            _ => Founding::of(&lead.normalized, own_email.map(String::as_str)),
        };
        let founding = founding.unwrap_or(Founding::Lead(lead.lead.lead_id));
        let key = self.input.person_keys.key(&founding);
        if let (None, Some(holder)) = (lead.verdict, self.holder_of_key(&key)) {
            // The CRM would refuse a second contact with this key. Whether it is the same person, a person must say, once
            // the first one is in the CRM.
            if holder.provisional {
                self.wait_apart(place, holder.contact_id);
                return;
            }
            let found = Found {
                score: best_score,
                reason: Some("same_person_key".into()),
                key_holder: Some(holder.contact_id),
                ..Found::default()
            };
            self.write_down(place, Action::Review, found);
            return;
        }
        self.people.insert(
            contact_id,
            Desired::new_person(contact_id, key.clone(), self.input.intent_ids[place]),
        );
        let same = self.offer_all(place, contact_id);
        let somebody = self.people.get(&contact_id).is_some_and(Desired::is_somebody);
        if !somebody {
            self.people.remove(&contact_id);
            self.emails_taken.retain(|_, holder| *holder != contact_id);
            let found = Found {
                score: best_score,
                reason: Some("nothing_to_write".into()),
                ..Found::default()
            };
            self.write_down(place, Action::Dead, found);
            return;
        }
        self.order.push(contact_id);
        self.contact_of[place] = Some(contact_id);
        self.keys_founded.insert(key.clone(), contact_id);
        let intent_id = Some(self.input.intent_ids[place]);
        let tier = matches!(lead.verdict, Some(Verdict::Created)).then_some(Tier::Steward);
        let found = Found {
            tier,
            score: best_score,
            contact_id: Some(contact_id),
            intent_id,
            same,
            person_key: Some(key),
            ..Found::default()
        };
        self.write_down(place, Action::Create, found);
    }

    fn write_down(&mut self, place: usize, action: Action, found: Found) {
        let lead = &self.input.leads[place];
        let crm_id = found
            .contact_id
            .and_then(|contact_id| self.people.get(&contact_id))
            .and_then(|desired| desired.crm_id.clone());
        let decision_id = self.input.decision_ids[place];
        if action == Action::Dead {
            self.batch.changes.retain(|change| change.decision_id != decision_id);
        }
        let thresholds = &self.input.policy.thresholds;
        let person_key = found.person_key.as_deref();
        let evidence = evidence(
            lead,
            &found.same,
            found.key_holder,
            person_key,
            &self.contact_of,
            thresholds,
        );
        self.batch.decisions.push(DecisionRow {
            decision_id,
            lead_id: lead.lead.lead_id,
            source: lead
                .lead
                .source
                .as_deref()
                .map(|source| source.chars().take(200).collect()),
            action,
            tier: found.tier,
            score: found.score,
            contact_id: found.contact_id,
            crm_id,
            reason: found.reason,
            evidence,
            intent_id: found.intent_id,
            shadow: false,
        });
    }

    fn finish(mut self) -> Batch {
        for contact_id in &self.order {
            let Some(mut desired) = self.people.remove(contact_id) else {
                continue;
            };
            self.batch.confirmed.extend(desired.confirmations());
            if let Some(key) = &desired.gatekeeper_key {
                self.batch.contacts.push(ProvisionalContact {
                    contact_id: *contact_id,
                    gatekeeper_key: key.clone(),
                    values: desired.values(),
                });
            }
            self.batch.intents.extend(desired.into_intent());
        }
        self.batch
    }
}
