//! `merge approve`, `merge reject`, `merge hold`: what a person says of plans.

use std::collections::BTreeMap;

use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::super::args::PlanPick;
use super::super::{CliError, output};
use crate::config::Config;
use crate::daemon::connect_crm;
use crate::domain::{Field, ReplicaId};
use crate::purge::plan_groups;
use crate::store::Store;
use crate::store::merge::{Pick, choose_for_plan, decide_plans, groups_of_plans};

pub(super) async fn approve(
    config: &Config,
    store: &Store,
    pick: PlanPick,
    master: Option<String>,
    values: &[String],
) -> Result<(), CliError> {
    if master.is_some() || !values.is_empty() {
        let &[plan] = pick.plans.as_slice() else {
            return Err(CliError::NotFound("--master and --set are for one plan".to_owned()));
        };
        let values = chosen_values(values)?;
        if !pick.dry_run {
            choose(config, store, plan, master.as_deref(), &values).await?;
        }
    }
    decide(store, "approved", pick).await
}

/// `city=Riga` and the like, each a field and its value.
pub(super) fn chosen_values(texts: &[String]) -> Result<BTreeMap<Field, String>, CliError> {
    let one = |text: &String| {
        let pair = text.split_once('=').map(|(field, value)| (field.trim(), value.trim()));
        let pair = pair.filter(|(field, value)| !field.is_empty() && !value.is_empty());
        pair.map(|(field, value)| (Field::from_name(field), value.to_owned()))
            .ok_or_else(|| CliError::NotFound(format!("{text:?} is not FIELD=VALUE, such as city=Riga")))
    };
    texts.iter().map(one).collect()
}

/// Notes what a person wants of a plan, and makes it anew.
pub(super) async fn choose(
    config: &Config,
    store: &Store,
    plan: i64,
    master: Option<&str>,
    values: &BTreeMap<Field, String>,
) -> Result<(), CliError> {
    let (_, rulebook) = connect_crm(config, store, ReplicaId::new(), &CancellationToken::new()).await?;
    let rules = rulebook.rules();
    for (field, value) in values {
        if let Err(fault) = rules.schema.check(field, value) {
            let why = fault.code();
            return Err(CliError::NotFound(format!(
                "{field} cannot be set to that in the CRM: {why}"
            )));
        }
    }
    let client = store.client().await?;
    if !choose_for_plan(&client, plan, master, values).await? {
        return Err(CliError::NotFound(format!(
            "there is no plan {plan} that is not begun, or that contact is none of it; see `gatekeeper merge show {plan}`"
        )));
    }
    let groups = groups_of_plans(&client, &[plan]).await?;
    drop(client);
    plan_groups(store, &rules, &groups).await?;
    Ok(())
}

pub(super) async fn decide(store: &Store, state: &str, options: PlanPick) -> Result<(), CliError> {
    let pick = Pick {
        plans: options.plans,
        digests: Vec::new(),
        rule: options.rule,
        most_contacts: options.most_contacts,
        no_losses: options.no_losses,
        held_for: options.held_for,
        limit: options.limit,
    };
    let named = pick.plans.len();
    let client = store.client().await?;
    let plans = decide_plans(&client, state, &pick, options.note.as_deref(), options.dry_run).await?;
    if options.json {
        return Ok(output::json(
            &json!({"state": state, "plans": plans, "dry_run": options.dry_run}),
        )?);
    }
    let verb = if options.dry_run { "would be" } else { "now" };
    output::line(&format!("{} {verb} {state}.", output::count(plans.len(), "plan")))?;
    if plans.len() < named {
        output::line("The others are not there, are that already, or are begun; `gatekeeper merge show` lists them.")?;
    }
    if state == "approved" && !plans.is_empty() && !options.dry_run {
        output::line("`gatekeeper merge run --dry-run` says what will be done, `gatekeeper merge run` does it.")?;
    }
    Ok(())
}
