//! Match: asks the database who the leads of a batch are, and what is known of the people found.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use deadpool_postgres::GenericClient;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio_postgres::Row;
use tokio_postgres::types::Json;

use super::{StoreError, call};
use crate::domain::{
    Candidate, ContactId, CrmId, Document, Field, KeyHolder, KnownContact, MatchKeys, Names, Normalized, Provenance,
    Target, Tier,
};
use crate::normalize::{MadeOf, made_of};

/// Who holds which address, and which addresses do not identify one person.
#[derive(Debug, Clone, Default)]
pub struct EmailHolders {
    /// Contacts by address.
    pub holders: BTreeMap<String, Vec<ContactId>>,
    /// Addresses that do not identify one person.
    pub shared: BTreeSet<String>,
}

/// The number under which a blocking key is stored: the first 32 bits of its SHA-256, the last ones of which tell what it is
/// made of. Those of names alone are odd, and of the others those of a given name have the bit before.
pub fn block_hash(block: &str) -> i32 {
    let hash = Sha256::digest(block.as_bytes());
    let mut bytes = [0; 4];
    bytes.copy_from_slice(&hash[..4]);
    let number = i32::from_be_bytes(bytes);
    match made_of(block) {
        MadeOf::Names => number | 1,
        MadeOf::GivenName => number & !3 | 2,
        MadeOf::FamilyName => number & !3,
    }
}

/// The keys as the database takes them: blocks by their numbers, without their texts. What is absent is null there.
#[derive(Debug, Serialize)]
pub(super) struct StoredKeys<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<&'a str>,
    emails: &'a [String],
    loose_emails: &'a [String],
    phones: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    first_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    company: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email_domain: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email_local: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    city: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<&'a str>,
    phone_tails: &'a [String],
    extensions: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    address_first: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address_last: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    generation: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email_fit: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    street: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    postal_code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    job_title: Option<&'a str>,
    blocks: Vec<i32>,
}

impl<'a> StoredKeys<'a> {
    pub(super) fn of(keys: &'a MatchKeys) -> Self {
        Self {
            external_id: keys.external_id.as_deref(),
            emails: &keys.emails,
            loose_emails: &keys.loose_emails,
            phones: &keys.phones,
            first_name: keys.first_name.as_deref(),
            last_name: keys.last_name.as_deref(),
            company: keys.company.as_deref(),
            email_domain: keys.email_domain.as_deref(),
            email_local: keys.email_local.as_deref(),
            city: keys.city.as_deref(),
            country: keys.country.as_deref(),
            phone_tails: &keys.phone_tails,
            extensions: &keys.extensions,
            address_first: keys.address_first.as_deref(),
            address_last: keys.address_last.as_deref(),
            generation: keys.generation.as_deref(),
            email_fit: keys.email_fit.as_deref(),
            street: keys.street.as_deref(),
            postal_code: keys.postal_code.as_deref(),
            job_title: keys.job_title.as_deref(),
            blocks: keys.blocks.iter().map(|block| block_hash(block)).collect(),
        }
    }
}

/// One lead for the matcher.
#[derive(Debug, Serialize)]
struct Subject<'a> {
    /// -1 for the first one of the batch, -2 for the second.
    contact_id: i64,
    #[serde(flatten)]
    keys: StoredKeys<'a>,
}

impl<'a> Subject<'a> {
    fn at(place: i64, lead: &'a Normalized) -> Self {
        Self {
            contact_id: -place,
            keys: StoredKeys::of(&lead.keys),
        }
    }
}

/// From this many leads on a batch is matched in two parts at once.
const WORTH_PARTING: usize = 64;

/// Whom the matcher found for one lead.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Found {
    /// Best first.
    pub candidates: Vec<Candidate>,
    /// An identifier settles who it is: nobody was looked for by blocking keys.
    pub settled: bool,
}

/// Whom the matcher finds for each lead, in the leads' order. `other` matches half of a large batch meanwhile; it must see
/// what `client` sees, so its caller holds the people's lock on `client` and has changed nothing about people yet.
///
/// # Errors
/// As every statement.
pub async fn match_leads(
    client: &impl GenericClient,
    other: &impl GenericClient,
    leads: &[&Normalized],
) -> Result<Vec<Found>, StoreError> {
    if leads.len() < WORTH_PARTING {
        return match_alone(client, leads).await;
    }
    let subjects = subjects(leads);
    let (one, two): (Vec<i32>, Vec<i32>) = (0..).take(leads.len()).partition(|place| is_in_first_part(*place));
    let (one, two) = tokio::try_join!(rows(client, &subjects, Some(&one)), rows(other, &subjects, Some(&two)))?;
    let mut found = vec![Found::default(); leads.len()];
    add_found(&one, &mut found)?;
    add_found(&two, &mut found)?;
    Ok(found)
}

/// Halves of the places, and of every second or eighth of them too: leads of one kind often stand in a row, or at equal distances.
/// Multiples of the golden ratio are spread so (Knuth, The Art of Computer Programming 3, 6.4).
fn is_in_first_part(place: i32) -> bool {
    place.wrapping_mul(-1_640_531_527) < 0
}

/// The same on one connection.
///
/// # Errors
/// As every statement.
pub async fn match_alone(client: &impl GenericClient, leads: &[&Normalized]) -> Result<Vec<Found>, StoreError> {
    let mut found = vec![Found::default(); leads.len()];
    add_found(&rows(client, &subjects(leads), None).await?, &mut found)?;
    Ok(found)
}

/// Matches the leads at these places once more, each against all that are before it. What was found for them is forgotten.
///
/// # Errors
/// As every statement.
pub async fn match_again(
    client: &impl GenericClient,
    leads: &[&Normalized],
    places: &[usize],
    found: &mut [Found],
) -> Result<(), StoreError> {
    for &place in places {
        if let Some(found) = found.get_mut(place) {
            *found = Found::default();
        }
    }
    let asked: Vec<&MatchKeys> = places
        .iter()
        .filter_map(|place| leads.get(*place))
        .map(|lead| &lead.keys)
        .collect();
    let carried: HashSet<&str> = asked.iter().flat_map(|keys| found_by(keys)).collect();
    let met = leads
        .iter()
        .zip(1..)
        .filter(|(lead, _)| found_by(&lead.keys).any(|key| carried.contains(key)));
    let subjects = Json(met.map(|(lead, place)| Subject::at(place, lead)).collect::<Vec<_>>());
    let places: Vec<i32> = places.iter().filter_map(|place| i32::try_from(*place).ok()).collect();
    add_found(&rows(client, &subjects, Some(&places)).await?, found)
}

/// All by which two leads of one batch find each other.
fn found_by(keys: &MatchKeys) -> impl Iterator<Item = &str> {
    keys.identifiers().chain(keys.blocks.iter().map(String::as_str))
}

fn subjects<'a>(leads: &[&'a Normalized]) -> Json<Vec<Subject<'a>>> {
    Json(
        leads
            .iter()
            .zip(1..)
            .map(|(lead, place)| Subject::at(place, lead))
            .collect(),
    )
}

/// What the matcher returns for the leads at these places; for all, when none are named.
async fn rows(
    client: &impl GenericClient,
    subjects: &Json<Vec<Subject<'_>>>,
    places: Option<&[i32]>,
) -> Result<Vec<Row>, StoreError> {
    call::rows(client, "select * from gate.match_leads($1, $2)", &[subjects, &places]).await
}

fn add_found(rows: &[Row], found: &mut [Found]) -> Result<(), StoreError> {
    for row in rows {
        let ord: i32 = row.try_get("ord")?;
        let contact_id: Option<i64> = row.try_get("contact_id")?;
        let peer: Option<i32> = row.try_get("peer")?;
        let Json(evidence): Json<Document> = row.try_get("evidence")?;
        let target = match (contact_id, peer) {
            (Some(contact_id), _) => Target::Contact(ContactId(contact_id)),
            (None, Some(peer)) => Target::Peer(usize::try_from(peer).unwrap_or(usize::MAX)),
            (None, None) => continue,
        };
        let Levels { by } = serde_json::from_str(evidence.text()).unwrap_or_default();
        let candidate = Candidate {
            target,
            tier: tier(row.try_get("tier")?).unwrap_or(Tier::Fuzzy),
            by,
            names: match row.try_get("names")? {
                "agree" => Names::Agree,
                "conflict" => Names::Conflict,
                _ => Names::Unknown,
            },
            score: row.try_get("score")?,
            person: row.try_get("person")?,
            evidence,
        };
        if let Some(found) = usize::try_from(ord).ok().and_then(|ord| found.get_mut(ord)) {
            found.settled = row.try_get("settled")?;
            found.candidates.push(candidate);
        }
    }
    Ok(())
}

/// Of the evidence, what is decided on; the levels of the fields are for the audit.
#[derive(Debug, Default, Deserialize)]
struct Levels {
    by: Vec<Tier>,
}

fn tier(word: &str) -> Option<Tier> {
    Some(match word {
        "external_id" => Tier::ExternalId,
        "email" => Tier::Email,
        "phone" => Tier::Phone,
        "fuzzy" => Tier::Fuzzy,
        "steward" => Tier::Steward,
        _ => return None,
    })
}

/// What the mirror knows of these contacts. Those that are not there are absent.
///
/// # Errors
/// As every statement.
pub async fn known_contacts(
    client: &impl GenericClient,
    contacts: &[ContactId],
) -> Result<BTreeMap<ContactId, KnownContact>, StoreError> {
    let contacts: Vec<i64> = contacts.iter().map(|contact_id| contact_id.0).collect();
    let rows = call::rows(client, "select * from gate.known_contacts($1)", &[&contacts]).await?;
    let mut known = BTreeMap::new();
    for row in rows {
        let contact_id = ContactId(row.try_get("contact_id")?);
        let Json(values): Json<BTreeMap<Field, Value>> = row.try_get("known_values")?;
        let Json(provenance): Json<BTreeMap<Field, Provenance>> = row.try_get("provenance")?;
        let Json(doubted): Json<Vec<(Field, Provenance)>> = row.try_get("doubted")?;
        known.insert(
            contact_id,
            KnownContact {
                contact_id,
                crm_id: row.try_get::<_, Option<String>>("crm_id")?.map(CrmId),
                values: values
                    .into_iter()
                    .filter_map(|(field, value)| text_of(value).map(|text| (field, text)))
                    .collect(),
                provenance,
                doubted,
                additional_emails: row.try_get("additional_emails")?,
                updated_at: row.try_get("updated_at")?,
                noted_since: row.try_get("noted_since")?,
                has_open_intent: row.try_get("has_open_intent")?,
            },
        );
    }
    Ok(known)
}

fn text_of(value: Value) -> Option<String> {
    match value {
        Value::String(text) if text.is_empty() => None,
        Value::String(text) => Some(text),
        Value::Null => None,
        other => Some(other.to_string()),
    }
}

/// Who holds these addresses.
///
/// # Errors
/// As every statement.
pub async fn holders_of_emails(client: &impl GenericClient, emails: &[&str]) -> Result<EmailHolders, StoreError> {
    let rows = call::rows(client, "select * from gate.holders_of_emails($1)", &[&emails]).await?;
    let mut found = EmailHolders::default();
    for row in rows {
        let email: String = row.try_get("email")?;
        if row.try_get("shared")? {
            found.shared.insert(email.clone());
        }
        if let Some(contact_id) = row.try_get::<_, Option<i64>>("contact_id")? {
            found.holders.entry(email).or_default().push(ContactId(contact_id));
        }
    }
    Ok(found)
}

/// Which contacts carry these person keys, or took over a contact that did.
///
/// # Errors
/// As every statement.
pub async fn holders_of_keys(
    client: &impl GenericClient,
    keys: &BTreeSet<String>,
) -> Result<BTreeMap<String, KeyHolder>, StoreError> {
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let rows = call::rows(client, "select * from gate.holders_of_keys($1)", &[&keys]).await?;
    rows.iter()
        .map(|row| {
            let holder = KeyHolder {
                contact_id: ContactId(row.try_get("contact_id")?),
                provisional: row.try_get("provisional")?,
            };
            Ok((row.try_get("gatekeeper_key")?, holder))
        })
        .collect()
}

/// Which of these person keys belong to people who were erased in the CRM.
///
/// # Errors
/// As every statement.
pub async fn erased_keys(client: &impl GenericClient, keys: &BTreeSet<String>) -> Result<BTreeSet<String>, StoreError> {
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let rows = call::rows(client, "select * from gate.erased_keys($1)", &[&keys]).await?;
    rows.iter().map(|row| Ok(row.try_get("person_key")?)).collect()
}

#[cfg(test)]
mod tests {
    use super::is_in_first_part;

    #[test]
    fn leads_at_equal_distances_are_halved() {
        for distance in [1, 2, 3, 4, 5, 8, 10, 50] {
            let places = (0..250 / distance).map(|place| place * distance);
            let all = places.clone().count();
            let first = places.filter(|place| is_in_first_part(*place)).count();
            assert!(
                first.abs_diff(all - first) <= 2 + all / 5,
                "{first} of {all} at every {distance}"
            );
        }
    }
}
