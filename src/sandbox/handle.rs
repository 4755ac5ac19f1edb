//! What a test or the demonstration does to a sandbox from outside of the API: seed, look, meddle.

use serde_json::{Map, Value};

use super::builtin::EMAIL;
use super::contact::{Contact, moment_ms};
use super::faults::{Active, Rule};
use super::journal::{Counts, Entry, Kind};
use super::properties::Kind as PropertyKind;
use super::routes::Version;
use super::server::{Sandbox, lock};
use super::values::PropId;
use super::wire::record;
use super::world::Turn;

/// Contacts that are seeded under one lock.
const SEED: usize = 1_000;

impl Sandbox {
    /// Puts contacts into the account as if they had always been there; search knows them at once.
    ///
    /// Each is an object of property values, or has such an object under `properties`, as the dump writes it. Also
    /// `hs_object_id`, `createdate`, `lastmodifieddate`, `hs_additional_emails` and `archived` may be given. Returns the
    /// ids in the order of the contacts.
    ///
    /// # Errors
    /// Says which contact has an unknown property, or an id, address or unique value that is taken. Those before it stay.
    pub fn seed(&self, contacts: Vec<Map<String, Value>>) -> Result<Vec<String>, String> {
        let mut ids = Vec::with_capacity(contacts.len());
        for chunk in contacts.chunks(SEED) {
            self.turn(None, Version::V3, false, |turn| {
                for contact in chunk {
                    let at = ids.len() + 1;
                    let id = turn
                        .seed_one(contact)
                        .map_err(|error| format!("contact {at}: {error}"))?;
                    ids.push(id.to_string());
                }
                Ok::<_, String>(())
            })?;
        }
        Ok(ids)
    }

    /// All contacts, live and archived, with every value that is set.
    pub fn contacts(&self) -> Vec<Value> {
        self.contacts_from(0, usize::MAX).0
    }

    /// Up to `limit` contacts from an id on, and where to go on.
    pub(super) fn contacts_from(&self, from: u64, limit: usize) -> (Vec<Value>, Option<u64>) {
        let world = lock(&self.world);
        let catalog = &world.catalog;
        let mut live = world.book.live_range(from..).peekable();
        let mut bin = world.book.bin_range(from..).peekable();
        let mut all = Vec::new();
        loop {
            let bin_first = match (live.peek(), bin.peek()) {
                (None, None) => return (all, None),
                (Some(live), Some(bin)) => bin.id < live.id,
                (None, Some(_)) => true,
                (Some(_), None) => false,
            };
            let Some(contact) = (if bin_first { bin.next() } else { live.next() }) else {
                return (all, None);
            };
            if all.len() == limit {
                return (all, Some(contact.id));
            }
            let set = catalog
                .iter()
                .map(|(id, _)| id)
                .filter(|&id| contact.value(catalog, id).is_some());
            let set: Vec<PropId> = set.collect();
            all.push(Value::Object(record(contact, catalog, &set)));
        }
    }

    /// Journal entries after a place, 0 for all.
    pub fn journal_after(&self, seq: u64) -> Vec<Entry> {
        let mut journal = lock(&self.journal);
        journal.flush();
        journal.after(seq)
    }

    /// Sums over all that happened.
    pub fn counts(&self) -> Counts {
        let blocklisted = lock(&self.world).blocklist.len();
        Counts {
            blocklisted,
            ..lock(&self.journal).counts()
        }
    }

    /// Adds fault rules behind those in force.
    pub fn add_faults(&self, rules: Vec<Rule>) {
        lock(&self.faults).add(rules);
    }

    /// Takes all fault rules out of force.
    pub fn clear_faults(&self) {
        lock(&self.faults).clear();
    }

    /// The fault rules in force and what they have done.
    pub fn faults(&self) -> Vec<Active> {
        lock(&self.faults).all()
    }

    /// Changes a contact as a person does in the CRM's own pages. Returns the record.
    ///
    /// # Errors
    /// The refusal of the CRM.
    pub fn human_edit(&self, id: &str, properties: &Map<String, Value>) -> Result<Value, String> {
        let body = serde_json::json!({"properties": properties});
        self.by_human(|turn| turn.update_one(id, None, &body).map(|reply| reply.body))
    }

    /// Changes a contact as another app of the account does.
    ///
    /// # Errors
    /// The refusal of the CRM.
    pub fn other_edit(&self, id: &str, properties: &Map<String, Value>) -> Result<Value, String> {
        let body = serde_json::json!({"properties": properties});
        self.by_human(|turn| {
            turn.other_app = true;
            turn.update_one(id, None, &body).map(|reply| reply.body)
        })
    }

    /// Ties a contact to an object of a kind, such as a company, as a person does.
    ///
    /// # Errors
    /// When there is no such contact.
    pub fn associate(&self, id: &str, kind: &str, object: &str) -> Result<(), String> {
        let tied = self.turn(None, Version::V3, false, |turn| turn.tie(id, kind, object));
        tied.ok_or_else(|| format!("there is no contact {id}"))
    }

    /// What a contact is tied to, of one kind.
    pub fn associations(&self, id: &str, kind: &str) -> Vec<String> {
        let world = lock(&self.world);
        let kinds = id.parse().ok().and_then(|id: u64| world.ties.get(&id));
        let objects = kinds.and_then(|kinds| kinds.get(kind)).into_iter().flatten();
        objects.cloned().collect()
    }

    /// Merges two contacts as a person does; the body is that of the API.
    ///
    /// # Errors
    /// The refusal of the CRM.
    pub fn human_merge(&self, body: &Value) -> Result<Value, String> {
        self.by_human(|turn| turn.merge(body).map(|reply| reply.body))
    }

    /// Archives a contact as a person does.
    ///
    /// # Errors
    /// None today.
    pub fn human_archive(&self, id: &str) -> Result<Value, String> {
        self.by_human(|turn| Ok(turn.archive_one(id).body))
    }

    /// Erases a contact for good, as a person does.
    ///
    /// # Errors
    /// When there is no such contact.
    pub fn human_erase(&self, id: &str) -> Result<(), String> {
        let body = serde_json::json!({"objectId": id});
        self.by_human(|turn| turn.gdpr_delete(&body).map(|reply| reply.body))
            .map(|_| ())
    }

    /// Where indices and records disagree; empty when all is well.
    pub fn index_faults(&self) -> Vec<String> {
        lock(&self.world).book.disagreements()
    }

    fn by_human(
        &self,
        act: impl FnOnce(&mut Turn<'_>) -> Result<Option<Value>, super::wire::Problem>,
    ) -> Result<Value, String> {
        let result = self.turn(None, Version::V3, true, act);
        result
            .map(Option::unwrap_or_default)
            .map_err(|problem| problem.into_row(None).to_string())
    }
}

impl Turn<'_> {
    fn seed_one(&mut self, given: &Map<String, Value>) -> Result<u64, String> {
        let properties = given.get("properties").and_then(Value::as_object).unwrap_or(given);
        let text = |name: &str| match properties.get(name) {
            Some(Value::String(text)) if !text.is_empty() => Some(text.clone()),
            Some(Value::Number(number)) => Some(number.to_string()),
            _ => None,
        };
        let id = match text("hs_object_id") {
            Some(id) => id.parse::<u64>().map_err(|_| "hs_object_id is not a number")?,
            None => self.world.new_id(),
        };
        if self.world.book.knows(id) {
            return Err(format!("the id {id} is taken"));
        }
        self.world.reserve_id(id);
        let moment = |name: &str| -> Result<Option<i64>, String> {
            let Some(text) = text(name) else { return Ok(None) };
            text.parse()
                .ok()
                .or_else(|| moment_ms(&text))
                .map(Some)
                .ok_or(format!("{name} is not a moment"))
        };
        let mut contact = Contact::new(id, self.now_ms, false);
        contact.created_ms = moment("createdate")?.unwrap_or(self.now_ms);
        contact.modified_ms = moment("lastmodifieddate")?.unwrap_or(contact.created_ms.max(self.now_ms));
        if given.get("archived") == Some(&Value::Bool(true)) {
            contact.archived_ms = Some(
                given
                    .get("archivedAt")
                    .and_then(Value::as_str)
                    .and_then(moment_ms)
                    .unwrap_or(self.now_ms),
            );
        }
        let mut sets: Vec<(PropId, String)> = Vec::with_capacity(properties.len());
        for name in properties
            .keys()
            .filter(|name| !(name.as_str() == "archived" && given.contains_key("archived")))
        {
            let (property, definition) = self.world.catalog.find(name).ok_or(format!("no property {name}"))?;
            let (Some(value), None) = (text(name), definition.computed) else {
                continue;
            };
            let value = match definition.kind {
                _ if property == EMAIL => value.trim().to_lowercase(),
                PropertyKind::DateTime => moment(name)?.map(super::contact::iso).unwrap_or_default(),
                _ => value,
            };
            sets.push((property, value));
        }
        contact
            .values
            .set(sets.iter().map(|(property, value)| (*property, value.as_str())));
        let others = text("hs_additional_emails").unwrap_or_default().to_lowercase();
        let others = others
            .split(';')
            .map(str::trim)
            .filter(|one| !one.is_empty() && Some(*one) != contact.email());
        let others: Vec<String> = others.map(str::to_owned).collect();
        contact.set_secondary(others);
        if contact.archived_ms.is_none() {
            self.refuse_taken(&contact)?;
        }
        self.world.book.insert_indexed(contact);
        self.note(Kind::Seed, id, None, &sets);
        Ok(id)
    }

    fn refuse_taken(&self, contact: &Contact) -> Result<(), String> {
        let book = &self.world.book;
        let mut seen = std::collections::BTreeSet::new();
        for address in contact.addresses() {
            if !seen.insert(address) || book.by_email(address).is_some() {
                return Err("an address is taken".to_owned());
            }
        }
        for property in self.world.catalog.unique() {
            let taken = contact
                .values
                .get(property)
                .and_then(|value| book.by_unique(property, value));
            if taken.is_some() {
                return Err(format!(
                    "the value of {} is taken",
                    self.world.catalog.at(property).name
                ));
            }
        }
        Ok(())
    }
}
