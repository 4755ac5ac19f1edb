//! `rules`: what comes out of all rules together, and what is wrong with them.

use std::time::Duration;

use indicatif::ProgressBar;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::args::RulesAction;
use super::{CliError, output};
use crate::config::Config;
use crate::crm::Schema;
use crate::daemon::{connect_crm, open_store};
use crate::decide::Policy;
use crate::domain::{CANONICAL, Field, ReplicaId};
use crate::duplicates::learn::learn_weights;
use crate::store::Store;
use crate::store::learn::{learned_weights, use_learned};
use crate::store::rules::{policy_version, read_policy};

pub(super) async fn rules(config: &Config, action: RulesAction) -> Result<(), CliError> {
    let store = match &action {
        RulesAction::Learn { .. } => open_store(config).await?,
        _ => Store::open(config).await?,
    };
    let policy = read_policy(&store.client().await?).await?;
    match action {
        RulesAction::Show { json } => show(&policy, json)?,
        RulesAction::Check { json } => {
            let stop = CancellationToken::new();
            let (_, rulebook) = connect_crm(config, &store, ReplicaId::new(), &stop).await?;
            let problems = problems(&policy, &rulebook.rules().schema);
            store.close().await;
            return tell(&problems, json);
        }
        RulesAction::Learn { put_into_force, json } => {
            let done = match put_into_force {
                true => put_learned_into_force(&store, json).await,
                false => learn(&store, json).await,
            };
            store.close().await;
            return done;
        }
    }
    store.close().await;
    Ok(())
}

/// Learns weights from the mirror and shows them beside those in force.
async fn learn(store: &Store, json: bool) -> Result<(), CliError> {
    let bar = ProgressBar::new_spinner().with_message("comparing all contacts");
    bar.enable_steady_tick(Duration::from_millis(200));
    let report = learn_weights(store).await;
    bar.finish_and_clear();
    let report = report?;
    let weights = learned_weights(&store.client().await?).await?;
    if json {
        return Ok(output::json(&json!({"learned": report, "weights": weights}))?);
    }
    let rows = weights.iter().map(|weight| {
        vec![
            weight.field.clone(),
            weight.level.clone(),
            format!("{:+.2}", weight.weight_in_force),
            format!("{:+.2}", weight.learned_weight),
            format!("{:.0}", weight.pairs),
            format!("{:.0}", weight.pairs_of_one_person),
        ]
    });
    output::table(
        &["field", "agreement", "in force", "learned", "pairs", "of one person"],
        rows.collect(),
    )?;
    output::line(&format!(
        "Learned from {:.0} pairs, {:.0} of them of one person, in {}{}. Nothing works by these weights yet: `gatekeeper rules learn --use` puts them into force.",
        report.pairs,
        report.same,
        output::count(usize::try_from(report.rounds).unwrap_or_default(), "round"),
        if report.settled {
            ""
        } else {
            " (they have not settled: look twice)"
        },
    ))?;
    Ok(())
}

/// Puts into force what was learned last.
async fn put_learned_into_force(store: &Store, json: bool) -> Result<(), CliError> {
    let client = store.client().await?;
    let Some(changed) = use_learned(&client).await? else {
        return Err(CliError::NotFound(
            "nothing is learned, or the rules have changed since; `gatekeeper rules learn` first".to_owned(),
        ));
    };
    let version = policy_version(&client).await?;
    if json {
        return Ok(output::json(&json!({"changed": changed, "version": version}))?);
    }
    output::line(&format!(
        "{} changed; the rules are version {version} now. The next `gatekeeper duplicates scan` compares all contacts anew.",
        output::count(usize::try_from(changed).unwrap_or_default(), "weight"),
    ))?;
    Ok(())
}

fn show(policy: &Policy, json: bool) -> Result<(), CliError> {
    let mut sources: Vec<(&String, &i32)> = policy.sources.iter().collect();
    sources.sort_by_key(|(name, rank)| (-**rank, name.as_str()));
    let mut fields: Vec<String> = CANONICAL.iter().map(|field| field.name().to_owned()).collect();
    fields.extend(
        policy
            .fields
            .iter()
            .map(|rule| rule.field.clone())
            .filter(|field| field != "*"),
    );
    let mut seen = std::collections::BTreeSet::new();
    fields.retain(|field| seen.insert(field.clone()));
    let cell = |field: &str, source: &str| policy.field_policy(field, source).name().to_owned();
    if json {
        let effective: Vec<_> = fields
            .iter()
            .flat_map(|field| sources.iter().map(move |(source, rank)| (field, *source, **rank)))
            .filter(|(_, source, _)| *source != "crm")
            .map(|(field, source, rank)| json!({"field": field, "source": source, "rank": rank, "policy": cell(field, source)}))
            .collect();
        return Ok(output::json(
            &json!({"version": policy.version, "sources": policy.sources, "effective": effective}),
        )?);
    }
    output::line(&format!("Rules, version {}. Sources by rank:", policy.version))?;
    let ranks = sources
        .iter()
        .map(|(source, rank)| vec![(*source).clone(), rank.to_string()]);
    output::table(&["source", "rank"], ranks.collect())?;
    let feeds: Vec<&String> = sources
        .iter()
        .map(|(source, _)| *source)
        .filter(|source| *source != "crm")
        .collect();
    if feeds.is_empty() {
        return Ok(output::line(
            "No source is entered yet: insert into rules.source (source, rank) values ('webinar', 200);",
        )?);
    }
    let header: Vec<&str> = std::iter::once("field")
        .chain(feeds.iter().map(|source| source.as_str()))
        .collect();
    let rows = fields.iter().map(|field| {
        std::iter::once(field.clone())
            .chain(feeds.iter().map(|source| cell(field, source)))
            .collect()
    });
    output::table(&header, rows.collect())?;
    Ok(())
}

/// Everything that is wrong with the rules, each with what to do.
fn problems(policy: &Policy, schema: &Schema) -> Vec<String> {
    let mut found = Vec::new();
    if policy.sources.keys().all(|source| source == "crm") {
        found
            .push("no source is entered in rules.source: every lead becomes a dead letter (unknown_source)".to_owned());
    }
    for rule in &policy.fields {
        let place = format!("rules.field ({}, {})", rule.field, rule.source);
        if rule.source != "*" && !policy.sources.contains_key(&rule.source) {
            found.push(format!(
                "{place}: the source is not in rules.source, so the rule can never apply; enter it or delete the rule"
            ));
        }
        if rule.source == "crm" {
            found.push(format!(
                "{place}: the CRM writes its own fields by itself, the rule can never apply; delete it"
            ));
        }
        if rule.field == "*" {
            continue;
        }
        match schema.properties.get(&Field::from_name(&rule.field)) {
            None => found.push(format!(
                "{place}: the CRM has no such property; correct the name, or make the property"
            )),
            Some(property) if property.read_only => {
                found.push(format!(
                    "{place}: the CRM sets this property itself, nothing can be written; delete the rule"
                ));
            }
            Some(_) => {}
        }
    }
    let thresholds = policy.thresholds;
    if thresholds.review > thresholds.same {
        found.push("rules.match_threshold: review is above match, so nothing is ever asked; lower review".to_owned());
    }
    found
}

fn tell(problems: &[String], json: bool) -> Result<(), CliError> {
    if json {
        output::json(&json!({"problems": problems}))?;
    } else if problems.is_empty() {
        output::line("The rules are without contradiction.")?;
    } else {
        for problem in problems {
            output::line(&format!("- {problem}"))?;
        }
    }
    if problems.is_empty() {
        Ok(())
    } else {
        Err(CliError::ChecksFailed { code: 2 })
    }
}
