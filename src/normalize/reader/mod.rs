//! Reads one lead or contact field by field into its normalized form.

mod names;

use std::collections::BTreeMap;

use serde_json::Value;

use super::Normalizer;
use super::blocks::{Parts, blocks};
use super::country;
use super::email::Address;
use super::owner;
use super::phone::{self, Phone};
use super::properties::flatten;
use super::street;
use super::text::{Shape, clean, fold_words};
use crate::domain::{Field, MatchKeys, Normalized, Refusal};

/// Longest text that is read, in bytes.
const LONGEST: usize = 64 * 1024;

/// Longest id of a leading system, in bytes. Longer ones fit into no index.
const LONGEST_ID: usize = 1_000;

/// Whose values they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// A lead's: what is not usable is refused, names get their capitals.
    Lead,
    /// The mirror's: what is not usable stays as it is.
    Mirror,
}

/// What is read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Input<'a> {
    pub(super) values: &'a BTreeMap<Field, String>,
    pub(super) full_name: Option<&'a str>,
    pub(super) properties: Option<&'a Value>,
    pub(super) additional_emails: &'a [String],
}

/// One reading.
#[derive(Debug)]
pub(super) struct Reader<'n> {
    rules: &'n Normalizer,
    side: Side,
    clean: BTreeMap<Field, String>,
    refused: Vec<Refusal>,
}

impl<'n> Reader<'n> {
    pub(super) fn new(rules: &'n Normalizer, side: Side) -> Self {
        Self {
            rules,
            side,
            clean: BTreeMap::new(),
            refused: Vec::new(),
        }
    }

    /// Values, keys and refusals.
    pub(super) fn read(mut self, input: Input<'_>) -> Normalized {
        let mut keys = self.read_all(input);
        self.block(&mut keys);
        self.refused
            .sort_by(|a, b| (&a.field, &a.reason).cmp(&(&b.field, &b.reason)));
        self.refused.dedup();
        Normalized {
            values: self.clean,
            keys,
            refused: self.refused,
        }
    }

    /// The values alone.
    pub(super) fn read_values(mut self, input: Input<'_>) -> BTreeMap<Field, String> {
        self.read_all(input);
        self.clean
    }

    fn read_all(&mut self, input: Input<'_>) -> MatchKeys {
        let flat = input
            .properties
            .map(|properties| flatten(properties, &mut self.refused))
            .unwrap_or_default();
        for (field, text) in input.values {
            self.take(field, text);
        }
        for (field, text) in &flat {
            // A property that has a column of its own only fills that column when it is blank.
            if !self.clean.contains_key(field) {
                self.take(field, text);
            }
        }
        let mut keys = MatchKeys {
            external_id: self
                .clean
                .get(&Field::ExternalId)
                .filter(|id| id.len() <= LONGEST_ID)
                .cloned(),
            country: self
                .clean
                .get(&Field::Country)
                .and_then(|country| country::alpha2(country))
                .map(str::to_owned),
            ..MatchKeys::default()
        };
        self.names(input.full_name, &mut keys);
        self.emails(input.additional_emails, &mut keys);
        self.owner(&mut keys);
        self.phones(&mut keys);
        keys.company = self
            .text_of(&Field::Company)
            .and_then(|company| self.rules.companies.key(company));
        keys.city = self.words_of(&Field::City);
        keys.street = self.text_of(&Field::Street).and_then(street::key);
        keys.job_title = self.words_of(&Field::JobTitle);
        keys.postal_code = self.words_of(&Field::PostalCode).map(|code| code.replace(' ', ""));
        keys
    }

    /// A value that is compared word by word, folded.
    fn words_of(&self, field: &Field) -> Option<String> {
        self.text_of(field).map(fold_words).filter(|words| !words.is_empty())
    }

    /// A value that says something.
    fn text_of(&self, field: &Field) -> Option<&str> {
        let value = self.clean.get(field)?;
        (!self.is_junk(value)).then_some(value)
    }

    /// Cleans one value, or refuses it when that needs no other field.
    fn take(&mut self, field: &Field, text: &str) {
        if text.len() > LONGEST {
            self.refuse(field.clone(), "too_long");
            return;
        }
        let shape = match field {
            Field::Company | Field::JobTitle | Field::Street => Shape::Composed,
            Field::Property(_) => Shape::Lines,
            _ => Shape::Compatible,
        };
        let value = clean(text, shape);
        if value.is_empty() {
            return;
        }
        if *field == Field::ExternalId && value.len() > LONGEST_ID && self.side == Side::Lead {
            self.refuse(field.clone(), "too_long");
            return;
        }
        let says_something = match field {
            Field::Property(_) => true,
            // Both have refusals of their own, which come later.
            Field::Email | Field::Phone | Field::MobilePhone => true,
            _ => !self.is_junk(&value),
        };
        if !says_something {
            self.refuse(field.clone(), "junk_value");
            if self.side == Side::Lead {
                return;
            }
        }
        self.clean.insert(field.clone(), value);
    }

    fn emails(&mut self, additional: &[String], keys: &mut MatchKeys) {
        let mut addresses: Vec<Address> = Vec::new();
        let primary = self.clean.get(&Field::Email).map(|cell| self.read_email(cell));
        match primary {
            Some(Ok(found)) => {
                if let Some(address) = found.first() {
                    self.clean.insert(Field::Email, address.as_str().to_owned());
                }
                addresses.extend(found);
            }
            Some(Err(reason)) => {
                self.refuse(Field::Email, reason);
                if self.side == Side::Lead {
                    self.clean.remove(&Field::Email);
                }
            }
            None => {}
        }
        if let Some(address) = addresses.first() {
            keys.email_domain = Some(address.domain().to_owned()).filter(|domain| !self.rules.emails.is_public(domain));
            keys.email_local = Some(address.untagged_local().to_owned());
        }
        for cell in additional.iter().filter(|cell| cell.len() <= LONGEST) {
            addresses.extend(self.read_email(&clean(cell, Shape::Compatible)).unwrap_or_default());
        }
        for address in addresses {
            let text = address.as_str();
            if keys.emails.iter().any(|known| known == text) {
                continue;
            }
            let loose = address.loose();
            if loose != text && !keys.loose_emails.contains(&loose) {
                keys.loose_emails.push(loose);
            }
            keys.emails.push(text.to_owned());
        }
    }

    /// What the primary address says about the name: it fills a missing one among the keys, for `jane.doe@` beside `Doe` is
    /// a Jane as much as if she had said so.
    fn owner(&self, keys: &mut MatchKeys) {
        let Some(local) = keys
            .email_local
            .as_deref()
            .filter(|local| !self.rules.emails.is_role(local))
        else {
            return;
        };
        let (first, last) = (keys.first_name.as_deref(), keys.last_name.as_deref());
        let owner = owner::owner(local, first, last, keys.email_domain.is_some());
        keys.email_fit = owner.fit.map(|fit| fit.name().to_owned());
        match keys.first_name {
            Some(_) => keys.address_first = owner.first,
            None => keys.first_name = owner.first,
        }
        match keys.last_name {
            Some(_) => keys.address_last = owner.last,
            None => keys.last_name = owner.last,
        }
    }

    fn read_email(&self, cell: &str) -> Result<Vec<Address>, &'static str> {
        if self.is_junk(cell) {
            return Err("junk_value");
        }
        self.rules.emails.read_cell(cell)
    }

    fn phones(&mut self, keys: &mut MatchKeys) {
        for field in [Field::Phone, Field::MobilePhone] {
            let Some(cell) = self.clean.get(&field) else { continue };
            // The record's own country decides; the default only when it names none.
            let country = keys.country.as_deref().or(self.rules.default_country.as_deref());
            let found = if self.is_junk(cell) {
                Err("junk_value")
            } else {
                phone::read_cell(cell, country)
            };
            match &found {
                Ok(phones) => {
                    for phone in phones {
                        keys.add_tail(phone.tail(), phone.extension.as_deref());
                    }
                }
                Err("junk_value") => {}
                Err(_) => {
                    if let Some((tail, extension)) = phone::tail(cell) {
                        keys.add_tail(&tail, extension.as_deref());
                    }
                }
            }
            match found {
                Ok(phones) => {
                    if let Some(display) = phones.first().map(Phone::display) {
                        self.clean.insert(field, display);
                    }
                    for phone in phones {
                        if !keys.phones.contains(&phone.e164) {
                            keys.phones.push(phone.e164);
                        }
                    }
                }
                Err(reason) => {
                    if self.side == Side::Lead {
                        self.clean.remove(&field);
                    }
                    self.refuse(field, reason);
                }
            }
        }
    }

    fn block(&self, keys: &mut MatchKeys) {
        let local = keys
            .email_local
            .as_deref()
            .filter(|local| !self.rules.emails.is_role(local));
        keys.blocks = blocks(
            Parts {
                first: keys.first_name.as_deref(),
                last: keys.last_name.as_deref(),
                other_first: keys.address_first.as_deref(),
                other_last: keys.address_last.as_deref(),
                company: keys.company.as_deref(),
                domain: keys.email_domain.as_deref(),
                local,
                city: keys.city.as_deref(),
                street: keys.street.as_deref(),
                postal_code: keys.postal_code.as_deref(),
                phone_tails: &keys.phone_tails,
            },
            |word| self.rules.names.is_particle(word),
        );
    }

    /// Says nothing: on the list, or without any letter or digit.
    fn is_junk(&self, value: &str) -> bool {
        if !value.chars().any(char::is_alphanumeric) {
            return true;
        }
        // The longest entry is a few words.
        value.len() <= 64
            && (self.rules.junk.contains(value) || self.rules.junk.contains(value.to_lowercase().as_str()))
    }

    fn refuse(&mut self, field: Field, reason: &str) {
        if self.side == Side::Lead {
            self.refused.push(Refusal {
                field,
                reason: reason.to_owned(),
            });
        }
    }
}
