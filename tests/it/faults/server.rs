//! A database server of its own: its processes die, or it dies for good, and a standby goes on without its last commits.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use gatekeeper::store::embedded::{Embedded, Plan};
use rustix::process::{Pid, Signal, kill_process};
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, NoTls};

use crate::support::{Directory, TestDb, eventually, plan_of_a_standby, write_in_cluster};

/// How long a server may take to die, or to come back.
const PATIENCE: Duration = Duration::from_secs(30);

/// The database of the harness in it.
const DATABASE: &str = "gatekeeper";

/// A cluster of its own, and the copy of it that takes its place.
pub(super) struct Cluster {
    plan: Plan,
    server: Option<Embedded>,
    // Last: it is removed when the server has stopped.
    directory: Directory,
}

impl Cluster {
    pub(super) async fn start(name: &str) -> Cluster {
        Cluster::with(name, &[]).await
    }

    /// With settings of its own.
    pub(super) async fn with(name: &str, settings: &[(&str, &str)]) -> Cluster {
        let directory = Directory::new(name);
        let mut plan = plan_of_a_standby(&directory.path().join("data"));
        // What is committed is there after a crash.
        let safe = ("synchronous_commit".to_owned(), "on".to_owned());
        plan.server_settings.push(safe);
        let settings = settings
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        plan.server_settings.extend(settings);
        let server = Embedded::open(&plan).await.unwrap();
        Cluster {
            plan,
            server: Some(server),
            directory,
        }
    }

    /// Its database, with everything installed.
    pub(super) async fn database(&self) -> TestDb {
        let db = TestDb::elsewhere(self.server().url(DATABASE)).await;
        db.store().install().await.unwrap();
        db
    }

    fn server(&self) -> &Embedded {
        self.server.as_ref().unwrap()
    }

    async fn client(&self) -> Result<Client, tokio_postgres::Error> {
        let (client, connection) = self.server().connection(DATABASE).connect(NoTls).await?;
        tokio::spawn(connection);
        Ok(client)
    }

    fn part(&self, name: &str) -> PathBuf {
        self.directory.path().join("data").join(name)
    }

    /// Takes every connection that there is; they are free again when it is dropped.
    pub(super) async fn crowd(&self) -> Vec<Client> {
        let mut crowd = Vec::new();
        loop {
            match self.client().await {
                Ok(client) => crowd.push(client),
                Err(error) if error.code() == Some(&SqlState::TOO_MANY_CONNECTIONS) => return crowd,
                Err(error) => panic!("the server refuses for another reason: {error}"),
            }
        }
    }

    /// Waits until connections are to be had again: the server notices with a delay that others are gone.
    pub(super) async fn has_room(&self) {
        eventually(PATIENCE, "there is room", async || self.client().await.map(drop)).await;
    }

    /// Kills one of the processes that serve the daemon, whereupon the server ends all others and recovers from its log, as
    /// after `pg_ctl stop -m immediate`. False: none was there to be killed.
    pub(super) async fn crash(&self, process: i64) -> bool {
        let witness = self.client().await.unwrap();
        let process = i32::try_from(process).ok().and_then(Pid::from_raw);
        let killed = process.is_some_and(|process| kill_process(process, Signal::KILL).is_ok());
        if killed {
            eventually(
                PATIENCE,
                "the server has ended all connections",
                async || match witness.is_closed() {
                    true => Ok(()),
                    false => Err(process),
                },
            )
            .await;
        }
        killed
    }

    /// Its database, as soon as it takes connections again.
    pub(super) async fn after_recovery(&self) -> TestDb {
        eventually(PATIENCE, "the server has recovered", async || {
            self.client().await?.batch_execute("select").await
        })
        .await;
        TestDb::elsewhere(self.server().url(DATABASE)).await
    }

    /// Makes the standby: what has been committed by now, and nothing that comes later.
    pub(super) async fn make_standby(&self) {
        let client = self.client().await.unwrap();
        let version = client
            .query_one("select current_setting('server_version_num')::int", &[])
            .await;
        let (begin, end) = match version.unwrap().get::<_, i32>(0) {
            ..150_000 => (
                "select pg_start_backup('standby', true, false)",
                "select labelfile from pg_stop_backup(false)",
            ),
            _ => (
                "select pg_backup_start('standby', true)",
                "select labelfile from pg_backup_stop(false)",
            ),
        };
        client.query(begin, &[]).await.unwrap();
        copy(&self.part("cluster"), &self.part("standby"));
        let label: String = client.query_one(end, &[]).await.unwrap().get(0);
        // The log up to here. What of it is torn is not there for the standby.
        copy(&self.part("cluster/pg_wal"), &self.part("standby/pg_wal"));
        for name in ["postmaster.pid", "postmaster.opts"] {
            let _ = std::fs::remove_file(self.part("standby").join(name));
        }
        for (name, text) in [("backup_label", label.as_str()), ("recovery.signal", "")] {
            write_in_cluster(&self.part("standby"), name, text);
        }
    }

    /// The server dies, and the standby takes its place and its address. Its database, as it is then.
    pub(super) async fn fail_over(&mut self) -> TestDb {
        let noted = std::fs::read_to_string(self.part("cluster/postmaster.pid")).unwrap();
        let pid = noted
            .lines()
            .next()
            .and_then(|line| line.parse().ok())
            .and_then(Pid::from_raw)
            .unwrap();
        kill_process(pid, Signal::KILL).unwrap();
        eventually(
            PATIENCE,
            "it is dead",
            async || match rustix::process::test_kill_process(pid) {
                Err(_) => Ok(()),
                Ok(()) => Err(pid),
            },
        )
        .await;
        self.server.take().unwrap().close().await;
        std::fs::rename(self.part("cluster"), self.part("lost")).unwrap();
        std::fs::rename(self.part("standby"), self.part("cluster")).unwrap();
        let server = Embedded::open(&self.plan).await.unwrap();
        self.server = Some(server);
        TestDb::elsewhere(self.server().url(DATABASE)).await
    }

    pub(super) async fn stop(mut self) {
        self.server.take().unwrap().close().await;
    }
}

/// Files come and go while they are copied: the log makes good for them.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    let done = Command::new("cp")
        .arg("-a")
        .arg(from.join("."))
        .arg(to)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    let wrong = said.lines().find(|line| !line.contains("No such file or directory"));
    assert!(wrong.is_none(), "{said}");
}
