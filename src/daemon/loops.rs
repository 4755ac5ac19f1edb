//! The loops: started, watched over, stopped within a bound.
//!
//! A loop that fails waits and tries again; a loop that ends by itself ends the daemon, and systemd starts it anew.
//! There is one way to recover from a crash and from a stop: what was open is found by the next start.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::bootstrap::Parts;
use super::{DaemonError, RunOptions, pace, systemd};
use crate::config::Config;
use crate::crm::hubspot::HubSpot;
use crate::governor::Backoff;
use crate::pull::{Pull, PullSettings};
use crate::push::sender::{Sender, SenderHandle, SenderSettings};
use crate::push::{Push, PushSettings};
use crate::store::Store;
use crate::store::claim::is_idle;
use crate::store::replica::stop_replica;
use crate::sweep::{Sweep, SweepSettings};

/// Progress of the loops, for the watchdog.
#[derive(Debug, Clone, Default)]
struct Progress(Arc<[AtomicU64; 3]>);

impl Progress {
    fn made(&self, place: usize) {
        self.0[place].fetch_add(1, Ordering::Relaxed);
    }

    fn sum(&self) -> [u64; 3] {
        [0, 1, 2].map(|place| self.0[place].load(Ordering::Relaxed))
    }
}

/// What a loop's task ended with: its name, and why.
type Ended = (&'static str, Result<(), DaemonError>);

/// Starts the loops and waits for the end.
pub(super) async fn supervise(
    parts: Parts,
    config: &Config,
    options: RunOptions,
    shutdown: CancellationToken,
) -> Result<(), DaemonError> {
    super::metrics::serve(config)?;
    let grace = Duration::from_secs(config.daemon.shutdown_grace_seconds);
    let (store, replica) = (parts.store.clone(), parts.replica);
    // Two stops: no new work, and then no more signs of life.
    let stop = CancellationToken::new();
    let quiet = CancellationToken::new();
    let mut tasks: JoinSet<Ended> = JoinSet::new();
    let lease = parts.lease.clone();
    spawn(&mut tasks, "heartbeat", lease.keep(store.clone(), quiet.clone()));
    let progress = start(&mut tasks, parts, config, options, &stop);
    systemd::ready("at work");
    spawn(&mut tasks, "watchdog", watchdog(progress, quiet.clone()));

    let first = tokio::select! {
        () = shutdown.cancelled() => None,
        Some(ended) = tasks.join_next() => Some(ended),
    };
    systemd::stopping();
    tracing::info!("stopping: what is on the wire is waited for");
    stop.cancel();
    let mut result = first.map_or(Ok(()), outcome);
    let drained = tokio::time::timeout(grace, async {
        // The heartbeat and the watchdog go on to the end of the drain.
        while tasks.len() > 2 {
            if let Some(ended) = tasks.join_next().await {
                let ended = outcome(ended);
                if result.is_ok() {
                    result = ended;
                }
            }
        }
    });
    if drained.await.is_err() {
        tracing::warn!("not all was settled in time; the next start looks it up");
    }
    quiet.cancel();
    tasks.shutdown().await;
    if let Ok(client) = store.client().await
        && let Err(error) = stop_replica(&client, replica).await
    {
        tracing::warn!(
            error = crate::fault::chain(&error),
            "no goodbye was said; the lease lapses by itself"
        );
    }
    result
}

fn outcome(ended: Result<Ended, tokio::task::JoinError>) -> Result<(), DaemonError> {
    match ended {
        Ok((_, result)) => result,
        Err(error) if error.is_cancelled() => Ok(()),
        Err(_) => Err(DaemonError::Panicked { name: "daemon's" }),
    }
}

fn spawn(
    tasks: &mut JoinSet<Ended>,
    name: &'static str,
    task: impl Future<Output = Result<(), DaemonError>> + Send + 'static,
) {
    tasks.spawn(async move { (name, task.await) });
}

fn start(
    tasks: &mut JoinSet<Ended>,
    parts: Parts,
    config: &Config,
    options: RunOptions,
    stop: &CancellationToken,
) -> Progress {
    let Parts {
        store,
        line,
        rulebook,
        replica,
        lease,
    } = parts;
    let gate = &config.gate;
    let settle_seconds = i32::try_from(gate.settle_seconds).unwrap_or(i32::MAX);
    let max_attempts = i32::try_from(gate.max_attempts).unwrap_or(i32::MAX);
    let max_claims = i32::try_from(gate.max_claims).unwrap_or(i32::MAX);
    let deadline = Duration::from_secs(config.crm.request_deadline_seconds + 5);
    let sender_settings = SenderSettings {
        calls_in_flight: config.limits.calls_in_flight,
        linger: Duration::from_millis(gate.linger_milliseconds),
        queue_limit: gate.batch_leads * 4,
        settle_seconds,
        max_attempts,
    };
    let (sender, handle) = Sender::new(
        Arc::clone(&line),
        store.clone(),
        rulebook.clone(),
        sender_settings,
        move || {
            // A call that could outlive the lease is not begun: others may take over what it carries.
            lease.remaining() > deadline
        },
    );
    let push_settings = PushSettings {
        batch_leads: gate.batch_leads,
        suspect_claims: (max_claims + 1) / 2,
        max_claims,
        max_mirror_age: Duration::from_secs(config.mirror.max_age_seconds),
    };
    let push = Push::new(
        store.clone(),
        Arc::clone(&line),
        rulebook.clone(),
        replica,
        push_settings,
        handle.clone(),
    );
    let sweep_settings = SweepSettings {
        settle_seconds,
        max_attempts,
        retention_days: i32::try_from(gate.retention_days).unwrap_or(i32::MAX),
    };
    let sweep = Sweep::new(
        store.clone(),
        Arc::clone(&line),
        rulebook.clone(),
        replica,
        sweep_settings,
        handle.clone(),
    );
    let pull = Pull::new(
        store.clone(),
        line,
        rulebook,
        replica,
        PullSettings::new(&config.mirror, Duration::from_secs(config.daemon.lease_seconds)),
    );

    let progress = Progress::default();
    let leads = Arc::new(Notify::new());
    let poll = Duration::from_millis(gate.poll_milliseconds);
    let listener = listen(store.clone(), Arc::clone(&leads), stop.clone());
    spawn(tasks, "listen", listener);
    spawn(tasks, "send", send(sender, stop.clone()));
    spawn(
        tasks,
        "push",
        push_loop(
            push,
            handle.clone(),
            poll,
            Arc::clone(&leads),
            progress.clone(),
            stop.clone(),
        ),
    );
    spawn(tasks, "pull", pull_loop(pull, leads, progress.clone(), stop.clone()));
    spawn(
        tasks,
        "sweep",
        sweep_loop(sweep, handle.doubts(), progress.clone(), stop.clone()),
    );
    if options.until_idle {
        spawn(tasks, "idle", until_idle(store, handle, stop.clone()));
    }
    progress
}

async fn listen(store: Store, nudge: Arc<Notify>, stop: CancellationToken) -> Result<(), DaemonError> {
    store.listen("gatekeeper_lead", nudge, stop).await;
    Ok(())
}

async fn send(sender: Sender<HubSpot>, stop: CancellationToken) -> Result<(), DaemonError> {
    sender.run(stop).await;
    Ok(())
}

async fn push_loop(
    push: Push<HubSpot>,
    sender: SenderHandle,
    poll: Duration,
    nudge: Arc<Notify>,
    progress: Progress,
    stop: CancellationToken,
) -> Result<(), DaemonError> {
    let mut backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(15));
    let mut held_before = None;
    while !stop.is_cancelled() {
        progress.made(0);
        // Only waiting is given up at the end; a pass is let end, for it may have claimed and decided.
        tokio::select! {
            () = sender.room() => {}
            () = pace::rest(poll, &nudge, &stop) => continue,
        }
        let wait = match push.pass().await {
            Ok(report) => {
                backoff.reset();
                if report.held != held_before.map(|_: ()| crate::push::Held::MirrorNotLoaded) {
                    held_before = None;
                }
                match (report.held, report.next_due) {
                    (Some(held), _) => {
                        if held_before.is_none() {
                            tracing::info!(?held, "leads wait for the mirror");
                            held_before = Some(());
                        }
                        poll
                    }
                    (None, Some(due)) => due.min(poll),
                    (None, None) => poll,
                }
            }
            Err(error) => match pace::wait_after(&error, "push", &mut backoff) {
                Some(wait) => wait,
                None => {
                    return Err(DaemonError::Loop {
                        name: "push",
                        source: error.into(),
                    });
                }
            },
        };
        pace::rest(wait, &nudge, &stop).await;
    }
    Ok(())
}

async fn pull_loop(
    pull: Pull<HubSpot>,
    leads: Arc<Notify>,
    progress: Progress,
    stop: CancellationToken,
) -> Result<(), DaemonError> {
    let mut backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(60));
    let never = Arc::new(Notify::new());
    while !stop.is_cancelled() {
        progress.made(1);
        // Dropped half-way a pass goes on where it was: the page and its progress are one transaction.
        let tick = tokio::select! {
            tick = pull.tick() => tick,
            () = stop.cancelled() => break,
        };
        let wait = match tick {
            Ok(report) => {
                backoff.reset();
                leads.notify_one();
                report.come_back
            }
            Err(error) => match pace::wait_after(&error, "pull", &mut backoff) {
                Some(wait) => wait,
                None => {
                    return Err(DaemonError::Loop {
                        name: "pull",
                        source: error.into(),
                    });
                }
            },
        };
        pace::rest(wait, &never, &stop).await;
    }
    Ok(())
}

async fn sweep_loop(
    mut sweep: Sweep<HubSpot>,
    nudge: Arc<Notify>,
    progress: Progress,
    stop: CancellationToken,
) -> Result<(), DaemonError> {
    let mut backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(30));
    while !stop.is_cancelled() {
        progress.made(2);
        let pass = tokio::select! {
            pass = sweep.pass() => pass,
            () = stop.cancelled() => break,
        };
        let wait = match pass {
            Ok(report) => {
                backoff.reset();
                report.next
            }
            Err(error) => match pace::wait_after(&error, "sweep", &mut backoff) {
                Some(wait) => wait,
                None => {
                    return Err(DaemonError::Loop {
                        name: "sweep",
                        source: error.into(),
                    });
                }
            },
        };
        pace::rest(wait, &nudge, &stop).await;
    }
    Ok(())
}

/// Ends when nothing waits any more: no lead that is ready, claimed or being written.
#[expect(clippy::disallowed_methods, reason = "raced against the stop")]
async fn until_idle(store: Store, sender: SenderHandle, stop: CancellationToken) -> Result<(), DaemonError> {
    while !stop.is_cancelled() {
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(100)) => {}
            () = stop.cancelled() => break,
        }
        if sender.held() > 0 {
            continue;
        }
        let asked = async { is_idle(&store.client().await?).await };
        match asked.await {
            Ok(true) => {
                tracing::info!("nothing waits any more");
                return Ok(());
            }
            Ok(false) => {}
            Err(error) => tracing::warn!(error = crate::fault::chain(&error), "cannot tell whether leads wait"),
        }
    }
    Ok(())
}

/// Tells systemd that the loops make progress. A database or a CRM that is away is no stall: the loops go round.
#[expect(clippy::disallowed_methods, reason = "raced against the stop")]
async fn watchdog(progress: Progress, stop: CancellationToken) -> Result<(), DaemonError> {
    let Some(every) = systemd::watchdog_interval() else {
        stop.cancelled().await;
        return Ok(());
    };
    let mut last = [u64::MAX; 3];
    loop {
        tokio::select! {
            () = tokio::time::sleep(every) => {}
            () = stop.cancelled() => return Ok(()),
        }
        let now = progress.sum();
        if now.iter().zip(last).all(|(now, before)| *now != before) {
            last = now;
            systemd::alive();
        }
    }
}
