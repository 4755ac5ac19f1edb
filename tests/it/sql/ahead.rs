//! What has changed since leads were matched ahead.

use serde_json::{Value, json};

use super::session::Session;
use super::value;
use crate::support::TestDb;

/// Contacts 1 and 2 with an address, a number and a block each.
async fn two_contacts() -> TestDb {
    let db = TestDb::new().await;
    db.run(
        "insert into gate.contact_keys (contact_id, emails, loose_emails, phones, blocks, normalizer)
         values (1, '{a@example.com}', '{}', '{+4930123456}', '{4}', 'test'), (2, '{b@example.com}', '{}', '{}', '{8}', 'test')",
    )
    .await;
    db
}

async fn sight(db: &TestDb) -> Value {
    value(db, "select gate.sight_now()", &[]).await
}

/// What has changed since then: `contact: identifiers; blocks`.
async fn changed(db: &TestDb, sight: &Value) -> Vec<String> {
    let asked =
        "select format('%s: %s; %s', contact_id, array_to_string(identifiers, ' '), array_to_string(blocks, ' '))
        from gate.keys_changed_since($1) order by contact_id";
    let rows = db.client().await.query(asked, &[sight]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn who_is_changed_added_or_gone_is_told_with_what_finds_them_now() {
    let db = two_contacts().await;
    let sight = sight(&db).await;
    assert!(changed(&db, &sight).await.is_empty());
    db.run("update gate.contact_keys set external_id = 'P-1', loose_emails = '{c@example.com}', blocks = '{4,12}' where contact_id = 1")
        .await;
    db.run("delete from gate.contact_keys where contact_id = 2").await;
    db.run(
        "insert into gate.contact_keys (contact_id, emails, loose_emails, phones, blocks, normalizer)
         values (3, '{d@example.com}', '{}', '{}', '{}', 'test')",
    )
    .await;
    assert_eq!(
        changed(&db, &sight).await,
        [
            "1: a@example.com c@example.com +4930123456 P-1; 4 12",
            "2: ; ",
            "3: d@example.com; "
        ]
    );
}

#[tokio::test]
async fn what_was_under_way_when_it_was_looked_is_told_once_it_is_there() {
    let db = two_contacts().await;
    let writer = Session::open(&db).await;
    writer.run("begin").await;
    writer
        .run("update gate.contact_keys set phones = '{}' where contact_id = 1")
        .await;
    let sight = sight(&db).await;
    writer.run("commit").await;
    assert_eq!(changed(&db, &sight).await, ["1: a@example.com; 4"]);
}

#[tokio::test]
async fn what_is_too_long_ago_or_of_another_server_cannot_be_told() {
    let db = two_contacts().await;
    for (field, other) in [
        ("seen_at", "2026-01-01T00:00:00+00:00"),
        ("server_started_at", "2026-01-01T00:00:00+00:00"),
    ] {
        let mut sight = sight(&db).await;
        sight[field] = json!(other);
        assert_eq!(changed(&db, &sight).await, [": ; "], "{field}");
    }
}
