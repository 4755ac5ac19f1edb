//! The person key: the unique property that makes a creation idempotent whatever crashes.
//!
//! A function of the person, not a random number kept in a database: a database that lost its last commits would draw
//! another one and so make a second contact. Keyed, so that the CRM field gives nobody's address away.

use data_encoding::BASE32_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::domain::{LeadId, MatchKeys, Normalized};

/// What a person's key is founded on: the strongest identifier that is the person's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Founding {
    /// The leading system's id.
    ExternalId(String),
    /// An address that identifies one person.
    Email(String),
    /// A number together with the name.
    Phone(String, String),
    /// Names and company.
    Name(String),
    /// A steward said that this lead is a new person, against its identifiers.
    Lead(LeadId),
}

impl Founding {
    /// The strongest identifier of a lead. `own_email` is its address unless that is shared or held by somebody else.
    pub fn of(normalized: &Normalized, own_email: Option<&str>) -> Option<Self> {
        Self::all(normalized, own_email).into_iter().next()
    }

    /// All on which the key of this person may be founded, the strongest first.
    pub fn all(normalized: &Normalized, own_email: Option<&str>) -> Vec<Self> {
        let keys = &normalized.keys;
        let name = full_name(keys);
        let by_id = keys.external_id.clone().map(Founding::ExternalId);
        let by_email = own_email.map(|email| Founding::Email(email.to_owned()));
        let by_phone = keys
            .phones
            .first()
            .map(|phone| Founding::Phone(phone.clone(), name.clone()));
        [by_id, by_email, by_phone, by_name(keys)]
            .into_iter()
            .flatten()
            .collect()
    }

    /// All by which a person is known again who was erased: each identifier that is the person's own, and the bare name of
    /// those alone who have nothing else, for a namesake is somebody else. Which addresses are shared the caller knows.
    pub fn each(keys: &MatchKeys) -> Vec<Self> {
        let name = full_name(keys);
        let by_id = keys.external_id.clone().map(Founding::ExternalId);
        let by_email = keys.emails.iter().cloned().map(Founding::Email);
        let by_phone = keys
            .phones
            .iter()
            .map(|phone| Founding::Phone(phone.clone(), name.clone()));
        let mut each: Vec<Self> = by_id.into_iter().chain(by_email).chain(by_phone).collect();
        if each.is_empty() {
            each.extend(by_name(keys));
        }
        each
    }

    fn parts(&self) -> (&'static str, String) {
        match self {
            Founding::ExternalId(id) => ("external_id", id.clone()),
            Founding::Email(email) => ("email", email.clone()),
            Founding::Phone(phone, name) => ("phone", format!("{phone}|{name}")),
            Founding::Name(name) => ("name", name.clone()),
            Founding::Lead(lead_id) => ("lead", lead_id.to_string()),
        }
    }
}

fn full_name(keys: &MatchKeys) -> String {
    let part = |part: &Option<String>| part.clone().unwrap_or_default();
    format!("{}|{}", part(&keys.first_name), part(&keys.last_name))
}

fn by_name(keys: &MatchKeys) -> Option<Founding> {
    let named = keys.first_name.is_some() || keys.last_name.is_some();
    let company = keys.company.as_deref().unwrap_or_default();
    named.then(|| Founding::Name(format!("{}|{company}", full_name(keys))))
}

/// Makes person keys with the secret of this installation.
#[derive(Clone)]
pub struct PersonKeys {
    secret: Vec<u8>,
}

impl PersonKeys {
    /// `secret` is `gate.site.person_key`.
    pub fn new(secret: Vec<u8>) -> Self {
        Self { secret }
    }

    /// `v1.` and 26 letters: HMAC-SHA-256 of kind and value, base32, lower case.
    pub fn key(&self, founding: &Founding) -> String {
        let (kind, value) = founding.parts();
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&self.secret).expect("HMAC takes a key of any length");
        mac.update(kind.as_bytes());
        mac.update(&[0x1f]);
        mac.update(value.as_bytes());
        let text = BASE32_NOPAD.encode(&mac.finalize().into_bytes()).to_ascii_lowercase();
        format!("v1.{}", &text[..26])
    }
}

impl std::fmt::Debug for PersonKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PersonKeys")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_depends_on_kind_value_and_secret_and_on_nothing_else() {
        let keys = PersonKeys::new(vec![7; 32]);
        let founding = Founding::Email("ann@example.com".into());
        assert_eq!(keys.key(&founding), keys.key(&founding));
        assert_eq!(keys.key(&founding).len(), 29);
        assert_ne!(
            keys.key(&founding),
            keys.key(&Founding::ExternalId("ann@example.com".into()))
        );
        assert_ne!(keys.key(&founding), PersonKeys::new(vec![8; 32]).key(&founding));
    }
}
