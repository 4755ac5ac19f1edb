//! The queries that the documents show are queries that run.

use super::session::Session;
use crate::support::TestDb;

const ANALYSTS: &str = include_str!("../../../docs/ANALYSTS.md");
const ETL: &str = include_str!("../../../docs/ETL.md");
const RULES: &str = include_str!("../../../docs/RULES.md");
const PURGE: &str = include_str!("../../../docs/PURGE.md");
const OPERATIONS: &str = include_str!("../../../docs/OPERATIONS.md");

#[tokio::test]
async fn every_query_for_analysts_runs_as_an_analyst() {
    let blocks = sql_blocks(ANALYSTS);
    assert!(blocks.len() >= 15, "{} queries", blocks.len());
    run_all(&blocks, "gatekeeper_analyst").await;
}

#[tokio::test]
async fn every_statement_for_etl_authors_runs_as_an_etl_job() {
    let blocks = sql_blocks(ETL);
    assert!(blocks.len() >= 3, "{} statements", blocks.len());
    run_all(&blocks, "gatekeeper_etl").await;
}

#[tokio::test]
async fn every_statement_for_stewards_runs_as_a_steward() {
    for (document, least) in [(RULES, 12), (PURGE, 2)] {
        let blocks = sql_blocks(document);
        assert!(blocks.len() >= least, "{} statements", blocks.len());
        run_all(&blocks, "gatekeeper_steward").await;
    }
}

#[tokio::test]
async fn every_statement_for_operators_runs_as_the_owner() {
    let blocks = sql_blocks(OPERATIONS);
    assert!(blocks.len() >= 3, "{} statements", blocks.len());
    run_all(&blocks, "session_user").await;
}

/// Each block in a transaction of its own, which is rolled back.
async fn run_all(blocks: &[(usize, String)], role: &str) {
    let db = TestDb::new().await;
    let session = match role {
        "session_user" => Session::open(&db).await,
        role => Session::of(&db, role).await,
    };
    for (line, block) in blocks {
        session.run("begin").await;
        if let Err(error) = session.client.batch_execute(block).await {
            panic!("line {line}: {error:?}\n{block}");
        }
        session.run("rollback").await;
    }
}

/// The blocks marked `sql`, with the line on which each begins.
fn sql_blocks(document: &str) -> Vec<(usize, String)> {
    let mut blocks = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (at, line) in document.lines().enumerate() {
        match (&mut open, line.trim()) {
            (None, "```sql") => open = Some((at + 2, String::new())),
            (Some(_), "```") => blocks.extend(open.take()),
            (Some((_, text)), _) => {
                text.push_str(line);
                text.push('\n');
            }
            (None, _) => {}
        }
    }
    assert!(open.is_none(), "a block is not closed");
    blocks
}

#[test]
fn blocks_of_sql_are_found_and_other_blocks_are_not() {
    let document = "x\n```sql\nselect 1;\nselect 2;\n```\n```sh\nls\n```\n```sql\nselect 3\n```\n";
    assert_eq!(
        sql_blocks(document),
        [(3, "select 1;\nselect 2;\n".to_owned()), (10, "select 3\n".to_owned())]
    );
}
