//! The SQL rooms against a real database, without the daemon.

mod agree;
mod ahead;
mod arrive;
mod blocking;
mod checks;
mod claim;
mod documents;
mod glance;
mod governor;
mod plans;
mod policy_version;
mod rights;
mod session;
mod settle;

use tokio_postgres::types::{FromSqlOwned, ToSql};

use crate::support::TestDb;

/// The one value that a query returns.
#[track_caller]
fn value<'a, T: FromSqlOwned>(
    db: &'a TestDb,
    sql: &'a str,
    parameters: &'a [&'a (dyn ToSql + Sync)],
) -> impl Future<Output = T> + 'a {
    let caller = std::panic::Location::caller();
    async move {
        let client = db.client().await;
        match client.query_one(sql, parameters).await {
            Ok(row) => row.get(0),
            Err(error) => panic!("{sql}: {error:?} (at {caller})"),
        }
    }
}

/// How many rows a table or a condition on it has: `count(&db, "gate.work where state = 'ready'")`.
async fn count(db: &TestDb, of: &str) -> i64 {
    value(db, &format!("select count(*) from {of}"), &[]).await
}
