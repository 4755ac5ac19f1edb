//! `merge run`, `merge undo`: what is approved is carried out, and what was carried out is taken back.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::super::{CliError, output, tell};
use super::cost::Cost;
use super::show::joined;
use crate::config::Config;
use crate::daemon::with_merger;
use crate::purge::{MergeReport, RunPick, Undone};
use crate::store::Store;
use crate::store::merge::{count_approved, list_plans, show_plan};

/// Plans told one by one on a terminal; `--json` has all of them.
const SHOWN: usize = 100;

pub(super) async fn run(config: &Config, plans: Vec<i64>, limit: Option<u64>, json: bool) -> Result<(), CliError> {
    observe(config);
    let pick = RunPick {
        plans: (!plans.is_empty()).then_some(plans),
        limit,
    };
    let bar = output::bar("merges");
    bar.set_length(to_do(config, &pick).await?);
    let done = AtomicU64::new(0);
    let stop = CancellationToken::new();
    let work = with_merger(config, &stop, async |merger| {
        let progress = |merges| bar.set_position(done.fetch_add(merges, Ordering::Relaxed) + merges);
        merger.run(&pick, &progress).await
    });
    let report = until_asked(&stop, work).await?;
    bar.finish_and_clear();
    let report = report?;
    match json {
        true => output::json(&report)?,
        false => told(&report)?,
    }
    match report.failed {
        0 => Ok(()),
        _ => Err(CliError::ChecksFailed { code: 1 }),
    }
}

/// How many merges are to be done.
async fn to_do(config: &Config, pick: &RunPick) -> Result<u64, CliError> {
    let store = Store::open(config).await?;
    let client = store.client().await?;
    let (_, merges) = count_approved(&client, pick.plans.as_deref()).await?;
    drop(client);
    store.close().await;
    Ok(merges.unsigned_abs())
}

fn told(report: &MergeReport) -> Result<(), CliError> {
    if *report == MergeReport::default() {
        return Ok(output::line(
            "Nothing is approved; `gatekeeper merge approve` says what is to be carried out.",
        )?);
    }
    let mut rows = vec![
        ("groups of which one contact is left", report.merged),
        ("merges made, two contacts at a time", report.merges),
        (
            "groups in which a chosen value is not in the CRM",
            report.values_not_kept,
        ),
        ("groups that have changed since: stale, plan them again", report.stale),
        ("groups that failed", report.failed),
    ]
    .into_iter()
    .map(|(what, count)| vec![what.to_owned(), count.to_string()])
    .collect::<Vec<_>>();
    let reasons = report.failed_for.iter();
    rows.extend(reasons.map(|(reason, count)| vec![format!("  {reason}"), count.to_string()]));
    for (what, count) in [
        ("groups that wait for a write under way; run it again", report.busy),
        ("groups given back: asked to stop", report.released),
        ("groups of a dead run that were gone on with", report.resumed),
    ] {
        if count > 0 {
            rows.push(vec![what.to_owned(), count.to_string()]);
        }
    }
    output::table(&["what", "how many"], rows)?;
    if report.failed > 0 || report.values_not_kept > 0 {
        output::line("`gatekeeper merge show --state failed` and `gatekeeper merge show PLAN` say why.")?;
    }
    Ok(())
}

pub(super) async fn undo(config: &Config, plan: i64, note: &str, json: bool) -> Result<(), CliError> {
    observe(config);
    let stop = CancellationToken::new();
    let work = with_merger(config, &stop, async |merger| merger.undo(plan, note).await);
    let undone = until_asked(&stop, work).await??;
    match json {
        true => Ok(output::json(&undone)?),
        false => told_undone(&undone),
    }
}

fn told_undone(undone: &Undone) -> Result<(), CliError> {
    output::line(&format!(
        "Contact {} holds again what it held before in {}.",
        undone.survivor_crm_id,
        output::count(undone.restored.len(), "field")
    ))?;
    for (was, is) in &undone.recreated {
        output::line(&format!("Contact {was} is made again, as {is}."))?;
    }
    if !undone.not_restored.is_empty() {
        let rows = undone.not_restored.iter().map(|lost| {
            vec![
                lost.crm_id.to_string(),
                lost.field
                    .as_ref()
                    .map_or("the contact".to_owned(), ToString::to_string),
                lost.why.clone(),
            ]
        });
        output::line("Not restored:")?;
        output::table(&["contact", "field", "why"], rows.collect())?;
    }
    output::line(
        "Nor can the CRM give back the former ids, activities, lists and workflows: they stay with the contact that stayed.",
    )?;
    Ok(output::line(
        "They are noted as two people: no scan puts them together again.",
    )?)
}

/// Warnings go to the terminal; the bar says the rest.
fn observe(config: &Config) {
    crate::observe::start(&crate::config::Daemon {
        log_filter: if std::io::stderr().is_terminal() {
            "error"
        } else {
            "warn"
        }
        .into(),
        ..config.daemon.clone()
    });
}

/// Works until it is done, or until somebody asks to stop; asked twice, it ends at once.
async fn until_asked<T>(stop: &CancellationToken, work: impl Future<Output = T>) -> Result<T, CliError> {
    tokio::pin!(work);
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    loop {
        tokio::select! {
            done = &mut work => return Ok(done),
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        if stop.is_cancelled() {
            std::process::exit(1);
        }
        stop.cancel();
    }
}

pub(super) async fn dry_run(
    config: &Config,
    store: &Store,
    only: Vec<i64>,
    limit: Option<u64>,
    json: bool,
) -> Result<(), CliError> {
    let client = store.client().await?;
    let mut plans = list_plans(&client, Some(&["approved"]), i64::MAX).await?;
    plans.retain(|plan| only.is_empty() || plan["plan_id"].as_i64().is_some_and(|id| only.contains(&id)));
    plans.truncate(usize::try_from(limit.unwrap_or(u64::MAX)).unwrap_or(usize::MAX));
    let number = |plan: &Value, name: &str| plan[name].as_u64().unwrap_or_default();
    let cost = Cost {
        groups: plans.len() as u64,
        contacts: plans.iter().map(|plan| number(plan, "contacts")).sum(),
        merges: plans.iter().map(|plan| number(plan, "merge_calls")).sum(),
        writes: plans.iter().filter(|plan| plan["write_needed"] == true).count() as u64,
    };
    let mut whole = Vec::new();
    for plan in plans.iter().take(if json { usize::MAX } else { SHOWN }) {
        whole.extend(show_plan(&client, plan["plan_id"].as_i64().unwrap_or_default()).await?);
    }
    if json {
        return Ok(output::json(
            &json!({"plans": whole, "groups": cost.groups, "merges": cost.merges, "calls": cost.calls()}),
        )?);
    }
    if plans.is_empty() {
        return Ok(output::line(
            "Nothing is approved; `gatekeeper merge approve` says what is to be carried out.",
        )?);
    }
    let rows = whole.iter().map(|plan| {
        let values = plan["values"].as_array().into_iter().flatten();
        let values = values.map(|value| format!("{}: {}", tell::text(&value["field"]), tell::shown(&value["value"])));
        vec![
            tell::text(&plan["plan_id"]),
            tell::text(&plan["master_crm_id"]),
            joined(&plan["merged_crm_ids"]),
            values.collect::<Vec<_>>().join("; "),
        ]
    });
    output::table(
        &["plan", "stays", "merged into it, in this order", "then written"],
        rows.collect(),
    )?;
    if plans.len() > SHOWN {
        output::line(&format!("… and {} more; --json has all.", plans.len() - SHOWN))?;
    }
    Ok(output::line(&format!(
        "{}, {}, {} to the CRM, {}. Nothing is done yet.",
        output::count(plans.len(), "group"),
        output::count(usize::try_from(cost.merges).unwrap_or(usize::MAX), "merge"),
        output::count(usize::try_from(cost.calls()).unwrap_or(usize::MAX), "call"),
        cost.time(config)
    ))?)
}
