//! Ahead: what has changed since leads were matched that are decided only now.

use deadpool_postgres::GenericClient;
use serde_json::Value;
use tokio_postgres::types::Json;

use super::{StoreError, call};
use crate::domain::ContactId;

/// What a statement sees: which transactions, on which server, and when. The database reads it; nobody else does.
#[derive(Debug, Clone)]
pub struct Sight(Value);

/// A contact whose keys have changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedKeys {
    /// Which. It may be gone.
    pub contact_id: ContactId,
    /// Addresses, numbers and the external id by which it is found now.
    pub identifiers: Vec<String>,
    /// Its blocks now, by their numbers.
    pub blocks: Vec<i32>,
}

/// What a statement sees that begins now.
///
/// # Errors
/// As every statement.
pub async fn sight_now(client: &impl GenericClient) -> Result<Sight, StoreError> {
    let Json(sight) = call::row(client, "select gate.sight_now()", &[]).await?.try_get(0)?;
    Ok(Sight(sight))
}

/// Whose keys have changed since then. `None`: nobody can tell.
///
/// # Errors
/// As every statement.
pub async fn keys_changed_since(
    client: &impl GenericClient,
    sight: &Sight,
) -> Result<Option<Vec<ChangedKeys>>, StoreError> {
    let rows = call::rows(client, "select * from gate.keys_changed_since($1)", &[&Json(&sight.0)]).await?;
    let mut changed = Vec::with_capacity(rows.len());
    for row in rows {
        let Some(contact_id) = row.try_get("contact_id")? else {
            return Ok(None);
        };
        changed.push(ChangedKeys {
            contact_id: ContactId(contact_id),
            identifiers: row.try_get("identifiers")?,
            blocks: row.try_get("blocks")?,
        });
    }
    Ok(Some(changed))
}
