//! The one loop: work, then wait for a period, a nudge or the end.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::fault::{Classify, Fault};
use crate::governor::Backoff;

/// Waits between two passes. A nudge that came during the pass is not lost: `Notify` keeps one.
#[expect(
    clippy::disallowed_methods,
    reason = "this is where loops wait, raced against the stop"
)]
pub(super) async fn rest(wait: Duration, nudge: &Arc<Notify>, stop: &CancellationToken) {
    if wait.is_zero() {
        return;
    }
    tokio::select! {
        () = tokio::time::sleep(wait) => {}
        () = nudge.notified() => {}
        () = stop.cancelled() => {}
    }
}

/// How long to wait after a failed pass; `None` when the loop cannot go on.
pub(super) fn wait_after(
    error: &(impl Classify + std::error::Error),
    name: &str,
    backoff: &mut Backoff,
) -> Option<Duration> {
    let wait = match error.fault() {
        Fault::Throttled(wait) => wait.min(Duration::from_secs(60)),
        Fault::Transient | Fault::Unknown | Fault::Rejected => backoff.next_wait(),
        Fault::Broken => {
            // What a person must mend (a token, a grant) is mended without a restart.
            let wait = Duration::from_secs(10) + backoff.next_wait();
            tracing::error!(error = crate::fault::chain(error), "the {name} loop waits for a person");
            return Some(wait);
        }
    };
    tracing::warn!(
        error = crate::fault::chain(error),
        wait_ms = wait.as_millis() as u64,
        "the {name} loop waits"
    );
    Some(wait)
}
