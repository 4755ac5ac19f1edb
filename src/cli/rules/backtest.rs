//! `rules backtest`: old leads through other rules.

use super::super::args::BacktestOptions;
use super::super::{CliError, output};
use super::proposed::proposed;
use crate::backtest::{Past, Report, backtest};
use crate::store::Store;
use crate::store::backtest::{RuleSet, rules_in_force};

/// Goes through the decisions and shows which would differ.
pub(super) async fn run(store: &Store, options: BacktestOptions) -> Result<(), CliError> {
    let mut client = store.client().await?;
    let in_force = rules_in_force(&client).await?;
    let other: Option<RuleSet> = match &options.rules {
        Some(file) => Some(proposed(&mut client, file).await?),
        None => None,
    };
    let past = Past {
        since: options.since,
        until: options.until,
        source: options.source,
        examples: options.examples,
    };
    let bar = output::bar("decisions");
    let report = backtest(&client, &past, &in_force, other.as_ref(), |done, all| {
        bar.set_length(all);
        bar.set_position(done);
    })
    .await;
    bar.finish_and_clear();
    let report = report?;
    match options.json {
        true => Ok(output::json(&report)?),
        false => show(&report, other.is_some()),
    }
}

fn show(report: &Report, proposed: bool) -> Result<(), CliError> {
    let (from, to) = if proposed {
        ("now", "proposed")
    } else {
        ("decided", "now")
    };
    output::line(&format!(
        "{} made again, {} would differ.",
        output::count(usize::try_from(report.decisions).unwrap_or_default(), "decision"),
        report.differ
    ))?;
    if report.differ == 0 {
        return Ok(());
    }
    let sources = report.sources.iter().filter(|(_, share)| share.differ > 0);
    let rows = sources.map(|(source, share)| {
        let percent = 100 * share.differ / share.decisions.max(1);
        vec![
            source.clone(),
            share.differ.to_string(),
            share.decisions.to_string(),
            format!("{percent} %"),
        ]
    });
    output::table(&["source", "differ", "of", ""], rows.collect())?;
    for (title, counts) in [
        ("action", &report.actions),
        ("identified by", &report.tiers),
        ("field", &report.fields),
    ] {
        if counts.is_empty() {
            continue;
        }
        let rows = counts.iter().map(|count| {
            let what = count.field.clone().unwrap_or_else(|| title.to_owned());
            vec![what, count.from.clone(), count.to.clone(), count.count.to_string()]
        });
        output::table(&[title, from, to, "decisions"], rows.collect())?;
    }
    let rows = report.examples.iter().map(|example| {
        vec![
            example.lead_id.to_string(),
            example.source.clone(),
            example.what.clone(),
            example.from.clone(),
            example.to.clone(),
        ]
    });
    output::table(&["lead", "source", "what", from, to], rows.collect())?;
    Ok(output::line("`gatekeeper explain LEAD` tells the story of each.")?)
}
