//! `mirror`: brings the mirror up to date now.

use std::sync::Arc;

use indicatif::{ProgressBar, ProgressStyle};

use super::{CliError, output};
use crate::config::Config;
use crate::daemon::{connect_crm, open_store};
use crate::domain::ReplicaId;
use crate::pull::{Pull, PullSettings};

pub(super) async fn mirror(config: Config, full: bool) -> Result<(), CliError> {
    crate::observe::start(&crate::config::Daemon { log_filter: "warn".into(), ..config.daemon.clone() });
    let store = open_store(&config).await?;
    let replica = ReplicaId::new();
    let (line, rulebook) = connect_crm(&config, &store, replica, &super::setup::never()).await?;
    let pull = Pull::new(store.clone(), line, rulebook, replica, PullSettings::of(&config.mirror));
    if full {
        let bar = Arc::new(progress_bar());
        let shown = Arc::clone(&bar);
        let report = pull.full_load(move |progress| shown.set_position(progress.rows_read)).await?;
        bar.finish_and_clear();
        output::line(&format!("{report}"))?;
    } else {
        let report = pull.tick().await?;
        output::line(&format!("{report}"))?;
    }
    store.close().await;
    Ok(())
}

fn progress_bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {human_pos} contacts read, {per_sec}, {elapsed}");
    ProgressBar::new_spinner().with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()))
}
