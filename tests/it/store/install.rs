//! Installing: tables, functions and views, under one lock.

use gatekeeper::fault::{Classify, Fault, chain};
use gatekeeper::store::install::Content;
use gatekeeper::store::{Store, StoreError};

use crate::support::{Directory, TestDb, config_for, plan};

/// The least that installing needs, and a table and a view of its own.
const FIRST: (&str, &str) = (
    "V1__first",
    "create schema gate;
     create table gate.installed (
       singleton boolean primary key, sql_hash text, version text, installed_at timestamptz
     );",
);
const SECOND: (&str, &str) = ("V2__second", "create table gate.thing (thing_id bigint);");
const VIEW: (&str, &str) = ("10_view.sql", "create or replace view gate.one as select 1 as one;");

fn content(migrations: &[(&str, &str)], files: &[(&str, &str)]) -> Content {
    Content::of(&[], migrations, files).unwrap()
}

async fn one(db: &TestDb) -> i32 {
    db.client()
        .await
        .query_one("select one from gate.one", &[])
        .await
        .unwrap()
        .get(0)
}

#[tokio::test]
async fn a_copy_of_the_template_has_everything_installed() {
    let db = TestDb::new().await;
    let installed = db.store().install().await.unwrap();
    assert!(installed.is_nothing(), "{installed:?}");
}

/// An upgrade runs all files over what the version before it left.
#[tokio::test]
async fn all_functions_and_views_can_be_installed_over_themselves() {
    let db = TestDb::new().await;
    db.run("update gate.installed set sql_hash = 'of another version'")
        .await;
    let installed = db
        .store()
        .install()
        .await
        .unwrap_or_else(|error| panic!("{}", chain(&error)));
    assert!(
        installed.migrations.is_empty() && !installed.files.is_empty(),
        "{installed:?}"
    );
}

#[tokio::test]
async fn eight_installs_at_once_on_an_empty_database_all_succeed() {
    let db = TestDb::empty().await;
    let installs = (0..8).map(|_| async {
        // Each with a pool of its own, as daemons are.
        let store = Store::open(&db.config()).await.unwrap();
        store.install().await
    });
    let all = futures::future::join_all(installs).await;
    let done: Vec<_> = all
        .into_iter()
        .map(|result| result.unwrap_or_else(|error| panic!("{}", chain(&error))))
        .collect();
    let busy = done.iter().filter(|installed| !installed.is_nothing()).count();
    assert_eq!(busy, 1, "one installs, seven find it done: {done:?}");
}

#[tokio::test]
async fn functions_and_views_are_installed_again_only_when_they_or_the_tables_differ() {
    let db = TestDb::empty().await;
    let store = db.store();
    let installed = store.install_content(&content(&[FIRST], &[VIEW])).await.unwrap();
    assert_eq!((installed.migrations.len(), installed.files.len()), (1, 1));
    assert_eq!(one(&db).await, 1);

    let installed = store.install_content(&content(&[FIRST], &[VIEW])).await.unwrap();
    assert!(installed.is_nothing(), "{installed:?}");

    let other = ("10_view.sql", "create or replace view gate.one as select 2 as one;");
    let installed = store.install_content(&content(&[FIRST], &[other])).await.unwrap();
    assert_eq!(installed.files, ["10_view.sql"]);
    assert_eq!(one(&db).await, 2);

    let installed = store
        .install_content(&content(&[FIRST, SECOND], &[other]))
        .await
        .unwrap();
    assert_eq!((installed.migrations.len(), installed.files.len()), (1, 1));
}

#[tokio::test]
async fn a_file_that_fails_is_named_with_its_line_and_leaves_nothing_behind() {
    let db = TestDb::empty().await;
    let broken = ("20_broken.sql", "-- The next line is wrong.\nselect from nowhere;");
    let error = db
        .store()
        .install_content(&content(&[FIRST], &[VIEW, broken]))
        .await
        .unwrap_err();
    let said = chain(&error);
    assert!(
        said.contains("sql/20_broken.sql") && said.contains("nowhere") && said.contains("line 2"),
        "{said}"
    );
    let views = "select count(*) from pg_views where schemaname = 'gate'";
    assert_eq!(
        db.client().await.query_one(views, &[]).await.unwrap().get::<_, i64>(0),
        0
    );
}

#[tokio::test]
async fn a_migration_that_fails_is_named() {
    let db = TestDb::empty().await;
    let error = db
        .store()
        .install_content(&content(&[FIRST, ("V2__bad", "create table gate.installed ();")], &[]))
        .await;
    let said = chain(&error.unwrap_err());
    assert!(said.contains("V2__bad") && said.contains("already exists"), "{said}");
}

#[tokio::test]
async fn a_database_migrated_by_a_newer_binary_is_refused() {
    let db = TestDb::empty().await;
    db.store()
        .install_content(&content(&[FIRST, SECOND], &[VIEW]))
        .await
        .unwrap();
    let error = db
        .store()
        .install_content(&content(&[FIRST], &[VIEW]))
        .await
        .unwrap_err();
    assert!(matches!(error, StoreError::NewerDatabase { .. }), "{error:?}");
    assert_eq!(error.fault(), Fault::Broken);
    assert!(chain(&error).contains("V2__second"), "{}", chain(&error));
}

#[tokio::test]
async fn functions_of_a_newer_binary_are_not_replaced_by_older_ones() {
    let db = TestDb::empty().await;
    db.store().install_content(&content(&[FIRST], &[VIEW])).await.unwrap();
    db.run("update gate.installed set version = '999.0.0'").await;
    let other = ("10_view.sql", "create or replace view gate.one as select 2 as one;");
    let error = db
        .store()
        .install_content(&content(&[FIRST], &[other]))
        .await
        .unwrap_err();
    assert!(matches!(error, StoreError::NewerDatabase { .. }), "{error:?}");
    assert_eq!(one(&db).await, 1);
}

#[tokio::test]
async fn a_migration_edited_after_its_release_is_refused() {
    let db = TestDb::empty().await;
    db.store()
        .install_content(&content(&[FIRST, SECOND], &[]))
        .await
        .unwrap();
    let edited = ("V2__second", "create table gate.thing (thing_id text);");
    let error = db
        .store()
        .install_content(&content(&[FIRST, edited], &[]))
        .await
        .unwrap_err();
    assert!(matches!(error, StoreError::History { .. }), "{error:?}");
}

#[tokio::test]
async fn a_role_that_may_not_create_the_extension_is_told_what_a_superuser_must_run() {
    let db = TestDb::empty().await;
    let role = format!("no_create_{}", db.name());
    db.run(&format!("create role {role} login")).await;
    let config = db.config_with(|config| {
        config.database.url = config.database.url.replace("user=postgres", &format!("user={role}"))
    });
    let error = Store::open(&config).await.unwrap().install().await.unwrap_err();
    db.run(&format!("drop role {role}")).await;
    assert!(matches!(error, StoreError::Extension { .. }), "{error:?}");
    assert!(chain(&error).contains("create extension pg_trgm"), "{}", chain(&error));
}

#[tokio::test]
async fn a_server_without_pg_trgm_is_told_which_package_has_it() {
    // A server like ours, except that this extension is not installed with it.
    let directory = Directory::new("no-trgm");
    let bin = server_without("pg_trgm", &directory).await;
    let mut plan = plan(&directory.path().join("data"));
    plan.environment.pg_bin = Some(bin);
    let embedded = gatekeeper::store::embedded::Embedded::open(&plan).await.unwrap();
    let mut config = config_for("postgres");
    config.database.url = embedded.url("gatekeeper");
    let error = Store::open(&config).await.unwrap().install().await.unwrap_err();
    embedded.close().await;
    assert!(matches!(error, StoreError::Extension { .. }), "{error:?}");
    let said = chain(&error);
    assert!(
        said.contains("pg_trgm") && said.contains("postgresql-contrib"),
        "{said}"
    );
}

/// Copies the server's programs and links its other files, all but one extension. A server finds its files from where its
/// program is, so a copy of the program looks beside itself.
async fn server_without(extension: &str, directory: &Directory) -> std::path::PathBuf {
    let db = TestDb::empty().await;
    let client = db.client().await;
    let mut places = Vec::new();
    for name in ["BINDIR", "SHAREDIR", "PKGLIBDIR"] {
        let row = client
            .query_one("select setting from pg_config() where name = $1", &[&name])
            .await
            .unwrap();
        places.push(std::path::PathBuf::from(row.get::<_, String>(0)));
    }
    let copy = |place: &std::path::Path| directory.path().join("root").join(place.strip_prefix("/").unwrap());
    for place in &places {
        std::fs::create_dir_all(copy(place)).unwrap();
    }
    for program in ["postgres", "initdb"] {
        std::fs::copy(places[0].join(program), copy(&places[0]).join(program)).unwrap();
    }
    for entry in std::fs::read_dir(&places[2]).unwrap().flatten() {
        std::os::unix::fs::symlink(entry.path(), copy(&places[2]).join(entry.file_name())).unwrap();
    }
    for entry in std::fs::read_dir(&places[1])
        .unwrap()
        .flatten()
        .filter(|entry| entry.file_name() != "extension")
    {
        std::os::unix::fs::symlink(entry.path(), copy(&places[1]).join(entry.file_name())).unwrap();
    }
    let (from, to) = (places[1].join("extension"), copy(&places[1]).join("extension"));
    std::fs::create_dir_all(&to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        if !entry.file_name().to_string_lossy().starts_with(extension) {
            std::os::unix::fs::symlink(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
    copy(&places[0])
}
