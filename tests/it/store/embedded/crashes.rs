//! Whatever is killed, nothing is left behind and nothing is in the way of the next start.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use gatekeeper::store::embedded::Embedded;
use rustix::process::{Pid, Signal, kill_process};

use super::{PATIENCE, answers, nobody_is_left, process};
use crate::support::{Directory, eventually, plan};

/// Where the process that [`holder`] starts keeps its cluster.
const WHERE: &str = "GATEKEEPER_TEST_HOLDS";

/// A process of its own that opens the cluster and then only waits.
fn holder(directory: &Path) -> Child {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--ignored",
            "--exact",
            "--nocapture",
            "store::embedded::crashes::holds_the_cluster_until_it_is_killed",
        ])
        .env(WHERE, directory)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let ready = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .any(|line| line.unwrap().contains("holding"));
    assert!(ready, "the process has ended before it held the cluster");
    child
}

#[tokio::test]
#[ignore = "a part of the tests below, run by them as a process of its own"]
async fn holds_the_cluster_until_it_is_killed() {
    let Some(directory) = std::env::var_os(WHERE) else {
        return;
    };
    let embedded = Embedded::open(&plan(Path::new(&directory))).await.unwrap();
    println!("holding");
    // Until the test that started us has gone, if it does not kill us.
    tokio::task::spawn_blocking(|| std::io::stdin().lines().count())
        .await
        .unwrap();
    drop(embedded);
}

#[tokio::test]
async fn killing_the_process_that_started_it_leaves_no_server() {
    let directory = Directory::new("embedded-killed");
    let mut child = holder(directory.path());
    process(directory.path(), "postgres -D");
    child.kill().unwrap();
    child.wait().unwrap();
    nobody_is_left(directory.path()).await;
}

#[tokio::test]
async fn killing_the_process_that_started_it_leaves_the_others_their_server() {
    let directory = Directory::new("embedded-survivor");
    let mut child = holder(directory.path());
    let embedded = Embedded::open(&plan(directory.path())).await.unwrap();
    let server = process(directory.path(), "postgres -D");
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(answers(&embedded).await, Ok(42));
    assert_eq!(process(directory.path(), "postgres -D"), server);
    embedded.close().await;
    nobody_is_left(directory.path()).await;
}

#[tokio::test]
async fn the_guard_does_not_go_with_a_signal_sent_to_everybody() {
    let directory = Directory::new("embedded-signals");
    let embedded = Embedded::open(&plan(directory.path())).await.unwrap();
    let guard = process(directory.path(), "embedded-guard");
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        kill_process(guard, signal).unwrap();
    }
    assert_eq!(answers(&embedded).await, Ok(42));
    assert_eq!(process(directory.path(), "embedded-guard"), guard);
    embedded.close().await;
    nobody_is_left(directory.path()).await;
}

/// Gone, or waiting for its parent with all its files closed.
fn is_dead(process: Pid) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", process.as_raw_nonzero())).unwrap_or_default();
    stat.rsplit_once(')')
        .is_none_or(|(_, rest)| rest.trim_start().starts_with('Z'))
}

#[tokio::test]
async fn a_server_whose_guard_was_killed_is_taken_over_and_stopped_at_the_end() {
    let directory = Directory::new("embedded-adopted");
    let first = Embedded::open(&plan(directory.path())).await.unwrap();
    let server = process(directory.path(), "postgres -D");
    let guard = process(directory.path(), "embedded-guard");
    kill_process(guard, Signal::KILL).unwrap();
    // A signal is not the end yet: until then its lock is held.
    eventually(PATIENCE, "the guard is dead", async || match is_dead(guard) {
        true => Ok(()),
        false => Err(guard),
    })
    .await;
    drop(first);

    let second = Embedded::open(&plan(directory.path())).await.unwrap();
    assert_eq!(answers(&second).await, Ok(42));
    assert_eq!(process(directory.path(), "postgres -D"), server);
    second.close().await;
    nobody_is_left(directory.path()).await;
}

#[tokio::test]
async fn a_server_that_crashes_comes_back_while_it_is_in_use() {
    let directory = Directory::new("embedded-crashed");
    let embedded = Embedded::open(&plan(directory.path())).await.unwrap();
    let server = process(directory.path(), "postgres -D");
    kill_process(server, Signal::KILL).unwrap();
    eventually(PATIENCE, "the server is back", async || answers(&embedded).await).await;
    assert_ne!(process(directory.path(), "postgres -D"), server);
    embedded.close().await;
    nobody_is_left(directory.path()).await;
}

#[tokio::test]
async fn what_a_power_cut_left_is_cleared_away() {
    let directory = Directory::new("embedded-power");
    let embedded = Embedded::open(&plan(directory.path())).await.unwrap();
    embedded.close().await;
    nobody_is_left(directory.path()).await;

    // A cluster half made by somebody else's start, and a server that says it runs: as a process that is ours by now.
    std::fs::create_dir(directory.path().join("cluster.part")).unwrap();
    let pid = std::process::id();
    let cluster = directory.path().join("cluster");
    let file = format!(
        "{pid}\n{}\n1700000000\n5432\n/nowhere\n\n  5432001         1\nready   \n",
        cluster.display()
    );
    std::fs::write(cluster.join("postmaster.pid"), file).unwrap();

    let embedded = Embedded::open(&plan(directory.path())).await.unwrap();
    assert_eq!(answers(&embedded).await, Ok(42));
    embedded.close().await;
    nobody_is_left(directory.path()).await;
}
