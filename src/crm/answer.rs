//! What a call to the CRM brings back: the call itself for the audit and the governor, and its content.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::CrmError;
use crate::domain::{CrmId, Field, IntentId, Record};
use crate::governor::Priority;

/// The call as such, whatever it brought. Recorded in `audit.crm_call`; the governor learns from its headers.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// What was done, such as `batch_create`; one word per endpoint family.
    pub operation: &'static str,
    /// For whom.
    pub priority: Priority,
    /// When it was begun, by this machine's clock; for the log only, never for a deadline.
    pub started_at: DateTime<Utc>,
    /// From the first byte sent to the last byte read.
    pub duration: Duration,
    /// HTTP status; absent when there was no answer.
    pub status: Option<u16>,
    /// Rows sent, or values asked for; 0 where that has no meaning.
    pub rows: usize,
    /// The CRM's own id of the request, for its support desk.
    pub correlation_id: Option<String>,
    /// What the headers say about limits.
    pub rate: RateHeaders,
}

/// What the CRM's headers said about its limits; each absent when the answer did not carry it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RateHeaders {
    /// Calls allowed in the rolling window.
    pub window_max: Option<u32>,
    /// Calls left in it.
    pub window_remaining: Option<u32>,
    /// Length of the window.
    pub window: Option<Duration>,
    /// Calls allowed in a day.
    pub daily_max: Option<u32>,
    /// Calls left today.
    pub daily_remaining: Option<u32>,
}

/// A call and what it brought.
#[derive(Debug)]
pub struct Answer<T> {
    /// The call as such.
    pub call: Call,
    /// Its content, or why there is none.
    pub result: Result<T, CrmError>,
}

/// One page of a list.
#[derive(Debug, Default)]
pub struct Page {
    /// Contacts, in the order of the CRM's cursor.
    pub records: Vec<Record>,
    /// Where the next page begins; absent on the last one.
    pub next: Option<String>,
}

/// One page of a window of changes.
#[derive(Debug, Default)]
pub struct ChangedPage {
    /// Changed contacts, by id.
    pub records: Vec<Record>,
    /// Ask again above this id; absent when the window is read to its end.
    pub next_after_id: Option<CrmId>,
    /// How many contacts the CRM says there are from here to the end of the window, if it says so.
    pub total: Option<u64>,
}

/// The last change of a field of a contact, as the CRM's own history tells it.
#[derive(Debug, Clone, PartialEq)]
pub struct LastChange {
    /// The contact.
    pub crm_id: String,
    /// The field.
    pub field: Field,
    /// What it was set to; empty: cleared.
    pub value: String,
    /// When.
    pub changed_at: DateTime<Utc>,
    /// By a person, and not by an integration, an import or a workflow. In doubt a person.
    pub by_person: bool,
}

/// The answer to a batch read.
#[derive(Debug, Default)]
pub struct ReadAnswer {
    /// What was found, each once, in no particular order.
    pub records: Vec<Record>,
    /// Which record answers which asked-for value: value asked for to index in `records`. A value that is missing here
    /// was not found. Built from what the records hold (id, absorbed ids, addresses, key), never from positions.
    pub found: BTreeMap<String, usize>,
    /// Values that were neither found nor named by the CRM as missing, such as the id of a contact merged into one that
    /// does not list it. No proof of absence: before acting on it, ask for such a value alone.
    pub unexplained: Vec<String>,
}

/// What became of one row of a batch write.
#[derive(Debug, Clone, PartialEq)]
pub enum RowOutcome {
    /// The CRM says that it holds the values now.
    Applied {
        /// The id in the answer; may differ from the id sent after a merge.
        crm_id: CrmId,
        /// The record as returned, which may hold fewer fields than the mirror.
        record: Box<Record>,
    },
    /// The CRM refuses this very row, and will again.
    Rejected {
        /// A stable reason code such as `invalid_email`, `property_doesnt_exist`.
        code: String,
        /// The CRM's words, for the dead letter. May hold personal data: never to be logged.
        message: String,
    },
    /// The CRM already has a contact with the address or the key. Not a failure: it becomes an update.
    Conflict {
        /// The contact that has it, when the answer says so.
        crm_id: Option<CrmId>,
        /// The CRM's words. May hold personal data: never to be logged.
        message: String,
    },
    /// The contact to be changed is not there: merged, archived or erased.
    Missing {
        /// The CRM's words. May hold personal data: never to be logged.
        message: String,
    },
    /// It is not known whether it happened. Read before sending again.
    Unknown {
        /// Why it is not known, such as `missing_from_answer`, `timeout`, `status_502`.
        reason: String,
    },
    /// It certainly did not happen, through no fault of the row (401, 429, connection refused…). Send again later.
    NotSent,
}

/// What became of a merge of two contacts.
#[derive(Debug, Clone, PartialEq)]
pub enum MergeOutcome {
    /// They are one: the survivor as returned, under an id that may be a new one.
    Merged(Box<Record>),
    /// The CRM refuses these two: they are one already, or it does not merge them. Ask what they are before taking it for a failure.
    Refused {
        /// A stable reason code such as `too_many_merges`.
        code: String,
    },
}

/// The answer to a batch write.
#[derive(Debug)]
pub struct BatchAnswer {
    /// The call as such.
    pub call: Call,
    /// Exactly one outcome for each row sent.
    pub rows: BTreeMap<IntentId, RowOutcome>,
    /// Set when the call failed as a whole; the rows then say what that means for each of them. A refusal of a batch of
    /// one row is the refusal of that row, and no failure of the call.
    ///
    /// A refusal that names no row leaves the rows [`RowOutcome::NotSent`] with [`CrmError::BatchRefused`]: halve the
    /// batch and send the halves, until the row that is to blame stands alone.
    pub error: Option<CrmError>,
}
