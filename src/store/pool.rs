//! The pool: connections that are set up before their first use and looked at before each further one.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use deadpool::managed::QueueMode;
use deadpool_postgres::{Connect, Manager, ManagerConfig, Pool, PoolError, RecyclingMethod, Runtime, TimeoutType};
use tokio::task::JoinHandle;

use super::connect::Target;
use super::{ServerError, StoreError};
use crate::config::Database;

/// A connection on loan from the pool.
pub type Client = deadpool_postgres::Client;

/// A transaction on such a connection. Dropped without [`commit`] it is rolled back.
pub type Transaction<'a> = deadpool_postgres::Transaction<'a>;

/// How long one may wait for a connection to become free.
const WAIT: Duration = Duration::from_secs(10);

/// How long a returned connection has to prove itself clean. One that is still at work on a dropped query is replaced.
const PROOF: Duration = Duration::from_secs(1);

/// Commits, and says `CommitUnknown` when nobody can know whether it did.
///
/// An error that the server itself returns means that it did not, unless the server was going down.
///
/// # Errors
/// [`StoreError::CommitUnknown`], or what the server says (a deferred constraint, a serialization failure).
pub async fn commit(transaction: Transaction<'_>) -> Result<(), StoreError> {
    transaction.commit().await.map_err(|error| {
        let said = ServerError::of(&error);
        match said.class() {
            "" | "08" | "57" | "58" | "XX" => StoreError::CommitUnknown(said),
            _ => error.into(),
        }
    })
}

/// A pool of connections to the target. Makes none yet.
pub(super) fn build(database: &Database, target: &Target) -> Result<Pool, StoreError> {
    let recycling = RecyclingMethod::Custom(include_str!("statements/is_clean.sql").to_owned());
    let manager = Manager::from_connect(
        target.config().clone(),
        Sessions(target.clone()),
        ManagerConfig {
            recycling_method: recycling,
        },
    );
    Pool::builder(manager)
        .max_size(database.pool_size)
        // The connection that was in use last: its caches are warm, and its statements are planned already.
        .queue_mode(QueueMode::Lifo)
        .wait_timeout(Some(WAIT))
        .create_timeout(Some(Duration::from_secs(database.connect_timeout_seconds) * 2))
        .recycle_timeout(Some(PROOF))
        .runtime(Runtime::Tokio1)
        .build()
        .map_err(|_| StoreError::Closed)
}

/// What it means that the pool gave no connection.
pub(super) fn refused(error: PoolError, target: &Target) -> StoreError {
    match error {
        PoolError::Backend(error) => target.refused(error),
        PoolError::Timeout(TimeoutType::Wait) => StoreError::PoolExhausted {
            seconds: WAIT.as_secs(),
        },
        PoolError::Closed => StoreError::Closed,
        other => StoreError::Unreachable {
            place: target.place().to_owned(),
            source: other.into(),
        },
    }
}

struct Sessions(Target);

type Connected = Result<(tokio_postgres::Client, JoinHandle<()>), tokio_postgres::Error>;

impl Connect for Sessions {
    fn connect(&self, _: &tokio_postgres::Config) -> Pin<Box<dyn Future<Output = Connected> + Send + '_>> {
        Box::pin(async {
            let (client, connection) = self.0.raw().await?;
            #[expect(
                clippy::disallowed_methods,
                reason = "ends with its client; the pool holds the handle"
            )]
            let task = tokio::spawn(async {
                // Whoever has the client hears of it; there is nobody to tell here.
                let _ = connection.await;
            });
            match self.0.set_session(&client).await {
                Ok(()) => Ok((client, task)),
                Err(error) => {
                    task.abort();
                    Err(error)
                }
            }
        })
    }
}
