//! `rules`: what comes out of all rules together, and what is wrong with them.

mod backtest;
mod learn;
mod proposed;
mod show;

use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::args::RulesAction;
use super::{CliError, output};
use crate::config::Config;
use crate::daemon::{connect_crm, open_store};
use crate::domain::ReplicaId;
use crate::rulebook::contradictions;
use crate::store::Store;
use crate::store::rules::{read_policy, unranked_sources};

pub(super) async fn rules(config: &Config, action: RulesAction) -> Result<(), CliError> {
    let store = match &action {
        RulesAction::Learn { .. } => open_store(config).await?,
        _ => Store::open(config).await?,
    };
    let policy = read_policy(&store.client().await?).await?;
    match action {
        RulesAction::Show { json } => show::show(&policy, json)?,
        RulesAction::Check { rules, json } => {
            let policy = match rules {
                Some(file) => proposed::proposed(&mut store.client().await?, &file).await?.policy,
                None => policy,
            };
            let stop = CancellationToken::new();
            let (_, rulebook) = connect_crm(config, &store, ReplicaId::new(), &stop).await?;
            let mut problems = contradictions(&policy, &rulebook.rules().schema);
            let unranked = unranked_sources(&store.client().await?).await?;
            problems.extend(unranked.iter().map(|(source, leads)| {
                format!("rules.source: {source:?} is not entered, and {leads} of its leads are dead letters; enter it with its rank, then `gatekeeper dead replay --reason unknown_source`")
            }));
            store.close().await;
            return tell(&problems, json);
        }
        RulesAction::Backtest(options) => {
            let done = backtest::run(&store, options).await;
            store.close().await;
            return done;
        }
        RulesAction::Learn { put_into_force, json } => {
            let done = match put_into_force {
                true => learn::put_learned_into_force(&store, json).await,
                false => learn::learn(&store, json).await,
            };
            store.close().await;
            return done;
        }
    }
    store.close().await;
    Ok(())
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
