//! `dead`: leads that could not be processed.

use serde_json::Value;

use super::args::{DeadAction, DeadPick};
use super::{CliError, explain, output, tell};
use crate::config::Config;
use crate::store::{Client, Store, ask};

pub(super) async fn dead(config: &Config, action: DeadAction) -> Result<(), CliError> {
    let store = Store::open(config).await?;
    let client = store.client().await?;
    let done = match action {
        DeadAction::List {
            reason,
            limit,
            all,
            json,
        } => {
            let letters = ask::list_dead(&client, reason.as_deref(), limit, all).await?;
            list(&letters, json)
        }
        DeadAction::Show { lead, json } => explain::show(&client, lead, json).await,
        DeadAction::Replay(pick) => act(&client, pick, "replayed: they are decided anew", true).await,
        DeadAction::Discard(pick) => act(&client, pick, "discarded", false).await,
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

async fn act(client: &Client, pick: DeadPick, words: &str, replay: bool) -> Result<(), CliError> {
    let leads = match &pick.reason {
        Some(reason) => {
            let letters = ask::list_dead(client, Some(reason), pick.limit, false).await?;
            letters.iter().filter_map(|letter| letter["lead_id"].as_i64()).collect()
        }
        None => pick.leads.clone(),
    };
    let note = pick.note.as_deref();
    let done = if pick.dry_run {
        leads.len()
    } else {
        let done = if replay {
            ask::replay_dead(client, &leads, note).await?
        } else {
            ask::discard_dead(client, &leads, note).await?
        };
        usize::try_from(done).unwrap_or(0)
    };
    if pick.json {
        return Ok(output::json(
            &serde_json::json!({"leads": leads, "done": done, "dry_run": pick.dry_run}),
        )?);
    }
    let would = if pick.dry_run { "would be " } else { "" };
    output::line(&format!("{} {would}{words}.", output::count(done, "dead letter")))?;
    if done < leads.len() {
        output::line(&format!("{} not waiting.", output::count(leads.len() - done, "lead")))?;
    }
    Ok(())
}
