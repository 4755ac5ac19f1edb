//! `review`: leads about which a person must decide.

use serde_json::Value;

use super::args::ReviewAction;
use super::replay::{self, Which};
use super::{CliError, explain, output, tell};
use crate::config::Config;
use crate::store::{Client, Store, ask};

pub(super) async fn review(config: &Config, action: ReviewAction) -> Result<(), CliError> {
    let store = Store::open(config).await?;
    let client = store.client().await?;
    let done = match action {
        ReviewAction::List {
            filter,
            limit,
            all,
            json,
        } => list(
            &ask::list_review(&client, &replay::pick(filter, limit, all)).await?,
            json,
        ),
        ReviewAction::Replay(options) => replay::replay(config, &store, options, Which::Reviews).await,
        ReviewAction::Show { lead, json } => explain::show(&client, lead, json).await,
        ReviewAction::Accept {
            lead,
            contact,
            note,
            dry_run,
        } => resolve(&client, lead, "accepted", Some(contact), note, dry_run).await,
        ReviewAction::Create { lead, note, dry_run } => resolve(&client, lead, "created", None, note, dry_run).await,
        ReviewAction::Reject { lead, note, dry_run } => resolve(&client, lead, "rejected", None, note, dry_run).await,
    };
    drop(client);
    store.close().await;
    done
}

fn list(reviews: &[Value], json: bool) -> Result<(), CliError> {
    if json {
        return Ok(output::json(&reviews)?);
    }
    if reviews.is_empty() {
        return Ok(output::line("Nothing to review.")?);
    }
    let rows = reviews.iter().map(|review| {
        let candidates = review["candidates"]
            .as_array()
            .into_iter()
            .flatten()
            .take(4)
            .map(|candidate| {
                format!(
                    "{} ({}, {})",
                    tell::text(&candidate["contact_id"]),
                    tell::text(&candidate["tier"]),
                    tell::score(&candidate["score"])
                )
            });
        vec![
            tell::text(&review["lead_id"]),
            tell::or_dash(&review["source"]),
            tell::shown(&review["source_key"]),
            tell::text(&review["reason"]),
            candidates.collect::<Vec<_>>().join(", "),
            tell::time(&review["opened_at"]),
            tell::text(&review["state"]),
        ]
    });
    let header = [
        "lead",
        "source",
        "source key",
        "reason",
        "contacts (tier, score)",
        "asked at",
        "state",
    ];
    output::table(&header, rows.collect())?;
    Ok(())
}

async fn resolve(
    client: &Client,
    lead: i64,
    state: &str,
    contact: Option<i64>,
    note: Option<String>,
    dry_run: bool,
) -> Result<(), CliError> {
    let words = match (state, contact) {
        ("accepted", Some(contact)) => format!("lead {lead} is contact {contact}"),
        ("created", _) => format!("lead {lead} is a new person"),
        _ => format!("lead {lead} is not wanted"),
    };
    if dry_run {
        return Ok(output::line(&format!("Would note that {words}."))?);
    }
    if !ask::resolve_review(client, lead, state, contact, note.as_deref()).await? {
        return Err(CliError::NotFound(format!(
            "no review is open for lead {lead}, or that contact is not in the mirror; see `gatekeeper review list`"
        )));
    }
    output::line(&format!("Noted: {words}."))?;
    Ok(())
}
