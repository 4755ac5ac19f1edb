//! Arrival: what is inserted becomes work at once, and the daemon is woken.

use std::io::Cursor;

use futures::SinkExt;
use tokio_postgres::AsyncMessage;

use super::session::Session;
use super::{count, value};
use crate::support::TestDb;

/// The statements of a test, each in a transaction of its own, and how many wake-ups came of them.
async fn wake_ups(db: &TestDb, work: impl AsyncFnOnce(&Session)) -> usize {
    let mut listener = Session::open(db).await;
    listener.run("listen gatekeeper_lead").await;
    work(&Session::open(db).await).await;
    db.run("notify gatekeeper_lead, 'end'").await;
    let mut woken = 0;
    loop {
        match listener.heard.recv().await.expect("the connection lives") {
            AsyncMessage::Notification(notification) if notification.payload() == "end" => return woken,
            AsyncMessage::Notification(_) => woken += 1,
            _ => {}
        }
    }
}

#[tokio::test]
async fn each_insert_wakes_the_daemon_once_however_many_rows_it_brings() {
    let db = TestDb::new().await;
    let woken = wake_ups(&db, async |session| {
        session
            .run("insert into staging.lead (source, email) values ('web', 'a@example.com')")
            .await;
        session
            .run("insert into staging.lead (source) select 'web' from generate_series(1, 300)")
            .await;
    })
    .await;
    assert_eq!(woken, 2);
    assert_eq!(count(&db, "gate.work where state = 'ready'").await, 301);
}

#[tokio::test]
async fn a_copy_of_a_thousand_rows_is_a_thousand_leads_and_one_wake_up() {
    let db = TestDb::new().await;
    let woken = wake_ups(&db, async |session| {
        let sink = session
            .client
            .copy_in("copy staging.lead (source, source_key, email) from stdin with (format csv)")
            .await
            .unwrap();
        let mut sink = Box::pin(sink);
        for row in 0..1000 {
            let line = format!("web,{row},person{row}@example.com\n");
            sink.send(Cursor::new(line.into_bytes())).await.unwrap();
        }
        assert_eq!(sink.as_mut().finish().await.unwrap(), 1000);
    })
    .await;
    assert_eq!(woken, 1);
    assert_eq!(count(&db, "gate.work join staging.lead using (lead_id)").await, 1000);
}

#[tokio::test]
async fn an_insert_that_is_rolled_back_leaves_no_work_and_wakes_nobody() {
    let db = TestDb::new().await;
    let woken = wake_ups(&db, async |session| {
        session
            .run("begin; insert into staging.lead (source) values ('web'); rollback")
            .await;
    })
    .await;
    assert_eq!(woken, 0);
    assert_eq!(count(&db, "gate.work").await, 0);
}

#[tokio::test]
async fn leads_that_came_while_the_trigger_was_disabled_are_adopted_a_few_at_a_time() {
    let db = TestDb::new().await;
    db.run(
        "insert into staging.lead (source) values ('web');
         alter table staging.lead disable trigger lead_arrived;
         insert into staging.lead (source) values ('web'), ('web'), ('web');
         alter table staging.lead enable trigger lead_arrived;",
    )
    .await;
    assert_eq!(count(&db, "gate.work").await, 1);
    // One that came while it was off is adopted in its turn, the newest at once.
    let look = async |after: i64| -> (i64, i64) {
        let sql = "select * from gate.adopt_leads($1, 1)";
        let row = db.client().await.query_one(sql, &[&after]).await.unwrap();
        (row.get(0), row.get(1))
    };
    assert_eq!(look(0).await, (1, 1), "lead 1 has its row; lead 4 is the newest");
    assert_eq!(look(1).await, (1, 2));
    assert_eq!(look(2).await, (1, 3));
    assert_eq!(look(3).await, (0, 4));
    assert_eq!(look(4).await, (0, 0), "and from the beginning again");
    assert_eq!(
        count(
            &db,
            "staging.lead join gate.work using (lead_id) where work.state = 'ready'"
        )
        .await,
        4
    );
}

#[tokio::test]
async fn any_content_is_accepted() {
    let db = TestDb::new().await;
    db.run(
        "insert into staging.lead (source, email, phone, first_name, properties, occurred_at)
         values
           (null, null, null, null, null, null),
           ('', 'no address', 'no number', repeat('x', 1000000), '[1, 2]', 'infinity'),
           ('nobody knows this source', E'\\u202e', E'\\t\\n', '', '\"text\"', '-infinity')",
    )
    .await;
    assert_eq!(count(&db, "gate.work").await, 3);
}

#[tokio::test]
async fn a_lead_is_waiting_until_something_was_decided() {
    let db = TestDb::new().await;
    db.run("insert into staging.lead (source, source_key) values ('web', '1')")
        .await;
    let state: String = value(&db, "select state from staging.lead_status where source_key = '1'", &[]).await;
    assert_eq!(state, "waiting");
}
