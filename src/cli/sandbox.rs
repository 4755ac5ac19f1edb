//! `sandbox`: the HubSpot-compatible CRM on loopback.

use std::path::Path;
use std::time::Duration;

use serde_json::{Map, Value};
use tokio::signal::unix::{SignalKind, signal};

use super::args::SandboxOptions;
use super::{CliError, output};
use crate::sandbox::{JournalMode, Limits, Options, Rule, start};

pub(super) async fn sandbox(options: SandboxOptions) -> Result<(), CliError> {
    let limits = (!options.unlimited).then_some(Limits {
        general: options.general_calls,
        ..Limits::PROFESSIONAL
    });
    let defaults = Options::default();
    let delay = Rule {
        delay_ms: Some(options.delay_milliseconds),
        ..Rule::default()
    };
    let token = options.token.unwrap_or_else(|| defaults.token.clone());
    let running = start(Options {
        port: options.port,
        token: token.clone(),
        limits,
        search_lag: Duration::from_millis(options.search_lag_milliseconds),
        journal: if options.no_journal {
            JournalMode::Counts
        } else {
            JournalMode::Full
        },
        journal_file: options.journal,
        unique: options.unique_property,
        faults: (options.delay_milliseconds > 0).then_some(delay).into_iter().collect(),
        ..defaults.clone()
    })
    .await?;
    let mut seeded = 0;
    if let Some(file) = &options.contacts {
        let contacts = read_contacts(file)?;
        seeded = contacts.len();
        running.sandbox().seed(contacts).map_err(|problem| CliError::File {
            file: file.display().to_string(),
            problem,
        })?;
    }
    output::line(&format!(
        "The sandbox CRM listens on {} with {seeded} contacts.",
        running.base_url()
    ))?;
    output::line(&format!("Token: {token}   Ctrl-C ends it."))?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    running.stop().await?;
    Ok(())
}

/// Contacts of a CSV file whose columns are the CRM's properties; blank cells are absent.
pub(crate) fn read_contacts(file: &Path) -> Result<Vec<Map<String, Value>>, CliError> {
    let problem = |error: csv::Error| CliError::File {
        file: file.display().to_string(),
        problem: error.to_string(),
    };
    let mut reader = csv::Reader::from_path(file).map_err(problem)?;
    let header = reader.headers().map_err(problem)?.clone();
    let mut contacts = Vec::new();
    for row in reader.records() {
        let row = row.map_err(problem)?;
        let values = header.iter().zip(row.iter()).filter(|(_, value)| !value.is_empty());
        contacts.push(
            values
                .map(|(name, value)| (name.to_owned(), Value::from(value)))
                .collect(),
        );
    }
    Ok(contacts)
}
