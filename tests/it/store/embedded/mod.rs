//! The private cluster: made, shared, and gone with its last user, however that one goes.

mod crashes;
mod refusals;
mod sharing;

use std::path::Path;
use std::time::Duration;

use gatekeeper::store::embedded::Embedded;
use rustix::process::Pid;

use crate::support::eventually;

const PATIENCE: Duration = Duration::from_secs(20);

/// Asks the server for its answer to everything.
async fn answers(embedded: &Embedded) -> Result<i32, String> {
    let connected = embedded.connection("gatekeeper").connect(tokio_postgres::NoTls).await;
    let (client, connection) = connected.map_err(|error| error.to_string())?;
    tokio::spawn(connection);
    let row = client
        .query_one("select 42", &[])
        .await
        .map_err(|error| error.to_string())?;
    Ok(row.get(0))
}

/// The processes that work for the cluster in this directory: the guard, the server, the server's children.
fn processes(directory: &Path) -> Vec<(Pid, String)> {
    let directory = directory.canonicalize().unwrap();
    let cluster = directory.join("cluster");
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry
            .file_name()
            .to_str()
            .and_then(|name| Pid::from_raw(name.parse().ok()?))
        else {
            continue;
        };
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        let works_here = std::fs::read_link(entry.path().join("cwd")).is_ok_and(|cwd| cwd == cluster);
        if works_here || line.contains(&*directory.to_string_lossy()) {
            found.push((pid, line));
        }
    }
    found
}

/// The process whose command line has this word in it.
fn process(directory: &Path, word: &str) -> Pid {
    let all = processes(directory);
    match all.iter().find(|(_, line)| line.contains(word)) {
        Some((pid, _)) => *pid,
        None => panic!("no process with {word:?} among {all:?}"),
    }
}

/// Waits until nobody works for that cluster any more.
async fn nobody_is_left(directory: &Path) {
    eventually(
        PATIENCE,
        "no process of the cluster is left",
        async || match processes(directory) {
            left if left.is_empty() => Ok(()),
            left => Err(left),
        },
    )
    .await;
}
