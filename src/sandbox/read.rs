//! Reading: list, one record, batch read. All of these read the store, never the search index.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::batch::{inputs, missing};
use super::contact::{Contact, iso};
use super::values::PropId;
use super::wire::{Problem, Reply, record, shown};
use super::world::Turn;

/// Longest page of a list.
const MAX_PAGE: usize = 100;

/// Contacts of a batch read that asks for histories.
const MOST_WITH_HISTORY: usize = 50;

/// The last version of each of these properties. The account keeps more; nobody asks for it here.
fn history(contact: &Contact, properties: &[(&str, PropId)]) -> Value {
    let of = |(name, property): &(&str, PropId)| {
        let versions = contact.last_change(*property).map(|version| {
            json!({
                "value": version.value, "timestamp": iso(version.at_ms), "sourceType": version.by.0,
                "sourceId": version.by.1,
            })
        });
        ((*name).to_owned(), Value::Array(versions.into_iter().collect()))
    };
    Value::Object(properties.iter().map(of).collect())
}

/// The query of a URL: names and decoded values, in their order.
#[derive(Debug, Clone, Default)]
pub(super) struct Query(pub(super) Vec<(String, String)>);

impl Query {
    /// The last value of a name.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .rev()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The values of a name that may be repeated or joined with commas.
    pub(super) fn list(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0
            .iter()
            .filter(move |(key, _)| key == name)
            .flat_map(|(_, value)| value.split(','))
            .map(str::trim)
    }
}

impl Turn<'_> {
    /// `GET …/contacts`: a page by id. `path` is needed for the link to the next page.
    pub(super) fn list(&mut self, query: &Query, path: &str) -> Result<Reply, Problem> {
        let limit = match query.get("limit").map(str::parse::<usize>) {
            None => 10,
            Some(Ok(limit)) if (1..=MAX_PAGE).contains(&limit) => limit,
            Some(_) => {
                return Err(Problem::validation(format!(
                    "limit must be a number from 1 to {MAX_PAGE}"
                )));
            }
        };
        let from = match query.get("after").map(str::parse::<u64>) {
            None => 0,
            Some(Ok(id)) => id,
            Some(Err(_)) => return Err(Problem::validation("Invalid paging cursor")),
        };
        let catalog = &self.world.catalog;
        let shown = shown(catalog, query.list("properties"));
        let mut results = Vec::with_capacity(limit);
        let mut next = None;
        let mut take = |contact: &super::contact::Contact| {
            if results.len() == limit {
                next = Some(contact.id);
                return false;
            }
            results.push(Value::Object(record(contact, catalog, &shown)));
            true
        };
        if query.get("archived") == Some("true") {
            let _ = self.world.book.bin_range(from..).all(&mut take);
        } else {
            let _ = self.world.book.live_range(from..).all(&mut take);
        }
        let rows = results.len();
        let mut body = json!({"results": results});
        if let Some(next) = next {
            let link = format!("https://api.hubapi.com{path}?limit={limit}&after={next}");
            body["paging"] = json!({"next": {"after": next.to_string(), "link": link}});
        }
        Ok(Reply {
            status: 200,
            body: Some(body),
            rows,
        })
    }

    /// `GET …/contacts/{id}`: a merged-away id brings the survivor, which has another id.
    pub(super) fn get(&mut self, key: &str, query: &Query) -> Result<Reply, Problem> {
        let gone = || Problem::not_found(self.version);
        let contact = if query.get("archived") == Some("true") {
            key.parse()
                .ok()
                .and_then(|id| self.world.book.binned(id))
                .ok_or_else(gone)?
        } else {
            let id = self.find(key, query.get("idProperty"))?.ok_or_else(gone)?;
            self.world.book.live(id).ok_or_else(gone)?
        };
        let catalog = &self.world.catalog;
        Ok(Reply::json(
            200,
            record(contact, catalog, &shown(catalog, query.list("properties"))).into(),
        ))
    }

    /// `POST …/batch/read`: each contact once, in no order, without a word on which input it answers.
    pub(super) fn batch_read(&mut self, body: &Value, query: &Query) -> Result<Reply, Problem> {
        let Some(inputs) = inputs(body)? else {
            return Ok(self.answer(200, Vec::new(), Vec::new()));
        };
        let id_property = body.get("idProperty").and_then(Value::as_str);
        let archived = query.get("archived") == Some("true");
        let catalog = &self.world.catalog;
        let names = body
            .get("properties")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str);
        let shown = shown(catalog, names);
        let histories: Vec<(&str, PropId)> = body
            .get("propertiesWithHistory")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .filter_map(|name| Some((name, catalog.find(name)?.0)))
            .collect();
        if !histories.is_empty() && inputs.len() > MOST_WITH_HISTORY {
            return Err(Problem::validation(format!(
                "With property history no more than {MOST_WITH_HISTORY} inputs are allowed"
            )));
        }
        let (mut results, mut gone, mut found) = (Vec::new(), Vec::new(), BTreeSet::new());
        for input in inputs {
            let key = super::write::text(input, "id").ok_or_else(|| Problem::missing_field("id"))?;
            let contact = if archived {
                key.parse().ok().and_then(|id| self.world.book.binned(id))
            } else {
                self.find(&key, id_property)?.and_then(|id| self.world.book.live(id))
            };
            match contact {
                None => gone.push(key),
                Some(contact) if found.insert(contact.id) => {
                    let mut record = record(contact, catalog, &shown);
                    if !histories.is_empty() {
                        record.insert("propertiesWithHistory".to_owned(), history(contact, &histories));
                    }
                    results.push(Value::Object(record));
                }
                Some(_) => {}
            }
        }
        let errors = if gone.is_empty() {
            Vec::new()
        } else {
            vec![missing(gone).into_row(None)]
        };
        Ok(self.answer(200, results, errors))
    }
}
