//! Learn: what match weights are learned from, and what was learned.

use deadpool_postgres::GenericClient;
use serde::Serialize;

use super::{StoreError, call};

/// One row of `rules.match_weight`.
#[derive(Debug, Clone, PartialEq)]
pub struct MatchWeight {
    /// What is compared.
    pub field: String,
    /// How well it agrees.
    pub level: String,
    /// In bits.
    pub weight: f64,
    /// Added for each bit of how rare the value is.
    pub rarity: f64,
}

/// Pairs that agree in the same way.
#[derive(Debug, Clone, PartialEq)]
pub struct PatternRow {
    /// The level of each field.
    pub levels: Vec<String>,
    /// How rare what they share is, for each field.
    pub bits: Vec<f32>,
    /// How many such pairs.
    pub pairs: i64,
}

/// What was learned, column by column.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LearnedRows {
    /// Stands for the rules from which it set out.
    pub rules_hash: String,
    /// Fields.
    pub fields: Vec<String>,
    /// Their levels.
    pub levels: Vec<String>,
    /// In bits.
    pub weights: Vec<f32>,
    /// Pairs that agree so.
    pub pairs: Vec<f32>,
    /// Of them, those of one person.
    pub same: Vec<f32>,
}

/// A learned weight beside the one in force.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LearnedWeight {
    /// What is compared.
    pub field: String,
    /// How well it agrees.
    pub level: String,
    /// In bits.
    pub weight_in_force: f32,
    /// In bits.
    pub learned_weight: f32,
    /// Pairs that agree so.
    pub pairs: f32,
    /// Of them, those of one person.
    pub pairs_of_one_person: f32,
}

/// Stands for the rules in force.
///
/// # Errors
/// As every statement.
pub async fn match_rules_hash(client: &impl GenericClient) -> Result<String, StoreError> {
    Ok(call::row(client, "select gate.match_rules_hash()", &[])
        .await?
        .try_get(0)?)
}

/// The weights in force.
///
/// # Errors
/// As every statement.
pub async fn match_weights(client: &impl GenericClient) -> Result<Vec<MatchWeight>, StoreError> {
    let rows = call::rows(client, "select * from gate.match_weights()", &[]).await?;
    rows.iter()
        .map(|row| {
            Ok(MatchWeight {
                field: row.try_get("field")?,
                level: row.try_get("level")?,
                weight: row.try_get::<_, f32>("weight")?.into(),
                rarity: row.try_get::<_, f32>("rarity")?.into(),
            })
        })
        .collect()
}

/// Empties the tables on which a scan works.
///
/// # Errors
/// As every statement.
pub async fn clear_pairs(client: &impl GenericClient) -> Result<(), StoreError> {
    call::rows(client, "select gate.clear_pairs()", &[]).await?;
    Ok(())
}

/// How the pairs agree that were found, those of one of `every` contacts.
///
/// # Errors
/// As every statement.
pub async fn pair_patterns(client: &impl GenericClient, every: i32) -> Result<Vec<PatternRow>, StoreError> {
    let rows = call::rows(client, "select * from gate.pair_patterns($1)", &[&every]).await?;
    rows.iter()
        .map(|row| {
            Ok(PatternRow {
                levels: row.try_get("levels")?,
                bits: row.try_get("bits")?,
                pairs: row.try_get("pairs")?,
            })
        })
        .collect()
}

/// Keeps what was learned, in the place of what was learned before.
///
/// # Errors
/// As every statement.
pub async fn put_learned(client: &impl GenericClient, rows: &LearnedRows) -> Result<(), StoreError> {
    call::rows(
        client,
        "select gate.put_learned($1, $2, $3, $4, $5, $6)",
        &[
            &rows.rules_hash,
            &rows.fields,
            &rows.levels,
            &rows.weights,
            &rows.pairs,
            &rows.same,
        ],
    )
    .await?;
    Ok(())
}

/// What was learned, beside what is in force.
///
/// # Errors
/// As every statement.
pub async fn learned_weights(client: &impl GenericClient) -> Result<Vec<LearnedWeight>, StoreError> {
    let rows = call::rows(client, "select * from gate.learned_weights()", &[]).await?;
    rows.iter()
        .map(|row| {
            Ok(LearnedWeight {
                field: row.try_get("field")?,
                level: row.try_get("level")?,
                weight_in_force: row.try_get("weight_in_force")?,
                learned_weight: row.try_get("learned_weight")?,
                pairs: row.try_get("pairs")?,
                pairs_of_one_person: row.try_get("pairs_of_one_person")?,
            })
        })
        .collect()
}

/// Puts the learned weights into force; how many rows changed. Absent: nothing is learned, or the rules have changed since.
///
/// # Errors
/// As every statement.
pub async fn use_learned(client: &impl GenericClient) -> Result<Option<i64>, StoreError> {
    Ok(call::row(client, "select gate.use_learned()", &[]).await?.try_get(0)?)
}
