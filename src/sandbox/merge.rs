//! Merging two contacts into one, and erasing a person.

use serde_json::Value;

use super::builtin::{EMAIL, LIFECYCLE};
use super::check::stage;
use super::contact::Contact;
use super::journal::Kind;
use super::values::PropId;
use super::wire::{Problem, Reply, record};
use super::world::Turn;
use super::write::text;

/// Records that took part in this many merges together cannot be merged.
const MAX_MERGES: u32 = 250;

impl Turn<'_> {
    /// `POST …/merge`. Makes a third contact with an id of its own, unless the account preserves primary ids.
    pub(super) fn merge(&mut self, body: &Value) -> Result<Reply, Problem> {
        let primary = self.mergeable(body, "primaryObjectId")?;
        let other = self.mergeable(body, "objectIdToMerge")?;
        if primary == other {
            return Err(Problem::validation("A contact cannot be merged with itself"));
        }
        let book = &self.world.book;
        let (Some(a), Some(b)) = (book.live(primary), book.live(other)) else {
            return Err(Problem::not_found(self.version));
        };
        if a.merges() + b.merges() >= MAX_MERGES {
            return Err(Problem::new(
                414,
                None,
                "Cannot have more than 250 identities on a profile",
            ));
        }
        let (a, b) = (a.clone(), b.clone());
        let id = if self.options.preserve_primary_id {
            primary
        } else {
            self.world.new_id()
        };
        let survivor = self.merged(id, &a, &b);
        let changed: Vec<(PropId, String)> = survivor
            .values
            .iter()
            .filter(|&(property, value)| a.values.get(property) != Some(value))
            .map(|(property, value)| (property, value.to_owned()))
            .collect();
        self.world.book.remove(other);
        if self.options.preserve_primary_id {
            self.world.book.change(primary, |contact| *contact = survivor);
        } else {
            self.world.book.remove(primary);
            self.world.book.insert(survivor);
        }
        self.join_ties(id, [primary, other]);
        self.world.book.absorb(&a, id);
        self.world.book.absorb(&b, id);
        self.note(Kind::Merge, id, None, &changed);
        if let Some(effect) = self.effects.last_mut() {
            effect.absorbed = [primary, other]
                .iter()
                .filter(|&&gone| gone != id)
                .map(u64::to_string)
                .collect();
        }
        let contact = self
            .world
            .book
            .live(id)
            .ok_or_else(|| Problem::not_found(self.version))?;
        let catalog = &self.world.catalog;
        let all: Vec<PropId> = catalog
            .iter()
            .map(|(id, _)| id)
            .filter(|&id| contact.value(catalog, id).is_some())
            .collect();
        Ok(Reply::json(200, record(contact, catalog, &all).into()))
    }

    /// The id of a live contact. One that was merged away already is refused: the caller must go on with the id that
    /// the last merge returned.
    fn mergeable(&self, body: &Value, field: &str) -> Result<u64, Problem> {
        let id = text(body, field).ok_or_else(|| Problem::missing_field(field))?;
        let id = id
            .parse::<u64>()
            .map_err(|_| Problem::validation(format!("{field} is not an id")))?;
        if self.world.book.live(id).is_some() {
            return Ok(id);
        }
        match self.world.book.survivor(id) {
            Some(survivor) => Err(Problem::validation(format!(
                "Contact {id} was already merged into {survivor}"
            ))),
            None => Err(Problem::not_found(self.version)),
        }
    }

    /// The survivor: the primary's values win, the other's fill what is empty.
    fn merged(&self, id: u64, a: &Contact, b: &Contact) -> Contact {
        let mut survivor = Contact::new(id, self.now_ms, a.by_api);
        survivor.created_ms = a.created_ms.min(b.created_ms);
        survivor.values = a.values.clone();
        survivor.values.set(
            b.values
                .iter()
                .filter(|(property, _)| a.values.get(*property).is_none()),
        );
        if let (Some(mine), Some(theirs)) = (a.values.get(LIFECYCLE), b.values.get(LIFECYCLE))
            && stage(theirs) > stage(mine)
        {
            survivor.values.set([(LIFECYCLE, theirs)]);
        }
        let primary = survivor.values.get(EMAIL).map(str::to_owned);
        let others = a
            .addresses()
            .chain(b.addresses())
            .filter(|&address| primary.as_deref() != Some(address));
        let others: Vec<String> = others.map(str::to_owned).collect();
        survivor.set_secondary(others);
        survivor.inherit(a, b, self.now_ms);
        survivor
    }

    /// `POST …/gdpr-delete`. An unknown address goes to the blocklist.
    pub(super) fn gdpr_delete(&mut self, body: &Value) -> Result<Reply, Problem> {
        let key = text(body, "objectId").ok_or_else(|| Problem::missing_field("objectId"))?;
        let id_property = body.get("idProperty").and_then(Value::as_str);
        let found = match self.find(&key, id_property)? {
            None if id_property.is_none() => key
                .parse()
                .ok()
                .and_then(|id| self.world.book.binned(id))
                .map(|contact| contact.id),
            found => found,
        };
        let Some(contact) = found.and_then(|id| self.world.book.erase(id)) else {
            if id_property == Some("email") {
                self.world.blocklist.insert(key.trim().to_lowercase());
                return Ok(Reply::empty());
            }
            return Err(Problem::not_found(self.version));
        };
        self.world.blocklist.extend(contact.addresses().map(str::to_owned));
        self.note(Kind::Erase, contact.id, None, &[]);
        Ok(Reply::empty())
    }
}
