//! Authors: who changed a value in the CRM.

use deadpool_postgres::GenericClient;
use serde_json::json;
use tokio_postgres::types::Json;

use super::{StoreError, call};
use crate::domain::Field;

/// A contact with changes of which nobody has asked yet who made them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unasked {
    /// The contact.
    pub crm_id: String,
    /// The fields that were changed.
    pub fields: Vec<Field>,
}

/// Who made a change, as the CRM's history tells.
#[derive(Debug, Clone, PartialEq)]
pub struct Authored {
    /// The contact.
    pub crm_id: String,
    /// The field.
    pub field: Field,
    /// What it was set to; empty: cleared.
    pub value: String,
    /// When.
    pub changed_at: chrono::DateTime<chrono::Utc>,
    /// A person, and no other integration.
    pub by_person: bool,
}

/// At most `limit` contacts whose changes nobody has asked about.
///
/// # Errors
/// As every statement.
pub async fn unasked_changes(client: &impl GenericClient, limit: usize) -> Result<Vec<Unasked>, StoreError> {
    let limit = i32::try_from(limit).unwrap_or(i32::MAX);
    let rows = call::rows(client, "select * from gate.unasked_changes($1)", &[&limit]).await?;
    rows.iter()
        .map(|row| {
            let fields: Vec<String> = row.try_get("fields")?;
            Ok(Unasked {
                crm_id: row.try_get("crm_id")?,
                fields: fields.iter().map(|field| Field::from_name(field)).collect(),
            })
        })
        .collect()
}

/// Notes who made the changes that were asked about.
///
/// # Errors
/// As every statement; they are asked about again.
pub async fn note_authors(client: &impl GenericClient, asked: &[Unasked], told: &[Authored]) -> Result<(), StoreError> {
    let asked: Vec<_> = asked
        .iter()
        .map(|asked| json!({"crm_id": asked.crm_id, "fields": asked.fields}))
        .collect();
    let told: Vec<_> = told
        .iter()
        .map(|told| {
            let author = if told.by_person { "person" } else { "integration" };
            json!({
                "crm_id": told.crm_id, "field": told.field, "value": told.value, "changed_at": told.changed_at,
                "author": author,
            })
        })
        .collect();
    call::rows(client, "select gate.note_authors($1, $2)", &[&Json(asked), &Json(told)]).await?;
    Ok(())
}
