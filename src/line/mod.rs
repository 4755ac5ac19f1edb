//! The line to the CRM: a permit before each call, a row of the audit and the governor's lesson after it.
//!
//! The loops speak to the CRM only through this. One method makes one call; trying again is the loops' business.

mod error;
mod gone;

pub use error::LineError;

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use serde_json::json;

use crate::crm::{
    Account, Answer, BatchAnswer, Call, ChangedPage, CreateRow, CrmError, FieldSet, LastChange, MergeOutcome, Page,
    ReadAnswer, ReadKey, Reader, RowOutcome, Schema, UpdateRow, Window, Writer,
};
use crate::domain::{CrmId, ReplicaId};
use crate::governor::{Bucket, Governor, Permit, Priority, Went};
use crate::progress;
use crate::store::Store;
use crate::store::settle::{CallRow, note_call};

/// How long all wait after the CRM refused the token or a scope, before somebody tries again.
const REFUSED_WAIT: Duration = Duration::from_secs(30);

/// A connector, governed and audited.
pub struct Line<C> {
    crm: C,
    governor: Governor<Store>,
    store: Store,
    replica: ReplicaId,
    fields: RwLock<Arc<FieldSet>>,
}

/// A batch write's answer with the number of its call in the audit.
#[derive(Debug)]
pub struct Sent {
    /// What became of each row.
    pub answer: BatchAnswer,
    /// `audit.crm_call.call_id`, when the call could be recorded.
    pub call_id: Option<i64>,
}

impl<C: Reader + Writer> Line<C> {
    /// A line on which `fields` are read.
    pub fn new(crm: C, governor: Governor<Store>, store: Store, replica: ReplicaId, fields: FieldSet) -> Self {
        Self {
            crm,
            governor,
            store,
            replica,
            fields: RwLock::new(Arc::new(fields)),
        }
    }

    /// The connector, for what needs no call.
    pub fn crm(&self) -> &C {
        &self.crm
    }

    /// The fields that are mirrored.
    pub fn fields(&self) -> Arc<FieldSet> {
        self.fields.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Mirrors other fields from now on.
    pub fn set_fields(&self, fields: FieldSet) {
        *self.fields.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(fields);
    }

    /// Waits for leave to make one call.
    ///
    /// # Errors
    /// When the limits cannot be counted, because the database is away.
    pub async fn permit(&self, bucket: Bucket, priority: Priority) -> Result<Permit, LineError> {
        Ok(self.governor.permit(bucket, priority).await?)
    }

    /// Who we are to the CRM.
    ///
    /// # Errors
    /// As the call.
    pub async fn account(&self, priority: Priority) -> Result<Account, LineError> {
        let permit = self.permit(Bucket::General, priority).await?;
        let answer = self.crm.account(permit).await;
        self.heard(Bucket::General, answer).await
    }

    /// The CRM's properties.
    ///
    /// # Errors
    /// As the call.
    pub async fn schema(&self, priority: Priority) -> Result<Schema, LineError> {
        let permit = self.permit(Bucket::General, priority).await?;
        let answer = self.crm.schema(permit).await;
        self.heard(Bucket::General, answer).await
    }

    /// Makes our unique property; `true` when it was made now.
    ///
    /// # Errors
    /// As the call.
    pub async fn create_key_property(&self, priority: Priority) -> Result<bool, LineError> {
        let permit = self.permit(Bucket::General, priority).await?;
        let answer = self.crm.create_key_property(permit).await;
        self.heard(Bucket::General, answer).await
    }

    /// One page of all contacts.
    ///
    /// # Errors
    /// As the call.
    pub async fn list(&self, priority: Priority, after: Option<&str>, archived: bool) -> Result<Page, LineError> {
        let permit = self.permit(Bucket::General, priority).await?;
        let answer = self.crm.list(permit, &self.fields(), after, archived).await;
        self.heard(Bucket::General, answer).await
    }

    /// One page of a window of changes.
    ///
    /// # Errors
    /// As the call.
    pub async fn changed(
        &self,
        priority: Priority,
        window: Window,
        after_id: Option<&CrmId>,
    ) -> Result<ChangedPage, LineError> {
        let permit = self.permit(Bucket::Search, priority).await?;
        let answer = self.crm.changed(permit, &self.fields(), window, after_id).await;
        self.heard(Bucket::Search, answer).await
    }

    /// Reads contacts by a key, with a permit taken before.
    ///
    /// # Errors
    /// As the call.
    pub async fn read(&self, permit: Permit, key: ReadKey, values: &[String]) -> Result<ReadAnswer, LineError> {
        self.read_fields(permit, &self.fields(), key, values).await
    }

    /// The same for other fields than are mirrored.
    ///
    /// # Errors
    /// As the call.
    pub async fn read_fields(
        &self,
        permit: Permit,
        fields: &FieldSet,
        key: ReadKey,
        values: &[String],
    ) -> Result<ReadAnswer, LineError> {
        let answer = self.crm.read(permit, fields, key, values).await;
        self.heard(Bucket::General, answer).await
    }

    /// Which objects of a kind contacts are tied to, with a permit taken before.
    ///
    /// # Errors
    /// As the call.
    pub async fn associations(
        &self,
        permit: Permit,
        kind: &str,
        ids: &[String],
    ) -> Result<BTreeMap<String, Vec<String>>, LineError> {
        let answer = self.crm.associations(permit, kind, ids).await;
        self.heard(Bucket::General, answer).await
    }

    /// Ties a contact to objects of a kind, with a permit taken before.
    ///
    /// # Errors
    /// As the call.
    pub async fn associate(
        &self,
        permit: Permit,
        kind: &str,
        crm_id: &CrmId,
        objects: &[String],
    ) -> Result<(), LineError> {
        let answer = self.crm.associate(permit, kind, crm_id, objects).await;
        self.heard(Bucket::General, answer).await
    }

    /// Merges one contact into another, with a permit taken before; with the number of the call in the audit.
    ///
    /// # Errors
    /// As the call.
    pub async fn merge(
        &self,
        permit: Permit,
        primary: &CrmId,
        absorbed: &CrmId,
    ) -> Result<(MergeOutcome, Option<i64>), LineError> {
        let answer = self.crm.merge(permit, primary, absorbed).await;
        let mut row = self.call_row(&answer.call, answer.result.as_ref().err());
        match &answer.result {
            Ok(MergeOutcome::Merged(_)) => row.applied = row.rows_sent,
            Ok(MergeOutcome::Refused { .. }) => row.rejected = row.rows_sent,
            Err(CrmError::NoAnswer { .. }) => row.unknown = row.rows_sent,
            Err(_) => {}
        }
        let call_id = self.note(&row).await;
        self.learn(Bucket::General, &answer.call, answer.result.as_ref().err())
            .await;
        Ok((answer.result?, call_id))
    }

    /// Who set fields of contacts last, with a permit taken before.
    ///
    /// # Errors
    /// As the call.
    pub async fn last_changes(
        &self,
        permit: Permit,
        fields: &FieldSet,
        ids: &[String],
    ) -> Result<Vec<LastChange>, LineError> {
        let answer = self.crm.last_changes(permit, fields, ids).await;
        self.heard(Bucket::General, answer).await
    }

    /// Makes contacts, with a permit taken before.
    pub async fn create(&self, permit: Permit, rows: &[CreateRow]) -> Sent {
        let answer = self.crm.create(permit, rows).await;
        self.sent(answer).await
    }

    /// Changes contacts, with a permit taken before.
    pub async fn update(&self, permit: Permit, rows: &[UpdateRow]) -> Sent {
        let answer = self.crm.update(permit, rows).await;
        self.sent(answer).await
    }

    async fn heard<T>(&self, bucket: Bucket, answer: Answer<T>) -> Result<T, LineError> {
        let row = self.call_row(&answer.call, answer.result.as_ref().err());
        self.note(&row).await;
        self.learn(bucket, &answer.call, answer.result.as_ref().err()).await;
        Ok(answer.result?)
    }

    async fn sent(&self, answer: BatchAnswer) -> Sent {
        let mut row = self.call_row(&answer.call, answer.error.as_ref());
        for outcome in answer.rows.values() {
            match outcome {
                RowOutcome::Applied { .. } => row.applied += 1,
                RowOutcome::Rejected { .. } => row.rejected += 1,
                RowOutcome::Conflict { .. } | RowOutcome::Missing { .. } => row.conflict += 1,
                RowOutcome::Unknown { .. } => row.unknown += 1,
                RowOutcome::NotSent => {}
            }
        }
        let call_id = self.note(&row).await;
        self.learn(Bucket::General, &answer.call, answer.error.as_ref()).await;
        Sent { answer, call_id }
    }

    fn call_row(&self, call: &Call, error: Option<&CrmError>) -> CallRow {
        metrics::counter!("gatekeeper_crm_calls_total", "operation" => call.operation, "status" => call.status.map_or_else(|| "none".to_owned(), |status| status.to_string())).increment(1);
        metrics::histogram!("gatekeeper_crm_call_seconds", "operation" => call.operation)
            .record(call.duration.as_secs_f64());
        CallRow {
            called_at: call.started_at,
            operation: call.operation.to_owned(),
            priority: call.priority.name().to_owned(),
            rows_sent: call.rows,
            applied: 0,
            rejected: 0,
            conflict: 0,
            unknown: 0,
            status: call.status,
            failure: error.map(|error| error.code().to_owned()),
            duration_ms: u64::try_from(call.duration.as_millis()).unwrap_or(u64::MAX),
            correlation_id: call.correlation_id.clone(),
            replica_id: json!(self.replica),
        }
    }

    /// A call that cannot be recorded was made all the same; its writes are in the audit by their intents.
    async fn note(&self, row: &CallRow) -> Option<i64> {
        progress::made();
        let noted = async { note_call(&self.store.client().await?, row).await }.await;
        noted
            .inspect_err(|error| {
                let error = crate::fault::chain(error);
                tracing::warn!(
                    operation = row.operation,
                    error,
                    "a call to the CRM is not in audit.crm_call"
                );
            })
            .ok()
    }

    /// One replica's 429 stops all. What cannot be noted now is noted at the next answer.
    async fn learn(&self, bucket: Bucket, call: &Call, error: Option<&CrmError>) {
        match error {
            Some(CrmError::Unreachable { .. } | CrmError::Busy { .. }) => {
                self.governor.note(call.priority, Went::Failed)
            }
            Some(CrmError::NoAnswer { .. }) => self.governor.note(call.priority, Went::Unanswered),
            // Of it the shared pause takes care; whether the CRM is well it does not say.
            Some(CrmError::Throttled { .. }) => {}
            _ => self.governor.note(call.priority, Went::Well),
        }
        let learned = match error {
            Some(CrmError::Throttled { policy, wait }) => self.governor.pause(Some(bucket), *wait, policy).await,
            Some(CrmError::Busy { wait, .. }) => {
                self.governor.pause(Some(bucket), Some(*wait), "the CRM is busy").await
            }
            Some(CrmError::Unauthorized { .. }) => {
                self.governor
                    .pause(None, Some(REFUSED_WAIT), "the CRM refuses the token")
                    .await
            }
            _ => {
                let used = |most: Option<u32>, left: Option<u32>| Some(most?.saturating_sub(left?));
                let window_used = used(call.rate.window_max, call.rate.window_remaining);
                let day_used = used(call.rate.daily_max, call.rate.daily_remaining);
                self.governor.learn(bucket, window_used, day_used).await
            }
        };
        if let Err(error) = learned {
            tracing::warn!(error = crate::fault::chain(&error), "the limits could not be noted");
        }
    }
}
