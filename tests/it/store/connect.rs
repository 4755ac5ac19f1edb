//! Connections: what each session is set to, and what is said when there is none.

use std::collections::BTreeMap;

use gatekeeper::config::Config;
use gatekeeper::fault::{Classify, Fault, chain};
use gatekeeper::store::{Store, StoreError, commit};

use crate::support::TestDb;

async fn refusal(config: &Config) -> StoreError {
    Store::open(config).await.expect_err("there is no such connection")
}

#[tokio::test]
async fn every_session_has_our_settings() {
    let db = TestDb::empty().await;
    let rows = db
        .client()
        .await
        .query(
            "select name, current_setting(name) from unnest(array['search_path', 'TimeZone', 'statement_timeout',
             'lock_timeout', 'idle_in_transaction_session_timeout', 'application_name', 'client_encoding']) as name",
            &[],
        )
        .await
        .unwrap();
    let settings: BTreeMap<String, String> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    let expected = [
        ("search_path", "pg_catalog, public, pg_temp"),
        ("TimeZone", "UTC"),
        ("statement_timeout", "15s"),
        ("lock_timeout", "3s"),
        ("idle_in_transaction_session_timeout", "10s"),
        ("application_name", "gatekeeper"),
        ("client_encoding", "UTF8"),
    ];
    assert_eq!(
        settings,
        expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
    );
}

#[tokio::test]
async fn a_read_only_database_is_refused() {
    let db = TestDb::empty().await;
    db.run(&format!(
        "alter database {} set default_transaction_read_only = on",
        db.name()
    ))
    .await;
    let error = refusal(&db.config()).await;
    assert!(matches!(error, StoreError::ReadOnly { .. }), "{error:?}");
    assert_eq!(error.fault(), Fault::Transient, "a failover may be under way");
    assert!(chain(&error).contains("read-only"), "{}", chain(&error));
}

#[tokio::test]
async fn a_database_that_is_not_there_is_named_with_the_command_that_makes_it() {
    let db = TestDb::empty().await;
    let config = db.config_with(|config| config.database.url = db.url().replace(db.name(), "nowhere"));
    let error = refusal(&config).await;
    assert!(matches!(error, StoreError::NoDatabase { .. }), "{error:?}");
    assert!(
        chain(&error).contains("createdb -O postgres nowhere"),
        "{}",
        chain(&error)
    );
    assert_eq!(error.fault(), Fault::Broken);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named() {
    let mut config = Config::default();
    // A port that was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    config.database.url = format!("postgresql://gate@127.0.0.1:{port}/crm");
    let error = refusal(&config).await;
    assert!(matches!(error, StoreError::Unreachable { .. }), "{error:?}");
    let said = chain(&error);
    assert!(
        said.contains(&format!("127.0.0.1:{port}/crm")) && said.contains("refused"),
        "{said}"
    );
    assert_eq!(error.fault(), Fault::Transient);
}

#[tokio::test]
async fn a_connection_returned_inside_a_transaction_is_replaced() {
    let db = TestDb::empty().await;
    let config = db.config_with(|config| config.database.pool_size = 1);
    let store = Store::open(&config).await.unwrap();
    let pid = async || {
        let client = store.client().await.unwrap();
        client
            .query_one("select pg_backend_pid()", &[])
            .await
            .unwrap()
            .get::<_, i32>(0)
    };
    let clean = pid().await;
    assert_eq!(pid().await, clean, "a clean connection is used again");

    store.client().await.unwrap().batch_execute("begin").await.unwrap();
    assert_ne!(pid().await, clean, "a dirty one is not");

    let failed = store.client().await.unwrap();
    failed.batch_execute("begin").await.unwrap();
    failed.batch_execute("select 1 / 0").await.unwrap_err();
    drop(failed);
    assert_eq!(
        store
            .client()
            .await
            .unwrap()
            .query_one("select 1", &[])
            .await
            .unwrap()
            .get::<_, i32>(0),
        1
    );
}

#[tokio::test]
async fn statements_that_fail_are_classed_by_what_a_retry_would_do() {
    let db = TestDb::empty().await;
    db.run("create table public.thing (thing_id int primary key); insert into public.thing values (1)")
        .await;
    let cases = [
        ("select nothing()", Fault::Broken, "gatekeeper migrate"),
        ("select from nothing", Fault::Broken, "gatekeeper migrate"),
        (
            "insert into public.thing values (1)",
            Fault::Rejected,
            "constraint=thing_pkey",
        ),
        ("select 'a value of somebody'::int", Fault::Rejected, "22P02"),
        ("select pg_terminate_backend(pg_backend_pid())", Fault::Transient, ""),
        (
            "set statement_timeout = 1; select pg_sleep(10)",
            Fault::Transient,
            "57014",
        ),
        ("set role nobody_at_all", Fault::Rejected, "22023"),
        (
            "begin read only; insert into public.thing values (2)",
            Fault::Transient,
            "25006",
        ),
    ];
    for (sql, fault, words) in cases {
        let error: StoreError = db.client().await.batch_execute(sql).await.unwrap_err().into();
        let said = chain(&error);
        assert_eq!(error.fault(), fault, "{sql}: {said}");
        assert!(said.contains(words), "{sql} without {words:?}: {said}");
        assert!(!said.contains("a value of somebody"), "a value is in the text: {said}");
    }
}

#[tokio::test]
async fn a_role_without_the_right_is_pointed_to_the_grants() {
    let db = TestDb::empty().await;
    let role = format!("reader_{}", db.name());
    db.run(&format!(
        "create table public.thing (thing_id int); create role {role} login"
    ))
    .await;
    let config = db.config_with(|config| {
        config.database.url = config.database.url.replace("user=postgres", &format!("user={role}"));
    });
    let store = Store::open(&config).await.unwrap();
    let error: StoreError = store
        .client()
        .await
        .unwrap()
        .query("select from public.thing", &[])
        .await
        .unwrap_err()
        .into();
    drop(store);
    db.run(&format!("drop role {role}")).await;
    assert!(matches!(error, StoreError::Privilege(_)), "{error:?}");
    assert!(chain(&error).contains("gatekeeper check"), "{}", chain(&error));
}

#[tokio::test]
async fn a_connection_lost_during_commit_means_nobody_knows() {
    let db = TestDb::empty().await;
    // The deferred trigger runs inside COMMIT, and there the server ends the session.
    db.run(
        "create table public.thing (thing_id int);
         create function public.hang_up() returns trigger language plpgsql as
           $$ begin perform pg_terminate_backend(pg_backend_pid()); perform pg_sleep(10); return null; end $$;
         create constraint trigger hang_up after insert on public.thing deferrable initially deferred
           for each row execute function public.hang_up();",
    )
    .await;
    let mut client = db.client().await;
    let transaction = client.transaction().await.unwrap();
    transaction
        .execute("insert into public.thing values (1)", &[])
        .await
        .unwrap();
    let error = commit(transaction).await.unwrap_err();
    assert_eq!(error.fault(), Fault::Unknown, "{error:?}");
}

#[tokio::test]
async fn a_commit_that_the_server_refuses_did_not_happen() {
    let db = TestDb::empty().await;
    db.run("create table public.thing (thing_id int unique deferrable initially deferred)")
        .await;
    let mut client = db.client().await;
    let transaction = client.transaction().await.unwrap();
    transaction
        .execute("insert into public.thing values (1), (1)", &[])
        .await
        .unwrap();
    let error = commit(transaction).await.unwrap_err();
    assert_eq!(error.fault(), Fault::Rejected, "{error:?}");
}
