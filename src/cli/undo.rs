//! `undo`: what our updates wrote is taken back.

use std::collections::BTreeSet;

use serde_json::json;

use super::args::UndoOptions;
use super::{CliError, output, tell};
use crate::config::Config;
use crate::store::undo::{UndoChoice, Undoable, request_undo, undoable};
use crate::store::{Client, Store};

/// Rows shown on a terminal; `--json` has all of them.
const SHOWN: usize = 200;

pub(super) async fn undo(config: &Config, options: UndoOptions) -> Result<(), CliError> {
    let store = Store::open(config).await?;
    let client = store.client().await?;
    let done = take_back(&client, options).await;
    drop(client);
    store.close().await;
    done
}

async fn take_back(client: &Client, options: UndoOptions) -> Result<(), CliError> {
    let choice = UndoChoice {
        decisions: (!options.decision.is_empty()).then_some(options.decision),
        run: options.run,
        source: options.source,
        since: options.since,
    };
    let values = undoable(client, &choice).await?;
    let to_restore = values.iter().filter(|value| value.verdict == "restore").count();
    let requested = match options.dry_run {
        true => 0,
        false => usize::try_from(request_undo(client, &choice, options.note.as_deref()).await?).unwrap_or_default(),
    };
    if options.json {
        return Ok(output::json(
            &json!({"values": values, "requested": requested, "dry_run": options.dry_run}),
        )?);
    }
    if values.is_empty() {
        return Ok(output::line("Nothing that was written fits that.")?);
    }
    // Of a contact that was made there is nothing to tell, field by field.
    let mut told: Vec<&Undoable> = values.iter().filter(|value| !value.is_of_a_made_contact()).collect();
    told.sort_by_key(|value| value.reason.is_some());
    if !told.is_empty() {
        output::table(
            &["contact", "field", "we wrote", "before", "by", "then"],
            told.iter().take(SHOWN).map(|value| row(value)).collect(),
        )?;
    }
    if told.len() > SHOWN {
        output::line(&format!("… and {} more; --json has all of them.", told.len() - SHOWN))?;
    }
    let kept = told.len() - to_restore;
    let made: BTreeSet<i64> = values
        .iter()
        .filter(|value| value.is_of_a_made_contact())
        .map(|value| value.contact_id)
        .collect();
    if !made.is_empty() {
        output::line(&format!(
            "{} that these leads made: they stay.",
            output::count(made.len(), "contact")
        ))?;
    }
    let told = match options.dry_run {
        true => format!(
            "{} would be restored, {kept} kept as they are.",
            output::count(to_restore, "value")
        ),
        false => format!(
            "{} noted, {kept} kept as they are. A running daemon restores them; report.undone shows what became of each.",
            output::count(requested, "value")
        ),
    };
    Ok(output::line(&told)?)
}

fn row(value: &Undoable) -> Vec<String> {
    vec![
        value.crm_id.clone().unwrap_or_else(|| "-".to_owned()),
        value.field.clone(),
        tell::shown(&json!(value.written_value)),
        tell::shown(&json!(value.restored_value)),
        value.restored_source.clone(),
        match &value.reason {
            Some(reason) => format!("kept: {reason}"),
            None => "restored".to_owned(),
        },
    ]
}
