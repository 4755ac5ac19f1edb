//! Begin: every contact of a chunk is read from the CRM and kept as it is; what has not changed since it was approved is begun.

use std::collections::BTreeMap;

use super::PurgeError;
use super::plan::{digest, fingerprint};
use super::run::{Merger, backoff, patiently};
use super::ties::Ties;
use crate::crm::{CrmError, ReadAnswer, ReadKey, Reader, Writer};
use crate::domain::{ContactId, CrmId, KnownContact, MemberRow, Merging, Record};
use crate::failpoint::reach;
use crate::governor::{Bucket, Priority};
use crate::line::LineError;
use crate::store::gone::{absent, bury};
use crate::store::matching::known_contacts;
use crate::store::merge::{Begun, ToBegin, ToSnapshot, begin_merges, release_merges};
use crate::store::mirror::mirror_write;
use crate::store::{StoreError, commit};

/// What was begun of a chunk.
#[derive(Default)]
pub(super) struct Started {
    /// To be merged now.
    pub(super) groups: Vec<Merging>,
    /// Not now: something is being written to one of their contacts.
    pub(super) busy: Vec<i64>,
    /// Not at all.
    pub(super) stale: u64,
}

impl<C: Reader + Writer> Merger<C> {
    pub(super) async fn begin(&self, plans: Vec<Merging>) -> Result<Started, PurgeError> {
        let ids: Vec<String> = plans
            .iter()
            .flat_map(|plan| &plan.members)
            .map(|member| member.row.crm_id.0.clone())
            .collect();
        let mut records = BTreeMap::new();
        for some in ids.chunks(self.line.crm().batch_limit().max(1)) {
            records.extend(self.read_all(some).await?);
        }
        self.forget_the_gone(&ids, &records).await?;
        let ties = self.read_ties(&ids).await?;
        // What is not certainly begun is given back, and begun anew.
        let mut backoff = backoff();
        let begun = loop {
            match self.store_begin(&plans, &records, &ties).await {
                Ok(begun) => break begun,
                Err(error) => {
                    let numbers: Vec<i64> = plans.iter().map(|plan| plan.plan_id).collect();
                    self.release(&numbers).await?;
                    self.try_again(error, &mut backoff).await?;
                }
            }
        };
        reach("merges_begun");
        let mut started = Started::default();
        let mut plans: BTreeMap<i64, Merging> = plans.into_iter().map(|plan| (plan.plan_id, plan)).collect();
        for Begun {
            plan_id,
            epoch,
            refused,
        } in begun
        {
            let Some(mut plan) = plans.remove(&plan_id) else {
                continue;
            };
            match refused.as_deref() {
                None => {
                    plan.epoch = epoch;
                    plan.survivor_crm_id = plan.members.first().map(|master| master.row.crm_id.clone());
                    started.groups.push(plan);
                }
                Some("busy") => started.busy.push(plan_id),
                Some("stale") => started.stale += 1,
                // Somebody took the approval back, or another run has begun it.
                Some(_) => {}
            }
        }
        Ok(started)
    }

    async fn store_begin(
        &self,
        plans: &[Merging],
        records: &BTreeMap<String, Record>,
        ties: &BTreeMap<String, Ties>,
    ) -> Result<Vec<Begun>, PurgeError> {
        let mirrored: Vec<Record> = records.values().map(|record| self.mirrored(record)).collect();
        let normalizer = self.rulebook.rules().normalizer;
        let contacts: Vec<ContactId> = plans
            .iter()
            .flat_map(|plan| &plan.members)
            .map(|member| member.row.contact_id)
            .collect();
        let mut client = self.store.client().await?;
        let transaction = client.transaction().await.map_err(StoreError::from)?;
        mirror_write(&transaction, &mirrored, &normalizer).await?;
        let known = known_contacts(&transaction, &contacts).await?;
        let to_begin: Vec<ToBegin<'_>> = plans.iter().map(|plan| to_begin(plan, records, ties, &known)).collect();
        let begun = begin_merges(&transaction, self.replica, &to_begin).await?;
        commit(transaction).await?;
        Ok(begun)
    }

    /// Reads all properties of contacts; by the id that was asked for. One that leads to another id is there under that.
    async fn read_all(&self, ids: &[String]) -> Result<BTreeMap<String, Record>, PurgeError> {
        let mut answer = patiently!(self, self.read_ids(ids).await)?;
        let mut found: BTreeMap<String, Record> = BTreeMap::new();
        for (id, place) in &answer.found {
            found.extend(answer.records.get(*place).map(|record| (id.clone(), record.clone())));
        }
        for id in std::mem::take(&mut answer.unexplained) {
            let alone = patiently!(self, self.read_ids(std::slice::from_ref(&id)).await)?;
            found.extend(alone.records.into_iter().next().map(|record| (id, record)));
        }
        Ok(found)
    }

    pub(super) async fn read_ids(&self, ids: &[String]) -> Result<ReadAnswer, PurgeError> {
        let permit = self.line.permit(Bucket::General, Priority::Merge).await?;
        match self
            .line
            .read_fields(permit, &self.all_fields(), ReadKey::CrmId, ids)
            .await
        {
            Err(LineError::Crm(CrmError::BatchRefused { .. })) => Ok(ReadAnswer {
                unexplained: if ids.len() > 1 { ids.to_vec() } else { Vec::new() },
                ..ReadAnswer::default()
            }),
            answer => Ok(answer?),
        }
    }

    /// Contacts that a read by their ids did not find: the mirror is told what became of them.
    async fn forget_the_gone(&self, ids: &[String], records: &BTreeMap<String, Record>) -> Result<(), PurgeError> {
        let nowhere: Vec<String> = ids.iter().filter(|id| !records.contains_key(*id)).cloned().collect();
        if nowhere.is_empty() {
            return Ok(());
        }
        let normalizer = self.rulebook.rules().normalizer;
        patiently!(self, {
            let absent = absent(&self.store.client().await?, &nowhere).await?;
            let gone = self.line.gone(Priority::Merge, &absent).await?;
            let client = self.store.client().await?;
            bury(&client, &gone, &normalizer, self.rulebook.person_keys()).await?;
            mirror_write(&client, &gone.holders, &normalizer).await?;
            Ok(())
        })
    }

    pub(super) async fn release(&self, plans: &[i64]) -> Result<(), PurgeError> {
        if plans.is_empty() {
            return Ok(());
        }

        patiently!(
            self,
            Ok(release_merges(&self.store.client().await?, self.replica, plans).await?)
        )
    }
}

fn to_begin<'a>(
    plan: &Merging,
    records: &'a BTreeMap<String, Record>,
    ties: &'a BTreeMap<String, Ties>,
    known: &BTreeMap<ContactId, KnownContact>,
) -> ToBegin<'a> {
    let members: Vec<MemberRow> = plan.members.iter().map(|member| member.row.clone()).collect();
    let found = |crm_id: &CrmId| {
        records
            .get(&crm_id.0)
            .filter(|record| record.crm_id == crm_id.0 && !record.archived)
    };
    let stale = members.iter().find_map(|member| {
        let Some(_) = found(&member.crm_id) else {
            return Some("contact_gone");
        };
        let held = known.get(&member.contact_id).map(fingerprint);
        (held.as_deref() != Some(member.fingerprint.as_str())).then_some("contact_changed")
    });
    ToBegin {
        plan_id: plan.plan_id,
        digest: digest(&members, &plan.values),
        stale,
        members: members
            .iter()
            .enumerate()
            .filter_map(|(place, member)| {
                Some(ToSnapshot {
                    place,
                    record: found(&member.crm_id)?,
                    associations: ties.get(&member.crm_id.0),
                })
            })
            .collect(),
    }
}
