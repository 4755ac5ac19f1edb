//! Several users of one cluster.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use gatekeeper::store::embedded::Embedded;

use super::{answers, nobody_is_left, processes};
use crate::support::{Directory, plan};

#[tokio::test]
async fn it_is_made_at_the_first_start_and_stopped_at_the_end() {
    let directory = Directory::new("embedded-once");
    let embedded = Embedded::open(&plan(directory.path())).await.unwrap();
    assert_eq!(answers(&embedded).await, Ok(42));
    assert!(!processes(directory.path()).is_empty());
    embedded.close().await;
    assert_eq!(processes(directory.path()), [], "close has waited for the end");
}

#[tokio::test]
async fn it_stays_for_the_second_user_when_the_one_who_started_it_leaves() {
    let directory = Directory::new("embedded-shared");
    let first = Embedded::open(&plan(directory.path())).await.unwrap();
    let second = Embedded::open(&plan(directory.path())).await.unwrap();
    first.close().await;
    assert_eq!(answers(&second).await, Ok(42));
    second.close().await;
    nobody_is_left(directory.path()).await;
}

#[tokio::test]
async fn many_users_at_once_on_an_empty_directory_get_one_server() {
    let directory = Directory::new("embedded-many");
    let plan = plan(directory.path());
    let all = futures::future::join_all((0..6).map(|_| Embedded::open(&plan))).await;
    for embedded in &all {
        assert_eq!(answers(embedded.as_ref().unwrap()).await, Ok(42));
    }
    let servers = processes(directory.path())
        .iter()
        .filter(|(_, line)| line.contains("postgres -D"))
        .count();
    assert_eq!(servers, 1);
    drop(all);
    nobody_is_left(directory.path()).await;
}

#[tokio::test]
async fn who_comes_while_it_stops_gets_a_new_one() {
    let directory = Directory::new("embedded-again");
    let plan = plan(directory.path());
    for _ in 0..3 {
        // Dropped, not closed: the next one comes while the guard still stops the server.
        let embedded = Embedded::open(&plan).await.unwrap();
        assert_eq!(answers(&embedded).await, Ok(42));
    }
    nobody_is_left(directory.path()).await;
}

#[tokio::test]
async fn a_directory_too_deep_for_a_socket_gets_a_private_one_elsewhere() {
    let directory = Directory::new("embedded-deep");
    let deep = directory.path().join("a-name-that-is-long/".repeat(6));
    let embedded = Embedded::open(&plan(&deep)).await.unwrap();
    assert_eq!(answers(&embedded).await, Ok(42));
    assert!(embedded.psql().contains("-h /tmp/gatekeeper-"), "{}", embedded.psql());
    embedded.close().await;
    nobody_is_left(&deep).await;
}

#[tokio::test]
async fn root_uses_a_directory_that_the_servers_user_can_reach() {
    let directory = Directory::new("embedded-closed");
    std::fs::set_permissions(directory.path(), Permissions::from_mode(0o700)).unwrap();
    let embedded = Embedded::open(&plan(&directory.path().join("data"))).await.unwrap();
    assert_eq!(answers(&embedded).await, Ok(42));
    let used = embedded.data_directory().to_owned();
    embedded.close().await;
    if rustix::process::geteuid().is_root() {
        assert_eq!(used.parent(), Some(Path::new("/var/lib/gatekeeper")));
        std::fs::remove_dir_all(used).unwrap();
    } else {
        assert_eq!(used, directory.path().join("data"));
    }
}
