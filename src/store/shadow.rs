//! Shadow: leads that were decided for show, and how they become real.

use deadpool_postgres::GenericClient;
use serde_json::Value;

use super::{StoreError, call};

/// What leads in shadow would have done, by source; each as a row of `report.shadow_summary`.
///
/// # Errors
/// As every statement.
pub async fn summary(client: &impl GenericClient) -> Result<Vec<Value>, StoreError> {
    call::documents(
        client,
        "select to_jsonb(summary) from report.shadow_summary as summary order by source",
        &[],
    )
    .await
}

/// What they would have written, the newest first; each as a row of `report.shadow_diff`.
///
/// # Errors
/// As every statement.
pub async fn diff(client: &impl GenericClient, source: Option<&str>, limit: i64) -> Result<Vec<Value>, StoreError> {
    call::documents(
        client,
        "select to_jsonb(diff) from gate.shadow_diff($1, $2) as diff",
        &[&source, &limit],
    )
    .await
}

/// Puts sources into shadow or takes them out; all of them, when none is named. Returns those whose state changed.
///
/// # Errors
/// As every statement.
pub async fn set_shadow(
    client: &impl GenericClient,
    sources: Option<&[String]>,
    shadow: bool,
) -> Result<Vec<String>, StoreError> {
    let rows = call::rows(client, "select gate.set_shadow($1, $2)", &[&sources, &shadow]).await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// Puts leads that were decided in shadow back to work; how many. `dry_run`: only counts.
///
/// # Errors
/// As every statement.
pub async fn replay_shadow(
    client: &impl GenericClient,
    source: Option<&str>,
    limit: i64,
    note: Option<&str>,
    dry_run: bool,
) -> Result<i64, StoreError> {
    Ok(call::row(
        client,
        "select gate.replay_shadow($1, $2, $3, $4)",
        &[&source, &limit, &note, &dry_run],
    )
    .await?
    .try_get(0)?)
}
