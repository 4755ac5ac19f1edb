//! Calling a function of the database: prepared once for each connection, rows out, errors in our own words.

use deadpool_postgres::GenericClient;
use serde_json::Value;
use tokio_postgres::Row;
use tokio_postgres::types::{Json, ToSql};

use super::StoreError;

/// All rows of `select * from function($1, …)`.
pub(super) async fn rows(
    client: &impl GenericClient,
    statement: &str,
    parameters: &[&(dyn ToSql + Sync)],
) -> Result<Vec<Row>, StoreError> {
    let prepared = client.prepare_cached(statement).await?;
    Ok(client.query(&prepared, parameters).await?)
}

/// The one row of a function that always returns one.
pub(super) async fn row(
    client: &impl GenericClient,
    statement: &str,
    parameters: &[&(dyn ToSql + Sync)],
) -> Result<Row, StoreError> {
    let prepared = client.prepare_cached(statement).await?;
    Ok(client.query_one(&prepared, parameters).await?)
}

/// The row of a function that may return none.
pub(super) async fn maybe_row(
    client: &impl GenericClient,
    statement: &str,
    parameters: &[&(dyn ToSql + Sync)],
) -> Result<Option<Row>, StoreError> {
    let prepared = client.prepare_cached(statement).await?;
    Ok(client.query_opt(&prepared, parameters).await?)
}

/// The documents that a function returns, one a row; null where a row holds none.
pub(super) async fn documents(
    client: &impl GenericClient,
    statement: &str,
    parameters: &[&(dyn ToSql + Sync)],
) -> Result<Vec<Value>, StoreError> {
    let rows = rows(client, statement, parameters).await?;
    rows.iter()
        .map(|row| {
            let document: Option<Json<Value>> = row.try_get(0)?;
            Ok(document.map_or(Value::Null, |Json(document)| document))
        })
        .collect()
}
