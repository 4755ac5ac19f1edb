//! Makes leads and contacts comparable: clean values, and the keys by which a person is found.
//!
//! Pure: no I/O, no clock, and no input makes it panic. Leads and the mirror go through the same code, so the same text
//! always gives the same key. The contract of the result is [`crate::domain::Normalized`].
//!
//! # Blocking keys
//!
//! Whoever shares one of these is compared by the fuzzy tier. A key is made only when all its parts exist; eight to twelve
//! are usual, fifty the most. What is made of names is made once more of those that the address says instead, and once more
//! of a given and a family name that seem to have changed places. Spaces are taken out of the parts. The employer is the
//! company's key and, as a second one, the name of the e-mail domain (`acme` of `acme.com`) unless a mail provider owns it.
//!
//! | kind | made of | brings together |
//! |---|---|---|
//! | `lastco` | sound of the family name, first 3 letters of the employer | nicknames and typos in the given name, typos in the family name that keep its sound; one key for the first and one for the last word of a double name |
//! | `cofirst` | first 6 letters of the employer, first 3 of the given name | a maiden, missing or mistyped family name |
//! | `lastinit` | whole family name, first letter of the given name | `J. Smith` and `John Smith`, also without an employer |
//! | `sound` | sounds of given and family name, in alphabetical order | `Jon` and `John`; names in swapped order |
//! | `lastcity` | first word of the family name, city | private people without any other key |
//! | `domlast` | whole e-mail domain of an employer, first 4 letters of the family name | another spelling of the company |
//! | `local` | e-mail name of 6 letters or more that is no function, first letter of the family name | one person at two providers or employers |
//! | `words` | all words of a name of three or more, in alphabetical order | a name divided otherwise: `Nguyen Ngoc / Chau` and `Ngoc Chau / Nguyen` |
//! | `street` | street and number, first letter of the given or of the family name | private people whose names are misspelt or missing |
//! | `postal` | postal code, first letters of given and family name in alphabetical order | the same when the street is misspelt |
//! | `tail` | last eight digits of a phone number, first letter of the given or of the family name | a number that is not valid as it was written, or whose country is not known |
//!
//! # Reasons of a refusal
//!
//! `invalid_email`, `invalid_phone`, `junk_value` (says nothing: `n/a`, `test`, `0000000`, `noreply@`), `not_a_name`
//! (an address, or no letter in it), `too_long` (over 64 KiB, an external id over 1,000 bytes); for properties also `not_an_object`, `nested_value`,
//! `too_many_properties` (over 200), `too_deep` (over 32 levels), `bad_name`. The last ones, when they are about the
//! whole column, stand on a field named `properties`.

mod blocks;
mod company;
mod country;
mod email;
mod lists;
mod name;
mod name_case;
mod owner;
mod phone;
mod phonetic;
mod properties;
mod reader;
mod street;
mod text;

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use crate::domain::{Field, Lead, Normalized, Record};

pub use blocks::{MadeOf, made_of};
pub use lists::Lists;
use reader::{Input, Reader, Side};

/// Changes whenever the same text may give another key than before: with these rules, or with the numbering plans of
/// the `phonenumber` crate, whose release is its second half.
const RULES: &str = "7+0.3.10+9.0.33";

/// A normalizer that cannot be made.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum NormalizeError {
    /// The default country is no code.
    #[error(
        "the default country {0:?} is no ISO 3166 alpha-2 code with a telephone plan; write one such as \"DE\" or \"US\", or leave it out"
    )]
    UnknownCountry(String),
}

/// Turns leads and contacts into their comparable form. Cheap to share, slow to make (milliseconds): make one.
#[derive(Debug)]
pub struct Normalizer {
    default_country: Option<String>,
    emails: email::EmailRules,
    names: name::NameRules,
    companies: company::CompanyRules,
    junk: HashSet<String>,
    version: String,
}

impl Normalizer {
    /// A normalizer by these lists; `default_country` (ISO alpha-2) tells how to read phone numbers without a country
    /// code when the record itself names no country.
    ///
    /// # Errors
    /// [`NormalizeError::UnknownCountry`].
    pub fn new(default_country: Option<&str>, lists: Lists) -> Result<Self, NormalizeError> {
        let default_country = default_country.map(str::to_ascii_uppercase);
        if let Some(code) = &default_country
            && !phone::knows(code)
        {
            return Err(NormalizeError::UnknownCountry(code.clone()));
        }
        Ok(Self {
            version: version(default_country.as_deref(), &lists),
            default_country,
            emails: email::EmailRules::new(&lists),
            names: name::NameRules::new(&lists),
            companies: company::CompanyRules::new(&lists),
            junk: lists.junk_values.iter().map(|value| value.to_lowercase()).collect(),
        })
    }

    /// A lead: what may be written, the keys, and what was refused. A lead is never refused as a whole.
    pub fn lead(&self, lead: &Lead) -> Normalized {
        Reader::new(self, Side::Lead).read(Input {
            values: &lead.values,
            full_name: lead.full_name.as_deref(),
            properties: lead.properties.as_ref(),
            additional_emails: &[],
        })
    }

    /// A contact of the mirror: the same keys from the same text. What cannot be used gives no key, but stays among the
    /// values as it is, for the CRM does hold it; `refused` is empty.
    pub fn record(&self, record: &Record) -> Normalized {
        Reader::new(self, Side::Mirror).read(Input {
            values: &record.values,
            full_name: None,
            properties: None,
            additional_emails: &record.additional_emails,
        })
    }

    /// The display form of a contact's values: clean as [`Self::record`] has them, to compare with what a lead brings.
    pub fn display(&self, values: &BTreeMap<Field, String>) -> BTreeMap<Field, String> {
        Reader::new(self, Side::Mirror).read_values(Input {
            values,
            full_name: None,
            properties: None,
            additional_emails: &[],
        })
    }

    /// Which rules, lists and default country made a key: `1+…-5f0c…`. Stored beside what was derived.
    pub fn version(&self) -> &str {
        &self.version
    }
}

fn version(default_country: Option<&str>, lists: &Lists) -> String {
    // Maps and sets of strings always serialize, and always in the same order.
    let lists = serde_json::to_string(lists).unwrap_or_default();
    let hash = Sha256::new()
        .chain_update(default_country.unwrap_or("-"))
        .chain_update([0])
        .chain_update(lists)
        .finalize();
    hash.iter().take(6).fold(format!("{RULES}-"), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_version_names_the_release_of_the_numbering_plans() {
        let lock = include_str!("../../Cargo.lock");
        let (_, release) = RULES.split_once('+').unwrap();
        assert!(
            lock.contains(&format!("name = \"phonenumber\"\nversion = \"{release}\"")),
            "raise RULES with the crate"
        );
    }

    #[test]
    fn another_list_or_country_is_another_version() {
        let made = |country, lists| Normalizer::new(country, lists).unwrap().version().to_owned();
        let mut lists = Lists::default();
        lists.junk_values.insert("lorem ipsum".to_owned());
        let all = HashSet::from([
            made(None, Lists::default()),
            made(Some("de"), Lists::default()),
            made(None, lists),
        ]);
        assert_eq!(all.len(), 3);
        assert_eq!(made(Some("de"), Lists::default()), made(Some("DE"), Lists::default()));
    }

    #[test]
    fn a_default_country_that_is_none_is_refused() {
        assert!(matches!(
            Normalizer::new(Some("Germany"), Lists::default()),
            Err(NormalizeError::UnknownCountry(_))
        ));
    }
}
