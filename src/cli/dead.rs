//! `dead`: leads that could not be processed.

use serde_json::Value;

use super::args::{DeadAction, PickOptions};
use super::replay::{self, Which};
use super::{CliError, explain, output, tell};
use crate::config::Config;
use crate::store::{Client, Store, ask};

pub(super) async fn dead(config: &Config, action: DeadAction) -> Result<(), CliError> {
    let store = Store::open(config).await?;
    let client = store.client().await?;
    let done = match action {
        DeadAction::List {
            filter,
            limit,
            all,
            json,
        } => {
            let letters = ask::list_dead(&client, &replay::pick(filter, limit, all)).await?;
            list(&letters, json)
        }
        DeadAction::Show { lead, json } => explain::show(&client, lead, json).await,
        DeadAction::Replay(options) => replay::replay(config, &store, options, Which::DeadLetters).await,
        DeadAction::Discard(options) => discard(&client, options).await,
    };
    drop(client);
    store.close().await;
    done
}

fn list(letters: &[Value], json: bool) -> Result<(), CliError> {
    if json {
        return Ok(output::json(&letters)?);
    }
    if letters.is_empty() {
        return Ok(output::line("No dead letters.")?);
    }
    let rows = letters.iter().map(|letter| {
        vec![
            tell::text(&letter["lead_id"]),
            tell::or_dash(&letter["source"]),
            tell::shown(&letter["source_key"]),
            tell::text(&letter["reason"]),
            tell::shown(&letter["message"]),
            tell::time(&letter["died_at"]),
            tell::text(&letter["state"]),
        ]
    });
    output::table(
        &[
            "lead",
            "source",
            "source key",
            "reason",
            "the CRM said",
            "died at",
            "state",
        ],
        rows.collect(),
    )?;
    Ok(())
}

async fn discard(client: &Client, options: PickOptions) -> Result<(), CliError> {
    let leads = replay::chosen(client, &options, Which::DeadLetters).await?;
    let done = match options.dry_run {
        true => leads.len(),
        false => {
            let done = ask::discard_dead(client, &leads, options.note.as_deref()).await?;
            usize::try_from(done).unwrap_or(0)
        }
    };
    replay::said(&leads, done, &options, "dead letter", "discarded")
}
