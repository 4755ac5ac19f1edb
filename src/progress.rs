//! Signs of life of a loop, for a watchdog: what goes round, waits for a time, or gets answers lives; what stands still in the
//! middle of something does not.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

tokio::task_local! {
    static OF_THIS_LOOP: Progress;
}

/// How often who waits gives a sign. Well below any interval that a watchdog asks for.
const SIGN_EVERY: Duration = Duration::from_secs(1);

/// The signs of life of one loop.
#[derive(Debug, Clone, Default)]
pub struct Progress(Arc<AtomicU64>);

impl Progress {
    /// Runs a loop: what [`made`] is told in it is counted here.
    pub async fn over<F: Future>(self, work: F) -> F::Output {
        OF_THIS_LOOP.scope(self, work).await
    }

    /// How many signs there were.
    pub fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A step is done. Outside of a loop nothing happens.
pub fn made() {
    let _ = OF_THIS_LOOP.try_with(|progress| progress.0.fetch_add(1, Ordering::Relaxed));
}

/// Work of this loop that is done in a task of its own: its signs are the loop's.
pub fn handed_on<F: Future>(work: F) -> impl Future<Output = F::Output> {
    let progress = OF_THIS_LOOP.try_with(Progress::clone).unwrap_or_default();
    progress.over(work)
}

/// Waits for something outside, and gives signs meanwhile.
#[expect(
    clippy::disallowed_methods,
    reason = "a sign each second, while something else is waited for"
)]
pub async fn waiting<F: Future>(wait: F) -> F::Output {
    let mut wait = pin!(wait);
    loop {
        tokio::select! {
            output = &mut wait => return output,
            () = tokio::time::sleep(SIGN_EVERY) => made(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_waits_lives_and_who_stands_still_does_not() {
        let progress = Progress::default();
        let counted = progress.clone();
        progress
            .over(async {
                made();
                let mut tasks = tokio::task::JoinSet::new();
                tasks.spawn(handed_on(async { made() }));
                tasks.join_all().await;
                assert_eq!(counted.count(), 2);
                let patience = Duration::from_millis(2_500);
                assert!(
                    tokio::time::timeout(patience, std::future::pending::<()>())
                        .await
                        .is_err()
                );
                assert_eq!(counted.count(), 2);
                let forever = waiting(std::future::pending::<()>());
                assert!(tokio::time::timeout(patience, forever).await.is_err());
                assert_eq!(counted.count(), 4);
            })
            .await;
        // In no loop: counted nowhere.
        made();
    }
}
