//! Batch writes. One bad row fails the whole batch, unless every input carries a trace id of its own.

use std::collections::{BTreeSet, HashSet};

use rand::seq::SliceRandom;
use serde_json::{Map, Value, json};

use super::check::Change;
use super::contact::iso;
use super::wire::{Problem, Reply};
use super::world::Turn;
use super::write::{Claims, text};

/// Inputs that one batch may have.
pub(super) const MAX_INPUTS: usize = 100;

/// What a batch write does with its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Batch {
    /// Makes contacts.
    Create,
    /// Changes contacts.
    Update,
    /// Changes the contact with that key, or makes it.
    Upsert,
}

/// One input.
struct Row<'a> {
    id: String,
    id_property: Option<&'a str>,
    trace: Option<&'a str>,
    properties: &'a Map<String, Value>,
}

/// Where a row goes.
enum Target {
    New,
    Existing(u64),
    /// A merged-away id: the row is left out of the answer without a word.
    Silent,
    Missing,
}

impl Turn<'_> {
    /// `POST …/batch/create`, `update`, `upsert`.
    pub(super) fn write_batch(&mut self, batch: Batch, body: &Value) -> Result<Reply, Problem> {
        let good = if batch == Batch::Create { 201 } else { 200 };
        let Some(inputs) = inputs(body)? else {
            return Ok(self.answer(good, Vec::new(), Vec::new()));
        };
        let rows = inputs
            .iter()
            .map(|input| row(input, batch))
            .collect::<Result<Vec<_>, _>>()?;
        if batch != Batch::Create {
            refuse_repeated(&rows)?;
        }
        let mut traces = HashSet::new();
        let each_traced = rows
            .iter()
            .all(|row| row.trace.is_some_and(|trace| traces.insert(trace)));
        if each_traced {
            Ok(self.row_by_row(batch, good, &rows))
        } else {
            self.all_or_nothing(batch, good, &rows)
        }
    }

    /// `POST …/batch/archive`: 204, whatever was there.
    pub(super) fn archive_batch(&mut self, body: &Value) -> Result<Reply, Problem> {
        for input in inputs(body)?.into_iter().flatten() {
            self.archive(&text(input, "id").ok_or_else(|| Problem::missing_field("id"))?);
        }
        Ok(Reply::empty())
    }

    /// Every row stands for itself: its failure is one entry of `errors`.
    fn row_by_row(&mut self, batch: Batch, good: u16, rows: &[Row<'_>]) -> Reply {
        let (mut results, mut errors) = (Vec::new(), Vec::new());
        for row in rows {
            match self.plan(batch, row, &Claims::new()) {
                Ok((Target::Silent, _)) => {}
                Ok((Target::Missing, _)) => errors.push(missing(vec![row.id.clone()]).into_row(row.trace)),
                Ok((target, change)) => results.push(self.carry_out(batch, row, &target, &change)),
                Err(problem) => errors.push(problem.into_row(row.trace)),
            }
        }
        self.answer(good, results, errors)
    }

    /// The first bad row fails all of them before anything is written; only missing records are left out one by one.
    fn all_or_nothing(&mut self, batch: Batch, good: u16, rows: &[Row<'_>]) -> Result<Reply, Problem> {
        let mut claims = Claims::new();
        let mut plans = Vec::with_capacity(rows.len());
        for row in rows {
            let (target, change) = self.plan(batch, row, &claims)?;
            match target {
                Target::New => self.claim(&change, None, &mut claims),
                Target::Existing(id) => self.claim(&change, Some(id), &mut claims),
                Target::Silent | Target::Missing => {}
            }
            plans.push((row, target, change));
        }
        let (mut results, mut gone) = (Vec::new(), Vec::new());
        for (row, target, change) in &plans {
            match target {
                Target::Silent => {}
                Target::Missing => gone.push(row.id.clone()),
                _ => results.push(self.carry_out(batch, row, target, change)),
            }
        }
        let errors = if gone.is_empty() {
            Vec::new()
        } else {
            vec![missing(gone).into_row(None)]
        };
        Ok(self.answer(good, results, errors))
    }

    fn plan(&self, batch: Batch, row: &Row<'_>, claims: &Claims) -> Result<(Target, Change), Problem> {
        let target = self.target(batch, row)?;
        let own = match target {
            Target::New => None,
            Target::Existing(id) => Some(id),
            Target::Silent | Target::Missing => return Ok((target, Change::default())),
        };
        let change = match (batch, row.id_property) {
            (Batch::Upsert, Some(name)) if own.is_none() && !row.properties.contains_key(name) => {
                let mut properties = row.properties.clone();
                properties.insert(name.to_owned(), row.id.clone().into());
                self.fit(&properties, own)?
            }
            _ => self.fit(row.properties, own)?,
        };
        self.unclaimed(&change, own, claims)?;
        Ok((target, change))
    }

    fn target(&self, batch: Batch, row: &Row<'_>) -> Result<Target, Problem> {
        let by_id = matches!(row.id_property, None | Some("" | "hs_object_id"));
        match batch {
            Batch::Create => Ok(Target::New),
            Batch::Update if row.id_property == Some("email") => Err(Problem::validation(
                "Unable to perform update/upsert by non-unique 0-1 property",
            )),
            _ if by_id => {
                let Ok(id) = row.id.parse::<u64>() else {
                    return Ok(Target::Missing);
                };
                Ok(match (self.world.book.live(id), self.world.book.survivor(id)) {
                    (Some(_), _) => Target::Existing(id),
                    (None, Some(_)) => Target::Silent,
                    (None, None) => Target::Missing,
                })
            }
            _ => Ok(match (self.find(&row.id, row.id_property)?, batch) {
                (Some(id), _) => Target::Existing(id),
                (None, Batch::Upsert) => Target::New,
                (None, _) => Target::Missing,
            }),
        }
    }

    fn carry_out(&mut self, batch: Batch, row: &Row<'_>, target: &Target, change: &Change) -> Value {
        let id = match target {
            Target::Existing(id) => {
                self.update(*id, change, row.trace);
                *id
            }
            _ => self.create(change, row.trace),
        };
        let mut record = self.written(id, change, row.trace);
        if batch == Batch::Upsert {
            record.insert("new".to_owned(), matches!(target, Target::New).into());
        }
        record.into()
    }

    /// A batch answer; the results stand in no particular order.
    pub(super) fn answer(&mut self, good: u16, mut results: Vec<Value>, errors: Vec<Value>) -> Reply {
        results.shuffle(&mut self.world.rng);
        let at = iso(self.now_ms);
        let mut body = json!({"status": "COMPLETE", "results": results, "startedAt": at, "completedAt": at});
        if errors.is_empty() {
            return Reply::json(good, body);
        }
        body["numErrors"] = errors.len().into();
        body["errors"] = errors.into();
        Reply::json(207, body)
    }
}

/// The inputs of a batch; `None` when the body has no such field at all, which is answered as if all were well.
pub(super) fn inputs(body: &Value) -> Result<Option<&Vec<Value>>, Problem> {
    let Some(inputs) = body.get("inputs") else {
        return Ok(None);
    };
    let inputs = inputs
        .as_array()
        .ok_or_else(|| Problem::validation("Invalid input JSON: inputs is not a list"))?;
    if inputs.len() > MAX_INPUTS {
        return Err(Problem::validation(format!(
            "The maximum number of inputs supported in a batch request is {MAX_INPUTS}; {} were given",
            inputs.len()
        )));
    }
    Ok(Some(inputs))
}

/// One error object for all records that are not there.
pub(super) fn missing(ids: Vec<String>) -> Problem {
    let message = "Could not get some CONTACT objects, they may be deleted or not exist. Check that ids are valid.";
    Problem::new(404, Some("OBJECT_NOT_FOUND"), message).with_context("ids", ids)
}

fn row(input: &Value, batch: Batch) -> Result<Row<'_>, Problem> {
    let id = text(input, "id");
    if batch != Batch::Create && id.is_none() {
        return Err(Problem::missing_field("id"));
    }
    let field = |name: &str| input.get(name).and_then(Value::as_str);
    Ok(Row {
        id: id.unwrap_or_default(),
        id_property: field("idProperty"),
        trace: field("objectWriteTraceId"),
        properties: super::write::object(input, "properties")?,
    })
}

fn refuse_repeated(rows: &[Row<'_>]) -> Result<(), Problem> {
    let mut seen = HashSet::new();
    let folded = |row: &Row<'_>| match row.id_property {
        Some("email") => row.id.trim().to_lowercase(),
        _ => row.id.clone(),
    };
    let repeated: BTreeSet<String> = rows.iter().map(folded).filter(|id| !seen.insert(id.clone())).collect();
    if repeated.is_empty() {
        return Ok(());
    }
    let repeated: Vec<String> = repeated.into_iter().collect();
    let message = format!(
        "Duplicate IDs found in batch input: [{}]. IDs must be unique",
        repeated.join(", ")
    );
    Err(Problem::validation(message).with_context("ids", repeated))
}
