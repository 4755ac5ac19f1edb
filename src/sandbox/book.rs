//! The store: all contacts and the indices over them. Every change goes through here, so that they always agree.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::RangeBounds;

use super::builtin::EMAIL;
use super::contact::Contact;
use super::lag::Lag;
use super::values::PropId;

/// All contacts of the account.
pub(super) struct Book {
    live: BTreeMap<u64, Contact>,
    bin: BTreeMap<u64, Contact>,
    /// Absorbed ids to the survivor; always one step.
    alias: HashMap<u64, u64>,
    /// Addresses of live contacts, primary and secondary.
    emails: HashMap<Box<str>, u64>,
    unique: BTreeMap<PropId, HashMap<Box<str>, u64>>,
    by_modified: BTreeSet<(i64, u64)>,
    /// What search does not know yet.
    pub(super) lag: Lag,
}

impl Book {
    /// An empty store.
    pub(super) fn new(unique: impl Iterator<Item = PropId>, lag: Lag) -> Book {
        Book {
            live: BTreeMap::new(),
            bin: BTreeMap::new(),
            alias: HashMap::new(),
            emails: HashMap::new(),
            unique: unique.map(|property| (property, HashMap::new())).collect(),
            by_modified: BTreeSet::new(),
            lag,
        }
    }

    /// A contact that is neither archived nor merged away.
    pub(super) fn live(&self, id: u64) -> Option<&Contact> {
        self.live.get(&id)
    }

    /// An archived contact.
    pub(super) fn binned(&self, id: u64) -> Option<&Contact> {
        self.bin.get(&id)
    }

    /// The survivor of a merged-away id.
    pub(super) fn survivor(&self, id: u64) -> Option<u64> {
        self.alias.get(&id).copied()
    }

    /// The live contact that this id leads to, itself or by merges.
    pub(super) fn reached(&self, id: u64) -> Option<&Contact> {
        self.live(id).or_else(|| self.live(self.survivor(id)?))
    }

    /// Whether this id was ever given to a contact that is still known.
    pub(super) fn knows(&self, id: u64) -> bool {
        self.live.contains_key(&id) || self.bin.contains_key(&id) || self.alias.contains_key(&id)
    }

    /// The live contact that has this address, lower case, as primary or secondary.
    pub(super) fn by_email(&self, address: &str) -> Option<u64> {
        self.emails.get(address).copied()
    }

    /// The live contact that has this value of a unique property.
    pub(super) fn by_unique(&self, property: PropId, value: &str) -> Option<u64> {
        self.unique.get(&property)?.get(value).copied()
    }

    /// Live contacts by id.
    pub(super) fn live_range(&self, ids: impl RangeBounds<u64>) -> impl Iterator<Item = &Contact> {
        self.live.range(ids).map(|(_, contact)| contact)
    }

    /// Archived contacts by id.
    pub(super) fn bin_range(&self, ids: impl RangeBounds<u64>) -> impl Iterator<Item = &Contact> {
        self.bin.range(ids).map(|(_, contact)| contact)
    }

    /// Ids of live contacts by time of the last change.
    pub(super) fn modified_range(&self, from: i64, to: i64) -> impl Iterator<Item = u64> {
        let bounds = if from <= to {
            (from, 0)..=(to, u64::MAX)
        } else {
            (0, 0)..=(0, 0)
        };
        self.by_modified
            .range(bounds)
            .map(|&(_, id)| id)
            .filter(move |_| from <= to)
    }

    /// Begins to index a property that has become unique.
    pub(super) fn add_unique(&mut self, property: PropId) {
        self.unique.entry(property).or_default();
    }

    /// Adds a contact.
    pub(super) fn insert(&mut self, contact: Contact) {
        self.lag.note(contact.id, None);
        self.insert_indexed(contact);
    }

    /// Adds a contact that search knows at once.
    pub(super) fn insert_indexed(&mut self, contact: Contact) {
        if contact.archived_ms.is_some() {
            self.bin.insert(contact.id, contact);
            return;
        }
        self.link(&contact);
        self.live.insert(contact.id, contact);
    }

    /// Changes a live contact; `false` when there is none.
    pub(super) fn change(&mut self, id: u64, change: impl FnOnce(&mut Contact)) -> bool {
        let Some(mut contact) = self.live.remove(&id) else {
            return false;
        };
        self.lag.note(id, Some(&contact));
        self.unlink(&contact);
        change(&mut contact);
        self.link(&contact);
        self.live.insert(id, contact);
        true
    }

    /// Moves a live contact to the recycle bin; its address and unique values are free again.
    pub(super) fn archive(&mut self, id: u64, now_ms: i64) -> bool {
        let Some(mut contact) = self.remove(id) else {
            return false;
        };
        contact.archived_ms = Some(now_ms);
        self.bin.insert(id, contact);
        true
    }

    /// Takes a live contact away for a merge. Who takes must put a survivor in its place with [`Book::absorb`].
    pub(super) fn remove(&mut self, id: u64) -> Option<Contact> {
        let contact = self.live.remove(&id)?;
        self.unlink(&contact);
        self.lag.forget(id);
        Some(contact)
    }

    /// Lets `gone`, and all that was merged into it, lead to the survivor.
    pub(super) fn absorb(&mut self, gone: &Contact, survivor: u64) {
        for id in gone
            .absorbed()
            .iter()
            .copied()
            .chain([gone.id])
            .filter(|&id| id != survivor)
        {
            self.alias.insert(id, survivor);
        }
    }

    /// Erases a contact, live or archived, and every id that led to it.
    pub(super) fn erase(&mut self, id: u64) -> Option<Contact> {
        let contact = self.remove(id).or_else(|| self.bin.remove(&id))?;
        self.alias.retain(|_, survivor| *survivor != id);
        Some(contact)
    }

    fn link(&mut self, contact: &Contact) {
        for address in contact.addresses() {
            self.emails.insert(address.into(), contact.id);
        }
        for (&property, index) in &mut self.unique {
            if let Some(value) = contact.values.get(property) {
                index.insert(value.into(), contact.id);
            }
        }
        self.by_modified.insert((contact.modified_ms, contact.id));
    }

    fn unlink(&mut self, contact: &Contact) {
        for address in contact.addresses() {
            self.emails.remove(address);
        }
        for (&property, index) in &mut self.unique {
            if let Some(value) = contact.values.get(property) {
                index.remove(value);
            }
        }
        self.by_modified.remove(&(contact.modified_ms, contact.id));
    }

    /// Where indices and records disagree, in words without values; empty when all is well.
    pub(super) fn disagreements(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut addresses = 0;
        let mut uniques: BTreeMap<PropId, usize> = BTreeMap::new();
        for (&id, contact) in &self.live {
            if contact.id != id
                || contact.archived_ms.is_some()
                || self.bin.contains_key(&id)
                || self.alias.contains_key(&id)
            {
                wrong.push(format!("contact {id} is in two states"));
            }
            for address in contact.addresses() {
                addresses += 1;
                if self.by_email(address) != Some(id) {
                    wrong.push(format!("an address of {id} is not indexed as its own"));
                }
            }
            for (&property, index) in &self.unique {
                if let Some(value) = contact.values.get(property) {
                    *uniques.entry(property).or_default() += 1;
                    if index.get(value) != Some(&id) {
                        wrong.push(format!("unique property {property} of {id} is not indexed as its own"));
                    }
                }
            }
            if !self.by_modified.contains(&(contact.modified_ms, id)) {
                wrong.push(format!("contact {id} is not in the order of changes"));
            }
        }
        if addresses != self.emails.len() {
            wrong.push(format!("{addresses} addresses, {} indexed", self.emails.len()));
        }
        if self.by_modified.len() != self.live.len() {
            wrong.push(format!(
                "{} contacts, {} in the order of changes",
                self.live.len(),
                self.by_modified.len()
            ));
        }
        for (property, index) in &self.unique {
            let held = uniques.get(property).copied().unwrap_or(0);
            if held != index.len() {
                wrong.push(format!(
                    "{held} values of unique property {property}, {} indexed",
                    index.len()
                ));
            }
        }
        for (gone, survivor) in &self.alias {
            if !self.live.contains_key(survivor) && !self.bin.contains_key(survivor) {
                wrong.push(format!("merged id {gone} leads to {survivor}, which is not there"));
            }
        }
        wrong.extend(
            self.bin
                .iter()
                .filter(|(_, one)| one.archived_ms.is_none())
                .map(|(id, _)| format!("{id} is in the bin alive")),
        );
        wrong.extend(
            self.live
                .values()
                .filter(|one| one.values.get(EMAIL) == Some(""))
                .map(|one| format!("{} has an empty address", one.id)),
        );
        wrong
    }
}
