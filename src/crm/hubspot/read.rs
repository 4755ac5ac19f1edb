//! Reading: the account, the properties, pages of all contacts, changes, and batches by key.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::Value;
use url::Url;

use super::changed::changed_page;
use super::found::{found, once_each};
use super::http::{Exchange, Failure, Request};
use super::operation::Operation;
use super::wire::{self, Completion, Listed, SEARCH_BODY_LIMIT, URL_LIMIT};
use super::{BATCH_LIMIT, HubSpot};
use crate::crm::{
    Account, Answer, ChangedPage, CrmError, FieldSet, LastChange, Page, ReadAnswer, ReadKey, Reader, Schema, Window,
};
use crate::domain::{CrmId, Field};
use crate::governor::{Bucket, Permit};

/// The longest cursor that the length of a URL is reckoned with.
const LONG_CURSOR: &str = "0000000000000000000000000000000000000000";

impl Reader for HubSpot {
    fn batch_limit(&self) -> usize {
        BATCH_LIMIT
    }

    fn canonical(&self, property: &str) -> Field {
        self.field_of(property)
    }

    fn list_needs_hydration(&self, fields: &FieldSet) -> bool {
        let query = wire::list_query(&self.names.asked_for(&needed(fields)), Some(LONG_CURSOR), false);
        Url::parse_with_params(&self.endpoints.contacts(""), query).is_ok_and(|url| url.as_str().len() > URL_LIMIT)
    }

    fn changed_needs_hydration(&self, fields: &FieldSet) -> bool {
        let window = Window {
            lo: chrono::DateTime::UNIX_EPOCH,
            hi: chrono::DateTime::UNIX_EPOCH,
        };
        let cursor = CrmId(LONG_CURSOR.to_owned());
        let body = wire::search_body(&self.names.asked_for(&needed(fields)), window, Some(&cursor));
        // Room for the two times, which grow to thirteen digits.
        body.to_string().len() + 26 > SEARCH_BODY_LIMIT
    }

    async fn account(&self, permit: Permit) -> Answer<Account> {
        let exchange = self
            .get(permit, Operation::Account, self.endpoints.account(), Vec::new())
            .await;
        answer(exchange, |value| {
            wire::account(&value).ok_or_else(|| no_answer("no_account_id"))
        })
    }

    async fn schema(&self, permit: Permit) -> Answer<Schema> {
        let exchange = self
            .get(permit, Operation::Schema, self.endpoints.properties(), Vec::new())
            .await;
        answer(exchange, |value| {
            wire::schema(&value, &self.names).ok_or_else(|| no_answer("no_results"))
        })
    }

    async fn list(&self, permit: Permit, fields: &FieldSet, after: Option<&str>, archived: bool) -> Answer<Page> {
        let fields = if self.list_needs_hydration(fields) {
            needed(&FieldSet::new())
        } else {
            needed(fields)
        };
        let operation = if archived {
            Operation::ListArchived
        } else {
            Operation::List
        };
        let query = wire::list_query(&self.names.asked_for(&fields), after, archived);
        let exchange = self.get(permit, operation, self.endpoints.contacts(""), query).await;
        answer(exchange, |value| {
            let mut page = self.listed(&value, &fields)?;
            if page.after.is_some() && page.after.as_deref() == after {
                return Err(no_answer("no_progress"));
            }
            page.records.iter_mut().for_each(|record| record.archived |= archived);
            Ok(Page {
                records: page.records,
                next: page.after,
            })
        })
    }

    async fn changed(
        &self,
        permit: Permit,
        fields: &FieldSet,
        window: Window,
        after_id: Option<&CrmId>,
    ) -> Answer<ChangedPage> {
        debug_assert_eq!(
            permit.bucket(),
            Bucket::Search,
            "a search is counted against its own limit"
        );
        let fields = if self.changed_needs_hydration(fields) {
            needed(&FieldSet::new())
        } else {
            needed(fields)
        };
        let request = Request {
            operation: Operation::Search,
            method: Method::POST,
            url: self.endpoints.contacts("/search"),
            query: Vec::new(),
            body: Some(wire::search_body(&self.names.asked_for(&fields), window, after_id)),
            rows: 0,
        };
        answer(self.http.send(permit, request).await, |value| {
            changed_page(self.listed(&value, &fields)?, window, after_id)
        })
    }

    async fn read(&self, permit: Permit, fields: &FieldSet, key: ReadKey, values: &[String]) -> Answer<ReadAnswer> {
        let fields = needed(fields);
        let asked = once_each(key, values);
        let request = Request {
            operation: Operation::BatchRead,
            method: Method::POST,
            url: self.endpoints.contacts("/batch/read"),
            query: wire::read_query(key),
            body: Some(wire::read_body(&self.names.asked_for(&fields), key, &asked)),
            rows: values.len(),
        };
        answer(self.http.send(permit, request).await, |value| {
            let told = wire::told(&value, &self.names, &|field| fields.contains(field));
            if let Completion::Unfinished(_) = told.completion {
                return Err(no_answer("status_unfinished"));
            }
            if !told.has_results {
                return Err(no_answer("no_results"));
            }
            let mut answer = found(key, values, told);
            let archived = key == ReadKey::ArchivedCrmId;
            answer.records.iter_mut().for_each(|record| record.archived |= archived);
            Ok(answer)
        })
    }

    async fn associations(&self, permit: Permit, kind: &str, ids: &[String]) -> Answer<BTreeMap<String, Vec<String>>> {
        let request = Request {
            operation: Operation::AssociationRead,
            method: Method::POST,
            url: self.endpoints.associations(kind, "/batch/read"),
            query: Vec::new(),
            body: Some(wire::ids_body(ids)),
            rows: ids.len(),
        };
        answer(self.http.send(permit, request).await, |value| {
            wire::associations(&value).ok_or_else(|| no_answer("no_results"))
        })
    }

    fn history_limit(&self) -> usize {
        wire::HISTORY_LIMIT
    }

    async fn last_changes(&self, permit: Permit, fields: &FieldSet, ids: &[String]) -> Answer<Vec<LastChange>> {
        let properties: Vec<String> = fields
            .iter()
            .filter_map(|field| self.names.property_of(field).map(str::to_owned))
            .collect();
        let request = Request {
            operation: Operation::BatchRead,
            method: Method::POST,
            url: self.endpoints.contacts("/batch/read"),
            query: Vec::new(),
            body: Some(wire::history_body(&properties, ids)),
            rows: ids.len(),
        };
        answer(self.http.send(permit, request).await, |value| {
            wire::last_changes(&value, &self.names).ok_or_else(|| no_answer("no_results"))
        })
    }
}

impl HubSpot {
    async fn get(
        &self,
        permit: Permit,
        operation: Operation,
        url: String,
        query: Vec<(&'static str, String)>,
    ) -> Exchange {
        self.http
            .send(
                permit,
                Request {
                    operation,
                    method: Method::GET,
                    url,
                    query,
                    body: None,
                    rows: 0,
                },
            )
            .await
    }

    fn listed(&self, value: &Value, fields: &FieldSet) -> Result<Listed, CrmError> {
        wire::listed(value, &self.names, &|field| fields.contains(field)).ok_or_else(|| no_answer("no_results"))
    }
}

/// The fields that a record needs to be known by, whatever else is wanted.
fn needed(fields: &FieldSet) -> FieldSet {
    let mut fields = fields.clone();
    fields.insert(Field::Email);
    fields
}

fn answer<T>(exchange: Exchange, content: impl FnOnce(Value) -> Result<T, CrmError>) -> Answer<T> {
    let result = exchange.reply.map_err(|Failure { error, .. }| error).and_then(content);
    Answer {
        call: exchange.call,
        result,
    }
}

fn no_answer(reason: &str) -> CrmError {
    CrmError::NoAnswer {
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crm::hubspot::{Settings, Token};

    fn hubspot() -> HubSpot {
        let mut settings = Settings::new(Token::fixed("t"));
        settings.base_url = "http://127.0.0.1:9".to_owned();
        HubSpot::new(settings).unwrap()
    }

    #[test]
    fn fields_that_do_not_fit_are_left_to_a_read_by_id() {
        let many = |count: usize| -> FieldSet {
            (0..count)
                .map(|at| Field::Property(format!("custom_property_number_{at:04}").into()))
                .collect()
        };
        let hubspot = hubspot();
        assert!(!hubspot.list_needs_hydration(&many(60)) && !hubspot.changed_needs_hydration(&many(60)));
        assert!(!hubspot.list_needs_hydration(&many(120)) && hubspot.changed_needs_hydration(&many(120)));
        assert!(hubspot.list_needs_hydration(&many(400)) && hubspot.changed_needs_hydration(&many(400)));
    }
}
