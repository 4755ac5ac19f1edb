//! Bootstrap: from settings to the parts that the loops are made of.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{DaemonError, heartbeat, identity};
use crate::config::{Config, Limits as LimitSettings};
use crate::crm::hubspot::{HubSpot, Settings, Token};
use crate::crm::{FieldSet, Reader};
use crate::domain::ReplicaId;
use crate::fault::{Classify, Fault};
use crate::governor::{Backoff, Governor, Limits, Priority};
use crate::line::{Line, LineError};
use crate::rulebook::Rulebook;
use crate::store::Store;
use crate::store::rules::note_account;

/// What the loops are made of.
pub struct Parts {
    /// The database.
    pub store: Store,
    /// The governed line to the CRM.
    pub line: Arc<Line<HubSpot>>,
    /// The rules in force.
    pub rulebook: Rulebook,
    /// This run.
    pub replica: ReplicaId,
    pub(super) lease: heartbeat::Lease,
}

impl Parts {
    /// Opens the database, brings it up to date, greets the CRM, and takes a lease.
    ///
    /// A CRM that cannot be reached is waited for; one that refuses the token ends the start.
    pub(super) async fn gather(config: &Config, stop: &CancellationToken) -> Result<Self, DaemonError> {
        let store = open_store(config).await?;
        let me = identity::me();
        let replica = me.replica_id;
        let (line, rulebook) = connect_crm(config, &store, replica, stop).await?;
        let lease = heartbeat::Lease::take(&store, &me, config).await?;
        Ok(Self {
            store,
            line,
            rulebook,
            replica,
            lease,
        })
    }
}

/// Opens the database and brings tables, functions and views up to date.
///
/// # Errors
/// Every reason why there is no database, each saying what to do.
pub async fn open_store(config: &Config) -> Result<Store, DaemonError> {
    let store = Store::open(config).await?;
    let installed = store.install().await?;
    if !installed.is_nothing() {
        tracing::info!(
            migrations = installed.migrations.len(),
            files = installed.files.len(),
            "the database is brought up to date"
        );
    }
    Ok(store)
}

/// The connector, by the settings, without calling the CRM. The token is read again when its file changes.
///
/// # Errors
/// A missing token, or settings that the connector refuses.
pub fn connector(config: &Config) -> Result<HubSpot, DaemonError> {
    Ok(HubSpot::new(connector_settings(config)?)?)
}

/// What the connector is told.
///
/// # Errors
/// A missing token.
pub fn connector_settings(config: &Config) -> Result<Settings, DaemonError> {
    let environment = config.environment.clone();
    let reference = config.crm.token.clone();
    let first = reference.read("crm.token", &environment)?.expose().to_owned();
    let last = std::sync::Mutex::new(first);
    // Asked at every request. A file that is being replaced may be missing for a moment: the last token serves then.
    let token = Token::from_fn(move || {
        let mut last = last.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Ok(secret) = reference.read("crm.token", &environment) {
            secret.expose().clone_into(&mut last);
        }
        last.clone()
    });
    let crm = &config.crm;
    Ok(Settings {
        base_url: crm.base_url.clone(),
        version: crm.version.clone(),
        request_deadline: Duration::from_secs(crm.request_deadline_seconds),
        connect_timeout: Duration::from_secs(crm.connect_timeout_seconds),
        external_id_property: (!crm.external_id_property.is_empty()).then(|| crm.external_id_property.clone()),
        ..Settings::new(token)
    })
}

/// The limits as the governor takes them.
pub fn governor_limits(limits: &LimitSettings) -> Limits {
    let daily = u64::from(limits.daily_calls) * u64::from(limits.daily_share_percent) / 100;
    Limits {
        general_calls: limits.general_calls,
        general_window: Duration::from_secs(limits.general_window_seconds),
        search_calls: limits.search_calls,
        search_window: Duration::from_secs(limits.search_window_seconds),
        daily_calls: u32::try_from(daily).unwrap_or(u32::MAX),
        margin: Duration::from_millis(limits.window_margin_milliseconds),
    }
}

/// Greets the CRM: which account, which properties, and is our unique property there. Reads the rules.
///
/// # Errors
/// A token or scope that the CRM refuses, another account than before, no unique property, a database that is away.
pub async fn connect_crm(
    config: &Config,
    store: &Store,
    replica: ReplicaId,
    stop: &CancellationToken,
) -> Result<(Arc<Line<HubSpot>>, Rulebook), DaemonError> {
    let connector = connector(config)?;
    let governor = Governor::new(store.clone(), governor_limits(&config.limits));
    let line = Arc::new(Line::new(connector, governor, store.clone(), replica, FieldSet::new()));
    let account = patiently(stop, || line.account(Priority::Mirror)).await?;
    let schema = patiently(stop, || line.schema(Priority::Mirror)).await?;
    schema.require_unique_key()?;
    let client = store.client().await?;
    let time_zone = account.time_zone.as_deref();
    if !note_account(&client, &account.account_id, time_zone, schema.has_unique_key).await? {
        return Err(DaemonError::OtherAccount {
            found: account.account_id,
        });
    }
    tracing::info!(
        account = account.account_id,
        guarantee_class = "A",
        "the CRM holds gatekeeper_key unique: nobody is made twice by us, whatever fails"
    );
    let extra = config
        .crm
        .properties
        .iter()
        .map(|property| line.crm().canonical(property))
        .collect();
    let country = (!config.gate.default_country.is_empty()).then_some(config.gate.default_country.as_str());
    let rulebook = Rulebook::read(&client, country, extra, schema).await?;
    line.set_fields(rulebook.wanted_fields());
    Ok((line, rulebook))
}

/// Asks until there is an answer. What a person must mend ends it at once; so does the end of the process, for these are
/// reads, which may be dropped.
#[expect(clippy::disallowed_methods, reason = "raced against the stop")]
async fn patiently<T, F>(stop: &CancellationToken, ask: impl Fn() -> F) -> Result<T, DaemonError>
where
    F: Future<Output = Result<T, LineError>>,
{
    let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(30));
    loop {
        let asked = tokio::select! {
            asked = ask() => asked,
            () = stop.cancelled() => return Err(DaemonError::Stopped),
        };
        let error = match asked {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        let wait = match error.fault() {
            Fault::Broken => return Err(error.into()),
            Fault::Throttled(wait) => wait,
            Fault::Transient | Fault::Unknown | Fault::Rejected => backoff.next_wait() + Duration::from_millis(200),
        };
        tracing::warn!(
            error = crate::fault::chain(&error),
            wait_ms = wait.as_millis() as u64,
            "waiting for the CRM"
        );
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = stop.cancelled() => return Err(DaemonError::Stopped),
        }
    }
}
