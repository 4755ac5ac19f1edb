//! Assembly: from the parts to the running loops.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::RunOptions;
use super::bootstrap::Parts;
use super::loops::{WhenBroken, listen, merge_loop, pull_loop, push_loop, send, sweep_loop, until_idle};
use super::merging::merger;
use super::supervise::{Ended, spawn};
use crate::config::Config;
use crate::progress::Progress;
use crate::pull::{Pull, PullSettings};
use crate::push::sender::{Sender, SenderSettings};
use crate::push::{Push, PushSettings};
use crate::sweep::{Sweep, SweepSettings};

/// Puts the loops together and starts them.
pub(super) fn start(
    tasks: &mut JoinSet<Ended>,
    parts: Parts,
    config: &Config,
    options: RunOptions,
    stop: &CancellationToken,
) -> Vec<Progress> {
    let merger = merger(&parts, config, stop);
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
    let push = Push::new(
        store.clone(),
        Arc::clone(&line),
        rulebook.clone(),
        replica,
        PushSettings::of(config),
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

    let when_broken = WhenBroken::new(options);
    let loops = [(); 4].map(|()| Progress::default());
    let [pushing, pulling, sweeping, merging] = loops.clone();
    let leads = Arc::new(Notify::new());
    let poll = Duration::from_millis(gate.poll_milliseconds);
    let listener = listen(store.clone(), Arc::clone(&leads), stop.clone());
    spawn(tasks, "listen", listener);
    // The sender outlives the push loop: what the last pass intended is sent or withdrawn, not left to recovery.
    let sending = CancellationToken::new();
    spawn(tasks, "send", send(sender, sending.clone()));
    spawn(
        tasks,
        "push",
        pushing.over(push_loop(
            push,
            handle.clone(),
            poll,
            Arc::clone(&leads),
            when_broken,
            stop.clone(),
            sending,
        )),
    );
    spawn(
        tasks,
        "pull",
        pulling.over(pull_loop(pull, leads, when_broken, stop.clone())),
    );
    spawn(
        tasks,
        "sweep",
        sweeping.over(sweep_loop(sweep, handle.doubts(), when_broken, stop.clone())),
    );
    spawn(tasks, "merge", merging.over(merge_loop(merger, stop.clone())));
    if options.until_idle {
        spawn(tasks, "idle", until_idle(store, handle, options.patience, stop.clone()));
    }
    loops.into()
}
