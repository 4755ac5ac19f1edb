//! The command line: what each command is called, what it prints, and with which code it ends.

mod args;
mod brake;
mod check;
mod dead;
mod duplicates;
mod exit;
mod explain;
mod hold;
mod in_doubt;
mod merge;
mod mirror;
mod output;
mod reconcile;
mod replay;
mod review;
mod rules;
mod run;
mod sandbox;
mod setup;
mod shadow;
mod status;
mod tell;
mod undo;
mod why_not;

pub use args::{Arguments, Command};
pub use exit::{CliError, code};

use crate::config::Config;

/// Carries out one command.
///
/// # Errors
/// Printed once by `main`, with the whole chain.
pub async fn carry_out(arguments: Arguments) -> Result<(), CliError> {
    let Arguments { config: file, command } = arguments;
    // These two look at no settings of this machine.
    let command = match command {
        Command::Sandbox(options) => return sandbox::sandbox(options).await,
        Command::Demo(options) => return Ok(crate::demo::demo(options).await?),
        other => other,
    };
    let config = Config::load(file.as_deref())?;
    match command {
        Command::Run { until_idle } => run::run(config, until_idle).await,
        Command::Check { offline, json } => check::check(config, offline, json).await,
        Command::Migrate => setup::migrate(&config).await,
        Command::SetupCrm { dry_run } => setup::setup_crm(&config, dry_run).await,
        Command::Mirror { full } => mirror::mirror(config, full).await,
        Command::Status { json } => status::status(&config, json).await,
        Command::Explain { lead, json } => explain::explain(&config, lead, json).await,
        Command::WhyNot { lead, contact, json } => why_not::why_not(&config, lead, contact, json).await,
        Command::Dead { action } => dead::dead(&config, action).await,
        Command::Review { action } => review::review(&config, action).await,
        Command::Pause { note } => hold::pause(&config, &note).await,
        Command::Resume { after_restore, note } => hold::resume(&config, after_restore, &note).await,
        Command::Replica { action } => hold::replica(&config, action).await,
        Command::InDoubt { action } => in_doubt::in_doubt(&config, action).await,
        Command::Reconcile { since, note, json } => reconcile::reconcile(&config, since, &note, json).await,
        Command::Duplicates { action } => duplicates::duplicates(&config, action).await,
        Command::Merge { action } => merge::merge(&config, action).await,
        Command::Shadow { action } => shadow::shadow(&config, action).await,
        Command::Brake { action } => brake::brake(&config, action).await,
        Command::Undo(options) => undo::undo(&config, options).await,
        Command::Rules { action } => rules::rules(&config, action).await,
        Command::Sandbox(_) | Command::Demo(_) => Ok(()),
    }
}
