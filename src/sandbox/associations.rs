//! What contacts are tied to: companies, deals and other objects, of which the sandbox knows nothing but their ids.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::wire::{Problem, Reply};
use super::world::Turn;
use super::write::text;

/// Inputs that one read may have; a batch of ties may have twice as many.
const MAX_READ: usize = 1_000;

/// The ties of all contacts: by contact, by kind of object, the objects' ids.
pub(super) type Ties = BTreeMap<u64, BTreeMap<String, BTreeSet<String>>>;

impl Turn<'_> {
    /// `POST …/associations/contacts/{kind}/batch/read`. Who has no ties is among the errors, and the status is 207.
    pub(super) fn read_associations(&self, kind: &str, body: &Value) -> Result<Reply, Problem> {
        let inputs = inputs(body, MAX_READ)?;
        let (mut results, mut errors) = (Vec::new(), Vec::new());
        for input in inputs {
            let asked = text(input, "id").ok_or_else(|| Problem::missing_field("id"))?;
            let tied = asked
                .parse()
                .ok()
                .and_then(|id| self.world.book.survivor(id).or(Some(id)))
                .and_then(|id| self.world.ties.get(&id)?.get(kind));
            match tied {
                Some(objects) => {
                    let to = objects.iter().map(|object| {
                        json!({"toObjectId": object.parse::<u64>().unwrap_or_default(),
                               "associationTypes": [{"category": "HUBSPOT_DEFINED", "typeId": 279, "label": null}]})
                    });
                    results.push(json!({"from": {"id": asked}, "to": to.collect::<Vec<_>>()}));
                }
                None => errors.push(json!({"status": "error", "category": "OBJECT_NOT_FOUND",
                    "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND", "context": {"fromObjectId": [asked]}})),
            }
        }
        let status = if errors.is_empty() { 200 } else { 207 };
        let mut answer = json!({"status": "COMPLETE", "results": results});
        if !errors.is_empty() {
            answer["numErrors"] = errors.len().into();
            answer["errors"] = errors.into();
        }
        Ok(Reply::json(status, answer))
    }

    /// `POST …/associations/contacts/{kind}/batch/associate/default`.
    pub(super) fn associate(&mut self, kind: &str, body: &Value) -> Result<Reply, Problem> {
        let mut results = Vec::new();
        for input in inputs(body, MAX_READ * 2)? {
            let end = |name: &str| input.get(name).and_then(|end| text(end, "id"));
            let (Some(from), Some(to)) = (end("from"), end("to")) else {
                return Err(Problem::missing_field("from.id, to.id"));
            };
            self.tie(&from, kind, &to)
                .ok_or_else(|| Problem::not_found(self.version))?;
            results.push(json!({"from": {"id": from}, "to": {"id": to}}));
        }
        Ok(Reply::json(200, json!({"status": "COMPLETE", "results": results})))
    }

    /// Ties a living contact to an object; nothing when there is no such contact.
    pub(super) fn tie(&mut self, contact: &str, kind: &str, object: &str) -> Option<()> {
        let id: u64 = contact.parse().ok()?;
        self.world.book.live(id)?;
        let kinds = self.world.ties.entry(id).or_default();
        kinds.entry(kind.to_owned()).or_default().insert(object.to_owned());
        Some(())
    }

    /// The survivor of a merge is tied to whatever either was tied to.
    pub(super) fn join_ties(&mut self, survivor: u64, others: [u64; 2]) {
        for other in others {
            let Some(kinds) = self.world.ties.remove(&other) else {
                continue;
            };
            let joined = self.world.ties.entry(survivor).or_default();
            for (kind, objects) in kinds {
                joined.entry(kind).or_default().extend(objects);
            }
        }
    }
}

fn inputs(body: &Value, most: usize) -> Result<&[Value], Problem> {
    let inputs = body.get("inputs").and_then(Value::as_array);
    let inputs = inputs.ok_or_else(|| Problem::missing_field("inputs"))?;
    if inputs.len() > most {
        return Err(Problem::validation(format!("The maximum number of inputs is {most}")));
    }
    Ok(inputs)
}
