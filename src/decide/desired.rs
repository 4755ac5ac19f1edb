//! The desired state of one person while a batch is folded into it.
//!
//! Several leads of one person become one write. Each value remembers who set it and when, so the fold gives the same
//! result in any order.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::policy::{CRM_SOURCE, Policy};
use super::precedence::{Current, Incoming, Ruling, rule};
use crate::domain::{
    ConfirmedRow, ContactId, CrmId, Field, FieldVerdict, IntentId, IntentRow, KnownContact, LeadId, Operation, Origin,
};

/// Whether two values of a field say the same: one phone number in two spellings.
pub(super) type SameValue<'a> = &'a dyn Fn(&Field, &str, &str) -> bool;

/// What one person shall look like.
#[derive(Debug)]
pub(super) struct Desired {
    pub(super) contact_id: ContactId,
    pub(super) crm_id: Option<CrmId>,
    /// Set for a person that is made in this batch.
    pub(super) gatekeeper_key: Option<String>,
    /// Set once a write is needed.
    pub(super) intent_id: Option<IntentId>,
    additional_emails: Vec<String>,
    current: BTreeMap<Field, Current>,
    body: BTreeMap<Field, String>,
    origin: BTreeMap<Field, Origin>,
    /// Values that the CRM holds already and that a source with a better claim brought again.
    confirmed: BTreeMap<Field, (String, Origin)>,
}

/// What came of offering a value.
#[derive(Debug)]
pub(super) enum Offer {
    /// The contact holds it already.
    Same,
    /// It differs: the ruling, the value that was there, and who had set it.
    Differs {
        ruling: Ruling,
        old_value: Option<String>,
        old_source: Option<String>,
    },
}

impl Desired {
    pub(super) fn new_person(contact_id: ContactId, gatekeeper_key: String, intent_id: IntentId) -> Self {
        Self {
            contact_id,
            crm_id: None,
            gatekeeper_key: Some(gatekeeper_key),
            intent_id: Some(intent_id),
            additional_emails: Vec::new(),
            current: BTreeMap::new(),
            body: BTreeMap::new(),
            origin: BTreeMap::new(),
            confirmed: BTreeMap::new(),
        }
    }

    /// Starts from what the mirror knows. A value that differs from what a source is known to have set was changed in
    /// the CRM since, and is the CRM's, unless an old request of ours brought it back: then it is still its source's.
    pub(super) fn of_known(known: &KnownContact, same: SameValue<'_>) -> Self {
        let mut current: BTreeMap<Field, Current> = BTreeMap::new();
        for (field, value) in &known.values {
            let set_by = known
                .provenance
                .get(field)
                .filter(|origin| origin.value.as_deref().is_some_and(|set| same(field, set, value)));
            let brought_back = || {
                let mut doubted = known
                    .doubted
                    .iter()
                    .filter(|(of, _)| of == field)
                    .map(|(_, origin)| origin);
                doubted.find(|origin| origin.value.as_deref().is_some_and(|set| same(field, set, value)))
            };
            let set_by = set_by.or_else(brought_back);
            let changed_since = set_by.is_none() && known.provenance.contains_key(field);
            let (source, occurred_at) = match set_by {
                Some(origin) => (Some(origin.source.clone()), Some(origin.occurred_at)),
                None => (changed_since.then(|| CRM_SOURCE.to_owned()), known.updated_at),
            };
            current.insert(
                field.clone(),
                Current {
                    value: Some(value.clone()),
                    source,
                    occurred_at,
                },
            );
        }
        for (field, origin) in &known.provenance {
            if current.contains_key(field) {
                continue;
            }
            let cleared_here = origin.value.as_deref().unwrap_or("").is_empty();
            let (source, occurred_at) = if cleared_here {
                (origin.source.clone(), Some(origin.occurred_at))
            } else {
                (CRM_SOURCE.to_owned(), known.updated_at)
            };
            current.insert(
                field.clone(),
                Current {
                    value: None,
                    source: Some(source),
                    occurred_at,
                },
            );
        }
        Self {
            contact_id: known.contact_id,
            crm_id: known.crm_id.clone(),
            gatekeeper_key: None,
            intent_id: None,
            additional_emails: known.additional_emails.clone(),
            current,
            body: BTreeMap::new(),
            origin: BTreeMap::new(),
            confirmed: BTreeMap::new(),
        }
    }

    /// Offers a value; takes it if the rules let it through.
    #[expect(clippy::too_many_arguments, reason = "one caller, which has them apart")]
    pub(super) fn offer(
        &mut self,
        field: &Field,
        value: &str,
        source: &str,
        lead_id: LeadId,
        occurred_at: DateTime<Utc>,
        policy: &Policy,
        same: SameValue<'_>,
    ) -> Offer {
        let current = self.current.entry(field.clone()).or_default();
        let held = current.value.as_deref().is_some_and(|held| same(field, held, value));
        let secondary = *field == Field::Email
            && current.value.is_some()
            && self
                .additional_emails
                .iter()
                .any(|email| email.eq_ignore_ascii_case(value));
        let ruling = |value: &str, current: &Current| {
            let incoming = Incoming {
                field: field.name(),
                value,
                source,
                occurred_at,
            };
            rule(incoming, current, policy)
        };
        if let Some(value) = current.value.clone().filter(|_| held) {
            // Brought again with a better claim, it is the better source's from now on, whichever of them came first.
            let ruling = ruling(&value, current);
            if ruling.verdict == FieldVerdict::Written {
                current.source = Some(source.to_owned());
                current.occurred_at = Some(occurred_at);
                let origin = Origin {
                    source: source.to_owned(),
                    lead_id,
                    occurred_at,
                    rule: ruling.rule,
                };
                if self.body.contains_key(field) {
                    self.origin.insert(field.clone(), origin);
                } else {
                    self.confirmed.insert(field.clone(), (value, origin));
                }
            }
        }
        if held || secondary {
            return Offer::Same;
        }
        let ruling = ruling(value, current);
        let (old_value, old_source) = (current.value.clone(), current.source.clone());
        if ruling.verdict == FieldVerdict::Written {
            *current = Current {
                value: Some(value.to_owned()),
                source: Some(source.to_owned()),
                occurred_at: Some(occurred_at),
            };
            self.body.insert(field.clone(), value.to_owned());
            self.origin.insert(
                field.clone(),
                Origin {
                    source: source.to_owned(),
                    lead_id,
                    occurred_at,
                    rule: ruling.rule.clone(),
                },
            );
        }
        Offer::Differs {
            ruling,
            old_value,
            old_source,
        }
    }

    /// Whether the person is made in this batch.
    pub(super) fn is_new(&self) -> bool {
        self.gatekeeper_key.is_some()
    }

    /// All values the person will hold.
    pub(super) fn values(&self) -> BTreeMap<Field, String> {
        self.current
            .iter()
            .filter_map(|(field, current)| current.value.clone().map(|value| (field.clone(), value)))
            .collect()
    }

    /// Whether there is anything by which the CRM could keep this person.
    pub(super) fn is_somebody(&self) -> bool {
        [
            Field::Email,
            Field::FirstName,
            Field::LastName,
            Field::Phone,
            Field::MobilePhone,
            Field::ExternalId,
        ]
        .iter()
        .any(|field| self.body.contains_key(field))
    }

    /// Values that need no write and have another origin now.
    pub(super) fn confirmations(&mut self) -> impl Iterator<Item = ConfirmedRow> {
        let contact_id = self.contact_id;
        let confirmed = std::mem::take(&mut self.confirmed).into_iter();
        confirmed.map(move |(field, (value, origin))| ConfirmedRow {
            contact_id,
            field,
            value,
            origin,
        })
    }

    /// The write, if one is needed.
    pub(super) fn into_intent(self) -> Option<IntentRow> {
        let desired = self.values();
        Some(IntentRow {
            intent_id: self.intent_id?,
            contact_id: self.contact_id,
            operation: if self.crm_id.is_some() {
                Operation::Update
            } else {
                Operation::Create
            },
            crm_id: self.crm_id,
            gatekeeper_key: self.gatekeeper_key,
            body: self.body,
            origin: self.origin,
            desired,
            additional_emails: self.additional_emails,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Provenance;

    fn policy() -> Policy {
        Policy {
            sources: [("crm", 50), ("payments", 90), ("webinar", 20), ("fair", 20)]
                .map(|(source, rank)| (source.to_owned(), rank))
                .into(),
            ..Policy::default()
        }
    }

    fn day(day: u32) -> DateTime<Utc> {
        DateTime::from_timestamp(1_780_000_000 + 86_400 * i64::from(day), 0).unwrap()
    }

    fn set_by(source: &str, city: &str, occurred_at: DateTime<Utc>) -> Provenance {
        Provenance {
            value: Some(city.to_owned()),
            source: source.to_owned(),
            occurred_at,
            lead_id: Some(1),
        }
    }

    fn living_in(city: &str, origin: Provenance) -> KnownContact {
        KnownContact {
            contact_id: ContactId(1),
            crm_id: Some(CrmId("7".into())),
            values: BTreeMap::from([(Field::City, city.into())]),
            provenance: BTreeMap::from([(Field::City, origin)]),
            doubted: Vec::new(),
            additional_emails: Vec::new(),
            updated_at: None,
            has_open_intent: false,
        }
    }

    #[test]
    fn a_value_belongs_to_the_best_source_that_brought_it_whoever_came_first() {
        let policy = policy();
        let known = living_in("Bonn", set_by("webinar", "Bonn", day(0)));
        let same = |_: &Field, left: &str, right: &str| left == right;
        let mut desired = Desired::of_known(&known, &same);
        let mut offer =
            |value, source, seen| desired.offer(&Field::City, value, source, LeadId(2), day(seen), &policy, &same);
        assert!(matches!(offer("Bonn", "payments", 1), Offer::Same));
        let Offer::Differs { ruling, .. } = offer("Rome", "fair", 2) else {
            panic!("another city is no offer of the same")
        };
        assert_eq!(ruling.verdict, FieldVerdict::Kept, "{}", ruling.rule);
        let confirmed: Vec<ConfirmedRow> = desired.confirmations().collect();
        assert_eq!(confirmed.len(), 1);
        assert_eq!(
            (confirmed[0].value.as_str(), confirmed[0].origin.source.as_str()),
            ("Bonn", "payments")
        );
    }

    #[test]
    fn what_an_old_request_of_ours_brought_back_is_its_sources_and_not_the_crms() {
        let policy = policy();
        let same = |_: &Field, left: &str, right: &str| left == right;
        let verdict = |doubted: Vec<(Field, Provenance)>| {
            let known = KnownContact {
                doubted,
                ..living_in("Bonn", set_by("fair", "Kiel", day(3)))
            };
            let mut desired = Desired::of_known(&known, &same);
            match desired.offer(&Field::City, "Rome", "fair", LeadId(4), day(4), &policy, &same) {
                Offer::Differs { ruling, .. } => ruling.verdict,
                Offer::Same => panic!("another city is no offer of the same"),
            }
        };
        let ours = set_by("fair", "Bonn", day(2));
        assert_eq!(verdict(vec![(Field::City, ours)]), FieldVerdict::Written);
        assert_eq!(verdict(Vec::new()), FieldVerdict::Kept);
    }
}
