//! What really happened: every request and every effect, so that a test can judge by it.

use std::collections::{BTreeMap, VecDeque};
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::time::Instant;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::options::JournalMode;

/// What a request did to a contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A contact was made.
    Create,
    /// A contact was changed.
    Update,
    /// A contact was moved to the recycle bin.
    Archive,
    /// Two contacts became one; the contact is the survivor.
    Merge,
    /// A contact was erased.
    Erase,
    /// A contact was there from the start.
    Seed,
    /// A person did it in the CRM's own pages; [`Effect::what`] says what.
    Human,
}

/// How a request ended for the one who sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// Not yet.
    Open,
    /// An answer was sent.
    Answered,
    /// The connection was closed without an answer.
    Dropped,
    /// The sender hung up before there was an answer.
    Abandoned,
}

/// One request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Received {
    /// Place in the journal.
    pub seq: u64,
    /// Microseconds since the sandbox was started.
    pub at_us: u64,
    /// The same by the wall clock.
    pub at: DateTime<Utc>,
    /// First 12 hex digits of the SHA-256 of the token; absent without a token.
    pub token: Option<String>,
    /// Such as `batch_create`; `unknown` for a path that means nothing.
    pub operation: String,
    /// Method and path, without the query.
    pub path: String,
    /// Rows sent, or returned by a list or search.
    pub rows: usize,
    /// Status that was answered, or would have been.
    pub status: Option<u16>,
    /// How it ended.
    pub end: End,
    /// Number of the fault rule that was applied.
    pub fault: Option<u64>,
}

/// One effect.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Effect {
    /// Place in the journal; effects stand in the order in which they happened.
    pub seq: u64,
    /// Microseconds since the sandbox was started.
    pub at_us: u64,
    /// `lastmodifieddate` that the effect gave, in milliseconds since 1970.
    pub stamp_ms: i64,
    /// The request that did it; absent for seeds and people.
    pub request: Option<u64>,
    /// What was done.
    pub kind: Kind,
    /// What a person did.
    pub what: Option<Kind>,
    /// The contact.
    pub id: String,
    /// Ids that the contact took over in a merge.
    pub absorbed: Vec<String>,
    /// Trace id of the row.
    pub trace_id: Option<String>,
    /// Values that are different now; an empty text is a cleared value.
    pub changed: BTreeMap<String, String>,
}

impl Effect {
    /// An effect that is not in the journal yet.
    pub(super) fn new(kind: Kind, id: String, stamp_ms: i64) -> Effect {
        let changed = BTreeMap::new();
        let absorbed = Vec::new();
        Effect {
            seq: 0,
            at_us: 0,
            stamp_ms,
            request: None,
            kind,
            what: None,
            id,
            absorbed,
            trace_id: None,
            changed,
        }
    }
}

/// One line of the journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "snake_case")]
pub enum Entry {
    /// A request.
    Request(Received),
    /// An effect.
    Effect(Effect),
}

/// Sums over all requests and effects since the start or the last reset.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Requests by operation and status; `dropped` and `abandoned` stand for those without an answer.
    pub requests: BTreeMap<String, BTreeMap<String, u64>>,
    /// Most requests of all tokens, search excepted, received in any 10 s.
    pub most_in_10s: usize,
    /// Most search requests received in any 1 s.
    pub most_searches_in_1s: usize,
    /// Effects by kind.
    pub effects: BTreeMap<Kind, u64>,
    /// Addresses on the erasure blocklist.
    pub blocklisted: usize,
}

/// The journal.
pub(super) struct Journal {
    mode: JournalMode,
    started: Instant,
    next: u64,
    entries: Vec<Entry>,
    counts: Counts,
    general: VecDeque<u64>,
    searches: VecDeque<u64>,
    file: Option<BufWriter<File>>,
}

impl Journal {
    /// An empty journal; with a file, appends to it.
    pub(super) fn open(mode: JournalMode, file: Option<&std::path::Path>) -> std::io::Result<Journal> {
        let file = match file {
            Some(path) => Some(BufWriter::new(OpenOptions::new().create(true).append(true).open(path)?)),
            None => None,
        };
        let (general, searches) = (VecDeque::new(), VecDeque::new());
        let counts = Counts::default();
        Ok(Journal {
            mode,
            started: Instant::now(),
            next: 1,
            entries: Vec::new(),
            counts,
            general,
            searches,
            file,
        })
    }

    /// Microseconds since the start.
    pub(super) fn now_us(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// Notes a request that has come in, and returns its place.
    pub(super) fn begin(&mut self, operation: &str, path: String, token: Option<String>, rows: usize) -> u64 {
        let seq = self.next;
        self.next += 1;
        if self.mode == JournalMode::Off {
            return seq;
        }
        let at_us = self.now_us();
        if operation == "search" {
            most(
                &mut self.searches,
                at_us,
                1_000_000,
                &mut self.counts.most_searches_in_1s,
            );
        } else {
            most(&mut self.general, at_us, 10_000_000, &mut self.counts.most_in_10s);
        }
        if self.mode == JournalMode::Full {
            let (operation, end, at) = (operation.to_owned(), End::Open, Utc::now());
            let request = Received {
                seq,
                at_us,
                at,
                token,
                operation,
                path,
                rows,
                status: None,
                end,
                fault: None,
            };
            self.entries.push(Entry::Request(request));
        }
        seq
    }

    /// Notes which fault a request meets.
    pub(super) fn fault(&mut self, seq: u64, rule: u64) {
        if let Some(request) = self.request(seq) {
            request.fault = Some(rule);
        }
    }

    /// Notes how a request ended.
    pub(super) fn end(&mut self, seq: u64, operation: &str, status: Option<u16>, end: End, rows: usize) {
        if self.mode == JournalMode::Off {
            return;
        }
        let word = match (end, status) {
            (End::Answered, Some(status)) => status.to_string(),
            (End::Abandoned, _) => "abandoned".to_owned(),
            _ => "dropped".to_owned(),
        };
        *self
            .counts
            .requests
            .entry(operation.to_owned())
            .or_default()
            .entry(word)
            .or_default() += 1;
        if let Some(request) = self.request(seq) {
            request.status = status;
            request.end = end;
            if rows > 0 {
                request.rows = rows;
            }
            let request = request.clone();
            self.write(&Entry::Request(request));
        }
    }

    /// Notes effects in their order.
    pub(super) fn effects(&mut self, request: Option<u64>, effects: Vec<Effect>) {
        if self.mode == JournalMode::Off {
            return;
        }
        let at_us = self.now_us();
        for mut effect in effects {
            *self.counts.effects.entry(effect.kind).or_default() += 1;
            if self.mode == JournalMode::Full {
                (effect.seq, effect.at_us, effect.request) = (self.next, at_us, request);
                self.next += 1;
                let entry = Entry::Effect(effect);
                self.write(&entry);
                self.entries.push(entry);
            }
        }
    }

    /// All entries after a place.
    pub(super) fn after(&self, seq: u64) -> Vec<Entry> {
        let from = self.entries.partition_point(|entry| place(entry) <= seq);
        self.entries[from..].to_vec()
    }

    /// The sums.
    pub(super) fn counts(&self) -> Counts {
        self.counts.clone()
    }

    /// Forgets all but the file. Places go on, so that a late end of an old request finds nothing to change.
    pub(super) fn clear(&mut self) {
        self.entries.clear();
        self.counts = Counts::default();
        self.general.clear();
        self.searches.clear();
    }

    /// Writes what is still buffered to the file.
    pub(super) fn flush(&mut self) {
        if let Some(file) = &mut self.file
            && let Err(error) = file.flush()
        {
            tracing::warn!(%error, "the sandbox cannot write its journal file any more");
            self.file = None;
        }
    }

    fn request(&mut self, seq: u64) -> Option<&mut Received> {
        let at = self.entries.binary_search_by_key(&seq, place).ok()?;
        match &mut self.entries[at] {
            Entry::Request(request) => Some(request),
            Entry::Effect(_) => None,
        }
    }

    fn write(&mut self, entry: &Entry) {
        let Some(file) = &mut self.file else { return };
        let written = serde_json::to_writer(&mut *file, entry).map_err(std::io::Error::from);
        if let Err(error) = written.and_then(|()| file.write_all(b"\n")) {
            tracing::warn!(%error, "the sandbox cannot write its journal file any more");
            self.file = None;
        }
    }
}

fn place(entry: &Entry) -> u64 {
    match entry {
        Entry::Request(request) => request.seq,
        Entry::Effect(effect) => effect.seq,
    }
}

/// Counts one more in a rolling window and keeps the most that there ever were.
fn most(window: &mut VecDeque<u64>, at_us: u64, length_us: u64, most: &mut usize) {
    window.push_back(at_us);
    while window.front().is_some_and(|first| at_us - first >= length_us) {
        window.pop_front();
    }
    *most = (*most).max(window.len());
}
