//! One pass: taken, read, written, ended.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta};

use super::reading::{Reading, Source, Wanted};
use super::writing::Ours;
use super::{FullProgress, PassEnd, PassReport, Pull, PullError, ghosts};
use crate::crm::{Reader, Window, Writer};
use crate::fault::chain;
use crate::governor::Priority;
use crate::rulebook::Rules;
use crate::store::duplicates::count_in_time;
use crate::store::passes::{
    Found, Pass, PassState, Reach, Standing, begin_pass, end_pass, expect_contacts, index_first_load, release_pass,
};

/// How often a long pass says in the log how far it is.
const WORD_EVERY: Duration = Duration::from_secs(10);

/// Contacts of the first load that are made findable in one transaction.
const INDEX_AT_A_TIME: i32 = 25_000;

type Progress<'a> = &'a (dyn Fn(FullProgress) + Send + Sync);

impl<C: Reader + Writer + 'static> Pull<C> {
    /// Runs one pass, from where it stands to its end or until the time is over.
    pub(super) async fn run(
        &self,
        pass: Pass,
        budget: Option<Duration>,
        progress: Progress<'_>,
    ) -> Result<PassReport, PullError> {
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
        let ours = Ours::new(&self.store, &self.rulebook, pass, self.holder, &state);
        if !state.listed && !self.list(&ours, &state, rules, priority, budget, progress).await? {
            return Ok(None);
        }
        if pass == Pass::Full {
            ghosts::bury(&self.line, &ours, &rules.normalizer, priority).await?;
        }
        if pass == Pass::Full && first_load {
            self.index(&state).await?;
        }
        if pass == Pass::Full {
            count_in_time(&mut self.store.client().await?).await?;
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

    /// Makes the contacts of the first load findable.
    async fn index(&self, state: &PassState) -> Result<(), PullError> {
        let client = self.store.client().await?;
        loop {
            match index_first_load(&client, self.holder, state.started_at, INDEX_AT_A_TIME).await? {
                Some(true) => {}
                Some(false) => return Ok(()),
                None => {
                    return Err(PullError::TakenOver {
                        pass: Pass::Full.name(),
                    });
                }
            }
        }
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
}
