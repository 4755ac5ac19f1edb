//! Burying: contacts that are not among the CRM's living any more, and the people whom somebody erased.

use deadpool_postgres::GenericClient;
use serde_json::{Value, json};
use tokio_postgres::types::Json;

use super::mirror::{contact_to_read, mirrored_record};
use super::{StoreError, call};
use crate::decide::{Founding, PersonKeys};
use crate::domain::{Absent, Gone};
use crate::normalize::Normalizer;

/// What the mirror knows of contacts that a read by their ids did not find.
///
/// # Errors
/// As every statement.
pub async fn absent(client: &impl GenericClient, crm_ids: &[String]) -> Result<Vec<Absent>, StoreError> {
    let rows = call::rows(client, "select * from gate.addresses_of($1)", &[&crm_ids]).await?;
    rows.iter()
        .map(|row| {
            Ok(Absent {
                crm_id: row.try_get("crm_id")?,
                emails: row.try_get("emails")?,
            })
        })
        .collect()
}

/// Notes that contacts are gone; how many had been taken for living. Of an erased one only the keyed hashes stay by which
/// a later lead is known again (`gate.erased_key`): no value, and not where it came from.
///
/// # Errors
/// As every statement.
pub async fn bury(
    client: &impl GenericClient,
    gone: &Gone,
    normalizer: &Normalizer,
    person_keys: &PersonKeys,
) -> Result<i64, StoreError> {
    let mut buried = 0;
    for (crm_ids, reason) in [(&gone.archived, "archived"), (&gone.missing, "missing")] {
        if !crm_ids.is_empty() {
            let row = call::row(client, "select gate.bury_contacts($1, $2)", &[crm_ids, &reason]).await?;
            buried += row.try_get::<_, i64>(0)?;
        }
    }
    if !gone.erased.is_empty() {
        let rows = call::rows(client, "select * from gate.contacts_to_erase($1)", &[&gone.erased]).await?;
        let people = rows.iter().map(|row| {
            let (contact_id, contact) = contact_to_read(row)?;
            let normalized = normalizer.record(&mirrored_record(&contact));
            let keys: Vec<String> = Founding::each(&normalized.keys)
                .iter()
                .map(|founding| person_keys.key(founding))
                .collect();
            Ok(json!({"contact_id": contact_id, "person_keys": keys}))
        });
        let people: Vec<Value> = people.collect::<Result<_, StoreError>>()?;
        if !people.is_empty() {
            let erased = people.len();
            let row = call::row(client, "select gate.bury_erased($1)", &[&Json(Value::Array(people))]).await?;
            buried += row.try_get::<_, i64>(0)?;
            tracing::info!(
                erased,
                "people were erased in the CRM; what the mirror held of them is gone too"
            );
        }
    }
    Ok(buried)
}
