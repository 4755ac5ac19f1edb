//! Every change of a rule is a new policy version, with what stood there before and after.

use serde_json::{Value, json};

use super::{count, value};
use crate::support::TestDb;

/// Operation, rows before and rows after of the newest version.
async fn newest(db: &TestDb) -> (i64, String, Option<Value>, Option<Value>) {
    let sql = "select policy_version, rule_table || ' ' || operation, rows_before, rows_after
               from rules.policy_version order by policy_version desc limit 1";
    let row = db.client().await.query_one(sql, &[]).await.unwrap();
    (row.get(0), row.get(1), row.get(2), row.get(3))
}

#[tokio::test]
async fn insert_update_delete_and_truncate_each_leave_one_version() {
    let db = TestDb::new().await;
    let before: i64 = value(&db, "select gate.policy_version()", &[]).await;
    let row = |rank: i32| json!([{"source": "web", "rank": rank, "description": null, "expires_days": null, "shadow": false}]);

    db.run("insert into rules.source (source, rank) values ('web', 10)")
        .await;
    let (first, what, old, new) = newest(&db).await;
    assert_eq!(
        (first > before, what.as_str(), old, new),
        (true, "source insert", None, Some(row(10)))
    );

    db.run("update rules.source set rank = 20 where source = 'web'").await;
    let (second, what, old, new) = newest(&db).await;
    assert_eq!(
        (second > first, what.as_str(), old, new),
        (true, "source update", Some(row(10)), Some(row(20)))
    );

    db.run("delete from rules.source where source = 'web'").await;
    let (third, what, old, new) = newest(&db).await;
    assert_eq!(
        (third > second, what.as_str(), old, new),
        (true, "source delete", Some(row(20)), None)
    );

    db.run("truncate rules.junk_value").await;
    let (fourth, what, old, new) = newest(&db).await;
    assert_eq!(
        (fourth > third, what.as_str(), old, new),
        (true, "junk_value truncate", None, None)
    );
    assert_eq!(value::<i64>(&db, "select gate.policy_version()", &[]).await, fourth);
}

#[tokio::test]
async fn a_bulk_edit_is_one_version_and_one_that_touches_nothing_is_none() {
    let db = TestDb::new().await;
    let before = count(&db, "rules.policy_version").await;
    db.run("insert into rules.source (source, rank) select 's' || n, n from generate_series(1, 50) as n")
        .await;
    db.run("update rules.source set rank = 1 where source = 'nobody'").await;
    db.run("delete from rules.source where false").await;
    assert_eq!(count(&db, "rules.policy_version").await, before + 1);
    let (_, _, _, new) = newest(&db).await;
    assert_eq!(new.unwrap().as_array().map(Vec::len), Some(50));
}

#[tokio::test]
async fn a_change_that_is_rolled_back_is_no_version() {
    let db = TestDb::new().await;
    let before = count(&db, "rules.policy_version").await;
    db.run("begin; insert into rules.source (source, rank) values ('web', 10); rollback")
        .await;
    assert_eq!(count(&db, "rules.policy_version").await, before);
}

#[tokio::test]
async fn every_table_of_rules_is_watched() {
    let db = TestDb::new().await;
    let sql = "select coalesce(array_agg(relname::text), '{}')
               from pg_class
               where relnamespace = 'rules'::regnamespace
                 and relkind = 'r'
                 and relname <> 'policy_version'
                 and 4 <> (select count(*) from pg_trigger where tgrelid = pg_class.oid and tgname like 'note\\_%')";
    let unwatched: Vec<String> = value(&db, sql, &[]).await;
    assert_eq!(unwatched, Vec::<String>::new(), "enter them in sql/15_rules.sql");
}
