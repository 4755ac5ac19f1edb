//! `rules show`: the table of fields and sources that comes out of all rules.

use std::collections::BTreeSet;

use serde_json::json;

use super::super::{CliError, output};
use crate::decide::{CRM_SOURCE, FieldPolicy, Policy};
use crate::domain::CANONICAL;

/// Prints for each field and source: the policy, and the rank and its fading where a rule of the field sets them.
pub(super) fn show(policy: &Policy, json: bool) -> Result<(), CliError> {
    let mut sources: Vec<(&str, i32)> = policy
        .sources
        .iter()
        .map(|(name, rank)| (name.as_str(), *rank))
        .collect();
    sources.sort_by_key(|(name, rank)| (-*rank, *name));
    let fields = fields(policy);
    if json {
        let effective: Vec<_> = fields
            .iter()
            .flat_map(|field| sources.iter().map(move |(source, _)| (field, *source)))
            .map(|(field, source)| {
                json!({
                    "field": field,
                    "source": source,
                    "rank": policy.field_rank(field, source),
                    "policy": in_force(policy, field, source).name(),
                    "expires_days": policy.expires_days(field, source),
                    "scale": policy.scale(field),
                })
            })
            .collect();
        return Ok(output::json(
            &json!({"version": policy.version, "sources": policy.sources, "effective": effective}),
        )?);
    }
    output::line(&format!("Rules, version {}. Sources by rank:", policy.version))?;
    let ranks = sources.iter().map(|(source, rank)| {
        let fades = policy.expires_days.get(*source);
        vec![
            (*source).to_owned(),
            rank.to_string(),
            fades.map_or_else(|| "-".to_owned(), ToString::to_string),
        ]
    });
    output::table(&["source", "rank", "fades after days"], ranks.collect())?;
    if sources.iter().all(|(source, _)| *source == CRM_SOURCE) {
        return Ok(output::line(
            "No source is entered yet: insert into rules.source (source, rank) values ('webinar', 200);",
        )?);
    }
    let header: Vec<&str> = std::iter::once("field")
        .chain(sources.iter().map(|(source, _)| *source))
        .collect();
    let rows = fields.iter().map(|field| {
        let cells = sources.iter().map(|(source, _)| cell(policy, field, source));
        std::iter::once(field.clone()).chain(cells).collect()
    });
    output::table(&header, rows.collect())?;
    Ok(())
}

/// The canonical fields, and those that a rule names.
fn fields(policy: &Policy) -> Vec<String> {
    let canonical = CANONICAL.iter().map(|field| field.name().to_owned());
    let named = policy
        .fields
        .iter()
        .map(|rule| rule.field.clone())
        .filter(|field| field != "*");
    let mut seen = BTreeSet::new();
    canonical
        .chain(named)
        .filter(|field| seen.insert(field.clone()))
        .collect()
}

/// For a source by what it writes; for the CRM how what it holds stands.
fn in_force(policy: &Policy, field: &str, source: &str) -> FieldPolicy {
    match source {
        CRM_SOURCE => policy.standing_policy(field, source),
        _ => policy.field_policy(field, source),
    }
}

fn cell(policy: &Policy, field: &str, source: &str) -> String {
    let in_force = in_force(policy, field, source);
    let mut text = in_force.name().to_owned();
    let (rank, fades) = (policy.field_rank(field, source), policy.expires_days(field, source));
    if policy.rank(source) != Some(rank) {
        text.push_str(&format!(" {rank}"));
    }
    if let Some(days) = fades
        && in_force != FieldPolicy::Never
    {
        text.push_str(&format!(" {days}d"));
    }
    text
}
