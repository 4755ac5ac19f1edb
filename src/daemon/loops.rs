//! The loops: each works in passes, waits between them, and ends when it is asked to.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{DaemonError, RunOptions, pace, systemd};
use crate::crm::hubspot::HubSpot;
use crate::fault::{Classify, Fault};
use crate::governor::Backoff;
use crate::progress::{self, Progress};
use crate::pull::{Pull, PullError};
use crate::purge::{Merger, PurgeError};
use crate::push::sender::{Sender, SenderHandle};
use crate::push::{Held, Push, PushReport};
use crate::store::claim::is_idle;
use crate::store::hold::{HoldKind, current_hold};
use crate::store::{Store, StoreError};
use crate::sweep::Sweep;

/// What a loop does about an error that a person must mend: wait, for it is mended without a restart. A run that somebody
/// waits for (`--until-idle`) ends with it when it lasts.
#[derive(Debug, Clone, Copy)]
pub(super) struct WhenBroken {
    /// How long it may last; absent: for ever.
    patience: Option<Duration>,
    since: Option<Instant>,
}

impl WhenBroken {
    pub(super) fn new(options: RunOptions) -> Self {
        Self {
            patience: options.until_idle.then_some(options.patience),
            since: None,
        }
    }

    /// Whether to end the run with this error.
    fn ends(&mut self, error: &impl Classify) -> bool {
        if error.fault() != Fault::Broken {
            self.since = None;
            return false;
        }
        let since = *self.since.get_or_insert_with(Instant::now);
        self.patience.is_some_and(|patience| since.elapsed() >= patience)
    }

    fn mended(&mut self) {
        self.since = None;
    }
}

pub(super) async fn listen(store: Store, nudge: Arc<Notify>, stop: CancellationToken) -> Result<(), DaemonError> {
    store.listen("gatekeeper_lead", nudge, stop).await;
    Ok(())
}

pub(super) async fn send(sender: Sender<HubSpot>, stop: CancellationToken) -> Result<(), DaemonError> {
    sender.run(stop).await;
    Ok(())
}

/// Decides what waits. When it ends, `sending` is cancelled: nothing more will come for the sender.
pub(super) async fn push_loop(
    push: Push<HubSpot>,
    sender: SenderHandle,
    poll: Duration,
    nudge: Arc<Notify>,
    mut when_broken: WhenBroken,
    stop: CancellationToken,
    sending: CancellationToken,
) -> Result<(), DaemonError> {
    let _no_more = sending.drop_guard();
    let mut backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(15));
    let mut held = None;
    while !stop.is_cancelled() {
        progress::made();
        // Only waiting is given up at the end; a pass is let end, for it may have claimed and decided.
        tokio::select! {
            () = sender.room() => {}
            () = pace::rest(poll, &nudge, &stop) => continue,
        }
        let wait = match push.pass().await {
            Ok(PushReport { held: Some(why), .. }) => {
                tell_held(&mut held, why);
                poll
            }
            Ok(report) => {
                held = None;
                when_broken.mended();
                backoff.reset();
                report.next_due.map_or(poll, |due| due.min(poll))
            }
            Err(error) if when_broken.ends(&error) => return Err(error.into()),
            Err(error) => pace::wait_after(&error, "push", &mut backoff),
        };
        pace::rest(wait, &nudge, &stop).await;
    }
    Ok(())
}

/// Says once why leads wait.
fn tell_held(before: &mut Option<std::mem::Discriminant<Held>>, why: Held) {
    if before.replace(std::mem::discriminant(&why)) == Some(std::mem::discriminant(&why)) {
        return;
    }
    match why {
        Held::On(HoldKind::Paused) => tracing::warn!("the gate is paused; `gatekeeper resume` ends it"),
        Held::On(HoldKind::Restored) => tracing::error!(
            "the database is not the one it was: a restored backup, or a copy; nothing is decided and nothing written until `gatekeeper resume --after-restore`"
        ),
        Held::MirrorNotLoaded | Held::MirrorTooOld(_) => tracing::info!(?why, "leads wait for the mirror"),
    }
}

/// Keeps the mirror. Each tick wakes the push loop: leads may have waited for it.
pub(super) async fn pull_loop(
    pull: Pull<HubSpot>,
    leads: Arc<Notify>,
    mut when_broken: WhenBroken,
    stop: CancellationToken,
) -> Result<(), DaemonError> {
    let mut backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(60));
    let never = Arc::new(Notify::new());
    while !stop.is_cancelled() {
        progress::made();
        // Dropped half-way a pass goes on where it was: the page and its progress are one transaction.
        let tick = tokio::select! {
            tick = pull.tick() => tick,
            () = stop.cancelled() => break,
        };
        let wait = match tick {
            Ok(report) => {
                when_broken.mended();
                backoff.reset();
                leads.notify_one();
                report.come_back
            }
            Err(error @ PullError::Panicked { .. }) => return Err(error.into()),
            Err(error) if when_broken.ends(&error) => return Err(error.into()),
            Err(error) => pace::wait_after(&error, "pull", &mut backoff),
        };
        pace::rest(wait, &never, &stop).await;
    }
    Ok(())
}

/// Looks up what nobody settled. Dropped half-way, what it had taken over is taken over again.
pub(super) async fn sweep_loop(
    mut sweep: Sweep<HubSpot>,
    doubts: Arc<Notify>,
    mut when_broken: WhenBroken,
    stop: CancellationToken,
) -> Result<(), DaemonError> {
    let mut backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(30));
    while !stop.is_cancelled() {
        progress::made();
        let pass = tokio::select! {
            pass = sweep.pass() => pass,
            () = stop.cancelled() => break,
        };
        let wait = match pass {
            Ok(report) => {
                when_broken.mended();
                backoff.reset();
                report.next
            }
            Err(error) if when_broken.ends(&error) => return Err(error.into()),
            Err(error) => pace::wait_after(&error, "sweep", &mut backoff),
        };
        pace::rest(wait, &doubts, &stop).await;
    }
    Ok(())
}

/// How often it is looked for merges that a dead run has left.
const LOOK_FOR_MERGES: Duration = Duration::from_secs(5);

/// Ends merges and undos that a command had begun and did not live to end: leads wait for their contacts.
pub(super) async fn merge_loop(merger: Merger<HubSpot>, stop: CancellationToken) -> Result<(), DaemonError> {
    let mut backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(30));
    let never = Arc::new(Notify::new());
    while !stop.is_cancelled() {
        progress::made();
        let ended = async {
            merger.resume(&|_| ()).await?;
            merger.resume_undos().await
        };
        let wait = match ended.await {
            Ok(_) => {
                backoff.reset();
                LOOK_FOR_MERGES
            }
            Err(PurgeError::Stopped) if stop.is_cancelled() => break,
            Err(error) => pace::wait_after(&error, "merge", &mut backoff),
        };
        pace::rest(wait, &never, &stop).await;
    }
    Ok(())
}

/// Ends when nothing waits any more: no lead that is ready, claimed or being written. Or with what keeps the sender from
/// writing, if a person must mend it and it lasts longer than `patience`.
#[expect(clippy::disallowed_methods, reason = "raced against the stop")]
pub(super) async fn until_idle(
    store: Store,
    sender: SenderHandle,
    patience: Duration,
    stop: CancellationToken,
) -> Result<(), DaemonError> {
    while !stop.is_cancelled() {
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(100)) => {}
            () = stop.cancelled() => break,
        }
        if let Some(error) = sender.broken_for(patience) {
            return Err(error.into());
        }
        if sender.held() > 0 {
            continue;
        }
        let asked = async {
            let client = store.client().await?;
            match is_idle(&client).await? {
                true => Ok(Some(None)),
                false => Ok::<_, StoreError>(current_hold(&client).await?.map(Some)),
            }
        };
        match asked.await {
            Ok(Some(None)) => {
                tracing::info!("nothing waits any more");
                return Ok(());
            }
            Ok(Some(Some(hold))) => return Err(DaemonError::Held { kind: hold.kind }),
            Ok(None) => {}
            Err(error) => tracing::warn!(error = crate::fault::chain(&error), "cannot tell whether leads wait"),
        }
    }
    Ok(())
}

/// Tells systemd that the loops make progress. A database or a CRM that is away is no stall: the loops go round, or wait for
/// a time that they know.
#[expect(clippy::disallowed_methods, reason = "raced against the stop")]
pub(super) async fn watchdog(loops: Vec<Progress>, stop: CancellationToken) -> Result<(), DaemonError> {
    let Some(every) = systemd::watchdog_interval() else {
        stop.cancelled().await;
        return Ok(());
    };
    let mut last = vec![u64::MAX; loops.len()];
    loop {
        tokio::select! {
            () = tokio::time::sleep(every) => {}
            () = stop.cancelled() => return Ok(()),
        }
        let now: Vec<u64> = loops.iter().map(Progress::count).collect();
        if now.iter().zip(&last).all(|(now, before)| now != before) {
            last = now;
            systemd::alive();
        }
    }
}
