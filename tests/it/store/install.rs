//! Installing: tables, functions and views, under one lock.

use crate::support::TestDb;

#[tokio::test]
async fn a_copy_of_the_template_has_everything_installed() {
    let db = TestDb::new().await;
    let installed = db.store().install().await.unwrap();
    assert!(installed.is_nothing(), "{installed:?}");
}
