//! A connection of its own: as another role, or one whose notices and notifications are looked at.

use std::future::poll_fn;

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio_postgres::error::SqlState;
use tokio_postgres::{AsyncMessage, Client, NoTls};

use crate::support::{TestDb, cluster};

/// A connection outside the pool.
pub(super) struct Session {
    pub(super) client: Client,
    /// What the server says by itself.
    pub(super) heard: UnboundedReceiver<AsyncMessage>,
}

impl Session {
    /// As the owner of everything.
    pub(super) async fn open(db: &TestDb) -> Session {
        let (client, mut connection) = cluster().connection(db.name()).connect(NoTls).await.unwrap();
        let (tell, heard) = unbounded_channel();
        tokio::spawn(async move {
            while let Some(Ok(message)) = poll_fn(|cx| connection.poll_message(cx)).await {
                let _ = tell.send(message);
            }
        });
        Session { client, heard }
    }

    /// As a role, which need not be allowed to log in.
    pub(super) async fn of(db: &TestDb, role: &str) -> Session {
        let session = Session::open(db).await;
        session.run(&format!("set session authorization {role}")).await;
        session
    }

    #[track_caller]
    pub(super) fn run(&self, sql: &str) -> impl Future<Output = ()> {
        let caller = std::panic::Location::caller();
        async move {
            if let Err(error) = self.client.batch_execute(sql).await {
                panic!("{sql}: {error:?} (at {caller})");
            }
        }
    }

    /// Runs what must be refused for want of a right.
    pub(super) async fn is_denied(&self, sql: &str) {
        match self.client.batch_execute(sql).await {
            Ok(()) => panic!("was allowed: {sql}"),
            Err(error) => assert_eq!(
                error.code(),
                Some(&SqlState::INSUFFICIENT_PRIVILEGE),
                "{sql}: {error:?}"
            ),
        }
    }
}
