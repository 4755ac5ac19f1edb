//! `pause`, `resume` and `replica`: what a person does about a gate that shall stand still, or a daemon that shall not.

use super::args::ReplicaAction;
use super::{CliError, output};
use crate::config::Config;
use crate::domain::ReplicaId;
use crate::store::hold::{self, HoldKind, ReplicaRow};
use crate::store::{Client, Store};

pub(super) async fn pause(config: &Config, note: &str) -> Result<(), CliError> {
    let store = Store::open(config).await?;
    let paused = hold::pause(&store.client().await?, note).await?;
    store.close().await;
    Ok(output::line(if paused {
        "The gate is paused: what is on its way to the CRM ends, nothing more is decided or written. `gatekeeper resume` ends it."
    } else {
        "The gate is paused already."
    })?)
}

pub(super) async fn resume(config: &Config, after_restore: bool, note: &str) -> Result<(), CliError> {
    let kind = if after_restore {
        HoldKind::Restored
    } else {
        HoldKind::Paused
    };
    let store = Store::open(config).await?;
    let client = store.client().await?;
    let lifted = hold::lift_hold(&client, kind, note).await?;
    let still = hold::current_hold(&client).await?;
    drop(client);
    store.close().await;
    let told = match (lifted, still) {
        (true, None) => "The gate goes on.".to_owned(),
        (false, None) => "The gate does not hold.".to_owned(),
        (_, Some(hold)) => format!(
            "The gate still holds ({}): {}. See `gatekeeper resume --help`.",
            hold.kind.name(),
            hold.note
        ),
    };
    Ok(output::line(&told)?)
}

pub(super) async fn replica(config: &Config, action: ReplicaAction) -> Result<(), CliError> {
    let store = Store::open(config).await?;
    let client = store.client().await?;
    let done = match action {
        ReplicaAction::List { json } => list(&hold::list_replicas(&client).await?, json),
        ReplicaAction::Release { replica, note } => release(&client, ReplicaId(replica), &note).await,
    };
    drop(client);
    store.close().await;
    done
}

fn list(replicas: &[ReplicaRow], json: bool) -> Result<(), CliError> {
    if json {
        return Ok(output::json(&replicas)?);
    }
    if replicas.is_empty() {
        return Ok(output::line("No replica runs.")?);
    }
    let rows = replicas.iter().map(|replica| {
        vec![
            replica.replica_id.to_string(),
            replica.process_id.to_string(),
            replica.version.clone(),
            replica.started_at.format("%Y-%m-%d %H:%M:%S").to_string(),
            match replica.lease_seconds {
                seconds if seconds < 0 => "run out".to_owned(),
                seconds => format!("{seconds} s"),
            },
            replica.claims.to_string(),
            replica.open_intents.to_string(),
        ]
    });
    Ok(output::table(
        &[
            "replica",
            "process",
            "version",
            "started",
            "lease",
            "leads decided",
            "writes under way",
        ],
        rows.collect(),
    )?)
}

async fn release(client: &Client, replica: ReplicaId, note: &str) -> Result<(), CliError> {
    if hold::release_replica(client, replica, note).await? {
        return Ok(output::line(
            "Its lease is ended: others take over what it held. If it lives, it ends by itself.",
        )?);
    }
    Err(CliError::NotFound(format!(
        "no replica {} with a lease; `gatekeeper replica list` shows them",
        replica.0
    )))
}
