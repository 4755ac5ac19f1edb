//! What systemd is told: ready, alive, stopping. Without systemd nothing happens.

use std::time::Duration;

use sd_notify::NotifyState;

/// The daemon works.
pub(super) fn ready(status: &str) {
    let _ = sd_notify::notify(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// The daemon ends.
pub(super) fn stopping() {
    let _ = sd_notify::notify(&[NotifyState::Stopping]);
}

/// All loops have made progress.
pub(super) fn alive() {
    let _ = sd_notify::notify(&[NotifyState::Watchdog]);
}

/// How often systemd wants to hear that the loops make progress; absent when it does not.
pub(super) fn watchdog_interval() -> Option<Duration> {
    sd_notify::watchdog_enabled().map(|interval| interval / 2)
}
