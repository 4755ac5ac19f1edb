//! Writing: the values that survive are written explicitly, whatever the CRM has made of the merge, and read back.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::PurgeError;
use super::merging::GroupEnd;
use super::run::{Group, MergeReport, Merger, patiently};
use crate::crm::{CrmError, Reader, RowOutcome, UpdateRow, Writer};
use crate::decide::Judge;
use crate::domain::{ContactId, CrmId, Field, IntentId, Merging, Record};
use crate::failpoint::reach;
use crate::fault::{Classify, Fault};
use crate::governor::{Bucket, Priority};
use crate::line::LineError;
use crate::rulebook::Rules;
use crate::store::merge::{End, end_merges};
use crate::store::mirror::mirror_write;
use crate::store::{StoreError, commit};

/// How often a value is written that the CRM does not show.
const TRIES: u32 = 3;

/// What came of writing values to contacts and reading these back.
#[derive(Default)]
pub(super) struct Written {
    /// The contacts, by the id that was asked for.
    pub(super) records: BTreeMap<CrmId, Record>,
    /// Fields that are not in the CRM as they should be, with why.
    pub(super) not_kept: BTreeMap<CrmId, BTreeMap<Field, String>>,
    /// Contacts of which a write got no answer: it may land late.
    pub(super) doubted: BTreeSet<CrmId>,
}

impl<C: Reader + Writer> Merger<C> {
    /// Writes and reads back what survives of groups whose merges are done, and ends them.
    /// `doubtful`: a run before us may have written already.
    pub(super) async fn finish(&self, groups: Vec<Group>, doubtful: bool) -> Result<MergeReport, PurgeError> {
        if groups.is_empty() {
            return Ok(MergeReport::default());
        }
        let rows: BTreeMap<CrmId, BTreeMap<Field, String>> = groups
            .iter()
            .filter_map(|group| Some((group.merging.survivor_crm_id.clone()?, self.to_write(&group.merging))))
            .filter(|(_, values)| !values.is_empty())
            .collect();
        let ids = groups
            .iter()
            .filter(|group| group.merging.members.iter().any(|member| member.done))
            .filter_map(|group| group.merging.survivor_crm_id.clone());
        let written = self.write_and_read(rows, ids.collect()).await?;
        let ends: Vec<End> = groups.iter().map(|group| end(group, &written, doubtful)).collect();
        let mirrored: Vec<Record> = written.records.values().map(|record| self.mirrored(record)).collect();
        let normalizer = self.rulebook.rules().normalizer;
        patiently!(self, {
            let mut client = self.store.client().await?;
            let transaction = client.transaction().await.map_err(StoreError::from)?;
            end_merges(&transaction, self.replica, &ends).await?;
            mirror_write(&transaction, &mirrored, &normalizer).await?;
            Ok(commit(transaction).await?)
        })?;
        reach("merges_ended");
        let mut report = MergeReport::default();
        for (group, end) in groups.iter().zip(&ends) {
            report.merges += group.merging.members.iter().filter(|member| member.done).count() as u64;
            report.values_not_kept += u64::from(!end.not_kept.is_empty());
            match &end.reason {
                None => report.merged += 1,
                Some(reason) => {
                    report.failed += 1;
                    *report.failed_for.entry(reason.clone()).or_default() += 1;
                    tracing::warn!(plan_id = end.plan_id, reason, "a merge failed");
                }
            }
        }
        Ok(report)
    }

    /// The values of a plan that can be written: of contacts that are merged, into properties that are not the CRM's own.
    fn to_write(&self, plan: &Merging) -> BTreeMap<Field, String> {
        let rules = self.rulebook.rules();
        let merged: BTreeSet<ContactId> = plan
            .members
            .iter()
            .enumerate()
            .filter(|(place, member)| *place == 0 || member.done)
            .map(|(_, member)| member.row.contact_id)
            .collect();
        if merged.len() < 2 {
            return BTreeMap::new();
        }
        let values = plan.values.iter().filter(|row| merged.contains(&row.contact_id));
        values
            .filter(|row| rules.schema.check(&row.field, &row.value).is_ok())
            .map(|row| (row.field.clone(), row.value.clone()))
            .collect()
    }

    /// Writes values and reads contacts back, until they show what was written or have been written often enough. What got no answer
    /// is waited for, before anybody else may write there.
    pub(super) async fn write_and_read(
        &self,
        rows: BTreeMap<CrmId, BTreeMap<Field, String>>,
        ids: Vec<CrmId>,
    ) -> Result<Written, PurgeError> {
        let rules = self.rulebook.rules();
        let mut written = Written::default();
        let mut to_write = rows;
        let mut to_read = ids;
        for attempt in 1..=TRIES {
            if self.write(&to_write, &mut written).await? {
                self.rest(Duration::from_secs(u64::from(self.settings.settle_seconds)))
                    .await;
            }
            reach("survivors_written");
            for some in to_read.chunks(self.line.crm().batch_limit().max(1)) {
                let asked: Vec<String> = some.iter().map(|id| id.0.clone()).collect();
                let answer = patiently!(self, self.read_ids(&asked).await)?;
                for id in some {
                    let record = answer.found.get(&id.0).and_then(|place| answer.records.get(*place));
                    written
                        .records
                        .extend(record.map(|record| (id.clone(), record.clone())));
                }
            }
            to_write.retain(|id, values| {
                let refused = written.not_kept.get(id);
                let record = written.records.get(id);
                values.retain(|field, value| {
                    let held = record
                        .and_then(|record| record.values.get(field))
                        .map_or("", String::as_str);
                    let is_refused = refused.is_some_and(|refused| refused.contains_key(field));
                    !is_refused && !says_same(&rules, field, held, value)
                });
                !values.is_empty()
            });
            to_read = to_write.keys().cloned().collect();
            if to_write.is_empty() {
                break;
            }
            if attempt < TRIES {
                self.rest(Duration::from_secs(1)).await;
            }
        }
        for (id, values) in to_write {
            let refused = written.not_kept.entry(id).or_default();
            refused.extend(values.into_keys().map(|field| (field, "not_shown".to_owned())));
        }
        Ok(written)
    }

    /// Writes rows in batches. A row that the CRM refuses is written field by field, so that one value does not cost the others.
    /// Returns whether one of them got no answer.
    async fn write(
        &self,
        rows: &BTreeMap<CrmId, BTreeMap<Field, String>>,
        written: &mut Written,
    ) -> Result<bool, PurgeError> {
        let mut unanswered = false;
        let rows: Vec<UpdateRow> = rows
            .iter()
            .map(|(id, values)| row(id.clone(), values.clone()))
            .collect();
        let mut queue: Vec<Vec<UpdateRow>> = rows
            .chunks(self.line.crm().batch_limit().max(1))
            .map(<[UpdateRow]>::to_vec)
            .collect();
        while let Some(batch) = queue.pop() {
            let sent = patiently!(self, {
                let permit = self.line.permit(Bucket::General, Priority::Merge).await?;
                if !(self.may_call)() {
                    return Err(PurgeError::Stopped);
                }
                let sent = self.line.update(permit, &batch).await;
                match sent.answer.error {
                    Some(error) if passes(&error) => Err(LineError::Crm(error).into()),
                    _ => Ok(sent.answer),
                }
            })?;
            if let Some(CrmError::BatchRefused { .. }) = sent.error
                && batch.len() > 1
            {
                let (left, right) = batch.split_at(batch.len() / 2);
                queue.extend([left.to_vec(), right.to_vec()]);
                continue;
            }
            if let Some(error) = sent.error
                && error.fault() == Fault::Broken
            {
                return Err(LineError::Crm(error).into());
            }
            for sent_row in batch {
                match sent.rows.get(&sent_row.intent_id) {
                    Some(RowOutcome::Rejected { code, .. }) => refused(sent_row, code, &mut queue, written),
                    Some(RowOutcome::Conflict { .. }) => refused(sent_row, "conflict", &mut queue, written),
                    Some(RowOutcome::NotSent) => queue.push(vec![sent_row]),
                    Some(RowOutcome::Unknown { .. }) => {
                        unanswered = true;
                        written.doubted.insert(sent_row.crm_id);
                    }
                    // What is missing the read shows.
                    _ => {}
                }
            }
        }
        Ok(unanswered)
    }
}

/// Whether two values of a field say the same.
pub(super) fn says_same(rules: &Rules, field: &Field, left: &str, right: &str) -> bool {
    let judge = Judge {
        policy: &rules.policy,
        same: &|field, left, right| rules.same(field, left, right),
        multiple: &|field| rules.is_multiple(field),
        now: chrono::Utc::now(),
    };
    judge.says_same(field, left, right)
}

/// Whether the whole batch is simply sent again. What gave no answer is read first.
fn passes(error: &CrmError) -> bool {
    matches!(error.fault(), Fault::Throttled(_) | Fault::Transient)
}

fn row(crm_id: CrmId, values: BTreeMap<Field, String>) -> UpdateRow {
    UpdateRow {
        intent_id: IntentId::new(),
        crm_id,
        values,
    }
}

fn refused(sent: UpdateRow, code: &str, queue: &mut Vec<Vec<UpdateRow>>, written: &mut Written) {
    if sent.values.len() > 1 {
        let alone = sent
            .values
            .into_iter()
            .map(|(field, value)| BTreeMap::from([(field, value)]));
        queue.extend(alone.map(|values| vec![row(sent.crm_id.clone(), values)]));
        return;
    }
    let refused = written.not_kept.entry(sent.crm_id).or_default();
    refused.extend(sent.values.into_keys().map(|field| (field, code.to_owned())));
}

fn end(group: &Group, written: &Written, doubtful: bool) -> End {
    let plan = &group.merging;
    let survivor = plan.survivor_crm_id.as_ref();
    let any_done = plan.members.iter().any(|member| member.done);
    let record = survivor.filter(|_| any_done).and_then(|id| written.records.get(id));
    let reason = match &group.end {
        GroupEnd::Failed(reason) => Some(reason.clone()),
        _ if any_done && record.is_none() => Some("survivor_gone".to_owned()),
        _ => None,
    };
    End {
        plan_id: plan.plan_id,
        epoch: plan.epoch,
        state: if reason.is_some() { "failed" } else { "merged" },
        reason,
        not_kept: survivor
            .and_then(|id| written.not_kept.get(id))
            .cloned()
            .unwrap_or_default(),
        after: record.map(|record| record.values.clone()),
        doubted: doubtful || survivor.is_some_and(|id| written.doubted.contains(id)),
    }
}
