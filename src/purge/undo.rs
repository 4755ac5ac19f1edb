//! Undo: makes of the snapshots what the CRM allows. No CRM takes a merge back: the survivor gets its former values again, and the
//! others are made anew, under new ids.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::Serialize;
use serde_json::json;

use super::PurgeError;
use super::run::{Merger, patiently};
use super::writing::{Written, says_same};
use crate::crm::{CreateRow, CrmError, KEY_PROPERTY, ReadKey, Reader, RowOutcome, Writer};
use crate::domain::{CrmId, Field, IntentId, Merged, Merging, Record};
use crate::failpoint::reach;
use crate::fault::{Classify, Fault};
use crate::governor::{Bucket, Priority};
use crate::line::LineError;
use crate::store::merge::{begin_undo, end_undo, give_up_undo, note_recreated, read_merges, survivor_of, take_merges};
use crate::store::mirror::mirror_write;
use crate::store::{StoreError, commit};

/// Something that an undo did not bring back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NotRestored {
    /// The contact, by the id that it had before the merge.
    pub crm_id: CrmId,
    /// The field; absent: the contact as a whole.
    pub field: Option<Field>,
    /// Why: `changed_since`, `address_stays_with_survivor`, or the CRM's own code.
    pub why: String,
}

/// What an undo did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Undone {
    /// The plan.
    pub plan_id: i64,
    /// The contact that had stayed.
    pub survivor_crm_id: CrmId,
    /// Its fields that hold again what they held before.
    pub restored: Vec<Field>,
    /// The contacts that were made again: the id of each before the merge, and the one it has now.
    pub recreated: Vec<(CrmId, CrmId)>,
    /// What was not brought back.
    pub not_restored: Vec<NotRestored>,
}

/// What the survivor held before.
#[derive(Default)]
struct Former {
    /// To be written.
    values: BTreeMap<Field, String>,
    /// There again already: a run before us had written it.
    there: Vec<Field>,
}

/// What came of making a contact again.
enum Made {
    Contact(CrmId),
    Refused(String),
}

impl<C: Reader + Writer> Merger<C> {
    /// Takes back the merges of a plan, as far as the CRM allows. `note` says why.
    ///
    /// # Errors
    /// A plan that cannot be undone, with why; and as [`Merger::run`].
    pub async fn undo(&self, plan: i64, note: &str) -> Result<Undone, PurgeError> {
        match patiently!(
            self,
            Ok(begin_undo(&self.store.client().await?, self.replica, plan, note).await?)
        )?
        .as_deref()
        {
            None => self.take_back(plan).await,
            Some("not_merged") => {
                let resumed = self.resume_undos().await?;
                let ours = resumed.into_iter().find(|undone| undone.plan_id == plan);
                ours.ok_or_else(|| {
                    let why = format!(
                        "nothing was merged by plan {plan}, or it is undone already; see `gatekeeper merge show {plan}`"
                    );
                    PurgeError::NotUndone(why)
                })
            }
            Some("busy") => Err(PurgeError::NotUndone(format!(
                "something is being written to the contact of plan {plan}; try again in a moment"
            ))),
            Some("survivor_gone") => Err(PurgeError::NotUndone(format!(
                "the contact that stayed by plan {plan} is not in the CRM any more; its snapshots are in merge.snapshot"
            ))),
            Some(_) => Err(PurgeError::NotUndone(format!(
                "there is no plan {plan}; see `gatekeeper merge show`"
            ))),
        }
    }

    /// Ends undos that a dead run had begun.
    ///
    /// # Errors
    /// As [`Merger::run`].
    pub async fn resume_undos(&self) -> Result<Vec<Undone>, PurgeError> {
        let settle_seconds = i32::try_from(self.settings.settle_seconds).unwrap_or(i32::MAX);

        let taken = patiently!(self, {
            let client = self.store.client().await?;
            Ok(take_merges(&client, self.replica, "undoing", settle_seconds, 10).await?)
        })?;
        let mut undone = Vec::new();
        for plan in taken {
            match self.take_back(plan).await {
                Ok(done) => undone.push(done),
                Err(PurgeError::NotUndone(why)) => tracing::warn!(plan_id = plan, why, "an undo is given up"),
                Err(error) => return Err(error),
            }
        }
        Ok(undone)
    }

    async fn take_back(&self, plan_id: i64) -> Result<Undone, PurgeError> {
        reach("undo_begun");

        let found = patiently!(self, {
            let client = self.store.client().await?;
            let plan = read_merges(&client, &[plan_id]).await?.into_iter().next();
            Ok(plan.zip(survivor_of(&client, plan_id).await?))
        })?;
        let now = match &found {
            Some((_, survivor)) => self.read_one(survivor).await?,
            None => None,
        };
        let Some(((plan, _), now)) = found.zip(now) else {
            patiently!(
                self,
                Ok(give_up_undo(&self.store.client().await?, self.replica, plan_id).await?)
            )?;
            return Err(PurgeError::NotUndone(format!(
                "the contact that stayed by plan {plan_id} is not there any more; its snapshots are in merge.snapshot"
            )));
        };
        let survivor = CrmId(now.crm_id.clone());

        let mut not_restored = Vec::new();
        let Former { values: former, there } = self.former_values(&plan, &now, &mut not_restored);
        let rows = BTreeMap::from([(survivor.clone(), former.clone())]);
        let rows = if former.is_empty() { BTreeMap::new() } else { rows };
        let Written {
            mut records, not_kept, ..
        } = self.write_and_read(rows, vec![survivor.clone()]).await?;
        reach("survivor_restored");
        let refused = not_kept.get(&survivor).cloned().unwrap_or_default();
        let key = Field::Property(KEY_PROPERTY.into());
        let mut restored: Vec<Field> = former
            .into_keys()
            .filter(|field| !refused.contains_key(field) && *field != key)
            .collect();
        restored.extend(there);
        let before = plan
            .members
            .first()
            .map_or(survivor.clone(), |member| member.row.crm_id.clone());
        not_restored.extend(refused.into_iter().map(|(field, why)| NotRestored {
            crm_id: before.clone(),
            field: Some(field),
            why,
        }));

        let held = records.get(&survivor).cloned().unwrap_or(now);
        let mut recreated = Vec::new();
        for (place, member) in plan
            .members
            .iter()
            .enumerate()
            .skip(1)
            .filter(|(_, member)| member.done)
        {
            let was = member.row.crm_id.clone();
            let crm_id = match &member.recreated_crm_id {
                Some(crm_id) => crm_id.clone(),
                None => match self.make_again(&plan, place, member, &held, &mut not_restored).await? {
                    Made::Contact(crm_id) => crm_id,
                    Made::Refused(why) => {
                        not_restored.push(NotRestored {
                            crm_id: was,
                            field: None,
                            why,
                        });
                        continue;
                    }
                },
            };

            if !patiently!(self, {
                let client = self.store.client().await?;
                Ok(note_recreated(&client, self.replica, (plan_id, plan.epoch), place, &crm_id).await?)
            })? {
                return Err(PurgeError::Stopped);
            }
            reach("recreated_noted");
            if let Some(ties) = &member.associations {
                let failed = self.tie_again(&crm_id, ties).await?;
                not_restored.extend(failed.into_iter().map(|(kind, why)| NotRestored {
                    crm_id: was.clone(),
                    field: None,
                    why: format!("{kind}: {why}"),
                }));
            }
            records.extend(self.read_one(&crm_id).await?.map(|record| (crm_id.clone(), record)));
            recreated.push((was, crm_id));
        }

        let mirrored: Vec<Record> = records.values().map(|record| self.mirrored(record)).collect();
        let normalizer = self.rulebook.rules().normalizer;
        let told = json!(not_restored);
        patiently!(self, {
            let mut client = self.store.client().await?;
            let transaction = client.transaction().await.map_err(StoreError::from)?;
            end_undo(&transaction, self.replica, (plan_id, plan.epoch), &restored, &told).await?;
            mirror_write(&transaction, &mirrored, &normalizer).await?;
            Ok(commit(transaction).await?)
        })?;
        Ok(Undone {
            plan_id,
            survivor_crm_id: survivor,
            restored,
            recreated,
            not_restored,
        })
    }

    /// What the survivor held before the merge, of the fields that hold what the merge brought. What somebody changed since stays.
    fn former_values(&self, plan: &Merging, now: &Record, not_restored: &mut Vec<NotRestored>) -> Former {
        let rules = self.rulebook.rules();
        let mut former = Former::default();
        let Some(master) = plan.members.first() else {
            return former;
        };
        let Some(before) = &master.snapshot else {
            return former;
        };
        let nothing = BTreeMap::new();
        let after = plan.after.as_ref().unwrap_or(&nothing);
        let fields: BTreeSet<&Field> = before.values.keys().chain(now.values.keys()).collect();
        let text = |values: &BTreeMap<Field, String>, field: &Field| values.get(field).cloned().unwrap_or_default();
        for field in fields {
            let (old, merged, held) = (
                text(&before.values, field),
                text(after, field),
                text(&now.values, field),
            );
            // What the CRM sets itself nobody restores.
            if rules.schema.check(field, &old).is_err() {
                continue;
            }
            if says_same(&rules, field, &old, &held) {
                if !says_same(&rules, field, &merged, &held) {
                    former.there.push(field.clone());
                }
            } else if says_same(&rules, field, &merged, &held) {
                former.values.insert(field.clone(), old);
            } else {
                not_restored.push(NotRestored {
                    crm_id: master.row.crm_id.clone(),
                    field: Some(field.clone()),
                    why: "changed_since".to_owned(),
                });
            }
        }
        // A person key that came with the merge goes back with its contact.
        if before.gatekeeper_key.is_none() && now.gatekeeper_key.is_some() {
            former
                .values
                .insert(Field::Property(KEY_PROPERTY.into()), String::new());
        }
        former
    }

    /// Makes a contact again. It carries a key by which it is found should the answer be lost.
    async fn make_again(
        &self,
        plan: &Merging,
        place: usize,
        member: &Merged,
        survivor: &Record,
        not_restored: &mut Vec<NotRestored>,
    ) -> Result<Made, PurgeError> {
        let Some(before) = &member.snapshot else {
            return Ok(Made::Refused("no_snapshot".to_owned()));
        };
        let own_key = before
            .gatekeeper_key
            .clone()
            .filter(|key| survivor.gatekeeper_key.as_ref() != Some(key));
        let key = own_key.unwrap_or_else(|| format!("undo-{}-{place}", plan.plan_id));
        let rules = self.rulebook.rules();
        let mut values = before.values.clone();
        values.retain(|field, value| rules.schema.check(field, value).is_ok());
        values.remove(&Field::Property(KEY_PROPERTY.into()));
        let stays: BTreeSet<String> = addresses(survivor).collect();
        for address in addresses(before) {
            let is_primary = before
                .values
                .get(&Field::Email)
                .is_some_and(|email| email.trim().to_lowercase() == address);
            if is_primary && !stays.contains(&address) {
                continue;
            }
            if is_primary {
                values.remove(&Field::Email);
            }
            not_restored.push(NotRestored {
                crm_id: member.row.crm_id.clone(),
                field: Some(Field::Email),
                why: "address_stays_with_survivor".to_owned(),
            });
        }
        loop {
            if let Some(found) = self.by_key(&key).await? {
                return Ok(Made::Contact(found));
            }
            let row = CreateRow {
                intent_id: IntentId::new(),
                gatekeeper_key: key.clone(),
                values: values.clone(),
            };
            let outcome = patiently!(self, {
                let permit = self.line.permit(Bucket::General, Priority::Merge).await?;
                if !(self.may_call)() {
                    return Err(PurgeError::Stopped);
                }
                reach("recreating");
                let sent = self.line.create(permit, std::slice::from_ref(&row)).await;
                match sent.answer.error {
                    Some(error) if error.fault() != Fault::Unknown => Err(LineError::Crm(error).into()),
                    _ => Ok(sent.answer.rows.into_values().next()),
                }
            })?;
            reach("recreated");
            match outcome {
                Some(RowOutcome::Applied { crm_id, .. }) => return Ok(Made::Contact(crm_id)),
                Some(RowOutcome::Rejected { code, .. }) => return Ok(Made::Refused(code)),
                // Somebody holds its address, its key or its external id by now.
                Some(RowOutcome::Conflict { .. }) => {
                    return Ok(match self.by_key(&key).await? {
                        Some(found) => Made::Contact(found),
                        None => Made::Refused("conflict".to_owned()),
                    });
                }
                _ => {
                    self.rest(Duration::from_secs(u64::from(self.settings.settle_seconds)))
                        .await
                }
            }
            if self.stop.is_cancelled() {
                return Err(PurgeError::Stopped);
            }
        }
    }

    async fn by_key(&self, key: &str) -> Result<Option<CrmId>, PurgeError> {
        let keys = [key.to_owned()];
        let answer = patiently!(self, {
            let permit = self.line.permit(Bucket::General, Priority::Merge).await?;
            match self.line.read(permit, ReadKey::GatekeeperKey, &keys).await {
                Err(LineError::Crm(CrmError::BatchRefused { .. })) => Ok(None),
                answer => Ok(answer?.records.into_iter().next()),
            }
        })?;
        Ok(answer.map(|record| CrmId(record.crm_id)))
    }

    async fn read_one(&self, crm_id: &CrmId) -> Result<Option<Record>, PurgeError> {
        let ids = [crm_id.0.clone()];
        let answer = patiently!(self, self.read_ids(&ids).await)?;
        Ok(answer.records.into_iter().next())
    }
}

fn addresses(record: &Record) -> impl Iterator<Item = String> {
    let primary = record.values.get(&Field::Email).into_iter();
    primary
        .chain(&record.additional_emails)
        .map(|email| email.trim().to_lowercase())
}
