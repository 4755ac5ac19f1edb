//! The sections of the settings file. What each key means for an operator stands in `config.toml`, its type stands here.

use serde::{Deserialize, Serialize};

use super::SecretRef;

/// `[database]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Database {
    /// `postgresql://…` without password; empty for the embedded cluster.
    pub url: String,
    /// Where the password is.
    pub password: SecretRef,
    /// How the connection is protected.
    pub ssl_mode: SslMode,
    /// PEM file of the certificates trusted to sign the server's; empty for the system's.
    pub ssl_root_certificate_file: String,
    /// Connections kept open at the most.
    pub pool_size: usize,
    /// Seconds to wait for a connection.
    pub connect_timeout_seconds: u64,
    /// Seconds a statement may run.
    pub statement_timeout_seconds: u64,
    /// Seconds a statement waits for a lock.
    pub lock_timeout_seconds: u64,
    /// Seconds a session may sit in an open transaction.
    pub idle_in_transaction_timeout_seconds: u64,
}

/// How a connection to the database is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SslMode {
    /// Plain text over unix sockets and loopback, [`SslMode::VerifyFull`] everywhere else.
    Auto,
    /// TLS with a certificate that is valid and made out to the host.
    VerifyFull,
    /// Never TLS.
    Disable,
}

/// `[embedded]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Embedded {
    /// Directory of the private cluster.
    pub data_directory: String,
}

/// `[crm]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Crm {
    /// Which connector.
    pub kind: String,
    /// Where the API is, without a trailing path.
    pub base_url: String,
    /// Version prefix of the API.
    pub version: String,
    /// Where the access token is.
    pub token: SecretRef,
    /// Seconds that one request may take altogether.
    pub request_deadline_seconds: u64,
    /// Seconds to wait for a connection.
    pub connect_timeout_seconds: u64,
    /// CRM property that holds the sources' person id; empty when there is none.
    pub external_id_property: String,
    /// Further CRM properties to mirror.
    pub properties: Vec<String>,
    /// Kinds of objects whose ties to a contact are kept before it is merged.
    pub associations: Vec<String>,
}

/// `[limits]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Calls in one general window; 0 for none, on this machine only.
    pub general_calls: u32,
    /// Length of the general window, seconds.
    pub general_window_seconds: u64,
    /// Search calls in one search window; 0 for none, on this machine only.
    pub search_calls: u32,
    /// Length of the search window, seconds.
    pub search_window_seconds: u64,
    /// Calls a day that the CRM allows the account; 0 for none, on this machine only.
    pub daily_calls: u32,
    /// Percent of those that we may use.
    pub daily_share_percent: u32,
    /// Milliseconds added to each window.
    pub window_margin_milliseconds: u64,
    /// Calls on the wire at the same time.
    pub calls_in_flight: usize,
}

/// `[mirror]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Mirror {
    /// Seconds between two polls.
    pub poll_seconds: u64,
    /// Seconds that a poll stays behind the present.
    pub lag_seconds: u64,
    /// Seconds that a poll reaches back into the last one.
    pub overlap_seconds: u64,
    /// Seconds that the slow pass stays behind the present.
    pub slow_pass_lag_seconds: u64,
    /// Seconds between two slow passes.
    pub slow_pass_seconds: u64,
    /// Hours between two comparisons of everything.
    pub full_comparison_hours: u64,
    /// Hours between two readings of the recycle bin.
    pub archived_scan_hours: u64,
    /// Seconds after which the mirror is too old to decide on.
    pub max_age_seconds: u64,
}

/// `[gate]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Gate {
    /// Leads decided at a time.
    pub batch_leads: usize,
    /// ISO 3166 country of phone numbers that name none.
    pub default_country: String,
    /// Milliseconds between two looks for leads.
    pub poll_milliseconds: u64,
    /// Claims without an end after which a lead is poison.
    pub max_claims: u32,
    /// Tries of a lead that fails by itself.
    pub max_attempts: u32,
    /// Milliseconds that a batch which is not full waits for company while more leads are being decided.
    pub linger_milliseconds: u64,
    /// Seconds after which a write of unknown outcome is looked up.
    pub settle_seconds: u32,
    /// Days that working rows of finished writes are kept.
    pub retention_days: u32,
    /// Decide and audit everything, and write nothing.
    pub shadow: bool,
}

/// `[daemon]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Daemon {
    /// Seconds without a sign of life after which a replica is dead.
    pub lease_seconds: u64,
    /// Seconds between two signs of life.
    pub heartbeat_seconds: u64,
    /// Seconds given to work in hand when asked to stop.
    pub shutdown_grace_seconds: u64,
    /// Address of the metrics; empty for none.
    pub metrics_listen: String,
    /// Level or filter of the log.
    pub log_filter: String,
    /// Shape of the log.
    pub log_format: LogFormat,
}

/// Shape of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object per line.
    Json,
}

impl Default for Database {
    fn default() -> Self {
        Self {
            url: String::new(),
            password: SecretRef::default(),
            ssl_mode: SslMode::Auto,
            ssl_root_certificate_file: String::new(),
            pool_size: 10,
            connect_timeout_seconds: 5,
            statement_timeout_seconds: 15,
            lock_timeout_seconds: 3,
            idle_in_transaction_timeout_seconds: 10,
        }
    }
}

impl Default for Embedded {
    fn default() -> Self {
        Self {
            data_directory: ".gatekeeper".to_owned(),
        }
    }
}

impl Default for Crm {
    fn default() -> Self {
        Self {
            kind: "hubspot".to_owned(),
            base_url: "https://api.hubapi.com".to_owned(),
            version: "2026-09".to_owned(),
            token: SecretRef::new("credential:crm-token"),
            request_deadline_seconds: 20,
            connect_timeout_seconds: 5,
            external_id_property: String::new(),
            properties: Vec::new(),
            associations: vec!["companies".to_owned()],
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            general_calls: 190,
            general_window_seconds: 10,
            search_calls: 5,
            search_window_seconds: 1,
            daily_calls: 625_000,
            daily_share_percent: 80,
            window_margin_milliseconds: 1000,
            calls_in_flight: 8,
        }
    }
}

impl Default for Mirror {
    fn default() -> Self {
        Self {
            poll_seconds: 15,
            lag_seconds: 60,
            overlap_seconds: 120,
            slow_pass_lag_seconds: 3600,
            slow_pass_seconds: 1800,
            full_comparison_hours: 24,
            archived_scan_hours: 6,
            max_age_seconds: 900,
        }
    }
}

/// `[duplicates]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Duplicates {
    /// A group with more contacts is flagged for a person.
    pub largest_group: usize,
}

impl Default for Duplicates {
    fn default() -> Self {
        Self { largest_group: 10 }
    }
}

impl Default for Gate {
    fn default() -> Self {
        Self {
            batch_leads: 250,
            default_country: "US".to_owned(),
            poll_milliseconds: 1000,
            max_claims: 5,
            max_attempts: 8,
            linger_milliseconds: 2000,
            settle_seconds: 10,
            retention_days: 30,
            shadow: false,
        }
    }
}

impl Default for Daemon {
    fn default() -> Self {
        Self {
            lease_seconds: 60,
            heartbeat_seconds: 10,
            shutdown_grace_seconds: 30,
            metrics_listen: String::new(),
            log_filter: "info".to_owned(),
            log_format: LogFormat::Text,
        }
    }
}
