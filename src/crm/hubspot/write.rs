//! Writing: batches of new contacts, batches of changes, and our unique property. Each is sent once.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::Value;

use super::HubSpot;
use super::http::{Exchange, Failure, Request};
use super::operation::Operation;
use super::reconcile::{Outcomes, Sent, all, reconcile, refused};
use super::wire;
use crate::crm::{Answer, BatchAnswer, CreateRow, CrmError, KEY_PROPERTY, MergeOutcome, RowOutcome, UpdateRow, Writer};
use crate::domain::{CANONICAL, CrmId, Field};
use crate::governor::Permit;

impl Writer for HubSpot {
    async fn create(&self, permit: Permit, rows: &[CreateRow]) -> BatchAnswer {
        let sent: Vec<Sent<'_>> = rows.iter().map(Sent::from).collect();
        let fields = kept(rows.iter().flat_map(|row| row.values.keys()));
        let body = wire::create_body(&self.names, rows);
        self.batch(permit, Operation::BatchCreate, body, &sent, &fields).await
    }

    async fn update(&self, permit: Permit, rows: &[UpdateRow]) -> BatchAnswer {
        let sent: Vec<Sent<'_>> = rows.iter().map(Sent::from).collect();
        let fields = kept(rows.iter().flat_map(|row| row.values.keys()));
        let body = wire::update_body(&self.names, rows);
        self.batch(permit, Operation::BatchUpdate, body, &sent, &fields).await
    }

    async fn merge(&self, permit: Permit, primary: &CrmId, absorbed: &CrmId) -> Answer<MergeOutcome> {
        self.merge_two(permit, primary, absorbed).await
    }

    async fn associate(&self, permit: Permit, kind: &str, crm_id: &CrmId, objects: &[String]) -> Answer<()> {
        let request = Request {
            operation: Operation::Associate,
            method: Method::POST,
            url: self.endpoints.associations(kind, "/batch/associate/default"),
            query: Vec::new(),
            body: Some(wire::associate_body(crm_id, objects)),
            rows: objects.len(),
        };
        let Exchange { call, reply } = self.http.send(permit, request).await;
        Answer {
            call,
            result: reply.map(drop).map_err(|Failure { error, .. }| error),
        }
    }

    async fn create_key_property(&self, permit: Permit) -> Answer<bool> {
        let request = Request {
            operation: Operation::CreateProperty,
            method: Method::POST,
            url: self.endpoints.properties(),
            query: Vec::new(),
            body: Some(wire::key_property_body()),
            rows: 1,
        };
        let Exchange { call, reply } = self.http.send(permit, request).await;
        let result = match reply {
            Ok(made) if wire::made_property_is_unique(&made) => Ok(true),
            Ok(_) => Err(CrmError::NoUniqueKey {
                property: KEY_PROPERTY.to_owned(),
                advice: "the CRM brought back an archived property of this name, which is not unique; delete it for good \
                         in the CRM's settings, then run `gatekeeper setup-crm`",
            }),
            Err(Failure {
                error: CrmError::Refused { status: 409, .. },
                ..
            }) => Ok(false),
            Err(Failure { error, .. }) => Err(error),
        };
        Answer { call, result }
    }
}

impl HubSpot {
    async fn batch(
        &self,
        permit: Permit,
        operation: Operation,
        body: Value,
        sent: &[Sent<'_>],
        fields: &BTreeSet<Field>,
    ) -> BatchAnswer {
        let request = Request {
            operation,
            method: Method::POST,
            url: self.endpoints.contacts(match operation {
                Operation::BatchCreate => "/batch/create",
                _ => "/batch/update",
            }),
            query: Vec::new(),
            body: Some(body),
            rows: sent.len(),
        };
        let Exchange { call, reply } = self.http.send(permit, request).await;
        match reply {
            Ok(value) => {
                let told = wire::told(&value, &self.names, &|field| fields.contains(field));
                BatchAnswer {
                    call,
                    rows: reconcile(operation, sent, told),
                    error: None,
                }
            }
            Err(failure) => {
                let (rows, error) = meaning(operation, sent, call.status.unwrap_or(0), failure);
                BatchAnswer { call, rows, error }
            }
        }
    }
}

/// What a call that failed as a whole means for its rows.
fn meaning(operation: Operation, sent: &[Sent<'_>], status: u16, failure: Failure) -> (Outcomes, Option<CrmError>) {
    let Failure { error, complaint } = failure;
    match error {
        CrmError::NoAnswer { ref reason } => (all(sent, &RowOutcome::Unknown { reason: reason.clone() }), Some(error)),
        CrmError::BatchRefused { .. } => {
            let rows = refused(operation, sent, status, *complaint);
            (rows, (sent.len() != 1).then_some(error))
        }
        _ => (all(sent, &RowOutcome::NotSent), Some(error)),
    }
}

/// The values of the returned records that are kept: what was set, and the canonical ones.
fn kept<'a>(set: impl Iterator<Item = &'a Field>) -> BTreeSet<Field> {
    CANONICAL.iter().chain(set).cloned().collect()
}
