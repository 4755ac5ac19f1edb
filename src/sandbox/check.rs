//! Whether values may be written to properties, and the form in which they are stored.

use serde_json::{Map, Value, json};

use super::builtin::{EMAIL, LIFECYCLE, STAGES};
use super::contact::{Contact, iso, moment_ms};
use super::properties::{Catalog, Kind, Property};
use super::routes::Version;
use super::values::PropId;
use super::wire::{Flaw, Problem};

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

/// Values that may be written, in the form in which they are stored.
#[derive(Debug, Default, Clone)]
pub(super) struct Change {
    /// An empty value clears.
    pub(super) sets: Vec<(PropId, String)>,
    /// What was made to fit instead of being refused.
    pub(super) warnings: Vec<Value>,
}

impl Change {
    /// The value to be written to a property.
    pub(super) fn get(&self, property: PropId) -> Option<&str> {
        self.sets
            .iter()
            .find(|(id, _)| *id == property)
            .map(|(_, value)| value.as_str())
    }

    /// Writes the values to a contact and returns those that are different now.
    pub(super) fn apply(&self, contact: &mut Contact, catalog: &Catalog) -> Vec<(PropId, String)> {
        let mut changed = Vec::new();
        for (id, value) in &self.sets {
            let before = contact.values.get(*id).unwrap_or_default();
            let value = match catalog.at(*id).kind {
                Kind::Choices => appended(before, value),
                _ => value.clone(),
            };
            if before == value || (*id == LIFECYCLE && goes_back(before, &value)) {
                continue;
            }
            if *id == EMAIL {
                contact.set_email(&value);
            }
            changed.push((*id, value));
        }
        contact
            .values
            .set(changed.iter().map(|(id, value)| (*id, value.as_str())));
        changed
    }
}

/// Checks the values of one row.
///
/// # Errors
/// 400 with every flaw of the row.
pub(super) fn check(catalog: &Catalog, version: Version, properties: &Map<String, Value>) -> Result<Change, Problem> {
    let mut change = Change::default();
    let mut flaws = Vec::new();
    for (name, value) in properties {
        let flaw = |code, message| Flaw {
            property: name.clone(),
            code,
            message,
        };
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(_) | Value::Bool(_) => value.to_string(),
            Value::Null => continue,
            _ => {
                return Err(Problem::validation(
                    "Invalid input JSON: Cannot deserialize value of type `java.lang.String`",
                ));
            }
        };
        let Some((id, property)) = catalog.find(name) else {
            flaws.push(flaw(
                "PROPERTY_DOESNT_EXIST",
                format!("Property \"{name}\" does not exist"),
            ));
            continue;
        };
        if property.read_only {
            let message = format!("\"{name}\" is a read only property; its value cannot be set.");
            flaws.push(flaw("READ_ONLY_VALUE", message));
            continue;
        }
        match stored(id, property, version, &text) {
            Ok((stored, warning)) => {
                change.sets.push((id, stored));
                change.warnings.extend(warning);
            }
            Err((code, message)) => flaws.push(flaw(code, message)),
        }
    }
    if flaws.is_empty() {
        Ok(change)
    } else {
        Err(Problem::flaws(version, &flaws))
    }
}

type Stored = (String, Option<Value>);

/// The stored form of a value, or the code and the message of what is wrong with it.
fn stored(id: PropId, property: &Property, version: Version, text: &str) -> Result<Stored, (&'static str, String)> {
    let name = &property.name;
    if text.is_empty() {
        return Ok((String::new(), None));
    }
    if id == EMAIL {
        let address = text.trim().to_lowercase();
        let message = || format!("Email address {text} is invalid");
        return if is_address(&address) {
            Ok((address, None))
        } else {
            Err(("INVALID_EMAIL", message()))
        };
    }
    let plain = |value: &str| Ok((value.to_owned(), None));
    match property.kind {
        Kind::Text | Kind::Phone => plain(text),
        Kind::Number => {
            // The name of the code is HubSpot's; decimals are taken as well.
            let number = text.trim().parse::<f64>().is_ok_and(f64::is_finite);
            if number {
                plain(text.trim())
            } else {
                Err(("INVALID_INTEGER", format!("{text} was not a valid number.")))
            }
        }
        Kind::Bool => option(name, &["true", "false"], text).and_then(|()| plain(text)),
        Kind::Choice | Kind::Choices if property.options.is_empty() => plain(text),
        Kind::Choice => option(name, &property.options, text).and_then(|()| plain(text)),
        Kind::Choices => {
            let mut parts = text.strip_prefix(';').unwrap_or(text).split(';');
            parts
                .try_for_each(|part| option(name, &property.options, part))
                .and_then(|()| plain(text))
        }
        Kind::DateTime => match millis(text) {
            Some(ms) => Ok((iso(ms), None)),
            None => Err(("INVALID_DATE", format!("{text} was not a valid long."))),
        },
        Kind::Date => {
            let ms = millis(text).ok_or(("INVALID_DATE", format!("{text} was not a valid date.")))?;
            let midnight = ms.div_euclid(DAY_MS) * DAY_MS;
            let day: String = iso(midnight).chars().take(10).collect();
            if ms == midnight {
                return Ok((day, None));
            }
            if version < Version::September2026 {
                return Err(("INVALID_DATE", format!("{text} is at a time other than midnight UTC")));
            }
            let context = json!({"propertyName": [name], "rawValue": [text], "normalizedValue": [day]});
            let message = "The value was normalized";
            let warning = json!({"category": "PROPERTY_VALUE_NORMALIZED", "message": message, "context": context});
            Ok((day, Some(warning)))
        }
    }
}

fn option(name: &str, options: &[impl AsRef<str>], text: &str) -> Result<(), (&'static str, String)> {
    if options.iter().any(|option| option.as_ref() == text) {
        return Ok(());
    }
    let options: Vec<&str> = options.iter().map(AsRef::as_ref).collect();
    let message = format!(
        "{text} was not one of the allowed options: [{}] for {name}",
        options.join(", ")
    );
    Err(("INVALID_OPTION", message))
}

/// Milliseconds of an epoch text or an ISO text.
fn millis(text: &str) -> Option<i64> {
    let text = text.trim();
    text.parse::<i64>().ok().or_else(|| moment_ms(text))
}

/// One `@`, something before it, and a dotted domain without gaps behind it.
fn is_address(address: &str) -> bool {
    let Some((local, domain)) = address.split_once('@') else {
        return false;
    };
    let bad = |one: char| one.is_whitespace() || one.is_control() || "@,;<>()[]\\\"".contains(one);
    let labels_fit = domain.contains('.')
        && domain
            .split('.')
            .all(|label| !label.is_empty() && !label.starts_with('-') && !label.ends_with('-'));
    let local_fits = !local.is_empty() && !local.starts_with('.') && !local.ends_with('.') && !local.contains("..");
    local_fits && labels_fit && !address.split('@').any(|part| part.contains(bad)) && address.len() <= 254
}

/// A leading `;` appends to what is there.
fn appended(before: &str, value: &str) -> String {
    let Some(more) = value.strip_prefix(';') else {
        return value.to_owned();
    };
    let mut parts: Vec<&str> = before.split(';').filter(|part| !part.is_empty()).collect();
    for part in more.split(';').filter(|part| !part.is_empty()) {
        if !parts.contains(&part) {
            parts.push(part);
        }
    }
    parts.join(";")
}

/// The lifecycle stage never goes back, but may be cleared.
fn goes_back(before: &str, after: &str) -> bool {
    stage(after).is_some_and(|to| stage(before).is_some_and(|from| to < from))
}

/// Place of a lifecycle stage.
pub(super) fn stage(value: &str) -> Option<usize> {
    STAGES.iter().position(|stage| *stage == value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_other_text() {
        for good in ["a@x.com", "a+b.c@sub.x-y.org", "ü@example.com"] {
            assert!(is_address(good), "{good}");
        }
        for bad in [
            "",
            "a",
            "a@x",
            "a@@x.com",
            "a b@x.com",
            "a@x..com",
            "@x.com",
            "a@-x.com",
            "a@x.com,b@x.com",
            ".a@x.com",
        ] {
            assert!(!is_address(bad), "{bad}");
        }
    }

    #[test]
    fn a_leading_semicolon_appends() {
        assert_eq!(appended("A;B", ";B;C"), "A;B;C");
        assert_eq!(appended("A;B", "C"), "C");
        assert_eq!(appended("", ";A"), "A");
    }
}
