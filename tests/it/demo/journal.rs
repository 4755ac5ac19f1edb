//! The sandbox's journal: what the CRM really saw.

use std::collections::BTreeMap;
use std::path::Path;

use gatekeeper::sandbox::{Effect, Entry, Kind, Received};

/// The contacts as the effects left them, and the requests.
pub(super) struct Journal {
    contacts: BTreeMap<String, Contact>,
    made: usize,
    merged: usize,
    requests: Vec<Received>,
}

#[derive(Default)]
struct Contact {
    created: bool,
    values: BTreeMap<String, String>,
}

/// Reads it.
pub(super) fn read(file: &Path) -> Journal {
    let text = std::fs::read_to_string(file).unwrap();
    let mut journal = Journal {
        contacts: BTreeMap::new(),
        made: 0,
        merged: 0,
        requests: Vec::new(),
    };
    for line in text.lines() {
        match serde_json::from_str(line).unwrap() {
            Entry::Request(request) => journal.requests.push(request),
            Entry::Effect(effect) => {
                assert!(
                    matches!(effect.kind, Kind::Seed | Kind::Create | Kind::Update | Kind::Merge),
                    "the gate only creates, changes and merges: {effect:?}"
                );
                if effect.kind == Kind::Merge {
                    journal.merge(effect);
                    continue;
                }
                journal.made += usize::from(effect.kind == Kind::Create);
                let contact = journal.contacts.entry(effect.id).or_default();
                contact.created |= effect.kind == Kind::Create;
                contact.values.extend(effect.changed);
            }
        }
    }
    journal
}

impl Journal {
    /// The absorbed contacts are gone; the survivor holds what the first of them held, and what changed by the merge.
    fn merge(&mut self, effect: Effect) {
        let absorbed = effect
            .absorbed
            .iter()
            .map(|id| self.contacts.remove(id).unwrap_or_default());
        let absorbed: Vec<Contact> = absorbed.collect();
        let created = absorbed.iter().any(|contact| contact.created);
        let mut values = absorbed.into_iter().next().unwrap_or_default().values;
        values.extend(effect.changed);
        self.contacts.insert(effect.id, Contact { created, values });
        self.merged += 1;
    }

    /// How many contacts were made.
    pub(super) fn created(&self) -> usize {
        self.made
    }

    /// How many merges there were.
    pub(super) fn merged(&self) -> usize {
        self.merged
    }

    /// Nobody whom we created shares with anybody else what only one person has.
    pub(super) fn nobody_is_there_twice(&self) {
        for identity in [
            &["email"][..],
            &["external_id"],
            &["gatekeeper_key"],
            &["firstname", "lastname", "company"],
            &["firstname", "lastname", "phone"],
            &["lastname", "mobilephone"],
        ] {
            let mut by_identity: BTreeMap<Vec<String>, Vec<&String>> = BTreeMap::new();
            for (id, contact) in &self.contacts {
                let values = identity
                    .iter()
                    .map(|name| contact.values.get(*name).map_or("", |text| text));
                let values: Vec<String> = values.map(|text| text.trim().to_lowercase()).collect();
                if values.iter().all(|text| !text.is_empty()) {
                    by_identity.entry(values).or_default().push(id);
                }
            }
            for (values, ids) in by_identity {
                let ours = ids.iter().any(|id| self.contacts[*id].created);
                assert!(!ours || ids.len() == 1, "{identity:?} {values:?} is shared by {ids:?}");
            }
        }
    }

    /// The CRM's limits were held, and nothing was asked that it refuses.
    pub(super) fn no_call_was_refused(&self) {
        assert!(self.requests.len() > 20);
        for request in &self.requests {
            assert!(
                request.status.is_some_and(|status| (200..300).contains(&status)),
                "{request:?}"
            );
        }
    }
}
