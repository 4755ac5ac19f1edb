//! What cannot work is said, with what to do about it.

use gatekeeper::fault::chain;
use gatekeeper::store::embedded::{Embedded, Plan};

use super::nobody_is_left;
use crate::support::{Directory, gatekeeper, plan};

async fn refusal(plan: &Plan) -> String {
    chain(&Embedded::open(plan).await.unwrap_err())
}

#[tokio::test]
async fn without_server_programs_it_says_which_package_to_install() {
    let directory = Directory::new("embedded-none");
    let mut plan = plan(&directory.path().join("data"));
    plan.environment.pg_bin = Some(directory.path().to_owned());
    let said = refusal(&plan).await;
    for words in [
        "apt-get install postgresql",
        "dnf install postgresql-server postgresql-contrib",
        "brew install postgresql@17",
        "GATEKEEPER_PG_BIN",
        "database.url",
    ] {
        assert!(said.contains(words), "without {words:?}: {said}");
    }
}

#[tokio::test]
async fn a_cluster_made_by_another_version_is_not_touched() {
    let directory = Directory::new("embedded-version");
    let cluster = directory.path().join("cluster");
    std::fs::create_dir(&cluster).unwrap();
    std::fs::write(cluster.join("PG_VERSION"), "13\n").unwrap();
    let said = refusal(&plan(directory.path())).await;
    assert!(
        said.contains("made by PostgreSQL 13") && said.contains("install postgresql-13"),
        "{said}"
    );
}

#[tokio::test]
async fn a_server_that_does_not_start_shows_the_end_of_its_log() {
    let directory = Directory::new("embedded-broken");
    let mut plan = plan(directory.path());
    plan.server_settings
        .push(("no_such_setting".to_owned(), "1".to_owned()));
    let said = refusal(&plan).await;
    assert!(
        said.contains("server.log") && said.contains("unrecognized configuration parameter"),
        "{said}"
    );
    nobody_is_left(directory.path()).await;
}

#[tokio::test]
async fn a_data_directory_that_cannot_be_made_is_named() {
    let directory = Directory::new("embedded-file");
    let file = directory.path().join("a-file");
    std::fs::write(&file, "").unwrap();
    let said = refusal(&plan(&file.join("data"))).await;
    assert!(
        said.contains("a-file") && said.contains("embedded.data_directory"),
        "{said}"
    );
}

#[test]
fn the_guard_says_that_it_is_not_for_people() {
    let output = std::process::Command::new(gatekeeper())
        .args(["embedded-guard", "--help", "me"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("started by gatekeeper itself"));
}
