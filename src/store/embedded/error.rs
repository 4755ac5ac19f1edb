//! What can go wrong with the private cluster.

use std::io;
use std::path::PathBuf;

/// Why the private cluster is not there. Each text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// No PostgreSQL server on this machine.
    #[error(
        "no PostgreSQL server programs (14 or newer) were found{looked}; install them\n  \
         Debian, Ubuntu:  apt-get install postgresql\n  \
         Fedora:          dnf install postgresql-server postgresql-contrib\n  \
         macOS:           brew install postgresql@17\n\
         or set GATEKEEPER_PG_BIN to the directory that holds postgres and initdb, or database.url to a server that runs elsewhere"
    )]
    NoServer {
        /// What was found and why it does not do; empty when nothing was.
        looked: String,
    },
    /// The cluster needs the server version that made it.
    #[error(
        "the cluster in {} was made by PostgreSQL {made_by}, and no such server is installed (found: {found}); \
         install postgresql-{made_by}, or bring the data over with pg_upgrade", directory.display()
    )]
    OtherVersion {
        /// The data directory.
        directory: PathBuf,
        /// Major version of the cluster.
        made_by: u32,
        /// Major versions installed.
        found: String,
    },
    /// A directory or file of ours cannot be made, read or locked.
    #[error(
        "cannot use {} ({operation}); choose another embedded.data_directory, or run as the user that owns it",
        path.display()
    )]
    Directory {
        /// What was tried.
        operation: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The directory for the socket belongs to somebody else.
    #[error("{} is not a private directory of ours; remove it, or choose a shorter embedded.data_directory", path.display())]
    Socket {
        /// Which.
        path: PathBuf,
    },
    /// We are root, and there is nobody to run the server as.
    #[error(
        "PostgreSQL does not run as root, and there is no user postgres or nobody to run it as; make one (useradd -r postgres)"
    )]
    NoUser,
    /// A program could not be started.
    #[error("cannot start {}", program.display())]
    Program {
        /// Which.
        program: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The cluster could not be made.
    #[error("initdb failed: {output}")]
    Initdb {
        /// Its last lines.
        output: String,
    },
    /// The server ended while it started.
    #[error("the PostgreSQL server did not start; the end of {}:\n{tail}", log.display())]
    NotStarted {
        /// Its log.
        log: PathBuf,
        /// The last lines of it.
        tail: String,
    },
    /// It takes too long.
    #[error("the PostgreSQL server in {} was not ready after {seconds} s; see server.log there", directory.display())]
    Timeout {
        /// The data directory.
        directory: PathBuf,
        /// How long we waited.
        seconds: u64,
    },
    /// We cannot find our own binary.
    #[error("the system does not say where this program is")]
    OwnProgram {
        /// What the system says.
        #[source]
        source: io::Error,
    },
}

/// Names the operation and the path of an I/O error.
pub(super) trait At<T> {
    fn at(self, operation: &'static str, path: &std::path::Path) -> Result<T, EmbeddedError>;
}

impl<T> At<T> for io::Result<T> {
    fn at(self, operation: &'static str, path: &std::path::Path) -> Result<T, EmbeddedError> {
        self.map_err(|source| EmbeddedError::Directory {
            operation,
            path: path.to_owned(),
            source,
        })
    }
}
