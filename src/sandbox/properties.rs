//! The catalog: which properties a contact has, of what kind, and which of them nobody may write.

use std::collections::HashMap;

use super::builtin::BUILTIN;
use super::values::PropId;

/// Unique properties that one object may have.
pub(super) const MAX_UNIQUE: usize = 10;

/// What values a property takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Any text.
    Text,
    /// Any text, shown as a phone number.
    Phone,
    /// A decimal number without separators.
    Number,
    /// A day.
    Date,
    /// A moment.
    DateTime,
    /// One of the options.
    Choice,
    /// Several of the options, joined with `;`.
    Choices,
    /// `true` or `false`.
    Bool,
}

impl Kind {
    /// `type` and `fieldType` on the wire.
    pub(super) fn wire(self) -> (&'static str, &'static str) {
        match self {
            Kind::Text => ("string", "text"),
            Kind::Phone => ("string", "phonenumber"),
            Kind::Number => ("number", "number"),
            Kind::Date => ("date", "date"),
            Kind::DateTime => ("datetime", "date"),
            Kind::Choice => ("enumeration", "select"),
            Kind::Choices => ("enumeration", "checkbox"),
            Kind::Bool => ("bool", "booleancheckbox"),
        }
    }

    /// The kind of a `type` and `fieldType` on the wire.
    pub(super) fn of(kind: &str, field: &str) -> Option<Kind> {
        Some(match (kind, field) {
            ("string", "phonenumber") => Kind::Phone,
            ("string", _) | ("phone_number", _) => Kind::Text,
            ("number", _) => Kind::Number,
            ("date", _) => Kind::Date,
            ("datetime", _) => Kind::DateTime,
            ("enumeration", "checkbox") => Kind::Choices,
            ("enumeration", _) => Kind::Choice,
            ("bool", _) => Kind::Bool,
            _ => return None,
        })
    }

    /// Compared as a number when searched and sorted.
    pub(super) fn is_numeric(self) -> bool {
        matches!(self, Kind::Number | Kind::Date | Kind::DateTime)
    }
}

/// Properties that are worked out from the record instead of being stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub(super) enum Computed {
    Id,
    Created,
    Modified,
    AdditionalEmails,
    MergedIds,
    MergedVids,
    SearchPhone,
    SearchMobile,
    EmailDomain,
    Source,
    SourceLabel,
    SourceId,
}

/// One property.
#[derive(Debug, Clone)]
pub(super) struct Property {
    pub(super) name: String,
    pub(super) label: String,
    pub(super) kind: Kind,
    pub(super) group: String,
    /// Allowed values, for an enumeration; empty means that any is taken.
    pub(super) options: Vec<String>,
    pub(super) read_only: bool,
    pub(super) computed: Option<Computed>,
    pub(super) unique: bool,
    pub(super) archived: bool,
    /// Made by HubSpot, not by the account.
    pub(super) defined: bool,
}

/// All properties. A property's number never changes and is never used again.
#[derive(Debug, Clone)]
pub(super) struct Catalog {
    list: Vec<Property>,
    by_name: HashMap<String, PropId>,
}

impl Catalog {
    /// HubSpot's own properties, and unique text properties of the account.
    pub(super) fn new(unique: &[String]) -> Catalog {
        let mut catalog = Catalog {
            list: Vec::new(),
            by_name: HashMap::new(),
        };
        for &(name, kind, computed, read_only, options) in BUILTIN {
            catalog.add(Property {
                name: name.to_owned(),
                label: name.to_owned(),
                kind,
                group: "contactinformation".to_owned(),
                options: options.iter().map(|&option| option.to_owned()).collect(),
                read_only,
                computed,
                unique: false,
                archived: false,
                defined: true,
            });
        }
        for name in unique {
            catalog.add(Property::custom(name, Kind::Text, true));
        }
        catalog
    }

    /// Adds a property, or replaces the one of that name.
    pub(super) fn add(&mut self, property: Property) -> PropId {
        if let Some(&id) = self.by_name.get(&property.name) {
            self.list[usize::from(id)] = property;
            return id;
        }
        let id = PropId::try_from(self.list.len()).unwrap_or(PropId::MAX);
        self.by_name.insert(property.name.clone(), id);
        self.list.push(property);
        id
    }

    /// The property of this name, archived or not.
    pub(super) fn any(&self, name: &str) -> Option<(PropId, &Property)> {
        let id = *self.by_name.get(name)?;
        Some((id, &self.list[usize::from(id)]))
    }

    /// The property of this name, unless it is archived.
    pub(super) fn find(&self, name: &str) -> Option<(PropId, &Property)> {
        self.any(name).filter(|(_, property)| !property.archived)
    }

    /// The property of this number.
    pub(super) fn at(&self, id: PropId) -> &Property {
        &self.list[usize::from(id)]
    }

    /// Changes a property.
    pub(super) fn change(&mut self, id: PropId, change: impl FnOnce(&mut Property)) {
        change(&mut self.list[usize::from(id)]);
    }

    /// All properties in the order in which they were made.
    pub(super) fn iter(&self) -> impl Iterator<Item = (PropId, &Property)> {
        (0..).zip(&self.list)
    }

    /// Numbers of the unique properties.
    pub(super) fn unique(&self) -> impl Iterator<Item = PropId> {
        self.iter().filter(|(_, property)| property.unique).map(|(id, _)| id)
    }
}

impl Property {
    /// A property of the account.
    pub(super) fn custom(name: &str, kind: Kind, unique: bool) -> Property {
        Property {
            name: name.to_owned(),
            label: name.to_owned(),
            kind,
            group: "contactinformation".to_owned(),
            options: Vec::new(),
            read_only: false,
            computed: None,
            unique,
            archived: false,
            defined: false,
        }
    }
}
