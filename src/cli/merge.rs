//! `merge`: what a merge of contacts that are one person would keep, take over and lose.

use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::args::MergeAction;
use super::{CliError, output, tell};
use crate::config::Config;
use crate::daemon::connect_crm;
use crate::domain::ReplicaId;
use crate::purge::{PlanReport, plan_all};
use crate::store::merge::{list_plans, show_plan};
use crate::store::{Client, Store};

pub(super) async fn merge(config: &Config, action: MergeAction) -> Result<(), CliError> {
    let store = Store::open(config).await?;
    let done = match action {
        MergeAction::Plan { json } => plan(config, &store, json).await,
        MergeAction::Show {
            plan,
            held,
            proposed,
            limit,
            json,
        } => {
            let client = store.client().await?;
            let only = (held || proposed).then_some(held);
            match plan {
                Some(plan) => one(&client, plan, json).await,
                None => list(&list_plans(&client, only, limit).await?, json),
            }
        }
    };
    store.close().await;
    done
}

async fn plan(config: &Config, store: &Store, json: bool) -> Result<(), CliError> {
    let stop = CancellationToken::new();
    let (_, rulebook) = connect_crm(config, store, ReplicaId::new(), &stop).await?;
    let bar = output::bar("groups");
    let report = plan_all(store, &rulebook.rules(), |done, all| {
        bar.set_length(all);
        bar.set_position(done);
    })
    .await;
    bar.finish_and_clear();
    let report = report?;
    match json {
        true => Ok(output::json(&report)?),
        false => told(&report),
    }
}

fn told(report: &PlanReport) -> Result<(), CliError> {
    if report.plans == 0 {
        return Ok(output::line(
            "No group of duplicates is known; `gatekeeper duplicates scan` looks for them.",
        )?);
    }
    let mut rows = vec![
        vec!["groups planned".to_owned(), report.plans.to_string()],
        vec!["of them held for a person".to_owned(), report.held.to_string()],
    ];
    let reasons = report.held_for.iter();
    rows.extend(reasons.map(|(reason, count)| vec![format!("  {reason}"), count.to_string()]));
    rows.extend([
        vec!["contacts in them".to_owned(), report.contacts.to_string()],
        vec!["merges, two contacts at a time".to_owned(), report.merges.to_string()],
        vec!["contacts to write afterwards".to_owned(), report.writes.to_string()],
        vec![
            "fields in which values would be lost".to_owned(),
            report.losses.to_string(),
        ],
    ]);
    output::table(&["what", "how many"], rows)?;
    Ok(output::line(
        "Nothing is merged. `gatekeeper merge show` lists the plans, `gatekeeper merge show PLAN` tells one.",
    )?)
}

fn list(plans: &[Value], json: bool) -> Result<(), CliError> {
    if json {
        return Ok(output::json(&plans)?);
    }
    if plans.is_empty() {
        return Ok(output::line("No such plan; `gatekeeper merge plan` makes them.")?);
    }
    let rows = plans.iter().map(|plan| {
        vec![
            tell::text(&plan["plan_id"]),
            tell::text(&plan["state"]),
            joined(&plan["held_for"]),
            tell::text(&plan["master_crm_id"]),
            tell::text(&plan["master_rule"]),
            joined(&plan["merged_crm_ids"]),
            tell::text(&plan["fields_with_losses"]),
        ]
    });
    let header = [
        "plan",
        "state",
        "held for",
        "stays",
        "because",
        "merged into it",
        "fields with losses",
    ];
    output::table(&header, rows.collect())?;
    Ok(())
}

async fn one(client: &Client, plan: i64, json: bool) -> Result<(), CliError> {
    let Some(plan) = show_plan(client, plan).await? else {
        return Err(CliError::NotFound(format!(
            "there is no plan {plan}; see `gatekeeper merge show`"
        )));
    };
    if json {
        return Ok(output::json(&plan)?);
    }
    output::line(&format!(
        "Plan {} of group {}: {}. {} stays ({}); merged into it: {}.",
        tell::text(&plan["plan_id"]),
        tell::text(&plan["group_id"]),
        match joined(&plan["held_for"]).as_str() {
            "" => "proposed".to_owned(),
            reasons => format!("held for {reasons}"),
        },
        tell::text(&plan["master_crm_id"]),
        tell::text(&plan["master_rule"]),
        joined(&plan["merged_crm_ids"]),
    ))?;
    let values = plan["values"].as_array().map_or(&[][..], Vec::as_slice);
    if values.is_empty() {
        return Ok(output::line("They agree in every field.")?);
    }
    let rows = values.iter().map(|value| {
        let lost = value["lost"].as_array().into_iter().flatten();
        let lost: Vec<String> = lost.map(|lost| tell::shown(&lost["value"])).collect();
        vec![
            tell::text(&value["field"]),
            tell::shown(&value["value"]),
            tell::text(&value["contact_id"]),
            tell::text(&value["rule"]),
            lost.join("; "),
        ]
    });
    output::table(&["field", "survives", "of contact", "because", "lost"], rows.collect())?;
    Ok(output::line(&format!("Digest {}.", tell::text(&plan["digest"])))?)
}

fn joined(list: &Value) -> String {
    let texts: Vec<String> = list.as_array().into_iter().flatten().map(tell::text).collect();
    texts.join(", ")
}
