//! `brake`: runs that would create or change too much, and what a person says of them.

use super::args::BrakeAction;
use super::{CliError, output, tell};
use crate::config::Config;
use crate::store::{Client, Store, brake as store};

pub(super) async fn brake(config: &Config, action: BrakeAction) -> Result<(), CliError> {
    let opened = Store::open(config).await?;
    let client = opened.client().await?;
    let done = match action {
        BrakeAction::List { json } => list(&client, json).await,
        BrakeAction::Release { source, note } => {
            let leads = store::release_brake(&client, &source, &note).await?;
            said(&source, leads, "go on: they are decided anew, and written")
        }
        BrakeAction::Reject { source, note } => {
            let leads = store::reject_brake(&client, &source, &note).await?;
            said(&source, leads, "are dead letters now (brake_rejected)")
        }
    };
    drop(client);
    opened.close().await;
    done
}

async fn list(client: &Client, json: bool) -> Result<(), CliError> {
    let brakes = store::list_brakes(client).await?;
    if json {
        return Ok(output::json(&brakes)?);
    }
    let rows = brakes.iter().map(|brake| {
        let of = |used: &str, allowed: &str| match tell::text(&brake[allowed]).as_str() {
            "" => "no limit".to_owned(),
            number => format!("{} of {number}", tell::text(&brake[used])),
        };
        vec![
            tell::text(&brake["source"]),
            tell::text(&brake["state"]),
            of("created_last_hour", "creates_allowed"),
            of("changed_last_hour", "updates_allowed"),
            tell::or_dash(&brake["held_leads"]),
            tell::or_dash(&brake["would_create"]),
            tell::or_dash(&brake["would_change"]),
            tell::or_dash(&brake["reason"]),
        ]
    });
    let header = [
        "source",
        "brake",
        "created in an hour",
        "changed",
        "held leads",
        "would create",
        "would change",
        "why",
    ];
    output::table(&header, rows.collect())?;
    Ok(output::line(
        "Limits stand in rules.brake. What held leads would write: `gatekeeper shadow show --source SOURCE`.",
    )?)
}

fn said(source: &str, leads: Option<i64>, what: &str) -> Result<(), CliError> {
    let Some(leads) = leads else {
        return Err(CliError::NotFound(format!(
            "no brake holds {source:?}; see `gatekeeper brake list`"
        )));
    };
    let leads = output::count(usize::try_from(leads).unwrap_or_default(), "lead");
    Ok(output::line(&format!("{leads} of {source} {what}."))?)
}
