//! Finds out for every row sent what an answer says of it: the sum rule of a batch.
//!
//! `|sent| = applied + rejected + conflict + missing + unknown + not sent`, by construction: every row sent gets one
//! outcome, and a row that the answer does not account for is unknown, never taken for done. HubSpot reorders results,
//! leaves rows out without a word, and answers an update under another id after a merge, so rows are known by trace id,
//! else by our unique key, else by id; never by position.

use std::collections::{BTreeMap, BTreeSet};

use super::classify::row_outcome;
use super::operation::Operation;
use super::wire::{Complaint, Completion, Told, TracedRecord};
use crate::crm::{CreateRow, RowOutcome, UpdateRow};
use crate::domain::{CrmId, IntentId, Record};

/// A row that was sent, by what it can be known again.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sent<'a> {
    intent_id: IntentId,
    key: Option<&'a str>,
    crm_id: Option<&'a CrmId>,
}

impl<'a> From<&'a CreateRow> for Sent<'a> {
    fn from(row: &'a CreateRow) -> Self {
        Self {
            intent_id: row.intent_id,
            key: Some(&row.gatekeeper_key),
            crm_id: None,
        }
    }
}

impl<'a> From<&'a UpdateRow> for Sent<'a> {
    fn from(row: &'a UpdateRow) -> Self {
        Self {
            intent_id: row.intent_id,
            key: None,
            crm_id: Some(&row.crm_id),
        }
    }
}

/// The outcomes of all rows sent.
pub(super) type Outcomes = BTreeMap<IntentId, RowOutcome>;

/// The same outcome for all rows.
pub(super) fn all(sent: &[Sent<'_>], outcome: &RowOutcome) -> Outcomes {
    sent.iter().map(|row| (row.intent_id, outcome.clone())).collect()
}

/// What a whole refusal means for each row: the rows that it names have their outcome, of the others nothing was done.
///
/// A refusal of one row alone is about that row, named or not.
pub(super) fn refused(operation: Operation, sent: &[Sent<'_>], status: u16, mut complaint: Complaint) -> Outcomes {
    // The status says what the body may leave out, or what never arrived.
    match status {
        409 => complaint.category = Some("CONFLICT".to_owned()),
        413 => complaint.category = Some("TOO_LARGE".to_owned()),
        _ => complaint.category = complaint.category.or_else(|| Some("REFUSED".to_owned())),
    }
    if let [only] = sent {
        return Outcomes::from([(only.intent_id, row_outcome(operation, &complaint))]);
    }
    let known = Known::new(sent);
    let mut outcomes = all(sent, &RowOutcome::NotSent);
    // Not by ids: a refusal that lists ids may mean that they stand in the batch twice, which is no row's fault.
    for part in std::iter::once(&complaint).chain(&complaint.parts) {
        let part = Complaint {
            category: part.category.clone().or_else(|| complaint.category.clone()),
            ..part.clone()
        };
        for intent_id in part.trace_ids.iter().filter_map(|id| known.trace.get(id)) {
            outcomes.insert(*intent_id, row_outcome(operation, &part));
        }
    }
    outcomes
}

/// What a 2xx answer says of each row.
pub(super) fn reconcile(operation: Operation, sent: &[Sent<'_>], told: Told) -> Outcomes {
    let known = Known::new(sent);
    let mut outcomes = Outcomes::new();
    for result in told.results {
        let Some(intent_id) = known.row_of(&result) else {
            continue;
        };
        let outcome = applied(&known, intent_id, result.record);
        outcomes
            .entry(intent_id)
            .and_modify(|before| *before = both(before, &outcome))
            .or_insert(outcome);
    }
    if operation == Operation::BatchCreate {
        doubt_shared_ids(&mut outcomes);
    }
    let mut complained: BTreeSet<IntentId> = BTreeSet::new();
    for complaint in &told.complaints {
        for intent_id in known.rows_of(complaint, &outcomes) {
            let first = complained.insert(intent_id);
            let outcome = row_outcome(operation, complaint);
            let entry = outcomes.entry(intent_id);
            // The first of several complaints about a row counts; a row both done and refused is not understood.
            entry
                .and_modify(|before| {
                    if first {
                        *before = both(before, &outcome)
                    }
                })
                .or_insert(outcome);
        }
    }
    let silence = match told.completion {
        Completion::Done => "missing_from_answer".to_owned(),
        Completion::Unfinished(status) if status.bytes().all(|byte| byte.is_ascii_alphabetic()) => {
            format!("status_{}", status.to_ascii_lowercase())
        }
        Completion::Unfinished(_) => "status_unnamed".to_owned(),
    };
    for row in sent {
        outcomes.entry(row.intent_id).or_insert_with(|| RowOutcome::Unknown {
            reason: silence.clone(),
        });
    }
    debug_assert_eq!(outcomes.len(), known.trace.len(), "one outcome for each row sent");
    outcomes
}

/// A record that answers a row: proof that it was done, unless it is nameless or holds another row's key.
fn applied(known: &Known<'_>, intent_id: IntentId, record: Option<Record>) -> RowOutcome {
    let Some(record) = record else {
        return unknown("no_id_in_answer");
    };
    let foreign = |key: &str| known.key.get(key).is_none_or(|owner| *owner != intent_id);
    if !known.key.is_empty() && record.gatekeeper_key.as_deref().is_some_and(foreign) {
        return unknown("contradictory_answer");
    }
    RowOutcome::Applied {
        crm_id: CrmId(record.crm_id.clone()),
        record: Box::new(record),
    }
}

/// Two entries about one row: the same contact said twice is said once, anything else contradicts itself.
fn both(before: &RowOutcome, now: &RowOutcome) -> RowOutcome {
    match (before, now) {
        (RowOutcome::Applied { crm_id: one, .. }, RowOutcome::Applied { crm_id: other, .. }) if one == other => {
            before.clone()
        }
        _ => unknown("contradictory_answer"),
    }
}

/// Two rows cannot have made the same contact: one of them has not, and the answer does not say which.
fn doubt_shared_ids(outcomes: &mut Outcomes) {
    let mut rows_of: BTreeMap<String, Vec<IntentId>> = BTreeMap::new();
    for (intent_id, outcome) in outcomes.iter() {
        if let RowOutcome::Applied { crm_id, .. } = outcome {
            rows_of.entry(crm_id.0.clone()).or_default().push(*intent_id);
        }
    }
    for intent_id in rows_of.into_values().filter(|rows| rows.len() > 1).flatten() {
        outcomes.insert(intent_id, unknown("contradictory_answer"));
    }
}

fn unknown(reason: &str) -> RowOutcome {
    RowOutcome::Unknown {
        reason: reason.to_owned(),
    }
}

/// The rows sent, by everything by which an answer may name them.
struct Known<'a> {
    trace: BTreeMap<String, IntentId>,
    key: BTreeMap<&'a str, IntentId>,
    id: BTreeMap<&'a str, IntentId>,
}

impl<'a> Known<'a> {
    fn new(sent: &[Sent<'a>]) -> Self {
        Self {
            trace: sent
                .iter()
                .map(|row| (row.intent_id.to_string(), row.intent_id))
                .collect(),
            key: sent.iter().filter_map(|row| Some((row.key?, row.intent_id))).collect(),
            id: sent
                .iter()
                .filter_map(|row| Some((row.crm_id?.0.as_str(), row.intent_id)))
                .collect(),
        }
    }

    fn row_of(&self, result: &TracedRecord) -> Option<IntentId> {
        if let Some(row) = result.trace_id.as_ref().and_then(|trace_id| self.trace.get(trace_id)) {
            return Some(*row);
        }
        let record = result.record.as_ref()?;
        let by_key = record.gatekeeper_key.as_deref().and_then(|key| self.key.get(key));
        let by_id = || self.id.get(record.crm_id.as_str());
        let by_absorbed = || record.absorbed_ids.iter().find_map(|id| self.id.get(id.0.as_str()));
        by_key.or_else(by_id).or_else(by_absorbed).copied()
    }

    /// Rows that a complaint names; when it names none and only one row has no outcome yet, that is the one.
    fn rows_of(&self, complaint: &Complaint, outcomes: &Outcomes) -> Vec<IntentId> {
        let named: Vec<IntentId> = complaint
            .trace_ids
            .iter()
            .filter_map(|id| self.trace.get(id))
            .copied()
            .collect();
        if !named.is_empty() {
            return named;
        }
        let named: Vec<IntentId> = complaint
            .ids
            .iter()
            .filter_map(|id| self.id.get(id.as_str()))
            .copied()
            .collect();
        let names_others = !complaint.trace_ids.is_empty() || !complaint.ids.is_empty();
        if named.is_empty() && !names_others && self.trace.len() == 1 {
            return self
                .trace
                .values()
                .filter(|row| !outcomes.contains_key(row))
                .copied()
                .collect();
        }
        named
    }
}

#[cfg(test)]
mod tests;
