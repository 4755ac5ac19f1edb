//! Replays: dead letters and reviews are decided anew, by filter, for show or for good.

use std::collections::BTreeMap;

use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::args::{Filter, PickOptions};
use super::{CliError, output};
use crate::config::Config;
use crate::daemon::connect_crm;
use crate::domain::{DecisionRow, ReplicaId};
use crate::push::{PushSettings, action_name, predict};
use crate::store::ask::{self, Pick};
use crate::store::{Client, Store};

/// Rows shown on a terminal; `--json` has all of them.
const SHOWN: usize = 100;

/// What is replayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    /// Leads that could not be processed.
    DeadLetters,
    /// Leads about which a person was asked.
    Reviews,
}

impl Which {
    fn thing(self) -> &'static str {
        match self {
            Which::DeadLetters => "dead letter",
            Which::Reviews => "review",
        }
    }
}

/// What the options pick.
pub(super) fn pick(filter: Filter, limit: i64, all: bool) -> Pick {
    Pick {
        reason: filter.reason,
        source: filter.source,
        since: filter.since,
        until: filter.until,
        limit,
        all,
    }
}

/// The leads that are named, or that the filter lets through.
pub(super) async fn chosen(client: &Client, options: &PickOptions, which: Which) -> Result<Vec<i64>, CliError> {
    if !options.leads.is_empty() {
        return Ok(options.leads.clone());
    }
    let pick = pick(options.filter.clone(), options.limit, false);
    let rows = match which {
        Which::DeadLetters => ask::list_dead(client, &pick).await?,
        Which::Reviews => ask::list_review(client, &pick).await?,
    };
    Ok(rows.iter().filter_map(|row| row["lead_id"].as_i64()).collect())
}

/// Puts them back to work, or shows what would be decided about them today.
pub(super) async fn replay(config: &Config, store: &Store, options: PickOptions, which: Which) -> Result<(), CliError> {
    let client = store.client().await?;
    let leads = chosen(&client, &options, which).await?;
    if options.dry_run {
        drop(client);
        return show(config, store, &leads, options.json).await;
    }
    let note = options.note.as_deref();
    let done = match which {
        Which::DeadLetters => ask::replay_dead(&client, &leads, note).await?,
        Which::Reviews => ask::replay_review(&client, &leads, note).await?,
    };
    let done = usize::try_from(done).unwrap_or(0);
    said(&leads, done, &options, which.thing(), "replayed: decided anew")
}

/// Tells what was done.
pub(super) fn said(
    leads: &[i64],
    done: usize,
    options: &PickOptions,
    thing: &str,
    words: &str,
) -> Result<(), CliError> {
    if options.json {
        return Ok(output::json(
            &json!({"leads": leads, "done": done, "dry_run": options.dry_run}),
        )?);
    }
    let would = if options.dry_run { "would be " } else { "" };
    output::line(&format!("{} {would}{words}.", output::count(done, thing)))?;
    if done < leads.len() {
        output::line(&format!("{} not waiting.", output::count(leads.len() - done, "lead")))?;
    }
    Ok(())
}

async fn show(config: &Config, store: &Store, leads: &[i64], json: bool) -> Result<(), CliError> {
    let stop = CancellationToken::new();
    let (line, rulebook) = connect_crm(config, store, ReplicaId::new(), &stop).await?;
    let decisions = predict(store, &line, &rulebook, &PushSettings::of(config), leads).await?;
    if json {
        let rows: Vec<_> = decisions
            .iter()
            .map(|decision| {
                json!({
                    "lead_id": decision.lead_id, "source": decision.source, "action": decision.action,
                    "tier": decision.tier, "score": decision.score, "crm_id": decision.crm_id, "reason": decision.reason,
                })
            })
            .collect();
        return Ok(output::json(&json!({"would_be": rows, "dry_run": true}))?);
    }
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for decision in &decisions {
        *counts.entry(action_name(decision.action)).or_default() += 1;
    }
    let told: Vec<String> = counts
        .iter()
        .map(|(action, count)| format!("{count} {action}"))
        .collect();
    output::line(&format!(
        "{} would be decided anew: {}.",
        output::count(decisions.len(), "lead"),
        if told.is_empty() {
            "nothing".to_owned()
        } else {
            told.join(", ")
        }
    ))?;
    if decisions.is_empty() {
        return Ok(());
    }
    output::table(
        &["lead", "source", "action", "identified by", "contact", "reason"],
        decisions.iter().take(SHOWN).map(row).collect(),
    )?;
    if decisions.len() > SHOWN {
        output::line(&format!(
            "… and {} more; --json has all of them.",
            decisions.len() - SHOWN
        ))?;
    }
    Ok(())
}

fn row(decision: &DecisionRow) -> Vec<String> {
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    vec![
        decision.lead_id.to_string(),
        or_dash(decision.source.clone()),
        action_name(decision.action).to_owned(),
        or_dash(decision.tier.map(|tier| tier.name().to_owned())),
        or_dash(decision.crm_id.as_ref().map(|crm_id| crm_id.0.clone())),
        or_dash(decision.reason.clone()),
    ]
}
