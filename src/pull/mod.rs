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
mod run;
mod settings;
mod timetable;
mod writing;

pub use error::PullError;
pub use report::{FullProgress, PassEnd, PassReport, TickReport};
pub use settings::PullSettings;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::crm::{FieldSet, Reader, Writer};
use crate::domain::ReplicaId;
use crate::fault::{Classify, Fault, chain};
use crate::governor::Backoff;
use crate::line::Line;
use crate::rulebook::{Rulebook, Rules};
use crate::store::mirror::mirror_age;
use crate::store::passes::{Found, Holder, Pass, database_time, passes};
use crate::store::{Client, Store};
use timetable::timetable;

/// The pull loop's state.
pub struct Pull<C> {
    store: Store,
    line: Arc<Line<C>>,
    rulebook: Rulebook,
    holder: Holder,
    settings: PullSettings,
    backoff: Mutex<Backoff>,
}

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

    fn backoff(&self) -> std::sync::MutexGuard<'_, Backoff> {
        self.backoff.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
