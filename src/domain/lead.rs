//! A lead: as the source delivered it, and as the normalizer made it comparable.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Field, LeadId};

/// One row of `staging.lead`, claimed.
#[derive(Debug, Clone, PartialEq)]
pub struct Lead {
    /// The row.
    pub lead_id: LeadId,
    /// The source's name, as delivered; `rules.source` says what it may do.
    pub source: Option<String>,
    /// The source's own id of the row.
    pub source_key: Option<String>,
    /// Canonical columns that are not null, as delivered.
    pub values: BTreeMap<Field, String>,
    /// First and last name in one text, when the source does not keep them apart.
    pub full_name: Option<String>,
    /// Other CRM properties by their CRM name; an object unless the source sent something else.
    pub properties: Option<Value>,
    /// When the source saw it; the time of arrival when the source does not say or says a time in the future.
    pub occurred_at: DateTime<Utc>,
    /// Grows at every claim; every later write about this lead is refused when it no longer fits.
    pub epoch: i64,
    /// How often it was claimed, clean or not.
    pub claims: i32,
}

/// A lead or a contact made comparable: clean values, and the keys by which it is found.
///
/// Made by [`crate::normalize`] alone, for leads and for the mirror alike, so the same text always gives the same key.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Normalized {
    /// Clean values, as they would be written to the CRM. Blank ones are absent.
    pub values: BTreeMap<Field, String>,
    /// The keys by which it is found.
    pub keys: MatchKeys,
    /// Values that were not usable, with the reason; they are neither matched on nor written.
    pub refused: Vec<Refusal>,
}

/// A value that the normalizer could not use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Which field.
    pub field: Field,
    /// A short reason code such as `invalid_email`; never the value.
    pub reason: String,
}

/// Comparable forms. Every one is lower-case and free of diacritics unless said otherwise; absent when there is none,
/// and then not written down either.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MatchKeys {
    /// The source system's id of the person, trimmed, case kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// Whole addresses, IDNA form: the primary one first.
    pub emails: Vec<String>,
    /// The same addresses without plus-tags and gmail dots; a weaker key. Only those that differ from `emails`.
    pub loose_emails: Vec<String>,
    /// Numbers in E.164 without extension, all phone fields, valid ones only.
    pub phones: Vec<String>,
    /// Last eight digits of each number, also of those that are not valid or whose country is not known; a weaker key.
    pub phone_tails: Vec<String>,
    /// `tail/extension` of each number with an extension: two people behind one switchboard.
    pub extensions: Vec<String>,
    /// Given name, folded (`jose`), without titles; initials stay (`j`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// Family name, folded (`garcia lopez`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// Another given name that the primary address says: `luky` of `luky.novak@` beside Lukas Novak.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address_first: Option<String>,
    /// Another family name that the primary address says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address_last: Option<String>,
    /// Which of several people of one name: `junior`, `senior`, `third`, `fourth`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generation: Option<String>,
    /// Company without legal suffix and punctuation (`acme`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company: Option<String>,
    /// Domain of the primary address, unless it belongs to a public mail provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email_domain: Option<String>,
    /// Part of the primary address before the at sign, without plus-tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email_local: Option<String>,
    /// How that part fits the name: `name` (made of it), `numbered` (and the one digit that a firm gives to a second person
    /// of that name), `other` (made of something else). Absent for roles, and where there is no name or no word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email_fit: Option<String>,
    /// City, folded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    /// ISO 3166 alpha-2, upper case, when the country is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// Street and number, folded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub street: Option<String>,
    /// Postal code, letters and digits only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    /// Job title, folded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_title: Option<String>,
    /// Blocking keys of the fuzzy tier, `kind:value` (`lastco:garcia|acme`): who shares one is compared.
    pub blocks: Vec<String>,
}

impl MatchKeys {
    /// All that may identify a person, of whatever kind.
    pub fn identifiers(&self) -> impl Iterator<Item = &str> {
        let addresses = self.emails.iter().chain(&self.loose_emails);
        addresses
            .chain(&self.phones)
            .chain(&self.external_id)
            .map(String::as_str)
    }

    /// Takes in the end of a phone number, once.
    pub(crate) fn add_tail(&mut self, tail: &str, extension: Option<&str>) {
        if let Some(extension) = extension {
            let line = format!("{tail}/{extension}");
            if !self.extensions.contains(&line) {
                self.extensions.push(line);
            }
        }
        if !self.phone_tails.iter().any(|known| known == tail) {
            self.phone_tails.push(tail.to_owned());
        }
    }
}
