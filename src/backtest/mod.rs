//! Back-test: decisions of the past, made again under other rules from what the audit kept of them. Reads only.
//!
//! Both sides of the comparison are made by the code that decides live, from the same recorded inputs: once under the rules in
//! force, once under the proposed ones. So a difference is due to the rules alone, and not to what has happened since. Without
//! proposed rules what was decided is compared with what those in force would make of it.

mod again;
mod report;

pub use report::{Count, Difference, Report, Share};

use chrono::{DateTime, Utc};

use crate::store::backtest::{RuleSet, past_decisions, past_range};
use crate::store::{Client, StoreError};
use again::{Again, as_decided};

/// Decisions read at a time.
const PAGE: i32 = 2000;

/// Which decisions are made again.
#[derive(Debug, Clone)]
pub struct Past {
    /// Made since then.
    pub since: DateTime<Utc>,
    /// And before.
    pub until: Option<DateTime<Utc>>,
    /// About leads of this source.
    pub source: Option<String>,
    /// So many examples of each kind of difference.
    pub examples: usize,
}

/// Makes the decisions again under both sets of rules and compares; without a proposal, under the rules in force, and compares
/// with what was decided. `progress` is told how many of how many are done.
///
/// # Errors
/// As every statement.
pub async fn backtest(
    client: &Client,
    past: &Past,
    in_force: &RuleSet,
    proposed: Option<&RuleSet>,
    mut progress: impl FnMut(u64, u64),
) -> Result<Report, StoreError> {
    let mut range = past_range(client, past.since, past.until).await?;
    let all = u64::try_from(range.decisions).unwrap_or_default();
    let now = Again::under(in_force, in_force);
    let then = proposed.map(|proposed| Again::under(proposed, in_force));
    let mut report = Report::new(past.examples);
    let mut done = 0;
    loop {
        let page = past_decisions(client, range, past.source.as_deref(), PAGE).await?;
        let Some(last) = page.last() else {
            return Ok(report);
        };
        range.after_id = last.decision_id;
        done += page.len() as u64;
        for decision in page.iter().filter(|decision| !decision.superseded) {
            match &then {
                Some(then) => report.compare(decision, now.decide(decision), then.decide(decision)),
                None => report.compare(decision, as_decided(decision), now.decide(decision)),
            }
        }
        progress(done, all);
    }
}
