//! Merging: the merges of one group, one after another, each with the id that the last one returned.
//!
//! A merge whose answer was lost is looked up before it is sent again. Should the first request land after all, it finds contacts
//! that are one already, and the CRM refuses it: nobody is merged twice.

use std::time::Duration;

use super::PurgeError;
use super::run::{Merger, patiently};
use crate::crm::{CrmError, MergeOutcome, ReadAnswer, Reader, Writer};
use crate::domain::{CrmId, Merging, Record};
use crate::failpoint::reach;
use crate::fault::{Classify, Fault};
use crate::governor::{Bucket, Priority};
use crate::line::LineError;
use crate::store::merge::note_absorbed;

/// How the merges of a group ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum GroupEnd {
    /// One contact is left.
    Merged,
    /// The CRM does not merge the rest, and will not.
    Failed(String),
    /// Nothing was sent.
    Unsent,
    /// Another run has taken it over.
    Lost,
}

/// What two contacts are by now.
enum Now {
    /// One, under this id.
    Same(CrmId),
    /// Two, as before.
    Apart,
    /// Not there, or somebody else by now.
    Gone(&'static str),
}

impl<C: Reader + Writer> Merger<C> {
    /// Carries out the merges of a group that are not done yet. `doubtful`: the next one may have been sent.
    pub(super) async fn merge_group(
        &self,
        plan: &mut Merging,
        doubtful: bool,
        progress: &(dyn Fn(u64) + Send + Sync),
    ) -> Result<GroupEnd, PurgeError> {
        let mut doubtful = doubtful;
        for place in 1..plan.members.len() {
            let (Some(member), Some(primary)) = (plan.members.get(place), plan.survivor_crm_id.clone()) else {
                continue;
            };
            if member.done {
                continue;
            }
            // It is in nobody's hands then, and gone on with by whoever runs next.
            if doubtful && self.stop.is_cancelled() {
                return Err(PurgeError::Stopped);
            }
            let absorbed = member.row.crm_id.clone();
            let is_first = plan.members.iter().all(|member| !member.done);
            let (crm_id, call_id) = match self.merge_two(&primary, &absorbed, doubtful, is_first).await? {
                Ok(merged) => merged,
                Err(end) => return Ok(end),
            };
            doubtful = false;

            if !patiently!(self, {
                let client = self.store.client().await?;
                let hands = (plan.plan_id, plan.epoch);
                Ok(note_absorbed(&client, self.replica, hands, place, &crm_id, call_id).await?)
            })? {
                return Ok(GroupEnd::Lost);
            }
            reach("absorbed_noted");
            progress(1);
            plan.survivor_crm_id = Some(crm_id);
            if let Some(member) = plan.members.get_mut(place) {
                member.done = true;
            }
        }
        Ok(GroupEnd::Merged)
    }

    /// One merge, until it is certain what became of it: the id that the CRM returned, or how the group ends.
    async fn merge_two(
        &self,
        primary: &CrmId,
        absorbed: &CrmId,
        mut doubtful: bool,
        is_first: bool,
    ) -> Result<Result<(CrmId, Option<i64>), GroupEnd>, PurgeError> {
        let mut sent = doubtful;
        loop {
            if doubtful {
                match self.look_up(primary, absorbed).await? {
                    Now::Same(crm_id) => return Ok(Ok((crm_id, None))),
                    Now::Gone(reason) => return Ok(Err(GroupEnd::Failed(reason.to_owned()))),
                    Now::Apart => doubtful = false,
                }
            }
            let is_unsent = is_first && !sent;
            if self.stop.is_cancelled() && is_unsent {
                return Ok(Err(GroupEnd::Unsent));
            }
            let slot = self.slots.acquire().await;
            // A group that is half-way is ended, as long as the CRM lets it.
            let permit = tokio::select! {
                permit = self.line.permit(Bucket::General, Priority::Merge) => permit,
                () = self.stop.cancelled(), if is_unsent => continue,
            };
            let permit = match permit {
                Ok(permit) => permit,
                Err(error) => {
                    drop(slot);
                    self.wait_after(error.into()).await?;
                    continue;
                }
            };
            if !(self.may_call)() {
                return Err(PurgeError::Stopped);
            }
            reach("merging");
            let answer = self.line.merge(permit, primary, absorbed).await;
            drop(slot);
            reach("merged");
            match answer {
                Ok((MergeOutcome::Merged(record), call_id)) => return Ok(Ok((CrmId(record.crm_id), call_id))),
                Ok((MergeOutcome::Refused { code }, _)) => {
                    return Ok(match self.look_up(primary, absorbed).await? {
                        Now::Same(crm_id) => Ok((crm_id, None)),
                        Now::Gone(reason) => Err(GroupEnd::Failed(reason.to_owned())),
                        Now::Apart => Err(GroupEnd::Failed(code)),
                    });
                }
                Err(LineError::Crm(error @ CrmError::NoAnswer { .. })) => {
                    tracing::warn!(
                        error = crate::fault::chain(&error),
                        crm_id = %primary,
                        "it is not known whether a merge was done; it is looked up"
                    );
                    sent = true;
                    if let Now::Same(crm_id) = self.look_up(primary, absorbed).await? {
                        return Ok(Ok((crm_id, None)));
                    }
                    if self.stop.is_cancelled() {
                        return Err(PurgeError::Stopped);
                    }
                    // It may still be on its way.
                    self.rest(Duration::from_secs(u64::from(self.settings.settle_seconds)))
                        .await;
                    doubtful = true;
                }
                Err(error) => self.wait_after(error.into()).await?,
            }
        }
    }

    async fn wait_after(&self, error: PurgeError) -> Result<(), PurgeError> {
        let wait = match error.fault() {
            Fault::Throttled(wait) => wait.min(Duration::from_secs(60)),
            Fault::Transient => Duration::from_secs(1),
            Fault::Unknown | Fault::Rejected | Fault::Broken => return Err(error),
        };
        if self.stop.is_cancelled() {
            return Err(PurgeError::Stopped);
        }
        self.rest(wait).await;
        Ok(())
    }

    /// Asks what two contacts are by now. Each that a read of both does not explain is asked for alone.
    async fn look_up(&self, primary: &CrmId, absorbed: &CrmId) -> Result<Now, PurgeError> {
        let both = [primary.0.clone(), absorbed.0.clone()];
        let answer = patiently!(self, self.read_ids(&both).await)?;
        let one = self.found(&answer, primary).await?;
        let other = self.found(&answer, absorbed).await?;
        let (Some(one), Some(other)) = (one, other) else {
            return Ok(Now::Gone("contact_gone"));
        };
        Ok(if one.crm_id == other.crm_id {
            Now::Same(CrmId(one.crm_id))
        } else if one.crm_id == primary.0 && other.crm_id == absorbed.0 {
            Now::Apart
        } else {
            Now::Gone("merged_elsewhere")
        })
    }

    async fn found(&self, answer: &ReadAnswer, id: &CrmId) -> Result<Option<Record>, PurgeError> {
        if let Some(record) = answer.found.get(&id.0).and_then(|place| answer.records.get(*place)) {
            return Ok(Some(record.clone()));
        }
        let alone = patiently!(self, self.read_ids(std::slice::from_ref(&id.0)).await)?;
        Ok(alone.records.into_iter().next())
    }
}
