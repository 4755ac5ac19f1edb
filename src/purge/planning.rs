//! Planning: every group of duplicates, or some groups anew.

use std::collections::BTreeMap;

use chrono::Utc;
use serde::Serialize;

use super::plan::plan;
use crate::decide::Judge;
use crate::domain::{Criterion, Field, MergePlan};
use crate::rulebook::Rules;
use crate::store::duplicates::take_time;
use crate::store::matching::known_contacts;
use crate::store::merge::{count_groups, groups_to_plan, put_plans, retire_plans};
use crate::store::{Store, StoreError, commit};

/// Groups planned at a time.
const PAGE: i32 = 1000;

/// What `merge plan` made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct PlanReport {
    /// Plans, one for each group of which two contacts live.
    pub plans: u64,
    /// Of them, those that a person must look at first.
    pub held: u64,
    /// By why: a plan may be held for several reasons.
    pub held_for: BTreeMap<String, u64>,
    /// Contacts in these groups.
    pub contacts: u64,
    /// Merges that it would take, two contacts at a time.
    pub merges: u64,
    /// Contacts that would have to be written afterwards, for a value of another one survives.
    pub writes: u64,
    /// Fields in which values would be lost.
    pub losses: u64,
    /// Fields that `rules.merge_master` looks at and the mirror does not hold: what they say could not be heeded.
    pub not_mirrored: Vec<Field>,
}

/// Plans the merge of every group of duplicates anew, in one transaction. What is approved stays so as long as it is the same plan.
/// `progress` is told how many of how many groups are done.
///
/// # Errors
/// As every statement; the plans that were there stay then.
pub async fn plan_all(store: &Store, rules: &Rules, progress: impl FnMut(u64, u64)) -> Result<PlanReport, StoreError> {
    plan_some(store, rules, None, progress).await
}

/// Plans these groups anew, such as those of which a person has chosen something.
///
/// # Errors
/// As [`plan_all`].
pub async fn plan_groups(store: &Store, rules: &Rules, groups: &[i64]) -> Result<PlanReport, StoreError> {
    plan_some(store, rules, Some(groups), |_, _| ()).await
}

async fn plan_some(
    store: &Store,
    rules: &Rules,
    only: Option<&[i64]>,
    mut progress: impl FnMut(u64, u64),
) -> Result<PlanReport, StoreError> {
    let mut client = store.client().await?;
    let transaction = client.transaction().await?;
    take_time(&transaction).await?;
    if only.is_none() {
        retire_plans(&transaction).await?;
    }
    let all = count_groups(&transaction).await?;
    let same = |field: &_, left: &str, right: &str| rules.same(field, left, right);
    let multiple = |field: &_| rules.is_multiple(field);
    let by = Judge {
        policy: &rules.policy,
        same: &same,
        multiple: &multiple,
        now: Utc::now(),
    };
    let looked_at = rules.masters.iter().filter_map(Criterion::field);
    let mut report = PlanReport {
        not_mirrored: looked_at
            .filter(|field| !rules.mirrored.contains(*field))
            .cloned()
            .collect(),
        ..PlanReport::default()
    };
    let mut after = 0;
    loop {
        let groups = groups_to_plan(&transaction, after, PAGE, only).await?;
        let Some(last) = groups.last() else { break };
        after = last.group_id;
        let contacts: Vec<_> = groups
            .iter()
            .flat_map(|group| group.created_at.keys().copied())
            .collect();
        let known = known_contacts(&transaction, &contacts).await?;
        let plans: Vec<MergePlan> = groups
            .iter()
            .filter_map(|group| plan(group, &known, &rules.masters, by))
            .collect();
        for plan in &plans {
            report.count(plan);
        }
        put_plans(&transaction, &plans, rules.policy.version).await?;
        progress(report.plans, u64::try_from(all).unwrap_or_default());
    }
    commit(transaction).await?;
    Ok(report)
}

impl PlanReport {
    fn count(&mut self, plan: &MergePlan) {
        self.plans += 1;
        self.held += u64::from(!plan.held_for.is_empty());
        for reason in &plan.held_for {
            *self.held_for.entry(reason.clone()).or_default() += 1;
        }
        let contacts = plan.members.len() as u64;
        self.contacts += contacts;
        self.merges += contacts.saturating_sub(1);
        self.writes += u64::from(plan.write_needed);
        self.losses += plan.values.iter().filter(|value| !value.lost.is_empty()).count() as u64;
    }
}
