//! One person, as the mirror and the CRM hold it, whom the real decision writes to and whom people edit. Keeps by itself
//! what `gate.settle` and `gate.note_changes` keep in SQL.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use gatekeeper::decide::{BatchInput, LeadInput, PersonKeys, Policy, Verdict, decide_batch};
use gatekeeper::domain::{
    ContactId, CrmId, Field, IntentId, KnownContact, Lead, LeadId, Normalized, Origin, Provenance,
};

/// What happens to the person.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Event {
    /// A source brings values, seen on a day.
    Lead {
        source: &'static str,
        day: i64,
        values: BTreeMap<&'static str, String>,
    },
    /// Somebody sets a field in the CRM in the evening of a day, clears it, or takes out one value of several (`-one`).
    Edit {
        field: &'static str,
        day: i64,
        value: Option<String>,
    },
}

/// Noon of a day.
pub(super) fn noon(day: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_780_000_000, 0).unwrap_or_default() + TimeDelta::days(day)
}

/// The person.
#[derive(Debug, Clone)]
pub(super) struct Person {
    values: BTreeMap<Field, String>,
    provenance: BTreeMap<Field, Provenance>,
    edited_at: DateTime<Utc>,
}

impl Person {
    /// Has held these values since before anybody looked.
    pub(super) fn with(values: &[(&str, &str)]) -> Self {
        let values = values
            .iter()
            .map(|(field, value)| (Field::from_name(field), (*value).to_owned()));
        Self {
            values: values.collect(),
            provenance: BTreeMap::new(),
            edited_at: noon(0),
        }
    }

    /// What the fields hold.
    pub(super) fn values(&self) -> &BTreeMap<Field, String> {
        &self.values
    }

    /// Goes through events in their order: leads that follow one another come in batches of at most so many.
    pub(super) fn go_through(&mut self, events: &[Event], batch: usize, policy: &Policy, today: i64) {
        let mut leads: Vec<&Event> = Vec::new();
        for event in events {
            match event {
                Event::Lead { .. } => {
                    leads.push(event);
                    if leads.len() >= batch {
                        self.decide(&std::mem::take(&mut leads), policy, today);
                    }
                }
                Event::Edit { field, day, value } => {
                    self.decide(&std::mem::take(&mut leads), policy, today);
                    self.edit(field, noon(*day) + TimeDelta::hours(6), value.as_deref());
                }
            }
        }
        self.decide(&leads, policy, today);
    }

    fn edit(&mut self, field: &str, at: DateTime<Utc>, value: Option<&str>) {
        let field = Field::from_name(field);
        let held = self.values.get(&field).cloned();
        // Of several values one is taken out.
        let rest = value.and_then(|value| value.strip_prefix('-')).map(|out| {
            let held = held.as_deref().unwrap_or_default();
            let rest: Vec<&str> = held.split(';').filter(|value| *value != out).collect();
            rest.join(";")
        });
        let value = rest.as_deref().or(value);
        if held.as_deref() == value {
            return;
        }
        let before = match value {
            Some(value) => self.values.insert(field.clone(), value.to_owned()),
            None => self.values.remove(&field),
        };
        let parts = |text: &str| -> BTreeSet<String> { text.split(';').map(str::to_owned).collect() };
        let noted = self.provenance.get(&field).and_then(|noted| noted.removed.clone());
        let before = before.as_deref().map(parts).unwrap_or_default();
        let now = value.map(parts).unwrap_or_default();
        let gone = noted
            .unwrap_or_default()
            .union(&before)
            .cloned()
            .collect::<BTreeSet<String>>();
        let removed = is_several(&field).then(|| gone.difference(&now).cloned().collect());
        self.edited_at = self.edited_at.max(at);
        self.provenance.insert(
            field,
            Provenance {
                value: value.map(str::to_owned),
                source: "crm".to_owned(),
                occurred_at: at,
                lead_id: None,
                edited_at: Some(at),
                cleared: value.is_none(),
                removed,
            },
        );
    }

    fn decide(&mut self, leads: &[&Event], policy: &Policy, today: i64) {
        let contact_id = ContactId(1);
        let leads: Vec<LeadInput> = leads
            .iter()
            .zip(1..)
            .filter_map(|(event, number)| match event {
                Event::Lead { source, day, values } => Some(lead(number, source, noon(*day), values)),
                Event::Edit { .. } => None,
            })
            .collect();
        if leads.is_empty() {
            return;
        }
        let known = KnownContact {
            contact_id,
            crm_id: Some(CrmId("7".into())),
            values: self.values.clone(),
            provenance: self.provenance.clone(),
            doubted: Vec::new(),
            additional_emails: Vec::new(),
            updated_at: Some(self.edited_at),
            noted_since: Some(noon(0)),
            has_open_intent: false,
        };
        let numbers = 1..=i64::try_from(leads.len()).unwrap_or(i64::MAX);
        let batch = decide_batch(BatchInput {
            contact_ids: numbers.clone().map(|number| ContactId(number + 1)).collect(),
            decision_ids: numbers.clone().collect(),
            intent_ids: numbers.map(|_| IntentId::new()).collect(),
            leads,
            known: BTreeMap::from([(contact_id, known)]),
            holders: BTreeMap::new(),
            shared_emails: BTreeSet::new(),
            key_holders: BTreeMap::new(),
            erased_keys: BTreeSet::new(),
            policy,
            person_keys: &PersonKeys::new(vec![7; 32]),
            max_claims: 5,
            refuse: &|_, _| None,
            mirrored: &|_| true,
            same: &|_, left, right| left == right,
            multiple: &is_several,
            now: noon(today),
        });
        for intent in batch.intents {
            for (field, value) in intent.body {
                let origin = intent.origin[&field].clone();
                self.values.insert(field.clone(), value.clone());
                self.provenance.insert(field, provenance(value, origin));
            }
        }
        for confirmed in batch.confirmed {
            self.provenance
                .insert(confirmed.field, provenance(confirmed.value, confirmed.origin));
        }
    }
}

fn is_several(field: &Field) -> bool {
    matches!(field.name(), "topics" | "labels")
}

fn provenance(value: String, origin: Origin) -> Provenance {
    Provenance {
        value: Some(value),
        source: origin.source,
        occurred_at: origin.occurred_at,
        lead_id: Some(origin.lead_id.0),
        edited_at: origin.edited_at,
        cleared: origin.cleared,
        removed: origin.removed,
    }
}

fn lead(number: i64, source: &str, occurred_at: DateTime<Utc>, values: &BTreeMap<&'static str, String>) -> LeadInput {
    let values: BTreeMap<Field, String> = values
        .iter()
        .map(|(field, value)| (Field::from_name(field), value.clone()))
        .collect();
    LeadInput {
        lead: Lead {
            lead_id: LeadId(number),
            epoch: 1,
            claims: 1,
            source: Some(source.to_owned()),
            source_key: None,
            values: BTreeMap::new(),
            full_name: None,
            properties: None,
            occurred_at,
        },
        is_there: true,
        normalized: Normalized {
            values,
            ..Normalized::default()
        },
        candidates: Vec::new(),
        repeat_of: None,
        verdict: Some(Verdict::Accepted(ContactId(1))),
        shadow: false,
    }
}
