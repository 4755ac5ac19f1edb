//! A database that is not there, does not let us in, is read-only, lacks an extension, or is newer: exit codes and words.

use gatekeeper::config::Config;

use crate::flow::world::World;
use crate::process::{Done, command, settings_file};
use crate::support::TestDb;

async fn run(world: &World, change: impl FnOnce(&mut Config)) -> Done {
    let mut config = world.config.clone();
    change(&mut config);
    let settings = settings_file(world, &config, "bad-database.toml");
    command(&settings, &["run", "--until-idle"]).await
}

#[track_caller]
fn says(done: &Done, code: i32, words: &[&str]) {
    assert_eq!(done.code, Some(code), "{}", done.stderr);
    for word in words {
        assert!(done.stderr.contains(word), "{word} is not in: {}", done.stderr);
    }
    assert!(!done.stderr.contains("panic"), "{}", done.stderr);
}

#[tokio::test]
async fn a_database_that_is_not_there_ends_with_1_and_says_how_to_make_it() {
    let world = World::new().await;
    let url = world.db.url().replace(world.db.name(), "no_such_database");
    let done = run(&world, |config| config.database.url = url).await;
    says(
        &done,
        1,
        &["there is no database no_such_database", "createdb", "database.url"],
    );
}

#[tokio::test]
async fn a_server_that_does_not_answer_ends_with_1_and_says_what_to_check() {
    let world = World::new().await;
    let done = run(&world, |config| {
        config.database.url = "postgresql://gatekeeper@127.0.0.1:9/gatekeeper".to_owned()
    })
    .await;
    says(
        &done,
        1,
        &["cannot reach the database at 127.0.0.1:9/gatekeeper", "database.url"],
    );
}

#[tokio::test]
async fn a_read_only_database_ends_with_1_and_names_the_way_out() {
    let world = World::new().await;
    let name = world.db.name();
    world
        .db
        .run(&format!("alter database {name} set default_transaction_read_only = on"))
        .await;
    let done = run(&world, |_| ()).await;
    says(&done, 1, &["is read-only", "primary", "default_transaction_read_only"]);
}

#[tokio::test]
async fn a_database_without_pg_trgm_ends_with_1_and_says_what_a_superuser_must_run() {
    let world = World::new().await;
    let empty = TestDb::empty().await;
    let role = format!("no_create_{}", empty.name());
    empty.run(&format!("create role {role} login")).await;
    let url = empty.url().replace("user=postgres", &format!("user={role}"));
    let done = run(&world, |config| config.database.url = url).await;
    empty.run(&format!("drop role {role}")).await;
    says(&done, 1, &["pg_trgm", "create extension"]);
}

#[tokio::test]
async fn a_database_of_a_newer_version_ends_with_4() {
    let world = World::new().await;
    world
        .db
        .run("update gate.installed set version = '999.0.0', sql_hash = 'another'")
        .await;
    let done = run(&world, |_| ()).await;
    says(&done, 4, &["newer gatekeeper", "999.0.0"]);
}
