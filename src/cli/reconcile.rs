//! `reconcile`: has the contacts of recent writes read again.

use chrono::{DateTime, Utc};

use super::{CliError, output};
use crate::config::Config;
use crate::store::Store;
use crate::store::reconcile::doubt_since;

/// How far back, if nothing is said.
const A_DAY: chrono::TimeDelta = chrono::TimeDelta::hours(24);

pub(super) async fn reconcile(
    config: &Config,
    since: Option<DateTime<Utc>>,
    note: &str,
    json: bool,
) -> Result<(), CliError> {
    let since = since.unwrap_or_else(|| Utc::now() - A_DAY);
    let store = Store::open(config).await?;
    let contacts = doubt_since(&store.client().await?, since, note).await?;
    store.close().await;
    if json {
        return Ok(output::json(
            &serde_json::json!({"since": since, "contacts": contacts}),
        )?);
    }
    let contacts = usize::try_from(contacts).unwrap_or_default();
    Ok(output::line(&format!(
        "{} will be read again by the running daemon; what an older request of ours has overwritten is written again.",
        output::count(contacts, "contact")
    ))?)
}
