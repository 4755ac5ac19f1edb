//! Found: what a scan for duplicates found, for people, and what they say of it.

use chrono::{DateTime, Utc};
use deadpool_postgres::GenericClient;
use serde::Serialize;
use serde_json::Value;
use tokio_postgres::types::Json;

use super::{StoreError, call};

/// A contact in a group of duplicates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Member {
    /// Its group.
    pub group_id: i64,
    /// Why a person must look at the group.
    pub flags: Vec<String>,
    /// The contact.
    pub contact_id: i64,
    /// Its id in the CRM.
    pub crm_id: String,
    /// Given name.
    pub first_name: Option<String>,
    /// Family name.
    pub last_name: Option<String>,
    /// Company.
    pub company: Option<String>,
    /// Primary address.
    pub email: Option<String>,
    /// Phone.
    pub phone: Option<String>,
    /// Town.
    pub city: Option<String>,
    /// Id in the leading system.
    pub external_id: Option<String>,
    /// When the CRM made it.
    pub created_at: Option<DateTime<Utc>>,
    /// When the CRM last changed it.
    pub updated_at: Option<DateTime<Utc>>,
}

/// Two contacts that are, or may be, one person.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Pair {
    /// One contact.
    pub left_contact_id: i64,
    /// Its id in the CRM.
    pub left_crm_id: String,
    /// The other.
    pub right_contact_id: i64,
    /// Its id in the CRM.
    pub right_crm_id: String,
    /// The strongest identifier that both carry, or `fuzzy`.
    pub tier: String,
    /// In bits.
    pub score: f32,
    /// `duplicate` or `possible`.
    pub verdict: String,
    /// The level of each field that both have.
    pub evidence: Value,
    /// Their group, if they are in one.
    pub group_id: Option<i64>,
}

/// When the last scan ended; absent when there was none.
///
/// # Errors
/// As every statement.
pub async fn last_scan(client: &impl GenericClient) -> Result<Option<DateTime<Utc>>, StoreError> {
    Ok(call::row(client, "select gate.last_scan()", &[]).await?.try_get(0)?)
}

/// The members of groups, group by group, at most so many.
///
/// # Errors
/// As every statement.
pub async fn list_members(
    client: &impl GenericClient,
    flagged: bool,
    limit: Option<i64>,
) -> Result<Vec<Member>, StoreError> {
    let rows = call::rows(client, "select * from gate.list_members($1, $2)", &[&flagged, &limit]).await?;
    rows.iter()
        .map(|row| {
            Ok(Member {
                group_id: row.try_get("group_id")?,
                flags: row.try_get("flags")?,
                contact_id: row.try_get("contact_id")?,
                crm_id: row.try_get("crm_id")?,
                first_name: row.try_get("first_name")?,
                last_name: row.try_get("last_name")?,
                company: row.try_get("company")?,
                email: row.try_get("email")?,
                phone: row.try_get("phone")?,
                city: row.try_get("city")?,
                external_id: row.try_get("external_id")?,
                created_at: row.try_get("created_at")?,
                updated_at: row.try_get("updated_at")?,
            })
        })
        .collect()
}

/// Pairs of one verdict (absent: of both), the surest first, at most so many.
///
/// # Errors
/// As every statement.
pub async fn list_pairs(
    client: &impl GenericClient,
    verdict: Option<&str>,
    limit: Option<i64>,
) -> Result<Vec<Pair>, StoreError> {
    let rows = call::rows(client, "select * from gate.list_pairs($1, $2)", &[&verdict, &limit]).await?;
    rows.iter()
        .map(|row| {
            let Json(evidence) = row.try_get("evidence")?;
            Ok(Pair {
                left_contact_id: row.try_get("left_contact_id")?,
                left_crm_id: row.try_get("left_crm_id")?,
                right_contact_id: row.try_get("right_contact_id")?,
                right_crm_id: row.try_get("right_crm_id")?,
                tier: row.try_get("tier")?,
                score: row.try_get("score")?,
                verdict: row.try_get("verdict")?,
                evidence,
                group_id: row.try_get("group_id")?,
            })
        })
        .collect()
}

/// Says that two contacts are two people, by their ids in the CRM. `false`: one of them is not there.
///
/// # Errors
/// As every statement.
pub async fn tell_apart(client: &impl GenericClient, one: &str, other: &str, note: &str) -> Result<bool, StoreError> {
    Ok(
        call::row(client, "select gate.tell_apart($1, $2, $3)", &[&one, &other, &note])
            .await?
            .try_get(0)?,
    )
}
