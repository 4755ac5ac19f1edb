//! Waits for a condition, never for the clock.

use std::fmt::Debug;
use std::time::{Duration, Instant};

/// Asks `look` again and again until it answers `Ok`, and returns that. What it says in `Err` is the state it saw:
/// the last one is in the panic when `patience` ends.
///
/// ```ignore
/// let id = eventually(Duration::from_secs(5), "the lead is settled", async || {
///     let row = db.client().await.query_one("select state from …", &[]).await.unwrap();
///     match row.get::<_, String>(0).as_str() { "settled" => Ok(row.get::<_, i64>(1)), other => Err(other.to_owned()) }
/// }).await;
/// ```
#[track_caller]
pub(crate) fn eventually<T, S: Debug>(
    patience: Duration,
    what: &str,
    mut look: impl AsyncFnMut() -> Result<T, S>,
) -> impl Future<Output = T> {
    let caller = std::panic::Location::caller();
    async move {
        let started = Instant::now();
        let mut pause = Duration::from_millis(2);
        loop {
            match look().await {
                Ok(found) => return found,
                Err(state) if started.elapsed() > patience => {
                    panic!("after {patience:?} it is still not so that {what}; last seen: {state:?} (at {caller})")
                }
                Err(_) => tokio::time::sleep(pause).await,
            }
            pause = (pause * 2).min(Duration::from_millis(50));
        }
    }
}
