//! Merging: two contacts become one. Sent once.
//!
//! Since January 2025 a merge makes a third record with an id of its own, unless the account keeps primary ids; the answer's
//! `id` is the only one to go on with (crm-apis 1.8). What a merge of an already merged contact answers is not documented: any
//! refusal is left to the caller, who asks what both are now.

use reqwest::Method;
use serde_json::Value;

use super::HubSpot;
use super::classify::{code, too_many_merges};
use super::http::{Exchange, Failure, Request};
use super::operation::Operation;
use super::wire;
use crate::crm::{Answer, CrmError, MergeOutcome};
use crate::domain::CrmId;
use crate::governor::Permit;

impl HubSpot {
    pub(super) async fn merge_two(&self, permit: Permit, primary: &CrmId, absorbed: &CrmId) -> Answer<MergeOutcome> {
        let request = Request {
            operation: Operation::Merge,
            method: Method::POST,
            url: self.endpoints.contacts("/merge"),
            query: Vec::new(),
            body: Some(wire::merge_body(primary, absorbed)),
            rows: 2,
        };
        let Exchange { call, reply } = self.http.send(permit, request).await;
        let result = match reply {
            Ok(value) => self.merged(&value),
            // Both are locked for a moment, or the CRM is busy, or the token may not: nothing was done.
            Err(Failure {
                error: CrmError::Refused { status, .. },
                complaint,
            }) => Ok(MergeOutcome::Refused {
                code: match too_many_merges(status) {
                    true => "too_many_merges".to_owned(),
                    false => code(&complaint),
                },
            }),
            Err(Failure { error, .. }) => Err(error),
        };
        Answer { call, result }
    }

    /// The survivor; an answer without one is no answer.
    fn merged(&self, value: &Value) -> Result<MergeOutcome, CrmError> {
        let record = wire::one_record(value, &self.names);
        let record = record.filter(|record| !record.crm_id.is_empty());
        record
            .map(|record| MergeOutcome::Merged(Box::new(record)))
            .ok_or_else(|| CrmError::NoAnswer {
                reason: "no_record".to_owned(),
            })
    }
}
