//! `migrate` and `setup-crm`: what must be done once.

use tokio_util::sync::CancellationToken;

use super::{CliError, output};
use crate::config::Config;
use crate::crm::FieldSet;
use crate::daemon::{connector, governor_limits};
use crate::domain::ReplicaId;
use crate::governor::{Governor, Priority};
use crate::line::{Line, LineError};
use crate::store::Store;

pub(super) async fn migrate(config: &Config) -> Result<(), CliError> {
    let store = Store::open(config).await?;
    let installed = store.install().await?;
    if installed.is_nothing() {
        output::line("The database is up to date.")?;
    }
    for migration in &installed.migrations {
        output::line(&format!("applied   {migration}"))?;
    }
    if !installed.files.is_empty() {
        output::line(&format!("installed {}", installed.files.join(", ")))?;
    }
    store.close().await;
    Ok(())
}

pub(super) async fn setup_crm(config: &Config, dry_run: bool) -> Result<(), CliError> {
    let store = crate::daemon::open_store(config).await?;
    let governor = Governor::new(store.clone(), governor_limits(&config.limits));
    let line = Line::new(
        connector(config)?,
        governor,
        store.clone(),
        ReplicaId::new(),
        FieldSet::new(),
    );
    let account = line.account(Priority::Mirror).await?;
    let schema = line.schema(Priority::Mirror).await?;
    if schema.has_unique_key {
        output::line(&format!(
            "Account {}: the unique property is there. Nothing to do.",
            account.account_id
        ))?;
    } else if dry_run {
        output::line(&format!(
            "Account {}: would make the unique property gatekeeper_key.",
            account.account_id
        ))?;
    } else {
        line.create_key_property(Priority::Mirror).await?;
        line.schema(Priority::Mirror)
            .await?
            .require_unique_key()
            .map_err(LineError::from)?;
        output::line(&format!(
            "Account {}: the unique property gatekeeper_key is made.",
            account.account_id
        ))?;
    }
    store.close().await;
    Ok(())
}

/// A stop that never comes, for commands that run to their end.
pub(super) fn never() -> CancellationToken {
    CancellationToken::new()
}
