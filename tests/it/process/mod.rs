//! The real binary as a process: exit codes, signals, crashes, and what it says.

mod bounds;
mod crashes;
mod pages;
mod privacy;
mod stops;
mod watchdog;

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use bounds::Bounds;
use gatekeeper::config::Config;
use pages::Pages;
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};

use crate::flow::world::World;
use crate::support;

/// What a process said, and how it ended.
#[derive(Debug, Clone)]
pub(crate) struct Done {
    /// Exit code; absent when a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// A daemon that runs. Killed when this is dropped.
pub(crate) struct Daemon {
    child: Child,
    log: PathBuf,
    bounds: Bounds,
    _pages: Pages,
}

/// Runs a command of the binary to its end, on a world.
pub(crate) async fn gatekeeper(world: &World, words: &[&str]) -> Done {
    let settings = settings_file(world, &world.config, "settings.toml");
    command(&settings, words).await
}

/// Runs a command of the binary to its end, with a settings file.
pub(crate) async fn command(settings: &std::path::Path, words: &[&str]) -> Done {
    let output = Command::new(support::gatekeeper())
        .arg("--config")
        .arg(settings)
        .args(words)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(Duration::from_secs(120), output).await;
    let output = output.unwrap_or_else(|_| panic!("{words:?} does not end")).unwrap();
    Done {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Writes settings where a process can read them.
pub(crate) fn settings_file(world: &World, config: &Config, name: &str) -> PathBuf {
    let path = world.directory.path().join(name);
    std::fs::write(&path, toml::to_string(config).unwrap()).unwrap();
    path
}

impl Daemon {
    /// `gatekeeper run` and more words, with the world's settings.
    pub(crate) fn start(world: &World, words: &[&str]) -> Daemon {
        Daemon::start_with(world, &world.config, words)
    }

    /// The same with other settings.
    pub(crate) fn start_with(world: &World, config: &Config, words: &[&str]) -> Daemon {
        Daemon::start_to_fail(world, config, words, "")
    }

    /// The same, and it dies or freezes at a fail point: `POINT:NTH:SIGNAL`, as `src/failpoint.rs` says.
    pub(crate) fn start_to_fail(world: &World, config: &Config, words: &[&str], failpoint: &str) -> Daemon {
        Daemon::start_in(world, config, words, &[("GATEKEEPER_FAILPOINT", failpoint)])
    }

    /// The same in this environment. Its metrics are looked at all the while, unless `config` says where it serves them.
    pub(crate) fn start_in(world: &World, config: &Config, words: &[&str], environment: &[(&str, &str)]) -> Daemon {
        Daemon::spawn(world, config, &[&["run"], words].concat(), environment)
    }

    /// Another command, which dies or freezes at a fail point.
    pub(crate) fn command_to_fail(world: &World, config: &Config, words: &[&str], failpoint: &str) -> Daemon {
        Daemon::spawn(world, config, words, &[("GATEKEEPER_FAILPOINT", failpoint)])
    }

    fn spawn(world: &World, config: &Config, words: &[&str], environment: &[(&str, &str)]) -> Daemon {
        static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let number = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let mut config = config.clone();
        let metrics = pages::address(number);
        if config.daemon.metrics_listen.is_empty() {
            config.daemon.metrics_listen = metrics.to_string();
        }
        let settings = settings_file(world, &config, &format!("daemon-{number}.toml"));
        let page = world.directory.path().join(format!("daemon-{number}.metrics.log"));
        let log = world.directory.path().join(format!("daemon-{number}.log"));
        let child = Command::new(support::gatekeeper())
            .arg("--config")
            .arg(settings)
            .args(words)
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(&log).unwrap())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let bounds = Bounds::of(child.id().unwrap(), &config);
        Daemon {
            child,
            log,
            bounds,
            _pages: Pages::of(metrics, page),
        }
    }

    /// All that it has said so far.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id().unwrap()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// Whether a signal has frozen it: then the kernel says `T`.
    #[cfg(feature = "failpoints")]
    pub(crate) fn is_frozen(&self) -> bool {
        let of_process = |id| std::fs::read_to_string(format!("/proc/{id}/stat")).ok();
        let stat = self.child.id().and_then(of_process).unwrap_or_default();
        stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('T'))
    }

    /// Waits for its end; the exit code, absent when a signal ended it.
    pub(crate) async fn end(&mut self, patience: Duration) -> Option<i32> {
        match tokio::time::timeout(patience, self.child.wait()).await {
            Ok(status) => {
                let broken = self.bounds.broken();
                assert!(broken.is_empty(), "{broken:?}; it said:\n{}", self.log());
                status.unwrap().code()
            }
            Err(_) => panic!("after {patience:?} the daemon still runs; it said:\n{}", self.log()),
        }
    }
}
