//! Settings: one file, its secrets, and the few environment variables. Nobody else reads any of them.
//!
//! `config.toml` at the top of the project documents every key; a test keeps it equal to the defaults here.

mod check;
mod environment;
mod error;
mod excerpt;
mod load;
mod secret;
mod sections;

pub use environment::{Environment, system_file};
pub use error::{ConfigError, Problem};
pub use secret::{Secret, SecretError, SecretRef};
pub use sections::{Crm, Daemon, Database, Duplicates, Embedded, Gate, Limits, LogFormat, Mirror, SslMode};

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The unique property of the CRM that makes creation idempotent. Fixed: renaming it would orphan every key.
pub const GATEKEEPER_KEY_PROPERTY: &str = "gatekeeper_key";

/// All settings, as checked by [`Config::load`] or [`Config::parse`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where the data lives.
    pub database: Database,
    /// The private cluster, used while no database is named.
    pub embedded: Embedded,
    /// The CRM.
    pub crm: Crm,
    /// What the CRM allows.
    pub limits: Limits,
    /// How the mirror is kept.
    pub mirror: Mirror,
    /// How leads are worked off.
    pub gate: Gate,
    /// How duplicates are looked for.
    pub duplicates: Duplicates,
    /// The process.
    pub daemon: Daemon,
    /// The file these settings came from; `None` for the built-in defaults.
    #[serde(skip)]
    pub source: Option<PathBuf>,
    /// What the process's environment says.
    #[serde(skip)]
    pub environment: Environment,
}
