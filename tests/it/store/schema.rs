//! The schema is one committed file, so that a change of it is seen by whoever reads the change.

use std::path::Path;

use crate::support::TestDb;

/// Set by `make schema`: write the file instead of comparing.
const WRITE: &str = "GATEKEEPER_WRITE_SNAPSHOTS";

const HEAD: &str =
    "-- Written by `make schema` from migrations/ and sql/; a test compares. For reading, not for running.\n";

#[tokio::test]
async fn the_schema_is_the_committed_one() {
    let db = TestDb::new().await;
    let rows = db
        .client()
        .await
        .query(include_str!("schema_dump.sql"), &[])
        .await
        .unwrap();
    let mut schema = HEAD.to_owned();
    for line in rows.iter().map(|row| row.get::<_, String>(0)) {
        if line.starts_with("create ") {
            schema.push('\n');
        }
        schema.push_str(&line);
        schema.push('\n');
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots/schema.sql");
    if std::env::var_os(WRITE).is_some() {
        return std::fs::write(&path, schema).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    let differ = committed
        .lines()
        .zip(schema.lines())
        .enumerate()
        .find(|(_, (theirs, ours))| theirs != ours);
    if let Some((at, (theirs, ours))) = differ {
        panic!(
            "run `make schema`; line {} is now\n  {ours}\nand was\n  {theirs}",
            at + 1
        );
    }
    assert_eq!(
        committed.lines().count(),
        schema.lines().count(),
        "run `make schema`; lines were added or removed at the end"
    );
}

#[tokio::test]
async fn every_table_view_and_column_says_what_it_is() {
    let db = TestDb::new().await;
    let rows = db
        .client()
        .await
        .query(include_str!("uncommented.sql"), &[])
        .await
        .unwrap();
    let silent: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    assert!(silent.is_empty(), "add `comment on …` for {silent:#?}");
}
