//! Recovery: reads from the CRM what became of writes of unknown outcome, before anything is sent again.
//!
//! Only reads that go to the CRM's store are asked (by id, by person key, by address), never its search. A read may still
//! be behind; that does no harm: what is sent again carries the same person key, and the CRM refuses a second one.

use std::collections::BTreeSet;

use super::{Sweep, SweepError};
use crate::crm::{ReadAnswer, ReadKey, Reader, Writer};
use crate::domain::{CrmId, Field, IntentId, Operation, Record};
use crate::governor::{Bucket, Priority};
use crate::line::LineError;
use crate::store::gone::{absent, bury};
use crate::store::mirror::mirror_write;
use crate::store::recover::OpenIntent;
use crate::store::settle::{SettleRow, SettleRules, SettledAs, settle};

/// What the CRM holds of some writes.
#[derive(Default)]
struct Looked {
    rows: Vec<SettleRow>,
    records: Vec<Record>,
    gone: Vec<String>,
    again: Vec<OpenIntent>,
}

impl<C: Reader + Writer> Sweep<C> {
    /// Looks up the writes in hand, settles those that the CRM knows, and sends the others again. They leave the hand a
    /// batch at a time, when what the CRM said is stored.
    pub(super) async fn recover(&mut self) -> Result<(), SweepError> {
        while let Some(first) = self.in_hand.first() {
            let operation = first.operation;
            let alike = self.in_hand.iter().filter(|intent| intent.operation == operation);
            let batch: Vec<OpenIntent> = alike.take(self.line.crm().batch_limit()).cloned().collect();
            let looked = match operation {
                Operation::Update => self.look_up_updates(&batch).await?,
                Operation::Create => self.look_up_creates(&batch).await?,
            };
            self.conclude(looked).await?;
            let done: BTreeSet<IntentId> = batch.iter().map(|intent| intent.intent_id).collect();
            self.in_hand.retain(|intent| !done.contains(&intent.intent_id));
        }
        Ok(())
    }

    async fn look_up_updates(&self, intents: &[OpenIntent]) -> Result<Looked, SweepError> {
        let ids: Vec<String> = intents
            .iter()
            .filter_map(|intent| intent.crm_id.clone())
            .map(|crm_id| crm_id.0)
            .collect();
        let answer = self.read(ReadKey::CrmId, &ids).await?;
        let mut looked = Looked::default();
        for intent in intents {
            let Some(crm_id) = &intent.crm_id else { continue };
            let Some(record) = found(&answer, &crm_id.0) else {
                if answer.unexplained.contains(&crm_id.0) {
                    self.look_up_alone(intent, crm_id, &mut looked).await?;
                } else {
                    looked.gone.push(crm_id.0.clone());
                    looked
                        .rows
                        .push(row(intent, SettledAs::Missing, "missing_in_crm", None));
                }
                continue;
            };
            sort_update(intent, crm_id, record, &mut looked);
        }
        Ok(looked)
    }

    /// A value that a batch read did not explain is asked for alone.
    async fn look_up_alone(&self, intent: &OpenIntent, crm_id: &CrmId, looked: &mut Looked) -> Result<(), SweepError> {
        let answer = self.read(ReadKey::CrmId, std::slice::from_ref(&crm_id.0)).await?;
        match answer.records.first() {
            Some(record) => sort_update(intent, crm_id, record, looked),
            None => {
                looked.gone.push(crm_id.0.clone());
                looked
                    .rows
                    .push(row(intent, SettledAs::Missing, "missing_in_crm", None));
            }
        }
        Ok(())
    }

    async fn look_up_creates(&self, intents: &[OpenIntent]) -> Result<Looked, SweepError> {
        let keys: Vec<String> = intents
            .iter()
            .filter_map(|intent| intent.gatekeeper_key.clone())
            .collect();
        let by_key = self.read(ReadKey::GatekeeperKey, &keys).await?;
        let mut looked = Looked::default();
        // Pairs: a map by address would drop the second of two writes with one address, and leave it open for ever.
        let mut not_by_key = Vec::new();
        for intent in intents {
            let record = intent.gatekeeper_key.as_deref().and_then(|key| found(&by_key, key));
            match record {
                // It holds what was to be written: ours. Otherwise somebody has changed it since, and it is decided anew
                // what may be written to it.
                Some(record) if record.holds(&intent.body) => {
                    looked
                        .rows
                        .push(row(intent, SettledAs::Applied, "recovered", Some(record)));
                    looked.records.push(record.clone());
                }
                Some(record) => {
                    looked.rows.push(row(intent, SettledAs::Conflict, "found_in_crm", None));
                    looked.records.push(record.clone());
                }
                None => match intent.body.get(&Field::Email) {
                    Some(email) => {
                        not_by_key.push((email.to_lowercase(), intent));
                    }
                    None => looked.again.push(intent.clone()),
                },
            }
        }
        let emails: BTreeSet<String> = not_by_key.iter().map(|(email, _)| email.clone()).collect();
        let emails: Vec<String> = emails.into_iter().collect();
        if emails.is_empty() {
            return Ok(looked);
        }
        let by_email = self.read(ReadKey::Email, &emails).await?;
        for (email, intent) in not_by_key {
            match found(&by_email, &email) {
                Some(record) => {
                    looked.rows.push(row(intent, SettledAs::Conflict, "found_in_crm", None));
                    looked.records.push(record.clone());
                }
                None => looked.again.push(intent.clone()),
            }
        }
        Ok(looked)
    }

    async fn read(&self, key: ReadKey, values: &[String]) -> Result<ReadAnswer, LineError> {
        let permit = self.line.permit(Bucket::General, Priority::Recovery).await?;
        self.line.read(permit, key, values).await
    }

    async fn conclude(&self, looked: Looked) -> Result<(), SweepError> {
        let normalizer = self.rulebook.rules().normalizer;
        let mut records = looked.records;
        if !looked.gone.is_empty() {
            let absent = absent(&self.store.client().await?, &looked.gone).await?;
            let gone = self.line.gone(Priority::Recovery, &absent).await?;
            records.extend_from_slice(&gone.holders);
            bury(
                &self.store.client().await?,
                &gone,
                &normalizer,
                self.rulebook.person_keys(),
            )
            .await?;
        }
        let client = self.store.client().await?;
        if !records.is_empty() {
            mirror_write(&client, &records, &normalizer).await?;
        }
        if !looked.rows.is_empty() {
            let rules = SettleRules {
                settle_seconds: self.settings.settle_seconds,
                max_attempts: self.settings.max_attempts,
                normalizer: normalizer.version().to_owned(),
            };
            settle(&client, &looked.rows, None, &rules).await?;
        }
        tracing::info!(
            settled = looked.rows.len(),
            again = looked.again.len(),
            "writes of unknown outcome were looked up"
        );
        self.sender.send(looked.again, true);
        Ok(())
    }
}

fn found<'a>(answer: &'a ReadAnswer, value: &str) -> Option<&'a Record> {
    answer.found.get(value).and_then(|place| answer.records.get(*place))
}

/// The contact holds all of it: applied. It leads to another id: decided anew. Otherwise sent again.
fn sort_update(intent: &OpenIntent, crm_id: &CrmId, record: &Record, looked: &mut Looked) {
    if record.crm_id != crm_id.0 {
        let mut survivor = record.clone();
        if !survivor.absorbed_ids.contains(crm_id) {
            survivor.absorbed_ids.push(crm_id.clone());
        }
        looked
            .rows
            .push(row(intent, SettledAs::Conflict, "merged_in_crm", None));
        looked.records.push(survivor);
        return;
    }
    if record.holds(&intent.body) {
        looked
            .rows
            .push(row(intent, SettledAs::Applied, "recovered", Some(record)));
        looked.records.push(record.clone());
    } else {
        looked.again.push(intent.clone());
    }
}

fn row(intent: &OpenIntent, outcome: SettledAs, reason: &str, record: Option<&Record>) -> SettleRow {
    SettleRow {
        intent_id: intent.intent_id,
        epoch: intent.epoch,
        outcome,
        crm_id: record.map(|record| CrmId(record.crm_id.clone())),
        created_at: record.and_then(|record| record.created_at),
        updated_at: record.and_then(|record| record.updated_at),
        reason: Some(reason.to_owned()),
        message: None,
    }
}
