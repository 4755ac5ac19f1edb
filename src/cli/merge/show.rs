//! `merge show`: the plans, or one of them with all that is known of it.

use serde_json::Value;

use super::super::duplicates::agreement;
use super::super::{CliError, output, tell};
use crate::store::Client;
use crate::store::merge::show_plan;

pub(super) fn list(plans: &[Value], json: bool) -> Result<(), CliError> {
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

pub(super) async fn one(client: &Client, plan: i64, json: bool) -> Result<(), CliError> {
    let Some(plan) = show_plan(client, plan).await? else {
        return Err(CliError::NotFound(format!(
            "there is no plan {plan}; see `gatekeeper merge show`"
        )));
    };
    if json {
        return Ok(output::json(&plan)?);
    }
    output::line(&format!(
        "Plan {} of group {}: {}{}. {} stays ({}); merged into it: {}.",
        tell::text(&plan["plan_id"]),
        tell::text(&plan["group_id"]),
        tell::text(&plan["state"]),
        match (joined(&plan["held_for"]).as_str(), tell::text(&plan["reason"]).as_str()) {
            ("", "") => String::new(),
            (reasons, "") => format!(", for {reasons}"),
            (_, reason) => format!(": {reason}"),
        },
        tell::text(&plan["master_crm_id"]),
        tell::text(&plan["master_rule"]),
        joined(&plan["merged_crm_ids"]),
    ))?;
    values(&plan)?;
    evidence(&plan)?;
    for (title, list) in [
        ("Not in the CRM as chosen:", "not_kept"),
        ("Not restored:", "not_restored"),
    ] {
        let listed = tell::text(&plan[list]);
        if !matches!(listed.as_str(), "" | "{}" | "[]") {
            output::line(&format!("{title} {listed}"))?;
        }
    }
    let events = plan["events"].as_array().map_or(&[][..], Vec::as_slice);
    if !events.is_empty() {
        let rows = events.iter().map(|event| {
            ["happened_at", "event", "acted_by", "details"]
                .map(|column| tell::shown(&event[column]))
                .to_vec()
        });
        output::table(&["when", "what", "by", ""], rows.collect())?;
    }
    Ok(output::line(&format!("Digest {}.", tell::text(&plan["digest"])))?)
}

/// How the pairs of the group agree.
fn evidence(plan: &Value) -> Result<(), CliError> {
    let pairs = plan["evidence"].as_array().into_iter().flatten();
    let rows: Vec<Vec<String>> = pairs
        .map(|pair| {
            vec![
                tell::text(&pair["left_id"]),
                tell::text(&pair["right_id"]),
                tell::text(&pair["tier"]),
                tell::text(&pair["score"]),
                agreement(&pair["agreement"]),
            ]
        })
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    Ok(output::table(
        &["contact", "contact", "tier", "score", "agreement"],
        rows,
    )?)
}

fn values(plan: &Value) -> Result<(), CliError> {
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
    Ok(output::table(
        &["field", "survives", "of contact", "because", "lost"],
        rows.collect(),
    )?)
}

pub(super) fn joined(list: &Value) -> String {
    let texts: Vec<String> = list.as_array().into_iter().flatten().map(tell::text).collect();
    texts.join(", ")
}
