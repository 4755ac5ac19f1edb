//! One call, from the filled batch to the settled rows.

use std::sync::Arc;
use std::time::Duration;

use super::SenderSettings;
use super::answered::{Sorted, sort};
use super::queue::{Task, Work};
use crate::crm::{CreateRow, CrmError, ReadAnswer, ReadKey, Reader, UpdateRow, Writer};
use crate::domain::{CrmId, Field, Gone, IntentId, Record};
use crate::failpoint::reach;
use crate::fault::{Classify, Fault};
use crate::governor::{Backoff, Bucket, Permit, Priority};
use crate::line::{Line, LineError};
use crate::rulebook::Rulebook;
use crate::store::gone::{absent, bury};
use crate::store::mirror::mirror_write;
use crate::store::recover::{OpenIntent, still_open};
use crate::store::settle::{SettleRow, SettleRules, SettledAs, settle};
use crate::store::{Store, StoreError};

/// The epoch of a write that nobody has taken over.
const FIRST_EPOCH: i64 = 1;

/// Carries batches to the CRM and what it answers into the database.
pub(super) struct Carrier<C> {
    line: Arc<Line<C>>,
    store: Store,
    rulebook: Rulebook,
    settle_seconds: i32,
    max_attempts: i32,
}

/// What came of a call.
#[derive(Debug, Default)]
pub(super) struct Carried {
    /// It was a probe.
    pub(super) was_probe: bool,
    /// Writes that are settled, or left to recovery.
    pub(super) settled: Vec<IntentId>,
    /// Some of them are left to recovery.
    pub(super) in_doubt: bool,
    /// People whom the CRM does not know.
    pub(super) to_create: Vec<OpenIntent>,
    /// Halves of a batch that was refused without naming a row.
    pub(super) halves: Vec<Work>,
    /// What was certainly not sent.
    pub(super) not_sent: Vec<Work>,
    /// What is wrong with the CRM or the database as such.
    pub(super) trouble: Option<LineError>,
}

impl<C: Reader + Writer> Carrier<C> {
    pub(super) fn new(line: Arc<Line<C>>, store: Store, rulebook: Rulebook, settings: &SenderSettings) -> Self {
        Self {
            line,
            store,
            rulebook,
            settle_seconds: settings.settle_seconds,
            max_attempts: settings.max_attempts,
        }
    }

    pub(super) async fn carry(&self, permit: Permit, work: Work) -> Carried {
        match work.task {
            Task::Probe(key) => self.probe(permit, key, work).await,
            Task::Create | Task::Update => self.write(permit, work).await,
        }
    }

    /// Sends what is still ours. The rest was taken over by another replica, or the database went on without it, in a
    /// failover, and its leads are decided anew.
    async fn write(&self, permit: Permit, mut work: Work) -> Carried {
        let open = async { still_open(&self.store.client().await?, &work.intents).await }.await;
        let open = match open {
            Ok(open) => open,
            Err(error) => {
                return Carried {
                    not_sent: vec![work],
                    trouble: Some(error.into()),
                    ..Carried::default()
                };
            }
        };
        let lost = work.intents.extract_if(.., |intent| !open.contains(&intent.intent_id));
        let lost: Vec<IntentId> = lost.map(|intent| intent.intent_id).collect();
        if !lost.is_empty() {
            tracing::warn!(writes = lost.len(), "writes are not sent: they are not ours any more");
        }
        let mut carried = if work.intents.is_empty() {
            Carried::default()
        } else {
            self.send(permit, work).await
        };
        carried.settled.extend(lost);
        carried
    }

    async fn send(&self, permit: Permit, work: Work) -> Carried {
        reach("sending");
        let sent = if matches!(work.task, Task::Create) {
            let rows: Vec<CreateRow> = work.intents.iter().map(create_row).collect();
            self.line.create(permit, &rows).await
        } else {
            let rows: Vec<UpdateRow> = work.intents.iter().filter_map(update_row).collect();
            self.line.update(permit, &rows).await
        };
        reach("answered");
        let sorted = sort(work, sent.answer);
        self.end(sorted, sent.call_id).await
    }

    /// Asks whether the CRM knows people whom the mirror does not. Those it knows go into the mirror, and their leads
    /// are decided anew.
    async fn probe(&self, permit: Permit, key: ReadKey, work: Work) -> Carried {
        let values: Vec<String> = work
            .intents
            .iter()
            .filter_map(|intent| probe_value(intent, key))
            .collect();
        let mut carried = Carried {
            was_probe: true,
            ..Carried::default()
        };
        let answer = match self.line.read(permit, key, &values).await {
            Ok(answer) => answer,
            Err(LineError::Crm(CrmError::BatchRefused { .. })) if work.intents.len() > 1 => {
                carried.halves = halves(work);
                return carried;
            }
            // One value that cannot be asked for is not in the CRM; the create says what is wrong with it.
            Err(LineError::Crm(CrmError::BatchRefused { .. })) => ReadAnswer::default(),
            Err(error) => {
                carried.not_sent.push(work);
                carried.trouble = Some(error);
                return carried;
            }
        };
        let is_known =
            |intent: &OpenIntent| probe_value(intent, key).is_some_and(|value| answer.found.contains_key(&value));
        let (known, unknown): (Vec<_>, Vec<_>) = work.intents.into_iter().partition(is_known);
        carried.to_create = unknown;
        if !known.is_empty() {
            let rows: Vec<SettleRow> = known
                .iter()
                .map(|intent| row(intent, SettledAs::Conflict, Some("found_in_crm")))
                .collect();
            self.store_records(&answer.records).await;
            carried.settled = rows.iter().map(|row| row.intent_id).collect();
            self.settle(&rows, None).await;
        }
        carried
    }

    /// Looks up what the CRM knows better, then settles all rows of a write.
    async fn end(&self, sorted: Sorted, call_id: Option<i64>) -> Carried {
        let Sorted {
            mut rows,
            conflicts,
            missing,
            not_sent,
            halves,
            error,
        } = sorted;
        for (intent, crm_id, message) in conflicts {
            let looked_up = self.look_up_holder(&intent, crm_id).await;
            rows.push(match looked_up {
                // An earlier request of ours landed after all: what it wrote is ours, and no edit of somebody else.
                Ok(Some(holder)) if is_ours(&intent, &holder) => SettleRow {
                    crm_id: Some(CrmId(holder.crm_id)),
                    created_at: holder.created_at,
                    updated_at: holder.updated_at,
                    ..row(&intent, SettledAs::Applied, Some("recovered"))
                },
                Ok(_) => SettleRow {
                    message: Some(message),
                    ..row(&intent, SettledAs::Conflict, Some("conflict"))
                },
                // Who it is could not be asked: recovery will.
                Err(_) => row(&intent, SettledAs::Unknown, Some("conflict_not_looked_up")),
            });
        }
        for (intent, message) in missing {
            let looked_up = self.look_up_missing(&intent).await;
            rows.push(match looked_up {
                Ok(()) => SettleRow {
                    message: Some(message),
                    ..row(&intent, SettledAs::Missing, Some("missing_in_crm"))
                },
                Err(_) => row(&intent, SettledAs::Unknown, Some("missing_not_looked_up")),
            });
        }
        if !rows.is_empty() {
            self.settle(&rows, call_id).await;
            reach("settled");
        }
        Carried {
            was_probe: false,
            settled: rows.iter().map(|row| row.intent_id).collect(),
            in_doubt: rows.iter().any(|row| row.outcome == SettledAs::Unknown),
            to_create: Vec::new(),
            halves,
            not_sent,
            trouble: error.map(LineError::Crm),
        }
    }

    /// The CRM says that somebody holds the address or the key: brings that contact into the mirror, and returns it.
    async fn look_up_holder(&self, intent: &OpenIntent, crm_id: Option<CrmId>) -> Result<Option<Record>, LineError> {
        let email = intent.body.get(&Field::Email).map(|email| email.to_lowercase());
        let asked = [
            crm_id.map(|crm_id| (ReadKey::CrmId, crm_id.0)),
            email.map(|email| (ReadKey::Email, email)),
            intent.gatekeeper_key.clone().map(|key| (ReadKey::GatekeeperKey, key)),
        ];
        for (key, value) in asked.into_iter().flatten() {
            let permit = self.line.permit(Bucket::General, Priority::Recovery).await?;
            let answer = self.line.read(permit, key, &[value]).await?;
            if !answer.records.is_empty() {
                self.store_records(&answer.records).await;
                return Ok(answer.records.into_iter().next());
            }
        }
        Ok(None)
    }

    /// The contact that was to be changed is not there: it leads to another one, or it is gone.
    async fn look_up_missing(&self, intent: &OpenIntent) -> Result<(), LineError> {
        let Some(crm_id) = &intent.crm_id else { return Ok(()) };
        let permit = self.line.permit(Bucket::General, Priority::Recovery).await?;
        let mut answer = self
            .line
            .read(permit, ReadKey::CrmId, std::slice::from_ref(&crm_id.0))
            .await?;
        match answer.records.first_mut() {
            Some(survivor) => {
                if survivor.crm_id != crm_id.0 && !survivor.absorbed_ids.contains(crm_id) {
                    survivor.absorbed_ids.push(crm_id.clone());
                }
                self.store_records(&answer.records).await;
            }
            None => {
                let absent = absent(&self.store.client().await?, std::slice::from_ref(&crm_id.0)).await?;
                let gone = self.line.gone(Priority::Recovery, &absent).await?;
                if !gone.holders.is_empty() {
                    self.store_records(&gone.holders).await;
                }
                self.until_stored(Answered::Gone(&gone)).await;
            }
        }
        Ok(())
    }

    async fn store_records(&self, records: &[Record]) {
        self.until_stored(Answered::Records(records)).await;
    }

    async fn settle(&self, rows: &[SettleRow], call_id: Option<i64>) {
        self.until_stored(Answered::Rows(rows, call_id)).await;
    }

    /// The CRM has answered; the answer must get into the database. Tried until it does: if this process ends before,
    /// recovery asks the CRM.
    async fn until_stored(&self, answered: Answered<'_>) {
        let mut backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(10));
        while let Err(error) = self.store_once(answered).await {
            let reason = crate::fault::chain(&error);
            match error.fault() {
                Fault::Broken | Fault::Rejected => {
                    tracing::error!(
                        error = reason,
                        "an answer of the CRM cannot be stored; recovery will ask again"
                    );
                    return;
                }
                Fault::Throttled(_) | Fault::Transient | Fault::Unknown => {
                    let wait = backoff.next_wait();
                    let wait_ms = wait.as_millis() as u64;
                    tracing::warn!(error = reason, wait_ms, "an answer of the CRM waits for the database");
                    #[expect(
                        clippy::disallowed_methods,
                        reason = "an answer that is not stored must not be lost; the stop waits for it, within its bound"
                    )]
                    tokio::time::sleep(wait).await;
                }
            }
        }
    }

    async fn store_once(&self, answered: Answered<'_>) -> Result<(), StoreError> {
        let client = self.store.client().await?;
        let normalizer = self.rulebook.rules().normalizer;
        match answered {
            Answered::Records(records) => {
                mirror_write(&client, records, &normalizer).await?;
            }
            Answered::Gone(gone) => {
                bury(&client, gone, &normalizer, self.rulebook.person_keys()).await?;
            }
            Answered::Rows(rows, call_id) => {
                let rules = SettleRules {
                    settle_seconds: self.settle_seconds,
                    max_attempts: self.max_attempts,
                    normalizer: normalizer.version().to_owned(),
                };
                let fenced = settle(&client, rows, call_id, &rules).await?;
                if fenced > 0 {
                    tracing::warn!(rows = fenced, "answers came too late: another replica had taken over");
                }
            }
        }
        Ok(())
    }

    /// At the end: what was never sent is decided anew by whoever comes next. What was taken over may have been sent by its
    /// former owner: it stays open, and recovery looks it up.
    pub(super) async fn withdraw(&self, intents: Vec<OpenIntent>) {
        let rows: Vec<SettleRow> = intents
            .iter()
            .filter(|intent| intent.epoch == FIRST_EPOCH)
            .map(|intent| row(intent, SettledAs::Withdrawn, Some("withdrawn")))
            .collect();
        if !rows.is_empty() {
            tracing::info!(intents = rows.len(), "writes that were not sent are withdrawn");
            self.settle(&rows, None).await;
        }
    }
}

/// What the CRM answered, on its way into the database.
#[derive(Debug, Clone, Copy)]
enum Answered<'a> {
    /// Contacts that the mirror does not have so.
    Records(&'a [Record]),
    /// Contacts that are not there any more.
    Gone(&'a Gone),
    /// Ends of writes.
    Rows(&'a [SettleRow], Option<i64>),
}

/// One row to settle.
pub(super) fn row(intent: &OpenIntent, outcome: SettledAs, reason: Option<&str>) -> SettleRow {
    SettleRow {
        intent_id: intent.intent_id,
        epoch: intent.epoch,
        outcome,
        crm_id: None,
        created_at: None,
        updated_at: None,
        reason: reason.map(str::to_owned),
        message: None,
    }
}

/// Whether a contact is the one that this write makes: it carries the write's person key and holds all of its values.
fn is_ours(intent: &OpenIntent, holder: &Record) -> bool {
    intent.gatekeeper_key.is_some() && intent.gatekeeper_key == holder.gatekeeper_key && holder.holds(&intent.body)
}

fn probe_value(intent: &OpenIntent, key: ReadKey) -> Option<String> {
    match key {
        ReadKey::Email => intent.body.get(&Field::Email).map(|email| email.to_lowercase()),
        ReadKey::GatekeeperKey => intent.gatekeeper_key.clone(),
        ReadKey::CrmId | ReadKey::ArchivedCrmId => intent.crm_id.as_ref().map(|crm_id| crm_id.0.clone()),
    }
}

fn create_row(intent: &OpenIntent) -> CreateRow {
    CreateRow {
        intent_id: intent.intent_id,
        gatekeeper_key: intent.gatekeeper_key.clone().unwrap_or_default(),
        values: intent.body.clone(),
    }
}

fn update_row(intent: &OpenIntent) -> Option<UpdateRow> {
    Some(UpdateRow {
        intent_id: intent.intent_id,
        crm_id: intent.crm_id.clone()?,
        values: intent.body.clone(),
    })
}

/// Two halves of a batch.
pub(super) fn halves(mut work: Work) -> Vec<Work> {
    let second = work.intents.split_off(work.intents.len() / 2);
    vec![
        Work {
            task: work.task,
            intents: second,
        },
        work,
    ]
}
