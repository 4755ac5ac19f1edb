//! Sorts the rows of an answer by what is to be done with each.

use super::carry::{halves, row};
use super::queue::Work;
use crate::crm::{BatchAnswer, CrmError, RowOutcome};
use crate::domain::CrmId;
use crate::store::recover::OpenIntent;
use crate::store::settle::{SettleRow, SettledAs};

/// The rows of an answer, sorted.
#[derive(Debug, Default)]
pub(super) struct Sorted {
    /// To settle as they are.
    pub(super) rows: Vec<SettleRow>,
    /// The CRM knows somebody with the address or the key: who, if it says so, and its words.
    pub(super) conflicts: Vec<(OpenIntent, Option<CrmId>, String)>,
    /// The contact is not there.
    pub(super) missing: Vec<(OpenIntent, String)>,
    /// Certainly not sent.
    pub(super) not_sent: Vec<Work>,
    /// To be sent again in halves.
    pub(super) halves: Vec<Work>,
    /// What is wrong with the CRM as such.
    pub(super) error: Option<CrmError>,
}

/// Sorts the rows of an answer. Every intent of the work is in exactly one place of the result.
pub(super) fn sort(work: Work, answer: BatchAnswer) -> Sorted {
    let Work { task, intents } = work;
    let BatchAnswer { mut rows, error, .. } = answer;
    let mut sorted = Sorted::default();
    let mut not_sent = Vec::new();
    for intent in intents {
        match rows.remove(&intent.intent_id) {
            Some(RowOutcome::Applied { crm_id, record }) => sorted.rows.push(SettleRow {
                crm_id: Some(crm_id),
                created_at: record.created_at,
                updated_at: record.updated_at,
                ..row(&intent, SettledAs::Applied, None)
            }),
            Some(RowOutcome::Rejected { code, message }) => sorted.rows.push(SettleRow {
                message: Some(message),
                ..row(&intent, SettledAs::Rejected, Some(&code))
            }),
            Some(RowOutcome::Conflict { crm_id, message }) => sorted.conflicts.push((intent, crm_id, message)),
            Some(RowOutcome::Missing { message }) => sorted.missing.push((intent, message)),
            Some(RowOutcome::Unknown { reason }) => {
                sorted.rows.push(row(&intent, SettledAs::Unknown, Some(&reason)));
            }
            Some(RowOutcome::NotSent) => not_sent.push(intent),
            // The connector answers for every row; one that it forgot may have been written.
            None => sorted
                .rows
                .push(row(&intent, SettledAs::Unknown, Some("missing_from_answer"))),
        }
    }
    if not_sent.is_empty() {
        sorted.error = error;
        return sorted;
    }
    let work = Work {
        task,
        intents: not_sent,
    };
    match error {
        Some(CrmError::BatchRefused { .. }) if work.intents.len() > 1 => sorted.halves = halves(work),
        error => {
            sorted.not_sent.push(work);
            sorted.error = error;
        }
    }
    sorted
}
