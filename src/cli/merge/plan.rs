//! `merge plan`: what a merge of each group would do.

use tokio_util::sync::CancellationToken;

use super::super::{CliError, output};
use super::cost::Cost;
use crate::config::Config;
use crate::daemon::connect_crm;
use crate::domain::ReplicaId;
use crate::purge::{PlanReport, plan_all};
use crate::store::Store;

pub(super) async fn plan(config: &Config, store: &Store, json: bool) -> Result<(), CliError> {
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
        false => told(config, &report),
    }
}

fn told(config: &Config, report: &PlanReport) -> Result<(), CliError> {
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
    let cost = Cost {
        groups: report.plans,
        contacts: report.contacts,
        merges: report.merges,
        writes: report.writes,
    };
    rows.push(vec!["calls to the CRM, at least".to_owned(), cost.calls().to_string()]);
    rows.push(vec!["time, at the limits of the CRM".to_owned(), cost.time(config)]);
    output::table(&["what", "how many"], rows)?;
    for field in &report.not_mirrored {
        output::line(&format!(
            "rules.merge_master looks at {field}, which the mirror does not hold yet: it decided nothing. A running daemon loads it, \
             or `gatekeeper mirror --full` does."
        ))?;
    }
    output::line(
        "A merge cannot be taken back in the CRM. `gatekeeper merge undo` gives the contact that stayed its former values and",
    )?;
    output::line(
        "makes the others anew from snapshots; their ids, activities, lists and addresses stay with the one that stayed.",
    )?;
    Ok(output::line(
        "Nothing is merged yet. `gatekeeper merge show` lists the plans, `gatekeeper merge approve` says which are to be carried out.",
    )?)
}
