//! `shadow`: sources whose leads are decided for show, what they would have written, and how they become real.

use serde_json::{Value, json};

use super::args::ShadowAction;
use super::{CliError, output, tell};
use crate::config::Config;
use crate::store::{Client, Store, shadow as store};

pub(super) async fn shadow(config: &Config, action: ShadowAction) -> Result<(), CliError> {
    let opened = Store::open(config).await?;
    let client = opened.client().await?;
    let done = match action {
        ShadowAction::On { sources, all } => set(&client, sources, all, true).await,
        ShadowAction::Off { sources, all } => set(&client, sources, all, false).await,
        ShadowAction::Show { source, limit, json } => show(&client, source.as_deref(), limit, json).await,
        ShadowAction::Replay {
            source,
            limit,
            note,
            dry_run,
            json,
        } => {
            let leads = store::replay_shadow(&client, source.as_deref(), limit, note.as_deref(), dry_run).await?;
            let would = if dry_run { "would be " } else { "" };
            match json {
                true => Ok(output::json(&json!({"leads": leads, "dry_run": dry_run}))?),
                false => Ok(output::line(&format!(
                    "{} {would}replayed: they are decided anew, and written unless their source is still in shadow.",
                    output::count(usize::try_from(leads).unwrap_or_default(), "lead")
                ))?),
            }
        }
    };
    drop(client);
    opened.close().await;
    done
}

async fn set(client: &Client, sources: Vec<String>, all: bool, shadow: bool) -> Result<(), CliError> {
    let named = (!all).then_some(sources.as_slice());
    let changed = store::set_shadow(client, named, shadow).await?;
    let state = if shadow {
        "in shadow: what they bring is decided and audited, and not written"
    } else {
        "out of shadow: what they bring from now on is written"
    };
    if changed.is_empty() {
        return Ok(output::line(
            "Nothing changed: those sources are so already, or not entered in rules.source.",
        )?);
    }
    Ok(output::line(&format!("{} {state}.", changed.join(", ")))?)
}

async fn show(client: &Client, source: Option<&str>, limit: i64, json: bool) -> Result<(), CliError> {
    let summary = store::summary(client).await?;
    let diff = store::diff(client, source, limit).await?;
    if json {
        return Ok(output::json(&json!({"summary": summary, "diff": diff}))?);
    }
    if summary.is_empty() {
        return Ok(output::line(
            "No lead was decided in shadow, or all were replayed since.",
        )?);
    }
    let columns = ["source", "leads", "would_create", "would_change", "unchanged"];
    let rows = summary
        .iter()
        .map(|row| columns.map(|column| tell::text(&row[column])).into());
    output::table(
        &["source", "leads", "would create", "would change", "unchanged"],
        rows.collect(),
    )?;
    output::line("What would have been written, the newest first; all of it in report.shadow_diff:")?;
    let rows = diff.iter().map(|row| {
        vec![
            tell::text(&row["lead_id"]),
            tell::text(&row["source"]),
            tell::text(&row["action"]),
            or_new(&row["crm_id"]),
            tell::text(&row["field"]),
            tell::shown(&row["old_value"]),
            tell::shown(&row["new_value"]),
            tell::text(&row["rule"]),
        ]
    });
    output::table(
        &["lead", "source", "action", "contact", "field", "old", "new", "rule"],
        rows.collect(),
    )?;
    Ok(())
}

fn or_new(crm_id: &Value) -> String {
    match tell::text(crm_id).as_str() {
        "" => "new".to_owned(),
        id => id.to_owned(),
    }
}
