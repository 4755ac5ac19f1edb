//! `rules learn`: match weights from the mirror.

use std::time::Duration;

use indicatif::ProgressBar;
use serde_json::json;

use super::super::{CliError, output};
use crate::duplicates::learn::learn_weights;
use crate::store::Store;
use crate::store::learn::{learned_weights, use_learned};
use crate::store::rules::policy_version;

/// Learns weights from the mirror and shows them beside those in force.
pub(super) async fn learn(store: &Store, json: bool) -> Result<(), CliError> {
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
pub(super) async fn put_learned_into_force(store: &Store, json: bool) -> Result<(), CliError> {
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
