//! `merge`: contacts that are one person already become one: planned, approved, carried out, and taken back.

mod cost;
mod decide;
mod plan;
mod run;
mod sheet;
mod show;

use super::CliError;
use super::args::MergeAction;
use crate::config::Config;
use crate::store::Store;
use crate::store::merge::list_plans;

pub(super) async fn merge(config: &Config, action: MergeAction) -> Result<(), CliError> {
    // These two take a lease, as a replica beside the daemon.
    let action = match action {
        MergeAction::Run {
            plan,
            limit,
            dry_run: false,
            json,
        } => return run::run(config, plan, limit, json).await,
        MergeAction::Undo { plan, note, json } => return run::undo(config, plan, &note, json).await,
        other => other,
    };
    let store = Store::open(config).await?;
    let done = with_store(config, &store, action).await;
    store.close().await;
    done
}

async fn with_store(config: &Config, store: &Store, action: MergeAction) -> Result<(), CliError> {
    match action {
        MergeAction::Plan { json } => plan::plan(config, store, json).await,
        MergeAction::Show {
            plan,
            state,
            held,
            proposed,
            limit,
            json,
        } => {
            let client = store.client().await?;
            let mut states: Vec<&str> = state.iter().map(String::as_str).collect();
            states.extend(held.then_some("held"));
            states.extend(proposed.then_some("proposed"));
            match plan {
                Some(plan) => show::one(&client, plan, json).await,
                None => {
                    let states = (!states.is_empty()).then_some(states.as_slice());
                    show::list(&list_plans(&client, states, limit).await?, json)
                }
            }
        }
        MergeAction::Approve { pick, master, values } => decide::approve(config, store, pick, master, &values).await,
        MergeAction::Reject(pick) => decide::decide(store, "rejected", pick).await,
        MergeAction::Hold(pick) => decide::decide(store, "held", pick).await,
        MergeAction::Export { state, to } => sheet::export(store, &state, to).await,
        MergeAction::Import { file, dry_run, json } => sheet::import(config, store, &file, dry_run, json).await,
        MergeAction::Run { plan, limit, json, .. } => run::dry_run(config, store, plan, limit, json).await,
        MergeAction::Undo { .. } => Ok(()),
    }
}
