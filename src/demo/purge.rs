//! The purge: the sample's own duplicates are found, planned, approved and merged, by the commands that a steward would give.

use tokio_util::sync::CancellationToken;

use super::DemoError;
use super::print::{Cell, heading, line, number, table};
use super::process::Gatekeeper;
use super::report::contacts;
use super::stage::Stage;
use crate::sandbox::Running;
use crate::store::{Store, StoreError};

/// The commands, each with what it is for.
const COMMANDS: [(&[&str], &str); 4] = [
    (&["duplicates", "scan"], "find"),
    (&["merge", "plan"], "plan"),
    (&["merge", "approve", "--all", "--note", "demo"], "approve"),
    (&["merge", "run"], "merge"),
];

/// What became of the groups.
struct Groups {
    planned: u64,
    held: u64,
    merged: u64,
    merges: u64,
    /// The plan that is shown: of the largest group that was merged.
    example: Option<i64>,
}

/// Merges what is one person already, and shows before and after.
pub(super) async fn purge(
    gatekeeper: &Gatekeeper,
    store: &Store,
    crm: &Running,
    stop: &CancellationToken,
) -> Result<(), DemoError> {
    let before = contacts(crm);
    for (words, stage) in COMMANDS {
        let stage = Stage::begin(stage, None);
        gatekeeper.run(words, stop).await?;
        stage.done(&format!("gatekeeper {}", words.join(" ")));
    }
    let groups = groups(store).await?;
    heading("Duplicates that were there before")?;
    let row = |what: &str, count: u64, meaning: &str| vec![Cell::text(what), Cell::count(count), Cell::text(meaning)];
    table(
        &["", "how many", ""],
        vec![
            row("contacts before", before, ""),
            row("groups found", groups.planned, "contacts that are one person"),
            row(
                "held for a person",
                groups.held,
                "something speaks against it: nobody guesses",
            ),
            row(
                "groups merged",
                groups.merged,
                "each approved; a snapshot of every contact is kept",
            ),
            row(
                "merges",
                groups.merges,
                "two contacts at a time, through the same limits",
            ),
            row("contacts now", contacts(crm), ""),
        ],
    )?;
    let saved = before.saturating_sub(contacts(crm));
    line(&format!(
        "\nThe CRM is smaller by {} contacts. docs/PURGE.md says how a steward goes about it.",
        number(saved)
    ))?;
    if let Some(plan) = groups.example {
        let plan = plan.to_string();
        heading("One of these merges: who stays, which values, and why")?;
        line(&format!("$ gatekeeper merge show {plan}"))?;
        line("")?;
        gatekeeper.show(&["merge", "show", &plan], stop).await?;
    }
    Ok(())
}

async fn groups(store: &Store) -> Result<Groups, DemoError> {
    let client = store.client().await?;
    let row = client
        .query_one("select planned, held, merged, merges, example from report.purge", &[])
        .await
        .map_err(StoreError::from)?;
    let count = |place| Ok::<u64, StoreError>(row.try_get::<_, i64>(place)?.unsigned_abs());
    Ok(Groups {
        planned: count(0)?,
        held: count(1)?,
        merged: count(2)?,
        merges: count(3)?,
        example: row.try_get(4).map_err(StoreError::from)?,
    })
}
