//! One contact as the sandbox keeps it, and the values that are worked out from it.

use std::borrow::Cow;

use chrono::{DateTime, SecondsFormat};

use super::builtin::{EMAIL, MOBILE, PHONE};
use super::properties::{Catalog, Computed};
use super::values::{PropId, Values};

/// One contact.
#[derive(Debug, Clone)]
pub(super) struct Contact {
    pub(super) id: u64,
    pub(super) values: Values,
    /// Milliseconds since 1970, as all times here.
    pub(super) created_ms: i64,
    pub(super) modified_ms: i64,
    pub(super) archived_ms: Option<i64>,
    /// Made over the API, not by seeding.
    pub(super) by_api: bool,
    rare: Option<Box<Rare>>,
}

/// What only few contacts have.
#[derive(Debug, Clone, Default)]
struct Rare {
    secondary: Vec<String>,
    absorbed: Vec<u64>,
    direct: Vec<(u64, i64)>,
    merges: u32,
    /// The last change of each property that was changed since the contact was made.
    changes: Vec<(PropId, Version)>,
}

/// One entry in the history of a property.
#[derive(Debug, Clone)]
pub(super) struct Version {
    /// What it was set to; empty: cleared.
    pub(super) value: String,
    pub(super) at_ms: i64,
    /// `sourceType` and `sourceId`.
    pub(super) by: (&'static str, &'static str),
}

impl Contact {
    /// A contact without values.
    pub(super) fn new(id: u64, now_ms: i64, by_api: bool) -> Contact {
        let values = Values::default();
        Contact {
            id,
            values,
            created_ms: now_ms,
            modified_ms: now_ms,
            archived_ms: None,
            by_api,
            rare: None,
        }
    }

    /// The primary address, lower case.
    pub(super) fn email(&self) -> Option<&str> {
        self.values.get(EMAIL)
    }

    /// The secondary addresses, lower case.
    pub(super) fn secondary(&self) -> &[String] {
        self.rare.as_ref().map_or(&[], |rare| &rare.secondary)
    }

    /// All addresses, the primary first.
    pub(super) fn addresses(&self) -> impl Iterator<Item = &str> {
        self.email()
            .into_iter()
            .chain(self.secondary().iter().map(String::as_str))
    }

    /// Replaces the secondary addresses.
    pub(super) fn set_secondary(&mut self, addresses: Vec<String>) {
        if !addresses.is_empty() || self.rare.is_some() {
            self.rare.get_or_insert_default().secondary = addresses;
        }
    }

    /// Sets the primary address. One of our own secondary addresses changes places with the primary one.
    pub(super) fn set_email(&mut self, address: &str) {
        let mut secondary = self.secondary().to_vec();
        if let Some(at) = secondary.iter().position(|one| one == address) {
            secondary.remove(at);
            secondary.extend(self.email().map(str::to_owned));
            self.set_secondary(secondary);
        }
        self.values.set([(EMAIL, address)]);
    }

    /// Notes who changed properties.
    pub(super) fn note_changes(&mut self, changed: &[(PropId, String)], at_ms: i64, by: (&'static str, &'static str)) {
        if changed.is_empty() {
            return;
        }
        let changes = &mut self.rare.get_or_insert_default().changes;
        for (property, value) in changed {
            changes.retain(|(known, _)| known != property);
            let value = value.clone();
            changes.push((*property, Version { value, at_ms, by }));
        }
    }

    /// The last change of a property; of one that was never changed, how the contact was made.
    pub(super) fn last_change(&self, property: PropId) -> Option<Version> {
        let noted = self.rare.as_ref().and_then(|rare| {
            let mut changes = rare.changes.iter();
            changes
                .find(|(known, _)| *known == property)
                .map(|(_, version)| version.clone())
        });
        let made = || {
            self.values.get(property).map(|value| Version {
                value: value.to_owned(),
                at_ms: self.created_ms,
                by: ("IMPORT", "1"),
            })
        };
        noted.or_else(made)
    }

    /// Every id that was merged into this contact, directly or not.
    pub(super) fn absorbed(&self) -> &[u64] {
        self.rare.as_ref().map_or(&[], |rare| &rare.absorbed)
    }

    /// How many merges made this contact.
    pub(super) fn merges(&self) -> u32 {
        self.rare.as_ref().map_or(0, |rare| rare.merges)
    }

    /// Notes the merge of two contacts into this one. Only a survivor that keeps its id remembers the times of earlier
    /// merges; of chained merges it knows the ids alone.
    pub(super) fn inherit(&mut self, a: &Contact, b: &Contact, at_ms: i64) {
        let id = self.id;
        let others = |ids: Vec<u64>| ids.into_iter().filter(move |&one| one != id);
        let rare = self.rare.get_or_insert_default();
        if let Some(earlier) = a.rare.as_ref().filter(|_| a.id == id) {
            rare.direct = earlier.direct.clone();
        }
        rare.direct.extend(others(vec![a.id, b.id]).map(|gone| (gone, at_ms)));
        rare.absorbed = others([a.absorbed(), &[a.id], b.absorbed(), &[b.id]].concat()).collect();
        rare.merges = a.merges() + b.merges() + 1;
    }

    /// The value of a property as the API shows it, if it is set.
    pub(super) fn value(&self, catalog: &Catalog, property: PropId) -> Option<Cow<'_, str>> {
        let Some(computed) = catalog.at(property).computed else {
            return self.values.get(property).map(Cow::Borrowed);
        };
        let joined = |parts: Vec<String>| (!parts.is_empty()).then(|| Cow::Owned(parts.join(";")));
        match computed {
            Computed::Id => Some(Cow::Owned(self.id.to_string())),
            Computed::Created => Some(Cow::Owned(iso(self.created_ms))),
            Computed::Modified => Some(Cow::Owned(iso(self.modified_ms))),
            Computed::AdditionalEmails => joined(self.secondary().to_vec()),
            Computed::MergedIds => joined(self.absorbed().iter().map(u64::to_string).collect()),
            Computed::MergedVids => {
                let direct = self.rare.as_ref().map_or(&[][..], |rare| &rare.direct);
                joined(direct.iter().map(|(id, at)| format!("{id}:{at}")).collect())
            }
            Computed::SearchPhone => self.values.get(PHONE).and_then(searchable_phone).map(Cow::Owned),
            Computed::SearchMobile => self.values.get(MOBILE).and_then(searchable_phone).map(Cow::Owned),
            Computed::EmailDomain => self.email()?.split_once('@').map(|(_, domain)| Cow::Borrowed(domain)),
            Computed::Source | Computed::SourceLabel => {
                Some(Cow::Borrowed(if self.by_api { "INTEGRATION" } else { "CRM_UI" }))
            }
            Computed::SourceId => self.by_api.then_some(Cow::Borrowed("14696758")),
        }
    }

    /// The value of a numeric property as a number; moments are milliseconds since 1970.
    pub(super) fn number(&self, catalog: &Catalog, property: PropId) -> Option<f64> {
        match catalog.at(property).computed {
            Some(Computed::Id) => Some(self.id as f64),
            Some(Computed::Created) => Some(self.created_ms as f64),
            Some(Computed::Modified) => Some(self.modified_ms as f64),
            _ => as_number(&self.value(catalog, property)?),
        }
    }
}

/// A number, a day or a moment as a number.
pub(super) fn as_number(text: &str) -> Option<f64> {
    let text = text.trim();
    text.parse::<f64>().ok().or_else(|| moment_ms(text).map(|ms| ms as f64))
}

/// Milliseconds since 1970 of an ISO moment or day.
pub(super) fn moment_ms(text: &str) -> Option<i64> {
    if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
        return Some(moment.timestamp_millis());
    }
    let day = text.parse::<chrono::NaiveDate>().ok()?;
    Some(day.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_millis())
}

/// The ISO form of a moment, with milliseconds and `Z`.
pub(super) fn iso(ms: i64) -> String {
    DateTime::from_timestamp_millis(ms)
        .unwrap_or_default()
        .to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// Area code and local number of a phone number, without the country code: all that search knows of it.
fn searchable_phone(phone: &str) -> Option<String> {
    let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
    let international = phone.trim_start().starts_with('+') || digits.starts_with("00");
    let digits = digits.strip_prefix("00").unwrap_or(&digits);
    let local = if international {
        digits.get(country_code_length(digits)..)?
    } else if digits.len() == 11 {
        digits.strip_prefix('1').unwrap_or(digits)
    } else {
        digits
    };
    let local = local.trim_start_matches('0');
    (!local.is_empty()).then(|| local.to_owned())
}

/// Country codes have one digit (1, 7), two or three.
fn country_code_length(digits: &str) -> usize {
    const TWO: &str = "20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 64 \
                       65 66 81 82 84 86 90 91 92 93 94 95 98";
    match digits.get(..2) {
        Some(start) if start.starts_with(['1', '7']) => 1,
        Some(start) if TWO.split_ascii_whitespace().any(|code| code == start) => 2,
        _ => 3.min(digits.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn search_knows_a_phone_without_its_country_code() {
        for (phone, local) in [
            ("+1 (415) 555-0123", Some("4155550123")),
            ("1-415-555-0123", Some("4155550123")),
            ("+49 30 901820", Some("30901820")),
            ("0049 30 901820", Some("30901820")),
            ("030 901820", Some("30901820")),
            ("+353 1 234 5678", Some("12345678")),
            ("n/a", None),
            ("+4", None),
        ] {
            assert_eq!(searchable_phone(phone).as_deref(), local, "{phone}");
        }
    }
}
