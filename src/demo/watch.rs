//! Watches the daemon at work, in the same document that `gatekeeper status` shows.

use std::time::Duration;

use serde_json::Value;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::DemoError;
use super::print::number;
use super::process::Process;
use super::stage::Stage;
use crate::store::{Store, ask};

/// How often to look.
const STEP: Duration = Duration::from_millis(100);

/// What is seen at one look.
struct Seen {
    mirrored: u64,
    loaded: bool,
    settled: u64,
}

/// Waits until the daemon has ended, and shows how far it is: first the mirror of `contacts`, then the `leads`.
pub(super) async fn watch(
    store: &Store,
    mut daemon: Process,
    contacts: u64,
    leads: u64,
    stop: &CancellationToken,
) -> Result<(), DemoError> {
    let mut mirror = Some(Stage::begin("mirror", Some(contacts)));
    let mut gate: Option<Stage> = None;
    // The daemon looks around once more before it ends; that is not the leads' time.
    let mut took = None;
    loop {
        let ended = daemon.ended()?;
        let seen = look(store).await?;
        if let Some(stage) = mirror.take_if(|_| seen.loaded) {
            let read = number(seen.mirrored.min(contacts));
            stage.done(&format!("{read} contacts read from the CRM"));
            gate = Some(Stage::begin("gate", Some(leads)));
        }
        if let Some(stage) = &mirror {
            stage.at(seen.mirrored);
        }
        if let Some(stage) = &gate {
            stage.at(seen.settled);
            if seen.settled >= leads && took.is_none() {
                took = Some(stage.elapsed());
            }
        }
        if ended {
            if let Some(stage) = gate {
                let rate = seen.settled as f64 / took.unwrap_or(stage.elapsed()).as_secs_f64();
                stage.done(&format!(
                    "{} leads decided and written, {rate:.0} a second",
                    seen.settled
                ));
            }
            return Ok(());
        }
        if timeout(STEP, stop.cancelled()).await.is_ok() {
            daemon.end().await?;
            return Err(DemoError::Interrupted);
        }
    }
}

async fn look(store: &Store) -> Result<Seen, DemoError> {
    let client = store.client().await?;
    let status = ask::status(&client, 0).await?;
    let amount = |value: &Value| value.as_u64().unwrap_or(0);
    let passes = status["mirror"]["passes"].as_array();
    let loaded = passes
        .into_iter()
        .flatten()
        .any(|pass| pass["pass"] == "full" && !pass["finished_at"].is_null());
    let settled = ["done", "review", "dead"].map(|state| amount(&status["leads"][state]));
    Ok(Seen {
        mirrored: amount(&status["mirror"]["contacts"]),
        loaded,
        settled: settled.iter().sum(),
    })
}
