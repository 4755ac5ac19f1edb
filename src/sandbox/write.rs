//! Writing one contact: uniqueness, required properties, creation, change, archiving.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::builtin::EMAIL;
use super::check::{Change, check};
use super::contact::Contact;
use super::journal::Kind;
use super::routes::Version;
use super::values::PropId;
use super::wire::{Flaw, Problem, Reply, record, shown};
use super::world::Turn;

/// Values of unique properties that earlier rows of a batch will have, and the contact that they go to (`None`: a new one).
pub(super) type Claims = HashMap<(PropId, String), Option<u64>>;

impl Turn<'_> {
    /// `POST …/contacts`.
    pub(super) fn create_one(&mut self, body: &Value) -> Result<Reply, Problem> {
        let properties = object(body, "properties")?;
        let change = self.fit(properties, None)?;
        self.unclaimed(&change, None, &Claims::new())?;
        let id = self.create(&change, None);
        Ok(Reply::json(201, self.written(id, &change, None).into()))
    }

    /// `PATCH …/contacts/{id}`. A merged-away id leads to the survivor.
    pub(super) fn update_one(&mut self, key: &str, id_property: Option<&str>, body: &Value) -> Result<Reply, Problem> {
        let properties = object(body, "properties")?;
        let id = self
            .find(key, id_property)?
            .ok_or_else(|| Problem::not_found(self.version))?;
        let change = self.fit(properties, Some(id))?;
        self.unclaimed(&change, Some(id), &Claims::new())?;
        self.update(id, &change, None);
        Ok(Reply::json(200, self.written(id, &change, None).into()))
    }

    /// `DELETE …/contacts/{id}`: 204 whether it was there or not.
    pub(super) fn archive_one(&mut self, key: &str) -> Reply {
        self.archive(key);
        Reply::empty()
    }

    /// The live contact with this id, address or unique value.
    ///
    /// # Errors
    /// 400 when the property is not unique.
    pub(super) fn find(&self, key: &str, id_property: Option<&str>) -> Result<Option<u64>, Problem> {
        let book = &self.world.book;
        match id_property {
            None | Some("" | "hs_object_id") => Ok(key
                .parse()
                .ok()
                .and_then(|id| book.reached(id))
                .map(|contact| contact.id)),
            Some("email") => Ok(book.by_email(&key.trim().to_lowercase())),
            Some(name) => match self.world.catalog.find(name).filter(|(_, property)| property.unique) {
                Some((id, _)) => Ok(book.by_unique(id, key)),
                None => Err(Problem::validation(format!(
                    "The property {name} is not a unique identifier property"
                ))),
            },
        }
    }

    /// Checks the values of one row, and what the administrator requires of it.
    pub(super) fn fit(&self, properties: &Map<String, Value>, own: Option<u64>) -> Result<Change, Problem> {
        let change = check(&self.world.catalog, self.version, properties)?;
        if self.version < Version::September2026 {
            return Ok(change);
        }
        let lacks = |name: &&String| {
            let Some((id, _)) = self.world.catalog.find(name) else {
                return false;
            };
            change.get(id).map_or(own.is_none(), str::is_empty)
        };
        let missing: Vec<String> = self.options.required.iter().filter(lacks).cloned().collect();
        if missing.is_empty() {
            return Ok(change);
        }
        let message = format!("Missing required properties: {}", missing.join(", "));
        let code = "MISSING_REQUIRED_PROPERTY";
        let error = json!({"message": message, "code": code, "context": {"propertyName": missing}});
        Err(Problem::validation(message).with_error(error))
    }

    /// Refuses values of unique properties that another contact or an earlier row has.
    pub(super) fn unclaimed(&self, change: &Change, own: Option<u64>, claims: &Claims) -> Result<(), Problem> {
        for (id, value) in change.sets.iter().filter(|(_, value)| !value.is_empty()) {
            let is_email = *id == EMAIL;
            if !is_email && !self.world.catalog.at(*id).unique {
                continue;
            }
            let holder = if is_email {
                self.world.book.by_email(value)
            } else {
                self.world.book.by_unique(*id, value)
            };
            // A new contact claims for itself; an existing one may claim its own value again.
            let claimed = claims
                .get(&(*id, value.clone()))
                .filter(|claim| claim.is_none() || **claim != own);
            let owner = match (holder, claimed) {
                (Some(holder), _) if Some(holder) != own => Some(holder),
                (_, Some(claim)) => *claim,
                _ => continue,
            };
            if is_email {
                return Err(Problem::conflict(self.options.conflict_body, value, owner));
            }
            let property = self.world.catalog.at(*id).name.clone();
            let target = own.map_or("a new record".to_owned(), |id| id.to_string());
            let holder = owner.map_or("Another record of the batch".to_owned(), |id| id.to_string());
            let message = format!(
                "Cannot set PropertyValueCoordinates{{portalId={}, objectTypeId=ObjectTypeId{{legacyObjectType=CONTACT}}, \
                 propertyName={property}, value={value}}} on {target}. {holder} already has that value.",
                self.options.portal_id
            );
            return Err(Problem::flaws(
                self.version,
                &[Flaw {
                    property,
                    code: "CONFLICTING_UNIQUE_VALUE",
                    message,
                }],
            ));
        }
        Ok(())
    }

    /// Notes the unique values that a row will have.
    pub(super) fn claim(&self, change: &Change, own: Option<u64>, claims: &mut Claims) {
        for (id, value) in change.sets.iter().filter(|(_, value)| !value.is_empty()) {
            if *id == EMAIL || self.world.catalog.at(*id).unique {
                claims.insert((*id, value.clone()), own);
            }
        }
    }

    /// Makes a contact of checked values.
    pub(super) fn create(&mut self, change: &Change, trace: Option<&str>) -> u64 {
        let id = self.world.new_id();
        let mut contact = Contact::new(id, self.now_ms, true);
        let changed = change.apply(&mut contact, &self.world.catalog);
        self.world.book.insert(contact);
        self.note(Kind::Create, id, trace, &changed);
        id
    }

    /// Changes a contact by checked values; also a write that changes nothing moves its time.
    pub(super) fn update(&mut self, id: u64, change: &Change, trace: Option<&str>) {
        let mut changed = Vec::new();
        let author = self.author();
        let (catalog, now_ms) = (&self.world.catalog, self.now_ms);
        let done = self.world.book.change(id, |contact| {
            changed = change.apply(contact, catalog);
            contact.note_changes(&changed, now_ms, author);
            contact.modified_ms = now_ms.max(contact.modified_ms);
        });
        if done {
            self.note(Kind::Update, id, trace, &changed);
        }
    }

    /// Moves a contact to the recycle bin; a merged-away id leads to nothing.
    pub(super) fn archive(&mut self, key: &str) {
        if let Ok(id) = key.parse()
            && self.world.book.archive(id, self.now_ms)
        {
            self.note(Kind::Archive, id, None, &[]);
        }
    }

    /// The record as a write answers it: what was written, and what always comes. A cleared value comes back as `""`.
    pub(super) fn written(&self, id: u64, change: &Change, trace: Option<&str>) -> Map<String, Value> {
        let Some(contact) = self.world.book.live(id) else {
            return Map::new();
        };
        let catalog = &self.world.catalog;
        let names = change
            .sets
            .iter()
            .map(|(id, _)| catalog.at(*id).name.as_str())
            .chain(["email"]);
        let mut record = record(contact, catalog, &shown(catalog, names));
        if let Some(Value::Object(properties)) = record.get_mut("properties") {
            for (id, _) in change.sets.iter().filter(|(_, value)| value.is_empty()) {
                properties.insert(catalog.at(*id).name.clone(), "".into());
            }
        }
        if let Some(trace) = trace {
            record.insert("objectWriteTraceId".to_owned(), trace.into());
        }
        if !change.warnings.is_empty() {
            record.insert("warnings".to_owned(), change.warnings.clone().into());
        }
        record
    }
}

/// A field of a body that must be an object.
pub(super) fn object<'a>(body: &'a Value, name: &str) -> Result<&'a Map<String, Value>, Problem> {
    body.get(name)
        .and_then(Value::as_object)
        .ok_or_else(|| Problem::missing_field(name))
}

/// A field of a body that is a text, or a number standing for one.
pub(super) fn text(body: &Value, name: &str) -> Option<String> {
    match body.get(name)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
