//! What one can do next: with everything still running, or with what was left behind.

use tokio_util::sync::CancellationToken;

use super::DemoError;
use super::place::Place;
use super::print::{heading, line};
use super::process::Gatekeeper;
use crate::sandbox::Running;
use crate::store::Store;

/// Questions to try.
const QUESTIONS: &str = include_str!("../../demo/sql/questions.sql");

/// A lead to try.
const LEAD: &str = include_str!("../../demo/sql/try_a_lead.sql");

/// Runs the daemon until the user has seen enough.
pub(super) async fn keep(
    gatekeeper: &Gatekeeper,
    place: &Place,
    store: &Store,
    crm: &Running,
    stop: &CancellationToken,
) -> Result<(), DemoError> {
    let daemon = gatekeeper.start(&["run"])?;
    heading("Look further: all is running")?;
    line(&format!("The database    {}", store.psql()))?;
    line(&format!(
        "The sandbox CRM {}   token: {}",
        crm.base_url(),
        place.token()
    ))?;
    line(&format!(
        "                curl {}/_sandbox/contacts | less",
        crm.base_url()
    ))?;
    line(&format!("The daemon      its log is {}", place.log().display()))?;
    line("\nOn another terminal:\n")?;
    commands(gatekeeper)?;
    line("\nDeliver a lead, and see a moment later what became of it:\n")?;
    indented(LEAD)?;
    line("\nThree questions for psql:\n")?;
    indented(QUESTIONS)?;
    line("\nCtrl-C ends it all.")?;
    match daemon.finish(stop).await {
        // That is how it is meant to end.
        Err(DemoError::Interrupted) => line("\nEnded; nothing is left running."),
        other => other,
    }
}

/// All has ended by the time this is read; each command starts the database again for itself.
pub(super) fn farewell(gatekeeper: &Gatekeeper, store: &Store) -> Result<(), DemoError> {
    heading("Look further")?;
    line("What was decided is kept until the next demo:\n")?;
    commands(gatekeeper)?;
    line("\n`make demo ARGS=--keep` (or `gatekeeper demo --keep`) leaves database, CRM and daemon running. Then:\n")?;
    line(&format!("  {}", store.psql()))?;
    line("")?;
    indented(QUESTIONS)
}

fn commands(gatekeeper: &Gatekeeper) -> Result<(), DemoError> {
    line(&format!("  alias gatekeeper='{}'", gatekeeper.line()))?;
    for command in [
        "explain newsletter:sub_9301",
        "review list",
        "dead list",
        "rules show",
        "status",
    ] {
        line(&format!("  gatekeeper {command}"))?;
    }
    Ok(())
}

fn indented(text: &str) -> Result<(), DemoError> {
    text.lines().try_for_each(|one| line(format!("  {one}").trim_end()))
}
