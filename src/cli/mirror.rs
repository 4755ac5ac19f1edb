//! `mirror`: brings the mirror up to date now.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::{CliError, output};
use crate::config::Config;
use crate::daemon::{connect_crm, open_store};
use crate::domain::ReplicaId;
use crate::fault::chain;
use crate::pull::{FullProgress, PassEnd, PassReport, Pull, PullSettings};

pub(super) async fn mirror(config: Config, full: bool) -> Result<(), CliError> {
    crate::observe::start(&crate::config::Daemon {
        log_filter: "warn".into(),
        ..config.daemon.clone()
    });
    let store = open_store(&config).await?;
    let replica = ReplicaId::new();
    let (line, rulebook) = connect_crm(&config, &store, replica, &super::setup::never()).await?;
    let lease = Duration::from_secs(config.daemon.lease_seconds);
    let pull = Pull::new(
        store.clone(),
        line,
        rulebook,
        replica,
        PullSettings::new(&config.mirror, lease),
    );
    if full {
        let bar = progress_bar();
        let report = pull.full_load(|progress| show(&bar, progress)).await?;
        bar.finish_and_clear();
        tell(&report)?;
    } else {
        let report = pull.tick().await?;
        if report.passes.is_empty() {
            output::line("Nothing is due; --full reads and compares everything.")?;
        }
        for pass in &report.passes {
            tell(pass)?;
        }
        if let Some(trouble) = &report.trouble {
            output::line(&format!(
                "It stopped before the end and goes on from there: {}",
                chain(trouble)
            ))?;
        }
    }
    store.close().await;
    Ok(())
}

fn tell(report: &PassReport) -> Result<(), CliError> {
    let found = &report.found;
    let end = match report.end {
        PassEnd::Complete => "is complete",
        PassEnd::Paused => "pauses, and goes on when it is asked again",
        PassEnd::Idle => "has nothing to do",
        PassEnd::Held => "is being run by the daemon",
    };
    output::line(&format!(
        "The {} pass {end}: {} contacts read, {} were missing, {} were older, {} are gone.",
        report.pass.name(),
        found.rows,
        found.missing,
        found.stale,
        found.ghost
    ))?;
    Ok(())
}

fn progress_bar() -> ProgressBar {
    ProgressBar::new_spinner()
}

fn show(bar: &ProgressBar, progress: FullProgress) {
    let template = match progress.expected {
        Some(expected) => {
            bar.set_length(expected);
            "{bar:30} {human_pos} of {human_len} contacts, {per_sec}, {eta} left"
        }
        None => "{spinner} {human_pos} contacts, {per_sec}, {elapsed}",
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.set_position(progress.read);
}
