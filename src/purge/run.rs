//! Run: carries out what is approved, chunk by chunk. A chunk is what one batch read of the CRM takes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use serde::Serialize;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::PurgeError;
use super::merging::GroupEnd;
use crate::crm::{FieldSet, Reader, Writer};
use crate::domain::{Merging, Record, ReplicaId};
use crate::fault::{Classify, Fault};
use crate::governor::Backoff;
use crate::line::Line;
use crate::rulebook::Rulebook;
use crate::store::Store;
use crate::store::hold::{HoldKind, current_hold};
use crate::store::merge::{approved_merges, merges_of_others, read_merges};

/// Chunks at work at the same time: while one is read, written and read back, another one is merged. The first one is half as large, so
/// that they never do the same at the same time.
const CHUNKS: usize = 2;

/// Does something until it works, or until a person must mend what keeps it from working. No function with a closure: such a future
/// could not be sent to another thread.
macro_rules! patiently {
    ($merger:expr, $work:expr) => {{
        let mut backoff = crate::purge::run::backoff();
        loop {
            let done: Result<_, crate::purge::PurgeError> = async { $work }.await;
            match done {
                Ok(done) => break Ok(done),
                Err(error) => {
                    if let Err(error) = $merger.try_again(error, &mut backoff).await {
                        break Err(error);
                    }
                }
            }
        }
    }};
}
pub(super) use patiently;

pub(super) fn backoff() -> Backoff {
    Backoff::new(Duration::from_millis(200), Duration::from_secs(15))
}

/// How often those are tried again whose contacts are being written to, a second apart.
const TRIES_WHILE_BUSY: u32 = 10;

/// What the run is told by the settings.
#[derive(Debug, Clone)]
pub struct MergeSettings {
    /// Seconds after which what was sent without an answer has landed or never will.
    pub settle_seconds: u32,
    /// Calls on the wire at the same time.
    pub calls_in_flight: usize,
    /// Kinds of objects whose ties to a contact are kept.
    pub associations: Vec<String>,
}

/// Which plans are to be carried out.
#[derive(Debug, Clone, Default)]
pub struct RunPick {
    /// These; absent: all that are approved.
    pub plans: Option<Vec<i64>>,
    /// At most so many groups.
    pub limit: Option<u64>,
}

/// What a run did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct MergeReport {
    /// Groups of which one contact is left.
    pub merged: u64,
    /// Merges made, two contacts at a time.
    pub merges: u64,
    /// Of the groups, those in which a chosen value is not in the CRM.
    pub values_not_kept: u64,
    /// Groups that were not begun, because a contact or the plan has changed since it was approved.
    pub stale: u64,
    /// Groups that failed.
    pub failed: u64,
    /// Why, of those that failed.
    pub failed_for: BTreeMap<String, u64>,
    /// Groups that wait for writes under way to one of their contacts.
    pub busy: u64,
    /// Groups that were begun and given back, because the run was asked to stop.
    pub released: u64,
    /// Groups of a dead run that were gone on with.
    pub resumed: u64,
}

impl MergeReport {
    pub(super) fn add(&mut self, other: MergeReport) {
        self.merged += other.merged;
        self.merges += other.merges;
        self.values_not_kept += other.values_not_kept;
        self.stale += other.stale;
        self.failed += other.failed;
        for (reason, count) in other.failed_for {
            *self.failed_for.entry(reason).or_default() += count;
        }
        self.busy += other.busy;
        self.released += other.released;
        self.resumed += other.resumed;
    }
}

/// Carries out merges, and takes them back.
pub struct Merger<C> {
    pub(super) store: Store,
    pub(super) line: Arc<Line<C>>,
    pub(super) rulebook: Rulebook,
    pub(super) replica: ReplicaId,
    pub(super) settings: MergeSettings,
    /// Whether a call may be begun: the lease outlives it.
    pub(super) may_call: Arc<dyn Fn() -> bool + Send + Sync>,
    pub(super) stop: CancellationToken,
    /// Kinds of objects that the token may not read.
    pub(super) unreadable: Mutex<BTreeSet<String>>,
    /// One for each call that may be on the wire.
    pub(super) slots: Semaphore,
}

/// A group of a chunk.
pub(super) struct Group {
    pub(super) merging: Merging,
    pub(super) end: GroupEnd,
}

/// What came of a chunk.
#[derive(Default)]
struct Chunk {
    report: MergeReport,
    busy: Vec<i64>,
}

impl<C: Reader + Writer> Merger<C> {
    /// A merger. Ends in good order when `stop` is cancelled.
    pub fn new(
        store: Store,
        line: Arc<Line<C>>,
        rulebook: Rulebook,
        replica: ReplicaId,
        settings: MergeSettings,
        may_call: impl Fn() -> bool + Send + Sync + 'static,
        stop: CancellationToken,
    ) -> Self {
        Self {
            store,
            line,
            rulebook,
            replica,
            slots: Semaphore::new(settings.calls_in_flight.max(1)),
            settings,
            may_call: Arc::new(may_call),
            stop,
            unreadable: Mutex::default(),
        }
    }

    /// Goes on with what dead runs left, then carries out what is approved. `progress` is told of merges as they are done.
    ///
    /// # Errors
    /// What a person must mend, or a stop with groups half-way. Everything else is tried again, or ends one group alone.
    pub async fn run(&self, pick: &RunPick, progress: &(dyn Fn(u64) + Send + Sync)) -> Result<MergeReport, PurgeError> {
        let mut report = self.resume(progress).await?;
        let mut after = 0;
        let mut contacts = self.line.crm().batch_limit() / 2;
        let mut left = pick.limit.unwrap_or(u64::MAX);
        let mut busy = Vec::new();
        let mut tries = 0;
        let mut trouble = None;
        let mut chunks = FuturesUnordered::new();
        loop {
            while chunks.len() < CHUNKS && trouble.is_none() && !self.stop.is_cancelled() {
                // What is under way is ended, also when nothing more can be begun.
                let mut plans = match self.next(after, contacts, pick.plans.as_deref()).await {
                    Ok(plans) => plans,
                    Err(error) => {
                        trouble = Some(error);
                        break;
                    }
                };
                plans.truncate(usize::try_from(left).unwrap_or(usize::MAX));
                let Some(last) = plans.last() else { break };
                after = *last;
                contacts = self.line.crm().batch_limit();
                left -= plans.len() as u64;
                chunks.push(self.chunk(plans, progress));
            }
            match chunks.next().await {
                Some(Ok(chunk)) => {
                    report.add(chunk.report);
                    busy.extend(chunk.busy);
                }
                Some(Err(error)) => trouble = trouble.or(Some(error)),
                None if trouble.is_some()
                    || self.stop.is_cancelled()
                    || busy.is_empty()
                    || tries >= TRIES_WHILE_BUSY =>
                {
                    break;
                }
                None => {
                    tries += 1;
                    self.rest(Duration::from_secs(1)).await;
                    for plans in std::mem::take(&mut busy).chunks(self.line.crm().batch_limit() / 2) {
                        chunks.push(self.chunk(plans.to_vec(), progress));
                    }
                }
            }
        }
        report.busy = busy.len() as u64;
        match trouble {
            Some(error) => Err(error),
            None => {
                report.add(self.wait_for_the_dead(progress).await?);
                Ok(report)
            }
        }
    }

    /// What a dead run had begun may be taken over only when what it sent last has landed or never will.
    async fn wait_for_the_dead(&self, progress: &(dyn Fn(u64) + Send + Sync)) -> Result<MergeReport, PurgeError> {
        let mut report = MergeReport::default();
        while !self.stop.is_cancelled() && self.hold().await?.is_none() {
            let others = patiently!(
                self,
                Ok(merges_of_others(&self.store.client().await?, self.replica).await?)
            )?;
            if others.1 == 0 {
                break;
            }
            self.rest(Duration::from_millis(500)).await;
            report.add(self.resume(progress).await?);
        }
        Ok(report)
    }

    async fn next(&self, after: i64, contacts: usize, plans: Option<&[i64]>) -> Result<Vec<i64>, PurgeError> {
        if let Some(kind) = self.hold().await? {
            return Err(PurgeError::Held { kind });
        }
        patiently!(
            self,
            Ok(approved_merges(&self.store.client().await?, after, contacts, plans).await?)
        )
    }

    /// While the gate is held nothing is written.
    pub(super) async fn hold(&self) -> Result<Option<&'static str>, PurgeError> {
        let hold = patiently!(self, Ok(current_hold(&self.store.client().await?).await?))?;
        Ok(hold.map(|hold| match hold.kind {
            HoldKind::Paused => "paused",
            HoldKind::Restored => "restored",
        }))
    }

    async fn chunk(&self, plans: Vec<i64>, progress: &(dyn Fn(u64) + Send + Sync)) -> Result<Chunk, PurgeError> {
        let plans = patiently!(self, Ok(read_merges(&self.store.client().await?, &plans).await?))?;
        let begun = self.begin(plans).await?;
        let mut chunk = Chunk {
            busy: begun.busy,
            ..Chunk::default()
        };
        chunk.report.stale = begun.stale;
        chunk.report.add(self.carry_out(begun.groups, false, progress).await?);
        Ok(chunk)
    }

    /// Merges groups that are begun, writes the values that survive, reads them back, and ends the groups. `doubtful`: a run
    /// before us may have sent the next merge of each.
    pub(super) async fn carry_out(
        &self,
        groups: Vec<Merging>,
        doubtful: bool,
        progress: &(dyn Fn(u64) + Send + Sync),
    ) -> Result<MergeReport, PurgeError> {
        let merged: Vec<Result<Group, PurgeError>> = futures::stream::iter(groups)
            .map(|merging| async move {
                let mut merging = merging;
                let end = self.merge_group(&mut merging, doubtful, progress).await?;
                Ok(Group { merging, end })
            })
            .buffer_unordered(self.settings.calls_in_flight.max(1))
            .collect()
            .await;
        let mut trouble = None;
        let mut groups = Vec::new();
        for group in merged {
            match group {
                Ok(group) => groups.push(group),
                Err(error) => trouble = trouble.or(Some(error)),
            }
        }
        let mut report = MergeReport::default();
        let released: Vec<i64> = groups
            .extract_if(.., |group| matches!(group.end, GroupEnd::Unsent))
            .map(|group| group.merging.plan_id)
            .collect();
        report.released = released.len() as u64;
        self.release(&released).await?;
        groups.retain(|group| !matches!(group.end, GroupEnd::Lost));
        let ended = self.finish(groups, doubtful).await;
        match trouble {
            Some(error) => Err(error),
            None => {
                report.add(ended?);
                Ok(report)
            }
        }
    }

    /// Waits after something failed, to try it again. What a person must mend is given back, and so is the stop.
    pub(super) async fn try_again(&self, error: PurgeError, backoff: &mut Backoff) -> Result<(), PurgeError> {
        let wait = match error.fault() {
            Fault::Throttled(wait) => wait.min(Duration::from_secs(60)),
            Fault::Transient | Fault::Unknown => backoff.next_wait() + Duration::from_millis(50),
            Fault::Rejected | Fault::Broken => return Err(error),
        };
        tracing::warn!(
            error = crate::fault::chain(&error),
            wait_ms = wait.as_millis() as u64,
            "a merge waits"
        );
        // Some tries after the stop: what is done is better noted than looked up later.
        if self.stop.is_cancelled() && backoff.failures() > 4 || !(self.may_call)() {
            return Err(PurgeError::Stopped);
        }
        self.rest(wait).await;
        Ok(())
    }

    #[expect(clippy::disallowed_methods, reason = "bounded; raced against the stop")]
    pub(super) async fn rest(&self, wait: Duration) {
        if self.stop.is_cancelled() {
            tokio::time::sleep(wait.min(Duration::from_millis(200))).await;
            return;
        }
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = self.stop.cancelled() => {}
        }
    }

    /// All properties that the CRM has.
    pub(super) fn all_fields(&self) -> FieldSet {
        self.rulebook.rules().schema.properties.keys().cloned().collect()
    }

    /// The record as the mirror takes it.
    pub(super) fn mirrored(&self, record: &Record) -> Record {
        let fields = self.line.fields();
        let mut record = record.clone();
        record.values.retain(|field, _| fields.contains(field));
        record
    }
}
