//! What can go wrong with the database, and what a loop should do about it.

use std::error::Error;
use std::time::Duration;

use tokio_postgres::error::SqlState;

use super::ServerError;
use super::embedded::EmbeddedError;
use crate::config::SecretError;
use crate::fault::{Classify, Fault};

/// Why the database did not do what was asked. No text holds a value of a row.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No server answers.
    #[error("cannot reach the database at {place}; check that it runs, database.url, and the network between")]
    Unreachable {
        /// `host:port/dbname`.
        place: String,
        /// What the driver says.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// It answers, and does not let us in.
    #[error(
        "the database at {place} refuses the login of {user}; check database.password, the user in database.url, and pg_hba.conf"
    )]
    Login {
        /// `host:port/dbname`.
        place: String,
        /// As whom.
        user: String,
        /// What the server says.
        #[source]
        source: ServerError,
    },
    /// The server has no such database.
    #[error("there is no database {name} at {place}; make it (createdb -O {user} {name}) or correct database.url")]
    NoDatabase {
        /// `host:port/dbname`.
        place: String,
        /// Which.
        name: String,
        /// As whom.
        user: String,
    },
    /// A standby, or a database set to read only.
    #[error(
        "the database at {place} is read-only; name the primary in database.url (several hosts may stand there), or lift default_transaction_read_only"
    )]
    ReadOnly {
        /// `host:port/dbname`.
        place: String,
    },
    /// No protected connection can be had.
    #[error(
        "no verified TLS connection to the database at {place}; the server must offer TLS with a certificate made out to this host \
         and signed by a root in database.ssl_root_certificate_file (or the system's)"
    )]
    Tls {
        /// `host:port/dbname`.
        place: String,
        /// Whether the certificate is at fault, which no retry mends.
        certificate: bool,
        /// What rustls or the driver says.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The root certificates cannot be used.
    #[error(
        "cannot use the certificates in {file}; database.ssl_root_certificate_file must name a PEM file with at least one"
    )]
    Roots {
        /// Which file, or the system's store.
        file: String,
        /// Why.
        #[source]
        source: Option<Box<dyn Error + Send + Sync>>,
    },
    /// The URL cannot be used.
    #[error("database.url is not a connection URL; it looks like \"postgresql://user@host:5432/dbname\"")]
    Url,
    /// The password is not where the settings say.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The server is older than what we are tested with.
    #[error("the database at {place} is PostgreSQL {version}; 14 or newer is needed")]
    TooOld {
        /// `host:port/dbname`.
        place: String,
        /// What it says it is.
        version: String,
    },
    /// All connections of the pool are in use.
    #[error(
        "no connection became free in {seconds} s; raise database.pool_size, or look for a stuck statement in pg_stat_activity"
    )]
    PoolExhausted {
        /// How long we waited.
        seconds: u64,
    },
    /// The pool is closed: the process is about to end.
    #[error("the connection pool is closed")]
    Closed,
    /// A table, function or view is missing.
    #[error("the database lacks something that this version of gatekeeper needs; run `gatekeeper migrate`")]
    Missing(#[source] ServerError),
    /// The role may not do this.
    #[error("the database role may not do this; `gatekeeper check` prints the grants that are missing")]
    Privilege(#[source] ServerError),
    /// A statement failed.
    #[error("the database did not carry out a statement")]
    Statement(#[source] ServerError),
    /// COMMIT was sent, and no answer came. It may have been carried out.
    #[error("the connection was lost during COMMIT; it may or may not have happened")]
    CommitUnknown(#[source] ServerError),
    /// A newer binary was here.
    #[error(
        "the database was installed by a newer gatekeeper ({database}) than this one ({program}); install that version here too"
    )]
    NewerDatabase {
        /// What the database has.
        database: String,
        /// What this binary has.
        program: String,
    },
    /// An extension is missing.
    #[error("the extension {name} is needed: {advice}")]
    Extension {
        /// Which.
        name: String,
        /// What to do.
        advice: String,
    },
    /// Installing failed; nothing of that step remains.
    #[error("cannot install {what}")]
    Install {
        /// Which migration or file.
        what: String,
        /// What the server says.
        #[source]
        source: ServerError,
    },
    /// The history of migrations does not fit this binary.
    #[error(
        "the migrations in the database do not fit this version of gatekeeper: {reason}; restore the released files"
    )]
    History {
        /// What does not fit.
        reason: String,
    },
    /// The private cluster is not there.
    #[error(transparent)]
    Embedded(#[from] EmbeddedError),
}

impl From<tokio_postgres::Error> for StoreError {
    fn from(error: tokio_postgres::Error) -> Self {
        let said = ServerError::of(&error);
        match said.code().cloned() {
            Some(SqlState::INSUFFICIENT_PRIVILEGE) => StoreError::Privilege(said),
            Some(
                SqlState::UNDEFINED_FUNCTION
                | SqlState::UNDEFINED_TABLE
                | SqlState::UNDEFINED_COLUMN
                | SqlState::UNDEFINED_OBJECT
                | SqlState::INVALID_SCHEMA_NAME,
            ) => StoreError::Missing(said),
            _ => StoreError::Statement(said),
        }
    }
}

impl StoreError {
    /// The server's code, when the server is who failed.
    pub fn code(&self) -> Option<&SqlState> {
        match self {
            StoreError::Statement(said)
            | StoreError::Missing(said)
            | StoreError::Privilege(said)
            | StoreError::CommitUnknown(said)
            | StoreError::Install { source: said, .. }
            | StoreError::Login { source: said, .. } => said.code(),
            _ => None,
        }
    }
}

impl Classify for StoreError {
    fn fault(&self) -> Fault {
        match self {
            StoreError::Unreachable { .. } | StoreError::ReadOnly { .. } | StoreError::Closed => Fault::Transient,
            StoreError::Tls { certificate: false, .. } => Fault::Transient,
            StoreError::PoolExhausted { .. } => Fault::Throttled(Duration::from_millis(100)),
            StoreError::Statement(said) => statement(said),
            StoreError::CommitUnknown(_) => Fault::Unknown,
            _ => Fault::Broken,
        }
    }
}

fn statement(said: &ServerError) -> Fault {
    let Some(code) = said.code() else {
        // The driver: the connection broke. Nothing was committed, or COMMIT would have said so.
        return Fault::Transient;
    };
    match (said.class(), code.code()) {
        // Connection, resources, operator intervention (incl. statement_timeout), deadlock and serialization.
        ("08" | "53" | "57" | "40", _) => Fault::Transient,
        // lock_not_available, read_only_sql_transaction, idle_in_transaction_session_timeout
        (_, "55P03" | "25006" | "25P03") => Fault::Transient,
        // Data, constraints, and what is too large or too deep to be stored: this very row.
        ("22" | "23" | "44" | "54", _) => Fault::Rejected,
        _ => Fault::Broken,
    }
}
