//! The names of a lead or contact: which of them can be names, and what they are after all rules.

use super::super::name::PersonName;
use super::super::name_case::display_case;
use super::super::text::{Shape, clean};
use super::{LONGEST, Reader, Side};
use crate::domain::{Field, MatchKeys};

impl Reader<'_> {
    /// Both names: their values put where they belong, and their keys.
    pub(super) fn names(&mut self, full_name: Option<&str>, keys: &mut MatchKeys) {
        let first = self.usable_name(Field::FirstName);
        let last = self.usable_name(Field::LastName);
        let full = full_name.and_then(|full| self.usable_full_name(full));
        let written: Vec<&str> = [&first, &last, &full]
            .into_iter()
            .flatten()
            .map(String::as_str)
            .collect();
        keys.generation = self.rules.names.generation(&written).map(str::to_owned);
        let name = self.settle_name(self.rules.names.arrange(first, last, full.as_deref()));
        keys.first_name = name
            .first
            .as_deref()
            .and_then(|first| self.rules.names.first_key(first));
        keys.last_name = name.last.as_deref().and_then(|last| self.rules.names.last_key(last));
        for (field, part) in [(Field::FirstName, name.first), (Field::LastName, name.last)] {
            let Some(part) = part else { continue };
            let part = match self.side {
                Side::Lead => self.cased(part),
                Side::Mirror => part,
            };
            self.clean.insert(field, part);
        }
    }

    /// Half of a split name can be what the whole was not: junk, or mojibake by itself. Then the other half is looked at
    /// anew, until nothing changes; once is usual.
    fn settle_name(&self, mut name: PersonName) -> PersonName {
        let part = |part: Option<String>| {
            let part = part.map(|part| {
                if part.is_ascii() {
                    part
                } else {
                    clean(&part, Shape::Compatible)
                }
            });
            part.filter(|part| !self.is_junk(part) && !is_no_name(part))
        };
        for _ in 0..8 {
            let before = name.clone();
            name = self.rules.names.arrange(part(name.first), part(name.last), None);
            if name == before {
                break;
            }
        }
        name
    }

    /// With its capitals put right, unless the result would not stay as it is when read again: letters such as İ, or ῲ, whose capital
    /// is two letters and makes a name of an initial.
    fn cased(&self, part: String) -> String {
        let case = |text: &str| display_case(text, |word| self.rules.names.is_particle(word));
        let cased = case(&part);
        let is_as_long = cased.chars().count() == part.chars().count();
        let stays = cased == part || is_as_long && case(&cased) == cased && clean(&cased, Shape::Compatible) == cased;
        if stays { cased } else { part }
    }

    /// A name that can be a name; what cannot is refused and gone.
    fn usable_name(&mut self, field: Field) -> Option<String> {
        let value = self.clean.get(&field)?;
        if self.is_junk(value) {
            // Only in the mirror, whose junk stays where it is.
            return None;
        }
        let value = value.clone();
        if is_no_name(&value) {
            self.refuse(field.clone(), "not_a_name");
            if self.side == Side::Lead {
                self.clean.remove(&field);
            }
            return None;
        }
        if self.side == Side::Lead {
            self.clean.remove(&field);
        }
        Some(value)
    }

    fn usable_full_name(&mut self, full: &str) -> Option<String> {
        let field = Field::Property("full_name".into());
        if full.len() > LONGEST {
            self.refuse(field, "too_long");
            return None;
        }
        let value = clean(full, Shape::Compatible);
        if value.is_empty() {
            return None;
        }
        if self.is_junk(&value) {
            self.refuse(field, "junk_value");
            return None;
        }
        if is_no_name(&value) {
            self.refuse(field, "not_a_name");
            return None;
        }
        Some(value)
    }
}

/// An address in the name's place, or nothing but digits.
fn is_no_name(value: &str) -> bool {
    value.contains('@') || value.contains("://") || !value.chars().any(char::is_alphabetic)
}
