//! The pull loop: keeps the mirror true to the CRM.
//!
//! Four passes, each of which can be stopped at any moment and goes on where it was, on this replica or another:
//!
//! | pass | reads | repairs |
//! |---|---|---|
//! | full | all contacts, page by page | everything; measures how far the mirror had drifted |
//! | changes | closed windows of changes up to nearly now | what people changed in the CRM |
//! | slow | the same windows an hour later | what the CRM's index showed late |
//! | archived | the recycle bin | contacts that somebody threw away |
//!
//! Pages and the progress they mean are written in one transaction; the watermark moves only when a pass is complete. All
//! times are the database's, so that no clock of a host matters.

mod by_id;
mod error;
mod ghosts;
mod reading;
mod report;
mod settings;
mod timetable;
mod writing;

pub use error::PullError;
pub use report::{FullProgress, PassEnd, PassReport, TickReport};
pub use settings::PullSettings;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};

use crate::crm::{FieldSet, Reader, Window, Writer};
use crate::domain::ReplicaId;
use crate::fault::{Classify, Fault, chain};
use crate::governor::{Backoff, Priority};
use crate::line::Line;
use crate::rulebook::{Rulebook, Rules};
use crate::store::mirror::mirror_age;
use crate::store::passes::{
    Found, Holder, Pass, PassState, Reach, Standing, begin_pass, database_time, end_pass, expect_contacts, passes,
    release_pass,
};
use crate::store::{Client, Store};
use reading::{Reading, Source, Wanted};
use timetable::timetable;
use writing::Ours;

/// How often a long pass says in the log how far it is.
const WORD_EVERY: Duration = Duration::from_secs(10);

/// The pull loop's state.
pub struct Pull<C> {
    store: Store,
    line: Arc<Line<C>>,
    rulebook: Rulebook,
    holder: Holder,
    settings: PullSettings,
    backoff: Mutex<Backoff>,
}

type Progress<'a> = &'a (dyn Fn(FullProgress) + Send + Sync);

impl<C: Reader + Writer + 'static> Pull<C> {
    /// A loop that reads over `line` and holds its passes as `replica`.
    pub fn new(
        store: Store,
        line: Arc<Line<C>>,
        rulebook: Rulebook,
        replica: ReplicaId,
        settings: PullSettings,
    ) -> Self {
        Self {
            store,
            line,
            rulebook,
            holder: Holder {
                replica,
                lease: settings.lease,
            },
            settings,
            backoff: Mutex::new(Backoff::new(Duration::from_secs(1), Duration::from_secs(60))),
        }
    }

    /// Reads all contacts, or the rest of them if a full pass is under way; buries those who are gone; measures the drift,
    /// unless it is the first load. `progress` is called after every write.
    ///
    /// # Errors
    /// What is written stays; the next full pass goes on from there.
    pub async fn full_load(&self, progress: impl Fn(FullProgress) + Send + Sync) -> Result<PassReport, PullError> {
        self.run(Pass::Full, None, &progress).await
    }

    /// Reads what changed since the last window.
    ///
    /// # Errors
    /// As [`Pull::full_load`].
    pub async fn changes(&self) -> Result<PassReport, PullError> {
        self.run(Pass::Changes, None, &|_| ()).await
    }

    /// Reads again, an hour later, what changed.
    ///
    /// # Errors
    /// As [`Pull::full_load`].
    pub async fn slow(&self) -> Result<PassReport, PullError> {
        self.run(Pass::Slow, None, &|_| ()).await
    }

    /// Reads the recycle bin. Contacts that came back from it are found by the other passes.
    ///
    /// # Errors
    /// As [`Pull::full_load`].
    pub async fn archived(&self) -> Result<PassReport, PullError> {
        self.run(Pass::Archived, None, &|_| ()).await
    }

    /// Runs the passes that are due and says when to come back. A long pass pauses for the polls in between; the first
    /// full load does not, for there is nothing to poll yet.
    ///
    /// # Errors
    /// Only what a person must mend; what passes by itself is in [`TickReport::trouble`].
    pub async fn tick(&self) -> Result<TickReport, PullError> {
        let mut reports = Vec::new();
        let error = match self.run_due(&mut reports).await {
            Ok(come_back) => {
                self.backoff().reset();
                return Ok(TickReport {
                    passes: reports,
                    come_back,
                    trouble: None,
                });
            }
            Err(error) => error,
        };
        let come_back = match error.fault() {
            Fault::Broken => return Err(error),
            Fault::Throttled(wait) => wait,
            Fault::Transient | Fault::Rejected | Fault::Unknown => self.backoff().next_wait(),
        };
        tracing::warn!(
            error = chain(&error),
            wait_ms = come_back.as_millis() as u64,
            "the mirror waits"
        );
        Ok(TickReport {
            passes: reports,
            come_back,
            trouble: Some(error),
        })
    }

    async fn run_due(&self, reports: &mut Vec<PassReport>) -> Result<Duration, PullError> {
        let (times, now) = self.times().await?;
        let has_others = times.len() > 1;
        for (pass, at) in times {
            if at > now {
                continue;
            }
            let long = matches!(pass, Pass::Full | Pass::Archived);
            let budget = (has_others && long).then_some(self.settings.poll_every);
            match self.run(pass, budget, &|_| ()).await {
                Ok(report) => reports.push(report),
                Err(PullError::TakenOver { .. }) => reports.push(PassReport {
                    pass,
                    end: PassEnd::Held,
                    found: Found::default(),
                }),
                Err(error) => return Err(error),
            }
        }
        let (times, now) = self.times().await?;
        let next = times.into_iter().map(|(_, at)| at).min().unwrap_or(now);
        Ok((next - now).to_std().unwrap_or(Duration::ZERO))
    }

    async fn times(&self) -> Result<(Vec<(Pass, DateTime<Utc>)>, DateTime<Utc>), PullError> {
        let client = self.store.client().await?;
        let rules = self.rules(&client).await?;
        let complete = self.rulebook.wanted_fields().is_subset(&rules.mirrored);
        let now = database_time(&client).await?;
        let times = timetable(&passes(&client).await?, &self.settings, self.holder.replica, complete);
        if let Some(age) = mirror_age(&client).await? {
            metrics::gauge!("gatekeeper_mirror_watermark_age_seconds").set(age.as_secs_f64());
        }
        Ok((times, now))
    }

    /// The rules in force, and what the mirror holds, which another replica may have loaded.
    async fn rules(&self, client: &Client) -> Result<Rules, PullError> {
        self.rulebook.in_force(client).await?;
        self.rulebook.reread_mirrored(client).await?;
        Ok(self.rulebook.rules())
    }

    /// What is read: what is wanted, and what the mirror holds already, for another replica may want it. So two replicas
    /// with different settings do not load against each other, and no page blanks a value that the gate relies on.
    fn fields(&self, rules: &Rules) -> FieldSet {
        let held = rules
            .mirrored
            .iter()
            .filter(|field| rules.schema.properties.contains_key(*field));
        self.rulebook.wanted_fields().into_iter().chain(held.cloned()).collect()
    }

    async fn run(&self, pass: Pass, budget: Option<Duration>, progress: Progress<'_>) -> Result<PassReport, PullError> {
        let client = self.store.client().await?;
        let rules = self.rules(&client).await?;
        let fields = self.fields(&rules);
        let names: Vec<String> = fields.iter().map(|field| field.name().to_owned()).collect();
        self.line.set_fields(fields);
        let standing = begin_pass(&client, pass, self.holder, self.reach(pass), &names).await?;
        let report = |end, found| PassReport { pass, end, found };
        let (state, resumed) = match standing {
            Standing::Ours { state, resumed } => (state, resumed),
            Standing::Held => return Ok(report(PassEnd::Held, Found::default())),
            Standing::Idle => return Ok(report(PassEnd::Idle, Found::default())),
        };
        drop(client);
        let read_before = state.rows_read;
        tracing::debug!(
            pass = pass.name(),
            resumed,
            read = read_before,
            "a pass over the CRM begins"
        );
        let begun = Instant::now();
        let worked = self.work(pass, state, resumed, &rules, budget, progress).await;
        if !matches!(worked, Ok(Some(_)) | Err(PullError::TakenOver { .. })) {
            self.release(pass).await;
        }
        let Some(found) = worked? else {
            return Ok(report(PassEnd::Paused, Found::default()));
        };
        tracing::info!(
            pass = pass.name(),
            read = found.rows,
            missing = found.missing,
            stale = found.stale,
            ghost = found.ghost,
            seconds = begun.elapsed().as_secs_f64(),
            "a pass over the CRM is complete"
        );
        Ok(report(PassEnd::Complete, found))
    }

    /// Works on a pass that is ours. None: the time was over before its end.
    async fn work(
        &self,
        pass: Pass,
        mut state: PassState,
        resumed: bool,
        rules: &Rules,
        budget: Option<Duration>,
        progress: Progress<'_>,
    ) -> Result<Option<Found>, PullError> {
        let first_load = rules.mirrored.is_empty();
        let priority = match pass {
            Pass::Changes | Pass::Slow => Priority::Mirror,
            Pass::Full if first_load => Priority::Mirror,
            Pass::Full | Pass::Archived => Priority::Backfill,
        };
        if pass == Pass::Full && !resumed {
            state.expected = self.expected(&state, priority).await?;
        }
        let ours = Ours::new(&self.store, pass, self.holder, &state);
        if !state.listed && !self.list(&ours, &state, rules, priority, budget, progress).await? {
            return Ok(None);
        }
        if pass == Pass::Full {
            ghosts::bury(&self.line, &ours, &rules.normalizer, priority).await?;
        }
        let overlap = TimeDelta::from_std(self.settings.overlap).unwrap_or(TimeDelta::MAX);
        let watermark = match pass {
            Pass::Full => state.started_at.checked_sub_signed(overlap),
            Pass::Changes | Pass::Slow => state.window.map(|(_, hi)| hi),
            Pass::Archived => None,
        };
        let client = self.store.client().await?;
        let ended = end_pass(&client, pass, self.holder.replica, state.started_at, watermark).await?;
        if pass == Pass::Full {
            self.rules(&client).await?;
        }
        ended.map(Some).ok_or(PullError::TakenOver { pass: pass.name() })
    }

    /// Reads and writes the pages that are left. `false`: the time was over before the last one.
    async fn list(
        &self,
        ours: &Ours<'_>,
        state: &PassState,
        rules: &Rules,
        priority: Priority,
        budget: Option<Duration>,
        progress: Progress<'_>,
    ) -> Result<bool, PullError> {
        let begun = Instant::now();
        let source = match (ours.pass, state.window) {
            (Pass::Changes | Pass::Slow, Some((lo, hi))) => Source::Window(Window { lo, hi }),
            (Pass::Archived, _) => Source::Bin,
            _ => Source::List,
        };
        let wanted = Wanted {
            pass: ours.pass,
            source,
            cursor: state.cursor.clone(),
            priority,
            until: budget.map(|budget| begun + budget),
        };
        let mut reading = Reading::start(Arc::clone(&self.line), Arc::clone(&rules.normalizer), wanted);
        let mut read = state.rows_read;
        let mut spoke = begun;
        while let Some(ready) = reading.next().await? {
            read += ours.write(&ready.rows, ready.cursor.as_deref(), ready.last).await?.rows;
            if ours.pass == Pass::Full {
                progress(FullProgress {
                    read: read.unsigned_abs(),
                    read_before: state.rows_read.unsigned_abs(),
                    expected: state.expected.map(i64::unsigned_abs),
                    elapsed: begun.elapsed(),
                });
            }
            if spoke.elapsed() >= WORD_EVERY {
                spoke = Instant::now();
                tracing::info!(
                    pass = ours.pass.name(),
                    read,
                    expected = state.expected,
                    "a pass over the CRM goes on"
                );
            }
            if ready.last {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// How many contacts there are, for whoever watches. A list does not say; a search does. Nothing depends on it.
    async fn expected(&self, state: &PassState, priority: Priority) -> Result<Option<i64>, PullError> {
        let ever = Window {
            lo: DateTime::UNIX_EPOCH,
            hi: state.started_at,
        };
        let total = match self.line.changed(priority, ever, None).await {
            Ok(page) => page.total.and_then(|total| i64::try_from(total).ok()),
            Err(error) => {
                tracing::debug!(error = chain(&error), "it is not known how many contacts the CRM has");
                None
            }
        };
        if let Some(total) = total {
            expect_contacts(&self.store.client().await?, total).await?;
        }
        Ok(total)
    }

    fn reach(&self, pass: Pass) -> Option<Reach> {
        let lag = match pass {
            Pass::Full | Pass::Archived => return None,
            Pass::Changes => self.settings.lag,
            Pass::Slow => self.settings.slow_lag,
        };
        Some(Reach {
            lag,
            overlap: self.settings.overlap,
        })
    }

    /// What cannot be released lapses with its lease.
    async fn release(&self, pass: Pass) {
        let released = async { release_pass(&self.store.client().await?, pass, self.holder.replica).await };
        if let Err(error) = released.await {
            tracing::debug!(
                pass = pass.name(),
                error = chain(&error),
                "a pass could not be released"
            );
        }
    }

    fn backoff(&self) -> std::sync::MutexGuard<'_, Backoff> {
        self.backoff.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
