//! The desired state of one person while a batch is folded into it.
//!
//! Several leads of one person become one write. Each value remembers who set it and when, so the fold gives the same
//! result in any order.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::policy::{FieldPolicy, Policy};
use super::precedence::{Current, Incoming, Ruling, barred, rule};
use super::several;
use crate::domain::{
    ConfirmedRow, ContactId, CrmId, Field, FieldVerdict, IntentId, IntentRow, KnownContact, LeadId, Operation, Origin,
};

/// Whether two values of a field say the same: one phone number in two spellings.
pub(super) type SameValue<'a> = &'a dyn Fn(&Field, &str, &str) -> bool;

/// A value that a lead brings for a field.
#[derive(Debug, Clone, Copy)]
pub(super) struct Offered<'a> {
    pub(super) field: &'a Field,
    pub(super) value: &'a str,
    pub(super) source: &'a str,
    pub(super) lead_id: LeadId,
    pub(super) occurred_at: DateTime<Utc>,
}

impl<'a> Offered<'a> {
    fn of(self, value: &'a str) -> Incoming<'a> {
        Incoming {
            field: self.field.name(),
            value,
            source: self.source,
            occurred_at: self.occurred_at,
        }
    }

    fn origin(self, rule: String, current: &Current) -> Origin {
        Origin {
            source: self.source.to_owned(),
            lead_id: self.lead_id,
            occurred_at: self.occurred_at,
            rule,
            edited_at: current.edited_at,
            cleared: current.cleared,
            removed: (!current.removed.is_empty()).then(|| current.removed.clone()),
        }
    }
}

/// By what it is ruled on.
#[derive(Clone, Copy)]
pub struct Judge<'a> {
    /// The rules.
    pub policy: &'a Policy,
    /// Whether two values of a field say the same.
    pub same: &'a dyn Fn(&Field, &str, &str) -> bool,
    /// Whether a field has several values.
    pub multiple: &'a dyn Fn(&Field) -> bool,
    /// When it is ruled: ranks may have faded by then.
    pub now: DateTime<Utc>,
}

impl Judge<'_> {
    /// Whether two values of a field say the same; of several values the order says nothing.
    pub fn says_same(&self, field: &Field, left: &str, right: &str) -> bool {
        match (self.multiple)(field) {
            true => several::values(left) == several::values(right),
            false => (self.same)(field, left, right),
        }
    }
}

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
    /// It differs: the value that is written or was brought, the ruling, and what was there.
    Differs {
        new_value: String,
        ruling: Ruling,
        before: Current,
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

    /// Starts from what the mirror knows, see [`super::known`].
    pub(super) fn of_known(known: &KnownContact, by: Judge<'_>) -> Self {
        Self {
            contact_id: known.contact_id,
            crm_id: known.crm_id.clone(),
            gatekeeper_key: None,
            intent_id: None,
            additional_emails: known.additional_emails.clone(),
            current: super::known::current(known, by),
            body: BTreeMap::new(),
            origin: BTreeMap::new(),
            confirmed: BTreeMap::new(),
        }
    }

    /// Offers a value; takes it if the rules let it through.
    pub(super) fn offer(&mut self, offered: Offered<'_>, by: Judge<'_>) -> Offer {
        let Offered { field, value, .. } = offered;
        let current = self.current.entry(field.clone()).or_default();
        if (by.multiple)(field) && by.policy.field_policy(field.name(), offered.source) == FieldPolicy::Append {
            return self.add(offered, by);
        }
        let held = current.value.as_deref();
        let held = held.is_some_and(|held| by.says_same(field, held, value));
        let secondary = *field == Field::Email
            && current.value.is_some()
            && self
                .additional_emails
                .iter()
                .any(|email| email.eq_ignore_ascii_case(value));
        if let Some(value) = current.value.clone().filter(|_| held) {
            // Brought again with a better claim, it is the better source's from now on, whichever of them came first.
            let ruling = rule(offered.of(&value), current, by.policy, by.now);
            if ruling.verdict == FieldVerdict::Written {
                self.take_over(offered, value, ruling.rule);
            }
        }
        if held || secondary {
            return Offer::Same;
        }
        let current = self.current.entry(field.clone()).or_default();
        let ruling = rule(offered.of(value), current, by.policy, by.now);
        self.differs(offered, value.to_owned(), ruling)
    }

    /// A value that is held already is this source's from now on.
    fn take_over(&mut self, offered: Offered<'_>, value: String, rule: String) {
        let field = offered.field;
        let current = self.current.entry(field.clone()).or_default();
        current.source = Some(offered.source.to_owned());
        current.occurred_at = Some(offered.occurred_at);
        let origin = offered.origin(rule, current);
        if self.body.contains_key(field) {
            self.origin.insert(field.clone(), origin);
        } else {
            self.confirmed.insert(field.clone(), (value, origin));
        }
    }

    /// Adds values to a field of several: whatever the order, all of them are there in the end, but for those that
    /// somebody took out in the CRM.
    fn add(&mut self, offered: Offered<'_>, by: Judge<'_>) -> Offer {
        let Offered { field, value, .. } = offered;
        let current = self.current.entry(field.clone()).or_default();
        let brought = several::values(value);
        let there = current.value.as_deref().map(several::values).unwrap_or_default();
        // What only filled the field gives way, as it does to every other policy.
        let filled = current
            .source
            .as_deref()
            .is_some_and(|owner| by.policy.standing_policy(field.name(), owner) == FieldPolicy::OnlyIfBlank);
        let held = if filled { BTreeSet::new() } else { there.clone() };
        if brought.is_subset(&held) {
            return Offer::Same;
        }
        let kept = |why: String| Ruling {
            verdict: FieldVerdict::Kept,
            rule: format!("{}: {why}", FieldPolicy::Append.name()),
        };
        let barred = barred(offered.of(value), FieldPolicy::Append, current, by.policy, by.now);
        let added: BTreeSet<String> = match &barred {
            // Cleared as a whole.
            Some(_) if current.cleared => BTreeSet::new(),
            Some(_) => brought
                .difference(&held)
                .filter(|value| !current.removed.contains(*value))
                .cloned()
                .collect(),
            None => brought.difference(&held).cloned().collect(),
        };
        if added.is_empty() {
            let why = barred.unwrap_or_else(|| "nothing new".to_owned());
            return self.differs(offered, value.to_owned(), kept(why));
        }
        let all: BTreeSet<String> = held.union(&added).cloned().collect();
        let rule = format!("{}: {} added", FieldPolicy::Append.name(), added.len());
        current.removed.retain(|value| !all.contains(value));
        if all == there {
            self.take_over(offered, several::text(&all), rule);
            return Offer::Same;
        }
        let ruling = Ruling {
            verdict: FieldVerdict::Written,
            rule,
        };
        self.differs(offered, several::text(&all), ruling)
    }

    /// Notes what was ruled, and takes the value if it is to be written.
    fn differs(&mut self, offered: Offered<'_>, value: String, ruling: Ruling) -> Offer {
        let field = offered.field;
        let current = self.current.entry(field.clone()).or_default();
        let before = current.clone();
        if ruling.verdict == FieldVerdict::Written {
            *current = Current {
                value: Some(value.clone()),
                source: Some(offered.source.to_owned()),
                occurred_at: Some(offered.occurred_at),
                // A person's edit is remembered: what may not replace it may not replace what replaces it.
                edited_at: current.edited_at,
                cleared: current.cleared,
                removed: std::mem::take(&mut current.removed),
            };
            let origin = offered.origin(ruling.rule.clone(), current);
            self.body.insert(field.clone(), value.clone());
            self.origin.insert(field.clone(), origin);
            self.confirmed.remove(field);
        }
        Offer::Differs {
            new_value: value,
            ruling,
            before,
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

    fn judge<'a>(policy: &'a Policy, same: SameValue<'a>) -> Judge<'a> {
        Judge {
            policy,
            same,
            multiple: &|_| false,
            now: day(100),
        }
    }

    fn of_city<'a>(value: &'a str, source: &'a str, occurred_at: DateTime<Utc>) -> Offered<'a> {
        Offered {
            field: &Field::City,
            value,
            source,
            lead_id: LeadId(2),
            occurred_at,
        }
    }

    fn set_by(source: &str, city: &str, occurred_at: DateTime<Utc>) -> Provenance {
        Provenance {
            value: Some(city.to_owned()),
            source: source.to_owned(),
            occurred_at,
            lead_id: Some(1),
            edited_at: None,
            cleared: false,
            removed: None,
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
            noted_since: None,
            has_open_intent: false,
        }
    }

    #[test]
    fn a_value_belongs_to_the_best_source_that_brought_it_whoever_came_first() {
        let policy = policy();
        let known = living_in("Bonn", set_by("webinar", "Bonn", day(0)));
        let same = |_: &Field, left: &str, right: &str| left == right;
        let by = judge(&policy, &same);
        let mut desired = Desired::of_known(&known, by);
        let mut offer = |value, source, seen| desired.offer(of_city(value, source, day(seen)), by);
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
            let by = judge(&policy, &same);
            let mut desired = Desired::of_known(&known, by);
            match desired.offer(of_city("Rome", "fair", day(4)), by) {
                Offer::Differs { ruling, .. } => ruling.verdict,
                Offer::Same => panic!("another city is no offer of the same"),
            }
        };
        let ours = set_by("fair", "Bonn", day(2));
        assert_eq!(verdict(vec![(Field::City, ours)]), FieldVerdict::Written);
        assert_eq!(verdict(Vec::new()), FieldVerdict::Kept);
    }
}
