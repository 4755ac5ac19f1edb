//! Fail points: named places at which a test lets this process die or freeze, as a machine would, between two steps of
//! the write protocol. Only a build with the feature `failpoints` has them; in any other build [`reach`] is nothing.

/// This point is reached. Dies or freezes here, if `GATEKEEPER_FAILPOINT` says so.
///
/// The variable is `POINT:NTH:SIGNAL`: at the NTH time that the point is reached (1 is the first), the process sends
/// itself the signal `kill` or `stop`.
#[cfg(not(feature = "failpoints"))]
#[inline(always)]
pub fn reach(_point: &str) {}

#[cfg(feature = "failpoints")]
pub use armed::reach;

#[cfg(feature = "failpoints")]
mod armed {
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    use rustix::process::{Signal, getpid, kill_process};

    struct Armed {
        point: String,
        nth: u64,
        signal: Signal,
    }

    #[expect(clippy::disallowed_methods, reason = "a switch of tests, in no release; no setting")]
    static ARMED: LazyLock<Option<Armed>> = LazyLock::new(|| {
        let text = std::env::var("GATEKEEPER_FAILPOINT").ok()?;
        let mut parts = text.split(':');
        let point = parts.next()?.to_owned();
        let nth = parts.next()?.parse().ok()?;
        let signal = match parts.next()? {
            "stop" => Signal::STOP,
            _ => Signal::KILL,
        };
        Some(Armed { point, nth, signal })
    });

    /// This point is reached. Dies or freezes here, if `GATEKEEPER_FAILPOINT` says so.
    pub fn reach(point: &str) {
        static REACHED: AtomicU64 = AtomicU64::new(0);
        let Some(armed) = &*ARMED else { return };
        if armed.point == point && REACHED.fetch_add(1, Ordering::SeqCst) + 1 == armed.nth {
            // A process may always signal itself.
            let _ = kill_process(getpid(), armed.signal);
        }
    }
}
