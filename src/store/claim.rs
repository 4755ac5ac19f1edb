//! Claim: takes leads that are due, and hands back those that could not be worked on.

use std::collections::BTreeMap;
use std::time::Duration;

use deadpool_postgres::GenericClient;
use serde_json::Value;
use tokio_postgres::Row;

use super::{StoreError, call};
use crate::domain::{CANONICAL, Lead, LeadId, Refusal, ReplicaId};

/// Text of the `properties` column up to this length is read; more is refused.
const PROPERTIES_BYTES: usize = 262_144;

/// Text of one claim at the most, so that a batch of huge rows does not fill the memory.
const CLAIM_BYTES: i64 = 8 * 1024 * 1024;

/// A claimed lead.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// The lead.
    pub lead: Lead,
    /// The staging row is there; somebody may have deleted it.
    pub is_there: bool,
    /// What could not be read of it.
    pub refused: Vec<Refusal>,
    /// It is decided for show: a brake wants to know how much its source would write.
    pub rehearse: bool,
}

/// Takes up to `limit` leads that are due, oldest first.
///
/// # Errors
/// Nothing is claimed on an error, or the claims lapse with the lease.
pub async fn claim_leads(
    client: &impl GenericClient,
    replica: ReplicaId,
    limit: usize,
    suspect_claims: i32,
) -> Result<Vec<Claimed>, StoreError> {
    let limit = i32::try_from(limit).unwrap_or(i32::MAX);
    let rows = call::rows(
        client,
        "select * from gate.claim_leads($1, $2, $3, $4)",
        &[&replica.0, &limit, &CLAIM_BYTES, &suspect_claims],
    )
    .await?;
    rows.iter().map(claimed).collect()
}

/// Leads as they would be claimed, without being claimed. Those that are not there are absent.
///
/// # Errors
/// As every statement.
pub async fn read_leads(client: &impl GenericClient, leads: &[i64]) -> Result<Vec<Claimed>, StoreError> {
    let rows = call::rows(client, "select * from gate.read_leads($1)", &[&leads]).await?;
    rows.iter().map(claimed).collect()
}

fn claimed(row: &Row) -> Result<Claimed, StoreError> {
    let mut values = BTreeMap::new();
    for field in CANONICAL {
        if let Some(text) = row.try_get::<_, Option<String>>(field.name())? {
            values.insert(field.clone(), text);
        }
    }
    let mut refused = Vec::new();
    let properties = row
        .try_get::<_, Option<String>>("properties")?
        .and_then(|text| match properties(&text) {
            Ok(value) => Some(value),
            Err(reason) => {
                refused.push(Refusal {
                    field: crate::domain::Field::from_name("properties"),
                    reason: reason.to_owned(),
                });
                None
            }
        });
    Ok(Claimed {
        lead: Lead {
            lead_id: LeadId(row.try_get("lead_id")?),
            source: row.try_get("source")?,
            source_key: row.try_get("source_key")?,
            values,
            full_name: row.try_get("full_name")?,
            properties,
            occurred_at: row.try_get("occurred_at")?,
            epoch: row.try_get("epoch")?,
            claims: row.try_get("claims")?,
        },
        is_there: row.try_get("is_there")?,
        refused,
        rehearse: row.try_get("rehearse")?,
    })
}

fn properties(text: &str) -> Result<Value, &'static str> {
    if text.len() > PROPERTIES_BYTES {
        return Err("too_long");
    }
    serde_json::from_str(text).map_err(|error| {
        // Postgres takes any depth and numbers of any size; the parser does not.
        if error.to_string().contains("recursion") {
            "too_deep"
        } else {
            "not_readable"
        }
    })
}

/// Hands claims back, to be taken again after `delay`: clean, or charged, so that the one that is to blame is found.
///
/// # Errors
/// The claims then lapse with the lease.
pub async fn release_leads(
    client: &impl GenericClient,
    replica: ReplicaId,
    leads: &[LeadId],
    delay: Duration,
    charged: bool,
) -> Result<(), StoreError> {
    let leads: Vec<i64> = leads.iter().map(|lead_id| lead_id.0).collect();
    call::rows(
        client,
        "select gate.release_leads($1, $2, $3, $4)",
        &[&replica.0, &leads, &delay.as_secs_f64(), &charged],
    )
    .await?;
    Ok(())
}

/// Hands back clean all that a replica has claimed; how many.
///
/// # Errors
/// As every statement; the claims stay as they are.
pub async fn release_claims(client: &impl GenericClient, replica: ReplicaId) -> Result<i64, StoreError> {
    Ok(call::row(client, "select gate.release_claims($1)", &[&replica.0])
        .await?
        .try_get(0)?)
}

/// How long until the next lead is due; absent when none waits, zero when one is due.
///
/// # Errors
/// As every statement.
pub async fn next_due(client: &impl GenericClient) -> Result<Option<Duration>, StoreError> {
    let row = call::row(client, "select gate.next_due()", &[]).await?;
    let seconds: Option<f64> = row.try_get(0)?;
    Ok(seconds.map(|seconds| Duration::from_secs_f64(seconds.clamp(0.0, 86_400.0))))
}

/// Whether no lead is ready, claimed or being written.
///
/// # Errors
/// As every statement.
pub async fn is_idle(client: &impl GenericClient) -> Result<bool, StoreError> {
    Ok(call::row(client, "select gate.is_idle()", &[]).await?.try_get(0)?)
}
