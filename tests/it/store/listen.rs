//! Listening: a notification wakes, and so does every new connection, for nobody knows what was missed.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::support::TestDb;

#[tokio::test]
async fn it_wakes_on_notifications_and_after_each_reconnection_until_it_is_stopped() {
    let db = TestDb::empty().await;
    let (nudge, stop) = (Arc::new(Notify::new()), CancellationToken::new());
    let (store, theirs, token) = (db.store().clone(), nudge.clone(), stop.clone());
    let listener = tokio::spawn(async move { store.listen("lead_arrived", theirs, token).await });
    let woken = async |what| timeout(Duration::from_secs(10), nudge.notified()).await.expect(what);

    woken("after connecting").await;
    db.run("notify lead_arrived").await;
    woken("by a notification").await;
    db.run(
        "select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and pid <> pg_backend_pid() and query like 'listen%'",
    )
    .await;
    woken("after connecting again").await;
    db.run("notify lead_arrived").await;
    woken("by a notification on the new connection").await;

    stop.cancel();
    timeout(Duration::from_secs(5), listener)
        .await
        .expect("it ends when told to")
        .unwrap();
}
