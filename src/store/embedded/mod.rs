//! The private PostgreSQL cluster, kept while no database is named.
//!
//! Any number of processes share it. Each holds a shared lock on `users.lock` for as long as it lives. Whoever finds
//! nobody at work starts the *guard*: this binary again, in a process group of its own, which starts the server and
//! then waits for an exclusive lock on the same file. The kernel grants that when the last user has gone, however it
//! went, so a killed daemon leaves no server behind and a short command never takes the server from a long one.
//!
//! ```text
//! data directory/
//!   users.lock  start.lock  guard.lock    who uses, who starts, who guards
//!   cluster/                              PGDATA
//!   server.log                            what the server says
//!   socket/                               the unix socket, unless the path is too long for one
//! ```

mod binaries;
mod cluster;
mod error;
pub mod guard;
mod open;
mod owner;
mod place;
mod postmaster;

pub use error::EmbeddedError;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Child;

use crate::config::{Config, Environment};

/// The database made in the cluster.
pub const DATABASE: &str = "gatekeeper";

/// The role that owns the cluster.
pub const ROLE: &str = "postgres";

/// Where a cluster is to be, and with which program it is guarded.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The data directory as configured; relative to the working directory.
    pub data_directory: PathBuf,
    /// This binary, which is started again as the guard.
    pub program: PathBuf,
    /// Settings for the server's command line, against those of `postgresql.conf`.
    pub server_settings: Vec<(String, String)>,
    /// Where to look for the server's programs.
    pub environment: Environment,
}

impl Plan {
    /// The plan that these settings ask for.
    ///
    /// # Errors
    /// When the system does not say where this binary is.
    pub fn of(config: &Config) -> Result<Self, EmbeddedError> {
        Ok(Self {
            data_directory: PathBuf::from(&config.embedded.data_directory),
            program: std::env::current_exe().map_err(|source| EmbeddedError::OwnProgram { source })?,
            server_settings: Vec::new(),
            environment: config.environment.clone(),
        })
    }
}

/// A running cluster and our share in it. Dropping it gives the share back; the server goes with the last one.
#[derive(Debug)]
pub struct Embedded {
    /// Holds the shared lock. The server lives as long as anybody has one.
    users: File,
    data_directory: PathBuf,
    socket_directory: PathBuf,
    /// The guard, when we are the one who started it.
    guard: Option<Child>,
}

impl Embedded {
    /// Joins the cluster, starting and even making it where needed. Returns when the server accepts connections.
    ///
    /// # Errors
    /// No server programs, a directory that cannot be used, a server that does not start: each says what to do.
    pub async fn open(plan: &Plan) -> Result<Embedded, EmbeddedError> {
        let plan = plan.clone();
        match tokio::task::spawn_blocking(move || open::open(&plan)).await {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic.into_panic()),
        }
    }

    /// Gives our share back and, when nobody else has one, waits until the server has stopped.
    pub async fn close(self) {
        let _ = tokio::task::spawn_blocking(move || open::close(self)).await;
    }

    /// Where the data is; not always where it was configured (see [`Plan`]).
    pub fn data_directory(&self) -> &Path {
        &self.data_directory
    }

    /// How to connect to a database of the cluster.
    pub fn connection(&self, database: &str) -> tokio_postgres::Config {
        let mut connection = tokio_postgres::Config::new();
        connection.host_path(&self.socket_directory).user(ROLE).dbname(database);
        connection
    }

    /// The same as a connection URL, such as another process would put into `database.url`.
    pub fn url(&self, database: &str) -> String {
        let path = url::form_urlencoded::byte_serialize(self.socket_directory.as_os_str().as_encoded_bytes());
        format!("postgresql:///{database}?host={}&user={ROLE}", path.collect::<String>())
    }

    /// The command line with which a person looks into it.
    pub fn psql(&self) -> String {
        format!("psql -h {} -U {ROLE} {DATABASE}", self.socket_directory.display())
    }
}
