//! Match: asks the database who the leads of a batch are, and what is known of the people found.

use std::collections::{BTreeMap, BTreeSet};

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
use crate::normalize::is_of_names;

/// Who holds which address, and which addresses do not identify one person.
#[derive(Debug, Clone, Default)]
pub struct EmailHolders {
    /// Contacts by address.
    pub holders: BTreeMap<String, Vec<ContactId>>,
    /// Addresses that do not identify one person.
    pub shared: BTreeSet<String>,
}

/// The number under which a blocking key is stored: the first 31 bits of its SHA-256, and a last one that tells those of names
/// alone, which are odd.
pub fn block_hash(block: &str) -> i32 {
    let hash = Sha256::digest(block.as_bytes());
    let mut bytes = [0; 4];
    bytes.copy_from_slice(&hash[..4]);
    let number = i32::from_be_bytes(bytes);
    match is_of_names(block) {
        true => number | 1,
        false => number & !1,
    }
}

/// The keys as the database takes them: blocks by their numbers, without their texts.
#[derive(Debug, Serialize)]
pub(super) struct StoredKeys<'a> {
    external_id: Option<&'a str>,
    emails: &'a [String],
    loose_emails: &'a [String],
    phones: &'a [String],
    first_name: Option<&'a str>,
    last_name: Option<&'a str>,
    company: Option<&'a str>,
    email_domain: Option<&'a str>,
    email_local: Option<&'a str>,
    city: Option<&'a str>,
    country: Option<&'a str>,
    phone_tails: &'a [String],
    extensions: &'a [String],
    address_first: Option<&'a str>,
    address_last: Option<&'a str>,
    generation: Option<&'a str>,
    email_fit: Option<&'a str>,
    street: Option<&'a str>,
    postal_code: Option<&'a str>,
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

/// From this many leads on a batch is matched in two parts at once.
const WORTH_PARTING: usize = 64;

/// Candidates of each lead, in the leads' order, best first. `other` matches half of a large batch meanwhile; it must see
/// what `client` sees, so its caller holds the people's lock on `client` and has changed nothing about people yet.
///
/// # Errors
/// As every statement.
pub async fn match_leads(
    client: &impl GenericClient,
    other: &impl GenericClient,
    leads: &[&Normalized],
) -> Result<Vec<Vec<Candidate>>, StoreError> {
    let subjects: Vec<Subject<'_>> = leads
        .iter()
        .zip(1..)
        .map(|(lead, place)| Subject {
            contact_id: -place,
            keys: StoredKeys::of(&lead.keys),
        })
        .collect();
    let subjects = Json(subjects);
    let mut candidates = vec![Vec::new(); leads.len()];
    if leads.len() < WORTH_PARTING {
        add_candidates(&part(client, &subjects, 0, 1).await?, &mut candidates)?;
    } else {
        let (even, odd) = tokio::try_join!(part(client, &subjects, 0, 2), part(other, &subjects, 1, 2))?;
        add_candidates(&even, &mut candidates)?;
        add_candidates(&odd, &mut candidates)?;
    }
    Ok(candidates)
}

async fn part(
    client: &impl GenericClient,
    subjects: &Json<Vec<Subject<'_>>>,
    part: i32,
    parts: i32,
) -> Result<Vec<Row>, StoreError> {
    let asked = "select * from gate.match_leads($1, $2, $3)";
    call::rows(client, asked, &[subjects, &part, &parts]).await
}

fn add_candidates(rows: &[Row], candidates: &mut [Vec<Candidate>]) -> Result<(), StoreError> {
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
        let found = Candidate {
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
        if let Some(list) = usize::try_from(ord).ok().and_then(|ord| candidates.get_mut(ord)) {
            list.push(found);
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
