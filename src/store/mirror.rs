//! Mirror: writes what the CRM returned, and says how old it is.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use deadpool_postgres::GenericClient;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};
use tokio_postgres::Row;
use tokio_postgres::types::Json;

use super::intend::Columns;
use super::matching::StoredKeys;
use super::{StoreError, call};
use crate::domain::{CANONICAL, ContactId, CrmId, Field, MatchKeys, Record};
use crate::normalize::Normalizer;

/// What writing contacts changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    /// Contacts that the mirror lacked, although it should have had them: they did not change after the last window.
    pub missing: i64,
    /// Contacts that were older in the mirror, although they should not have been.
    pub stale: i64,
    /// Contacts that were in the mirror in the same version and yet different.
    pub differing: i64,
}

/// Contacts ready to be written: with the keys by which they are found. Made off the async threads.
#[derive(Debug, Clone)]
pub struct MirrorRows {
    rows: Vec<MirrorRow>,
    normalizer: String,
}

impl MirrorRows {
    /// Derives the keys of these contacts. Of one that is there twice the newest version counts.
    pub fn new(records: &[Record], normalizer: &Normalizer) -> Self {
        let mut newest: BTreeMap<&str, &Record> = BTreeMap::new();
        for record in records {
            let known = newest.entry(&record.crm_id).or_insert(record);
            if record.updated_at > known.updated_at {
                *known = record;
            }
        }
        Self {
            rows: newest
                .values()
                .map(|record| MirrorRow::new(record, &normalizer.record(record).keys))
                .collect(),
            normalizer: normalizer.version().to_owned(),
        }
    }

    /// How many contacts.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// No contact.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Each contact by itself.
    pub fn one_by_one(&self) -> impl Iterator<Item = MirrorRows> {
        self.rows.iter().map(|row| MirrorRows {
            rows: vec![row.clone()],
            normalizer: self.normalizer.clone(),
        })
    }

    /// The id of the first contact, for the log.
    pub fn first_id(&self) -> Option<&str> {
        Some(&self.rows.first()?.crm_id)
    }

    /// Writes them. An older version never overwrites a newer one.
    ///
    /// # Errors
    /// As every statement; none of them is written then.
    pub async fn write(&self, client: &impl GenericClient) -> Result<Written, StoreError> {
        let documents: Vec<&RawValue> = self.rows.iter().map(|row| &*row.document).collect();
        let row = call::row(
            client,
            "select * from gate.mirror_write($1, $2)",
            &[&Json(documents), &self.normalizer],
        )
        .await?;
        Ok(Written {
            missing: row.try_get("missing")?,
            stale: row.try_get("stale")?,
            differing: row.try_get("differing")?,
        })
    }
}

/// Writes contacts with the keys by which they are found. An older version never overwrites a newer one.
///
/// # Errors
/// As every statement; nothing of the page is written then.
pub async fn mirror_write(
    client: &impl GenericClient,
    records: &[Record],
    normalizer: &Normalizer,
) -> Result<Written, StoreError> {
    MirrorRows::new(records, normalizer).write(client).await
}

/// One contact as the database takes it, in text: whoever writes it does not have to make it.
#[derive(Debug, Clone)]
struct MirrorRow {
    crm_id: String,
    document: Box<RawValue>,
}

impl MirrorRow {
    fn new(record: &Record, keys: &MatchKeys) -> Self {
        let document = RecordDocument {
            crm_id: &record.crm_id,
            gatekeeper_key: record.gatekeeper_key.as_deref(),
            values: Columns(&record.values),
            additional_emails: &record.additional_emails,
            created_at: record.created_at,
            updated_at: record.updated_at,
            archived: record.archived,
            absorbed_ids: &record.absorbed_ids,
            keys: StoredKeys::of(keys),
        };
        Self {
            crm_id: record.crm_id.clone(),
            // Names and texts always make a document.
            document: to_raw_value(&document).unwrap_or_default(),
        }
    }
}

#[derive(Debug, Serialize)]
struct RecordDocument<'a> {
    crm_id: &'a str,
    gatekeeper_key: Option<&'a str>,
    #[serde(flatten)]
    values: Columns<'a>,
    additional_emails: &'a [String],
    created_at: Option<DateTime<Utc>>,
    updated_at: Option<DateTime<Utc>>,
    archived: bool,
    absorbed_ids: &'a [CrmId],
    keys: StoredKeys<'a>,
}

/// The fields that the mirror holds.
///
/// # Errors
/// As every statement.
pub async fn mirrored_fields(client: &impl GenericClient) -> Result<Vec<String>, StoreError> {
    Ok(call::row(client, "select gate.mirrored_fields()", &[])
        .await?
        .try_get(0)?)
}

/// Contacts that a complete pass did not see, by number above `after`.
///
/// # Errors
/// As every statement.
pub async fn ghosts(
    client: &impl GenericClient,
    started_at: DateTime<Utc>,
    after: ContactId,
    limit: usize,
) -> Result<Vec<(ContactId, String)>, StoreError> {
    let limit = i32::try_from(limit).unwrap_or(i32::MAX);
    let rows = call::rows(
        client,
        "select * from gate.ghosts($1, $2, $3)",
        &[&started_at, &after.0, &limit],
    )
    .await?;
    rows.iter()
        .map(|row| Ok((ContactId(row.try_get("contact_id")?), row.try_get("crm_id")?)))
        .collect()
}

/// How old the mirror is; absent before the first full load.
///
/// # Errors
/// As every statement.
pub async fn mirror_age(client: &impl GenericClient) -> Result<Option<Duration>, StoreError> {
    let row = call::row(client, "select * from gate.mirror_age_seconds()", &[]).await?;
    let seconds: Option<f64> = row.try_get(0)?;
    Ok(seconds.map(|seconds| Duration::from_secs_f64(seconds.max(0.0))))
}

/// Contacts whose keys an older normalizer derived.
///
/// # Errors
/// As every statement.
pub async fn outdated_keys(
    client: &impl GenericClient,
    normalizer: &str,
    limit: i32,
) -> Result<Vec<(ContactId, Value)>, StoreError> {
    let asked = "select * from gate.outdated_keys($1, $2)";
    let rows = call::rows(client, asked, &[&normalizer, &limit]).await?;
    rows.iter().map(contact_to_read).collect()
}

/// Contacts to whose keys leads had added that are settled now.
///
/// # Errors
/// As every statement.
pub async fn grown_keys(client: &impl GenericClient, limit: i32) -> Result<Vec<(ContactId, Value)>, StoreError> {
    let rows = call::rows(client, "select * from gate.grown_keys($1)", &[&limit]).await?;
    rows.iter().map(contact_to_read).collect()
}

pub(super) fn contact_to_read(row: &Row) -> Result<(ContactId, Value), StoreError> {
    let Json(contact): Json<Value> = row.try_get("contact")?;
    Ok((ContactId(row.try_get("contact_id")?), contact))
}

/// Stores keys that were derived anew from contacts as [`outdated_keys`] and [`grown_keys`] return them; not of one that
/// has changed since.
///
/// # Errors
/// As every statement.
pub async fn rederive_keys(
    client: &impl GenericClient,
    derived: &[(ContactId, Value, MatchKeys)],
    normalizer: &str,
) -> Result<(), StoreError> {
    let rows: Vec<Value> = derived
        .iter()
        .map(|(contact_id, contact, keys)| {
            let mut row = json!(StoredKeys::of(keys));
            row["contact_id"] = json!(contact_id);
            row["seen_at"] = contact["seen_at"].clone();
            row
        })
        .collect();
    call::rows(
        client,
        "select gate.rederive_keys($1, $2)",
        &[&Json(Value::Array(rows)), &normalizer],
    )
    .await?;
    Ok(())
}

/// A row of `crm.contact` as the normalizer takes it.
pub fn mirrored_record(contact: &Value) -> Record {
    let text = |field: &Field| {
        contact[field.name()]
            .as_str()
            .map(|value| (field.clone(), value.to_owned()))
    };
    let additional = contact["additional_emails"].as_array().into_iter().flatten();
    Record {
        values: CANONICAL.iter().filter_map(text).collect(),
        additional_emails: additional
            .filter_map(|email| email.as_str().map(str::to_owned))
            .collect(),
        ..Record::default()
    }
}
