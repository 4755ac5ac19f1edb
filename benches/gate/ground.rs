//! What a run stands on: a private cluster with production settings, and a directory.

use std::path::{Path, PathBuf};

use gatekeeper::config::Environment;
use gatekeeper::store::embedded::{Embedded, Plan};
use tokio_postgres::{Client, NoTls};

use crate::Outcome;

/// The cluster of one run and its directory, removed at the end.
pub(crate) struct Ground {
    cluster: Embedded,
    directory: PathBuf,
}

impl Ground {
    /// Makes a cluster as the daemon makes its own: with fsync, nothing tuned.
    pub(crate) async fn prepare() -> Outcome<Ground> {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("bench-{}", std::process::id()));
        std::fs::create_dir_all(&directory)?;
        let plan = Plan {
            data_directory: directory.join("postgres"),
            program: Path::new(env!("CARGO_BIN_EXE_gatekeeper")).to_owned(),
            server_settings: Vec::new(),
            environment: Environment::read(),
        };
        let cluster = Embedded::open(&plan).await?;
        Ok(Ground { cluster, directory })
    }

    /// Where files of this run may be.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Where a database of the cluster is.
    pub(crate) fn url(&self, database: &str) -> String {
        self.cluster.url(database)
    }

    /// A connection to a database of the cluster.
    pub(crate) async fn connect(&self, database: &str) -> Outcome<Client> {
        let (client, connection) = self.cluster.connection(database).connect(NoTls).await?;
        tokio::spawn(connection);
        Ok(client)
    }

    /// Ends the cluster and removes its directory, unless somebody wants to look into it.
    pub(crate) async fn clear(self, keep: bool) {
        self.cluster.close().await;
        if keep {
            println!("kept: {}", self.directory.display());
        } else {
            let _ = std::fs::remove_dir_all(&self.directory);
        }
    }
}
