//! Why a call to the CRM brought nothing.

use std::time::Duration;

use crate::fault::{Classify, Fault};

/// Why a call to the CRM failed as a whole.
///
/// No variant's text holds a value of a contact; the CRM's own words are kept only where they are needed for a dead
/// letter, and never printed.
#[derive(Debug, thiserror::Error)]
pub enum CrmError {
    /// The connector cannot be made or cannot ask, because of how it is set up. Nothing was sent.
    #[error("the CRM connector cannot be used as it is set up: {problem}")]
    Settings {
        /// Which setting, what is wrong, what to do.
        problem: String,
    },
    /// The property that must be unique is there and is not, or is not there at all.
    #[error("the CRM's contacts have no unique property {property}: {advice}")]
    NoUniqueKey {
        /// Name of the property.
        property: String,
        /// What to do.
        advice: &'static str,
    },
    /// No connection was made: name, route, TLS. Nothing was sent.
    #[error("cannot reach the CRM at {host}; check crm.base_url, the network and the CRM's status page")]
    Unreachable {
        /// Host of the base URL.
        host: String,
        /// What the HTTP client says.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The token is wrong or expired.
    #[error(
        "the CRM refuses the token (401 {category}); put a valid one where crm.token points to, the daemon reads it again by itself"
    )]
    Unauthorized {
        /// The CRM's category word.
        category: String,
    },
    /// The token may not do this.
    #[error("the token may not {operation} (403); it needs the scope {scopes}")]
    Forbidden {
        /// What was tried.
        operation: &'static str,
        /// Scopes that would allow it, any one of them.
        scopes: String,
    },
    /// A limit of the CRM was hit.
    #[error("the CRM's {policy} limit is reached (429)")]
    Throttled {
        /// `SECONDLY`, `TEN_SECONDLY_ROLLING`, `DAILY` or what the answer said.
        policy: String,
        /// Wait at least this long; absent for a daily limit, which ends at the account's midnight.
        wait: Option<Duration>,
    },
    /// Locked records, a migrating portal, an overloaded CRM: it did not happen.
    #[error("the CRM is busy ({status})")]
    Busy {
        /// HTTP status.
        status: u16,
        /// Wait at least this long.
        wait: Duration,
    },
    /// Sent, and no usable answer: it may have happened.
    #[error("the CRM gave no usable answer ({reason}); what was sent may have happened")]
    NoAnswer {
        /// `timeout`, `reset`, `status_502`, `not_json`…
        reason: String,
    },
    /// The request as such is refused (400 on a read, an unknown endpoint).
    #[error("the CRM refuses the request {operation} ({status} {category})")]
    Refused {
        /// What was tried.
        operation: &'static str,
        /// HTTP status.
        status: u16,
        /// The CRM's category and error codes, never its message.
        category: String,
    },
    /// A batch is refused as a whole and the answer does not say for which row.
    #[error("the CRM refuses the batch without naming a row ({category})")]
    BatchRefused {
        /// The CRM's category and error codes, never its message.
        category: String,
    },
}

impl CrmError {
    /// One word for `audit.crm_call.failure` and metrics.
    pub fn code(&self) -> &'static str {
        match self {
            CrmError::Settings { .. } => "settings",
            CrmError::NoUniqueKey { .. } => "no_unique_key",
            CrmError::Unreachable { .. } => "unreachable",
            CrmError::Unauthorized { .. } => "unauthorized",
            CrmError::Forbidden { .. } => "forbidden",
            CrmError::Throttled { .. } => "throttled",
            CrmError::Busy { .. } => "busy",
            CrmError::NoAnswer { .. } => "no_answer",
            CrmError::Refused { .. } => "refused",
            CrmError::BatchRefused { .. } => "batch_refused",
        }
    }
}

impl Classify for CrmError {
    fn fault(&self) -> Fault {
        match self {
            CrmError::Settings { .. } | CrmError::NoUniqueKey { .. } => Fault::Broken,
            CrmError::Unreachable { .. } => Fault::Transient,
            CrmError::Unauthorized { .. } | CrmError::Forbidden { .. } => Fault::Broken,
            CrmError::Throttled { wait, .. } => Fault::Throttled(wait.unwrap_or(Duration::from_secs(60))),
            CrmError::Busy { wait, .. } => Fault::Throttled(*wait),
            CrmError::NoAnswer { .. } => Fault::Unknown,
            CrmError::Refused { .. } => Fault::Broken,
            CrmError::BatchRefused { .. } => Fault::Rejected,
        }
    }
}
