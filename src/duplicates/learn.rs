//! Learn: match weights from the mirror itself, without anybody saying who is who.

use std::collections::HashMap;

use super::em::{Lesson, Pattern, learn};
use super::{ScanError, find_all};
use crate::store::duplicates::{in_time, lock_scan, take_time};
use crate::store::learn::{
    LearnedRows, MatchWeight, clear_pairs, match_rules_hash, match_weights, pair_patterns, put_learned,
};
use crate::store::{Store, StoreError};

/// The fields in the order of a pattern's levels.
const FIELDS: [&str; 12] = [
    "base",
    "first_name",
    "last_name",
    "full_name",
    "company",
    "email",
    "phone",
    "place",
    "job_title",
    "generation",
    "country",
    "external_id",
];

/// About so many pairs are learned from, of however many there are.
const MOST_PAIRS: i64 = 1_000_000;

/// What was learned, as a whole.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct LearnReport {
    /// Pairs that it learned from.
    pub pairs: f64,
    /// Of them, those of one person, as far as the weights can tell.
    pub same: f64,
    /// Rounds that it took.
    pub rounds: u32,
    /// Whether the weights settled.
    pub settled: bool,
}

/// Learns match weights from all contacts, and keeps them beside those in force. Nothing works by them yet.
///
/// # Errors
/// [`ScanError::Running`], for a scan works on the same tables; [`ScanError::TooFewPairs`]; and as every statement.
pub async fn learn_weights(store: &Store) -> Result<LearnReport, ScanError> {
    let mut holder = store.client().await?;
    let lock = holder.transaction().await.map_err(StoreError::from)?;
    take_time(&lock).await?;
    if !lock_scan(&lock).await? {
        return Err(ScanError::Running);
    }
    let (mut client, mut other) = (store.client().await?, store.client().await?);
    in_time(&mut client, async |step| clear_pairs(step).await).await?;
    let found = find_all(&mut client, &mut other).await?;
    let every = i32::try_from(found / MOST_PAIRS + 1).unwrap_or(i32::MAX);
    // The hash first: weights that change in between are then not those that it stands for, and nothing is used.
    let (rules_hash, weights, rows) = in_time(&mut client, async |step| {
        let rules_hash = match_rules_hash(step).await?;
        let learned_from = (
            rules_hash,
            match_weights(step).await?,
            pair_patterns(step, every).await?,
        );
        clear_pairs(step).await?;
        Ok(learned_from)
    })
    .await?;
    let places: HashMap<(&str, &str), usize> = weights
        .iter()
        .enumerate()
        .map(|(place, weight)| ((weight.field.as_str(), weight.level.as_str()), place))
        .collect();
    let patterns: Vec<Pattern> = rows
        .iter()
        .map(|row| Pattern {
            terms: FIELDS
                .iter()
                .zip(row.levels.iter().zip(&row.bits))
                .filter(|(field, (level, _))| counts(field, level))
                .filter_map(|(field, (level, bits))| Some((*places.get(&(*field, level.as_str()))?, f64::from(*bits))))
                .collect(),
            pairs: row.pairs as f64,
        })
        .collect();
    let lesson = learn(&weights, &patterns);
    let report = report(&weights, &lesson);
    if report.same < 1.0 {
        return Err(ScanError::TooFewPairs);
    }
    let rows = rows_of(rules_hash, &weights, &lesson);
    in_time(&mut client, async |step| put_learned(step, &rows).await).await?;
    drop(lock);
    Ok(report)
}

/// A field that one of the two lacks says nothing, and so does `full_name` when not both are exact.
fn counts(field: &str, level: &str) -> bool {
    level != "missing" && (field != "full_name" || level == "exact")
}

fn report(weights: &[MatchWeight], lesson: &Lesson) -> LearnReport {
    let base = weights.iter().position(|weight| weight.field == "base");
    let base = base.map(|place| &lesson.learned[place]);
    LearnReport {
        pairs: base.map_or(0.0, |base| base.pairs),
        same: base.map_or(0.0, |base| base.same),
        rounds: lesson.rounds,
        settled: lesson.settled,
    }
}

fn rows_of(rules_hash: String, weights: &[MatchWeight], lesson: &Lesson) -> LearnedRows {
    let mut rows = LearnedRows {
        rules_hash,
        ..LearnedRows::default()
    };
    for (weight, learned) in weights.iter().zip(&lesson.learned) {
        rows.fields.push(weight.field.clone());
        rows.levels.push(weight.level.clone());
        // To the hundredth of a bit: more would say that more is known.
        rows.weights
            .push(((learned.weight.clamp(-20.0, 20.0) * 100.0).round() / 100.0) as f32);
        rows.pairs.push(learned.pairs as f32);
        rows.same.push(learned.same as f32);
    }
    rows
}
