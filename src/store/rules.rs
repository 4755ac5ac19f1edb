//! Rules: the policy in force, the normalizer's lists, and what belongs to this installation.

use std::collections::BTreeSet;

use deadpool_postgres::GenericClient;
use serde::Deserialize;
use tokio_postgres::types::Json;

use super::{StoreError, call};
use crate::decide::Policy;

/// The lists that stewards keep for the normalizer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct StewardLists {
    /// Words that do not tell companies apart.
    pub company_suffixes: BTreeSet<String>,
    /// Texts that stand for no value.
    pub junk_values: BTreeSet<String>,
}

/// The version of the rules in force.
///
/// # Errors
/// As every statement.
pub async fn policy_version(client: &impl GenericClient) -> Result<i64, StoreError> {
    Ok(call::row(client, "select gate.policy_version()", &[])
        .await?
        .try_get(0)?)
}

/// All rules that a decision looks at.
///
/// # Errors
/// As every statement.
pub async fn read_policy(client: &impl GenericClient) -> Result<Policy, StoreError> {
    let Json(policy) = call::row(client, "select gate.read_policy()", &[]).await?.try_get(0)?;
    Ok(policy)
}

/// Sources that have brought leads and are not entered in `rules.source`, with the number of their leads that wait for that.
///
/// # Errors
/// As every statement.
pub async fn unranked_sources(client: &impl GenericClient) -> Result<Vec<(String, i64)>, StoreError> {
    let rows = call::rows(client, "select * from gate.unranked_sources()", &[]).await?;
    rows.iter()
        .map(|row| Ok((row.try_get("source")?, row.try_get("leads")?)))
        .collect()
}

/// The normalizer's lists.
///
/// # Errors
/// As every statement.
pub async fn read_lists(client: &impl GenericClient) -> Result<StewardLists, StoreError> {
    let Json(lists) = call::row(client, "select gate.read_lists()", &[]).await?.try_get(0)?;
    Ok(lists)
}

/// Fills lists that nobody has touched with the built-in ones.
///
/// # Errors
/// As every statement.
pub async fn fill_lists(
    client: &impl GenericClient,
    company_suffixes: &[String],
    junk_values: &[String],
) -> Result<(), StoreError> {
    call::rows(
        client,
        "select gate.fill_lists($1, $2)",
        &[&company_suffixes, &junk_values],
    )
    .await?;
    Ok(())
}

/// The secret with which person keys are made.
///
/// # Errors
/// As every statement.
pub async fn person_key_secret(client: &impl GenericClient) -> Result<Vec<u8>, StoreError> {
    Ok(call::row(client, "select person_key from gate.site", &[])
        .await?
        .try_get(0)?)
}

/// Notes the CRM account. `false`: the mirror was filled from another one.
///
/// # Errors
/// As every statement.
pub async fn note_account(
    client: &impl GenericClient,
    account_id: &str,
    time_zone: Option<&str>,
    has_unique_key: bool,
) -> Result<bool, StoreError> {
    let row = call::row(
        client,
        "select gate.note_account($1, $2, $3)",
        &[&account_id, &time_zone, &has_unique_key],
    )
    .await?;
    Ok(row.try_get(0)?)
}
