//! Back-test: decisions of the past, page by page, and rules as a file would make them.

use chrono::{DateTime, Utc};
use deadpool_postgres::GenericClient;
use serde::Deserialize;
use tokio_postgres::types::Json;

use super::learn::{MatchWeight, match_weights};
use super::rules::read_policy;
use super::{Client, StoreError, call};
use crate::decide::Policy;
use crate::domain::Names;

/// Which decisions there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PastRange {
    /// The number before the first of them.
    pub after_id: i64,
    /// The last of them.
    pub until_id: i64,
    /// How many.
    pub decisions: i64,
}

/// A decision with what it was made on.
#[derive(Debug, Clone)]
pub struct PastDecision {
    /// Its number.
    pub decision_id: i64,
    /// The lead.
    pub lead_id: i64,
    /// Its source.
    pub source: Option<String>,
    /// What was decided.
    pub action: String,
    /// What identified the person.
    pub tier: Option<String>,
    /// The person.
    pub contact_id: Option<i64>,
    /// Reason code.
    pub reason: Option<String>,
    /// When it was decided.
    pub decided_at: DateTime<Utc>,
    /// When the source had seen the lead.
    pub seen_at: DateTime<Utc>,
    /// The lead has no name.
    pub nameless: bool,
    /// Whom it was compared with.
    pub candidates: Vec<PastCandidate>,
    /// Fields in which it differed.
    pub changes: Vec<PastChange>,
    /// Not to be counted: of another source, or decided again since.
    pub superseded: bool,
}

/// Whom a lead was compared with.
#[derive(Debug, Clone, Deserialize)]
pub struct PastCandidate {
    /// Who; absent for a lead of the same batch that became nobody.
    pub contact_id: Option<i64>,
    /// What the names said.
    pub names: Names,
    /// Sum of the match weights; absent where no comparison stood behind it.
    pub score: Option<f32>,
    /// Candidates with the same number are one person.
    #[serde(default)]
    pub person: Option<i32>,
    /// The level of each field, its weight, and by which identifiers it was found.
    pub levels: serde_json::Value,
}

/// A field in which a lead differed.
#[derive(Debug, Clone, Deserialize)]
pub struct PastChange {
    /// The field.
    pub field: String,
    /// What the lead brought.
    pub new_value: Option<String>,
    /// What was ruled.
    pub verdict: String,
    /// By which rule.
    pub rule: String,
    /// What stood there.
    pub old_value: Option<String>,
    /// Who had set that.
    pub old_source: Option<String>,
    /// When that source had seen it.
    pub old_seen_at: Option<DateTime<Utc>>,
    /// When a person had last set or cleared the field.
    pub old_edited_at: Option<DateTime<Utc>>,
    /// That was clearing it.
    pub old_cleared: bool,
}

/// Rules, as far as a decision looks at them.
#[derive(Debug, Clone)]
pub struct RuleSet {
    /// Ranks, policies, thresholds.
    pub policy: Policy,
    /// Match weights.
    pub weights: Vec<MatchWeight>,
}

/// Which decisions were made in a time.
///
/// # Errors
/// As every statement.
pub async fn past_range(
    client: &impl GenericClient,
    since: DateTime<Utc>,
    until: Option<DateTime<Utc>>,
) -> Result<PastRange, StoreError> {
    let row = call::row(client, "select * from gate.past_range($1, $2)", &[&since, &until]).await?;
    Ok(PastRange {
        after_id: row.try_get("after_id")?,
        until_id: row.try_get("until_id")?,
        decisions: row.try_get("decisions")?,
    })
}

/// The next decisions of a range.
///
/// # Errors
/// As every statement.
pub async fn past_decisions(
    client: &impl GenericClient,
    range: PastRange,
    source: Option<&str>,
    limit: i32,
) -> Result<Vec<PastDecision>, StoreError> {
    let rows = call::rows(
        client,
        "select * from gate.past_decisions($1, $2, $3, $4)",
        &[&range.after_id, &range.until_id, &source, &limit],
    )
    .await?;
    rows.iter()
        .map(|row| {
            Ok(PastDecision {
                decision_id: row.try_get("decision_id")?,
                lead_id: row.try_get("lead_id")?,
                source: row.try_get("source")?,
                action: row.try_get("action")?,
                tier: row.try_get("tier")?,
                contact_id: row.try_get("contact_id")?,
                reason: row.try_get("reason")?,
                decided_at: row.try_get("decided_at")?,
                seen_at: row.try_get("seen_at")?,
                nameless: row.try_get("nameless")?,
                candidates: row.try_get::<_, Json<_>>("candidates")?.0,
                changes: row.try_get::<_, Json<_>>("changes")?.0,
                superseded: row.try_get("superseded")?,
            })
        })
        .collect()
}

/// The rules in force.
///
/// # Errors
/// As every statement.
pub async fn rules_in_force(client: &impl GenericClient) -> Result<RuleSet, StoreError> {
    Ok(RuleSet {
        policy: read_policy(client).await?,
        weights: match_weights(client).await?,
    })
}

/// The rules as they would be after these statements, which are taken back at once.
///
/// # Errors
/// As every statement, also those that are given.
pub async fn rules_after(client: &mut Client, statements: &str) -> Result<RuleSet, StoreError> {
    let transaction = client.transaction().await?;
    transaction.batch_execute(statements).await?;
    let rules = rules_in_force(&transaction).await;
    transaction.rollback().await?;
    rules
}
