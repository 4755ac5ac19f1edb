//! `in-doubt`: what a person says of writes whose outcome nobody could find out.

use super::args::{InDoubtAction, InDoubtVerdict};
use super::{CliError, output};
use crate::config::Config;
use crate::domain::{CrmId, IntentId};
use crate::store::in_doubt::{InDoubt, Resolved, Verdict, list_in_doubt, resolve_in_doubt};
use crate::store::{Client, Store};

pub(super) async fn in_doubt(config: &Config, action: InDoubtAction) -> Result<(), CliError> {
    let store = Store::open(config).await?;
    let client = store.client().await?;
    let done = match action {
        InDoubtAction::List { json } => list(&list_in_doubt(&client).await?, json),
        InDoubtAction::Resolve {
            intent,
            verdict,
            crm_id,
            note,
        } => {
            let max_attempts = i32::try_from(config.gate.max_attempts).unwrap_or(i32::MAX);
            let crm_id = crm_id.map(CrmId);
            resolve(&client, IntentId(intent), verdict, crm_id.as_ref(), &note, max_attempts).await
        }
    };
    drop(client);
    store.close().await;
    done
}

fn list(writes: &[InDoubt], json: bool) -> Result<(), CliError> {
    if json {
        return Ok(output::json(&writes)?);
    }
    if writes.is_empty() {
        return Ok(output::line("No write is in doubt.")?);
    }
    let rows = writes.iter().map(|write| {
        let leads: Vec<String> = write.leads.iter().map(i64::to_string).collect();
        vec![
            write.intent_id.to_string(),
            write.operation.clone(),
            write.crm_id.clone().unwrap_or_else(|| "-".to_owned()),
            leads.join(" "),
            write.waiting.to_string(),
            write.attempts.to_string(),
            write.reason.clone().unwrap_or_else(|| "-".to_owned()),
            write.created_at.format("%Y-%m-%d %H:%M:%S").to_string(),
        ]
    });
    Ok(output::table(
        &[
            "write",
            "does",
            "contact",
            "leads",
            "more wait",
            "attempts",
            "reason",
            "since",
        ],
        rows.collect(),
    )?)
}

async fn resolve(
    client: &Client,
    intent: IntentId,
    verdict: InDoubtVerdict,
    crm_id: Option<&CrmId>,
    note: &str,
    max_attempts: i32,
) -> Result<(), CliError> {
    let (verdict, told) = match verdict {
        InDoubtVerdict::Applied => (Verdict::Applied, "It counts as written; its leads are done."),
        InDoubtVerdict::Lost => (Verdict::Lost, "It counts as never written; its leads are decided anew."),
        InDoubtVerdict::Again => (
            Verdict::Again,
            "The daemon asks what became of it, and tries once more.",
        ),
    };
    match resolve_in_doubt(client, intent, verdict, crm_id, note, max_attempts).await? {
        Resolved::Done => Ok(output::line(told)?),
        Resolved::NeedsCrmId => Err(CliError::NotFound(
            "a creation that was applied made a contact: look for it in the CRM and say which with --crm-id".to_owned(),
        )),
        Resolved::NotInDoubt => Err(CliError::NotFound(format!(
            "no write {} is in doubt; `gatekeeper in-doubt list` shows those that are",
            intent.0
        ))),
    }
}
