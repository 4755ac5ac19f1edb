//! The first half of a pass: pages are fetched, hydrated and normalized ahead of whoever writes them.
//!
//! Two tasks: one fetches the next page while the other normalizes the last one, off the async threads, and the writer
//! writes the one before. What is ahead is bounded, so memory does not grow with the CRM.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::PullError;
use super::by_id::read_by_id;
use crate::crm::{Reader, Window, Writer};
use crate::domain::{CrmId, Record};
use crate::governor::Priority;
use crate::line::{Line, LineError};
use crate::normalize::Normalizer;
use crate::progress;
use crate::store::mirror::MirrorRows;
use crate::store::passes::Pass;

/// Pages that are written in one transaction at the most.
const PAGES_TOGETHER: usize = 5;

/// What is read.
#[derive(Debug, Clone, Copy)]
pub(super) enum Source {
    /// All contacts.
    List,
    /// The recycle bin.
    Bin,
    /// What changed in a window.
    Window(Window),
}

/// Which pages, from where, and until when.
pub(super) struct Wanted {
    pub(super) pass: Pass,
    pub(super) source: Source,
    pub(super) cursor: Option<String>,
    pub(super) priority: Priority,
    /// No page is asked for after this moment.
    pub(super) until: Option<Instant>,
}

/// Some pages, ready to be written.
#[derive(Debug)]
pub(super) struct Ready {
    /// Their contacts.
    pub(super) rows: MirrorRows,
    /// Where to go on after them.
    pub(super) cursor: Option<String>,
    /// There are no more.
    pub(super) last: bool,
}

/// Pages that are being read ahead. Dropped, nothing more is read.
pub(super) struct Reading {
    pass: Pass,
    ready: mpsc::Receiver<Result<Ready, PullError>>,
    tasks: JoinSet<()>,
}

struct Fetched {
    records: Vec<Record>,
    cursor: Option<String>,
}

impl Reading {
    /// Begins to read.
    pub(super) fn start<C: Reader + Writer + 'static>(
        line: Arc<Line<C>>,
        normalizer: Arc<Normalizer>,
        wanted: Wanted,
    ) -> Self {
        let pass = wanted.pass;
        let (fetched, pages) = mpsc::channel(PAGES_TOGETHER);
        let (normalized, ready) = mpsc::channel(1);
        let mut tasks = JoinSet::new();
        tasks.spawn(progress::handed_on(fetch(line, wanted, fetched)));
        tasks.spawn(normalize(pass, normalizer, pages, normalized));
        Self { pass, ready, tasks }
    }

    /// The next pages; none when the last one was given or the time is over.
    pub(super) async fn next(&mut self) -> Result<Option<Ready>, PullError> {
        if let Some(ready) = self.ready.recv().await {
            return ready.map(Some);
        }
        while let Some(ended) = self.tasks.join_next().await {
            ended.map_err(|_| PullError::Panicked { pass: self.pass.name() })?;
        }
        Ok(None)
    }
}

async fn fetch<C: Reader + Writer>(
    line: Arc<Line<C>>,
    wanted: Wanted,
    fetched: mpsc::Sender<Result<Fetched, PullError>>,
) {
    let mut cursor = wanted.cursor;
    while wanted.until.is_none_or(|until| Instant::now() < until) {
        let page = page(&line, wanted.source, wanted.priority, cursor.as_deref()).await;
        cursor = page.as_ref().ok().and_then(|page| page.cursor.clone());
        // Whoever is not there to take it has no use for it.
        let taken = fetched.send(page.map_err(PullError::from)).await.is_ok();
        if cursor.is_none() || !taken {
            return;
        }
    }
}

async fn page<C: Reader + Writer>(
    line: &Line<C>,
    source: Source,
    priority: Priority,
    cursor: Option<&str>,
) -> Result<Fetched, LineError> {
    let fields = line.fields();
    let (records, cursor, complete) = match source {
        Source::List | Source::Bin => {
            let bin = matches!(source, Source::Bin);
            let page = line.list(priority, cursor, bin).await?;
            // Of what is in the bin the id is all that is needed, and it cannot be read by its id.
            let complete = bin || !line.crm().list_needs_hydration(&fields);
            (page.records, page.next, complete)
        }
        Source::Window(window) => {
            let after = cursor.map(|id| CrmId(id.to_owned()));
            let page = line.changed(priority, window, after.as_ref()).await?;
            let complete = !line.crm().changed_needs_hydration(&fields);
            (page.records, page.next_after_id.map(|id| id.0), complete)
        }
    };
    if complete {
        return Ok(Fetched { records, cursor });
    }
    let ids: Vec<String> = records.into_iter().map(|record| record.crm_id).collect();
    let records = read_by_id(line, priority, &ids).await?.records;
    Ok(Fetched { records, cursor })
}

async fn normalize(
    pass: Pass,
    normalizer: Arc<Normalizer>,
    mut pages: mpsc::Receiver<Result<Fetched, PullError>>,
    ready: mpsc::Sender<Result<Ready, PullError>>,
) {
    let mut some = Vec::with_capacity(PAGES_TOGETHER);
    while pages.recv_many(&mut some, PAGES_TOGETHER).await > 0 {
        // An error comes last, after it nothing is fetched; what was read before is written all the same.
        let error = match some.pop() {
            Some(Ok(page)) => {
                some.push(Ok(page));
                None
            }
            Some(Err(error)) => Some(error),
            None => None,
        };
        if !some.is_empty() {
            let pages: Vec<Fetched> = some.drain(..).flatten().collect();
            let normalizer = Arc::clone(&normalizer);
            let together = tokio::task::spawn_blocking(move || together(pages, &normalizer)).await;
            let together = together.map_err(|_| PullError::Panicked { pass: pass.name() });
            if ready.send(together).await.is_err() {
                return;
            }
        }
        if let Some(error) = error {
            // The receiver may have gone: then nobody waits for it.
            let _ = ready.send(Err(error)).await;
            return;
        }
    }
}

fn together(pages: Vec<Fetched>, normalizer: &Normalizer) -> Ready {
    let cursor = pages.last().and_then(|page| page.cursor.clone());
    let records: Vec<Record> = pages.into_iter().flat_map(|page| page.records).collect();
    Ready {
        rows: MirrorRows::new(&records, normalizer),
        last: cursor.is_none(),
        cursor,
    }
}
