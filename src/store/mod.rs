//! The database: connections, installing, and the private cluster where no database is named.
//!
//! Rust calls functions and reads views of the database by name; what they do stands in `sql/` and `migrations/`. The few
//! statements that must work before those are installed are in `statements/`.

pub mod ahead;
pub mod ask;
pub mod authors;
pub mod backtest;
pub mod brake;
mod call;
pub mod claim;
mod connect;
pub mod duplicates;
pub mod embedded;
mod error;
pub mod found;
pub mod gone;
pub mod hold;
pub mod in_doubt;
pub mod install;
pub mod intend;
pub mod learn;
mod listen;
pub mod matching;
pub mod merge;
pub mod mirror;
pub mod passes;
pub mod permits;
mod pool;
pub mod reconcile;
pub mod recover;
pub mod replica;
pub mod rules;
mod server_error;
pub mod settle;
pub mod shadow;
mod tls;
pub mod undo;

pub use error::StoreError;
pub use pool::{Client, Transaction, commit};
pub use server_error::ServerError;

use std::sync::{Arc, Mutex, PoisonError};

use deadpool_postgres::Pool;

use crate::config::Config;
use connect::Target;
use embedded::{Embedded, Plan};

/// The database that one daemon works on. Cheap to clone; all clones share one pool.
#[derive(Clone)]
pub struct Store {
    pool: Pool,
    target: Target,
    psql: String,
    embedded: Arc<Mutex<Option<Embedded>>>,
}

impl Store {
    /// Connects to the database that the settings name, or to the private cluster, which is started if need be.
    ///
    /// One connection is made and looked at: it accepts writes, and the server is new enough. Nothing is installed, see
    /// [`Store::install`].
    ///
    /// # Errors
    /// Every reason why there is no connection, each saying what to do.
    pub async fn open(config: &Config) -> Result<Store, StoreError> {
        if !config.database.url.is_empty() {
            let target = Target::of(config)?;
            let psql = format!("psql '{}'", config.database.url);
            return Store::connect(config, target, psql, None).await;
        }
        let embedded = Embedded::open(&Plan::of(config)?).await?;
        let target = Target::private(config, embedded.connection(embedded::DATABASE))?;
        let psql = embedded.psql();
        Store::connect(config, target, psql, Some(embedded)).await
    }

    async fn connect(
        config: &Config,
        target: Target,
        psql: String,
        embedded: Option<Embedded>,
    ) -> Result<Store, StoreError> {
        drop(target.connect().await?);
        let pool = pool::build(&config.database, &target)?;
        Ok(Store {
            pool,
            target,
            psql,
            embedded: Arc::new(Mutex::new(embedded)),
        })
    }

    /// A connection of the pool, with our session settings and outside of any transaction.
    pub async fn client(&self) -> Result<Client, StoreError> {
        self.pool
            .get()
            .await
            .map_err(|error| pool::refused(error, &self.target))
    }

    /// Brings tables, functions and views to the state of this binary. Safe to call from many processes at once.
    ///
    /// # Errors
    /// [`StoreError::NewerDatabase`] when a newer binary was here; [`StoreError::Extension`] when pg_trgm or fuzzystrmatch is missing.
    pub async fn install(&self) -> Result<install::Installed, StoreError> {
        self.install_content(&install::Content::embedded()).await
    }

    /// The same with other content; for tests of installing itself.
    pub async fn install_content(&self, content: &install::Content) -> Result<install::Installed, StoreError> {
        install::install(&self.target, content).await
    }

    /// Wakes `nudge` whenever `channel` is notified, and once after each (re)connection, until `stop` is cancelled.
    ///
    /// It has a connection of its own and never gives up. A notification only shortens a wait; none is relied on.
    pub async fn listen(
        &self,
        channel: &'static str,
        nudge: Arc<tokio::sync::Notify>,
        stop: tokio_util::sync::CancellationToken,
    ) {
        listen::listen(&self.target, channel, &nudge, &stop).await;
    }

    /// Where the database is, without password: `host:port/dbname`.
    pub fn place(&self) -> &str {
        self.target.place()
    }

    /// The command line with which a person looks into the database.
    pub fn psql(&self) -> &str {
        &self.psql
    }

    /// Closes the pool, and waits for the private cluster to stop if nobody else uses it.
    ///
    /// Without it the cluster stops as well, only nobody waits for that. Under systemd the wait matters: what is left in
    /// the unit when the daemon has gone is killed.
    pub async fn close(&self) {
        self.pool.close();
        let embedded = self.embedded.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(embedded) = embedded {
            embedded.close().await;
        }
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Store({})", self.target.place())
    }
}
