//! The one loop: work, then wait for a period, a nudge or the end.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::fault::{Classify, Fault};
use crate::governor::Backoff;
use crate::progress;

/// Waits between two passes. A nudge that came during the pass is not lost: `Notify` keeps one.
#[expect(
    clippy::disallowed_methods,
    reason = "this is where loops wait, raced against the stop"
)]
pub(super) async fn rest(wait: Duration, nudge: &Arc<Notify>, stop: &CancellationToken) {
    if wait.is_zero() {
        return;
    }
    progress::waiting(async {
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = nudge.notified() => {}
            () = stop.cancelled() => {}
        }
    })
    .await;
}

/// How long to wait after a failed pass. What a person must mend (a token, a grant) is mended without a restart.
pub(super) fn wait_after(error: &(impl Classify + std::error::Error), name: &str, backoff: &mut Backoff) -> Duration {
    let reason = crate::fault::chain(error);
    let fault = error.fault();
    let wait = match fault {
        Fault::Throttled(wait) => wait.min(Duration::from_secs(60)),
        Fault::Transient | Fault::Unknown | Fault::Rejected => backoff.next_wait(),
        Fault::Broken => Duration::from_secs(10) + backoff.next_wait(),
    };
    let wait_ms = wait.as_millis() as u64;
    if fault == Fault::Broken {
        tracing::error!(error = reason, wait_ms, "the {name} loop waits for a person");
    } else {
        tracing::warn!(error = reason, wait_ms, "the {name} loop waits");
    }
    wait
}
