//! The guard: a process that keeps the server exactly as long as somebody uses it.
//!
//! It outlives the daemon by the time a shutdown takes, which is why it is a process and not a task.

#![expect(
    clippy::disallowed_methods,
    reason = "a process of its own without other tasks: it waits for the server"
)]

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io;
use std::path::PathBuf;
use std::process::{ExitCode, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{sleep, timeout};

use super::owner::Owner;
use super::place::Place;
use super::postmaster::{self, Postmaster};
use super::{cluster, open};

/// The hidden subcommand that [`main`] stands behind.
pub const SUBCOMMAND: &str = "embedded-guard";

/// Exit status: another guard is at work.
pub(super) const BUSY: u8 = 3;

/// Exit status: the server cannot be started.
const FAILED: u8 = 1;

/// A log longer than this is put aside at the next start.
const LONGEST_LOG: u64 = 16 * 1024 * 1024;

/// How long a server has for a fast shutdown (its last checkpoint), then for an immediate one.
const FAST: Duration = Duration::from_secs(25);
const IMMEDIATE: Duration = Duration::from_secs(5);

/// What to start and where.
#[derive(Debug, Default)]
pub(super) struct Orders {
    pub(super) data_directory: PathBuf,
    pub(super) socket_directory: PathBuf,
    pub(super) binaries: PathBuf,
    pub(super) settings: Vec<(String, String)>,
}

/// The whole subcommand: takes what follows its name on the command line, ends when nobody uses the server any more.
pub fn main(args: impl Iterator<Item = OsString>) -> ExitCode {
    let Some(orders) = Orders::from_args(args) else {
        eprintln!("{SUBCOMMAND} is started by gatekeeper itself");
        return ExitCode::from(2);
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(_) => return ExitCode::from(FAILED),
    };
    let status = runtime.block_on(guard(&orders)).unwrap_or(FAILED);
    runtime.shutdown_background();
    ExitCode::from(status)
}

async fn guard(orders: &Orders) -> io::Result<u8> {
    let owner = Owner::choose().map_err(io::Error::other)?;
    let place = Place::known(orders.data_directory.clone());
    let mine = open::lock_file(&place.guard_lock(), owner).map_err(io::Error::other)?;
    if mine.try_lock().is_err() {
        return Ok(BUSY);
    }
    // systemd and a machine that goes down signal everybody at once. The users decide, not the signal.
    let _received = (
        signal(SignalKind::terminate())?,
        signal(SignalKind::interrupt())?,
        signal(SignalKind::hangup())?,
    );

    let users = open::lock_file(&place.users_lock(), owner).map_err(io::Error::other)?;
    let mut alone = tokio::task::spawn_blocking(move || users.lock().map(|()| users));

    let mut server = Server::start(orders, &place, owner)?;
    let mut was_ready = false;
    loop {
        tokio::select! {
            users = &mut alone => {
                server.stop().await;
                // Elsewhere means below /tmp. It is empty by now, or somebody else's, and then it stays.
                if !orders.socket_directory.starts_with(&orders.data_directory) {
                    let _ = std::fs::remove_dir(&orders.socket_directory);
                }
                // Held until here: whoever comes now waits for the end and then starts afresh.
                drop(users);
                return Ok(0);
            }
            () = server.ended() => {
                // The file was removed before the start: what it says, this server said.
                was_ready |= postmaster::was_ready(&place.cluster());
                if !was_ready {
                    return Ok(FAILED);
                }
                // It crashed, or somebody stopped it, while it is in use.
                sleep(Duration::from_secs(1)).await;
                server = Server::start(orders, &place, owner)?;
            }
            () = sleep(Duration::from_millis(50)), if !was_ready => {
                was_ready = postmaster::running(&place.cluster()).is_some_and(|server| server.ready);
            }
        }
    }
}

enum Server {
    /// Started by us.
    Child(Child),
    /// Left over by a guard that was killed, and in use: we take it over.
    Adopted(Postmaster),
}

impl Server {
    fn start(orders: &Orders, place: &Place, owner: Owner) -> io::Result<Server> {
        if let Some(server) = postmaster::running(&place.cluster()) {
            return Ok(Server::Adopted(server));
        }
        // Nobody serves this cluster, so the file is left over. The server itself would be taken in by any process
        // that has its number by now, which in a container is likely.
        let _ = std::fs::remove_file(place.cluster().join("postmaster.pid"));

        let log = open_log(place)?;
        owner.give(&place.log()).map_err(io::Error::other)?;
        let mut command = cluster::server_command(&orders.binaries.join("postgres"), place, owner);
        command.arg("-D").arg(place.cluster());
        let socket = orders.socket_directory.to_string_lossy().into_owned();
        let fixed = [
            ("unix_socket_directories", socket.as_str()),
            ("listen_addresses", ""),
            ("port", "5432"),
        ];
        for (name, value) in fixed
            .into_iter()
            .chain(orders.settings.iter().map(|(n, v)| (n.as_str(), v.as_str())))
        {
            command.arg("-c").arg(format!("{name}={value}"));
        }
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        Ok(Server::Child(Command::from(command).spawn()?))
    }

    async fn ended(&mut self) {
        match self {
            Server::Child(child) => {
                let _ = child.wait().await;
            }
            Server::Adopted(server) => {
                while server.is_alive() {
                    sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    /// Fast, then immediate, then by force. None of them loses a committed transaction.
    async fn stop(&mut self) {
        for (with, patience) in [
            (Signal::INT, FAST),
            (Signal::QUIT, IMMEDIATE),
            (Signal::KILL, IMMEDIATE),
        ] {
            if let Some(pid) = self.pid() {
                let _ = kill_process(pid, with);
            }
            if timeout(patience, self.ended()).await.is_ok() {
                return;
            }
        }
    }

    fn pid(&self) -> Option<Pid> {
        match self {
            Server::Child(child) => Pid::from_raw(i32::try_from(child.id()?).ok()?),
            Server::Adopted(server) => Some(server.pid),
        }
    }
}

fn open_log(place: &Place) -> io::Result<File> {
    let path = place.log();
    if std::fs::metadata(&path).is_ok_and(|is| is.len() > LONGEST_LOG) {
        std::fs::rename(&path, path.with_extension("log.old"))?;
    }
    OpenOptions::new().create(true).append(true).open(path)
}

impl Orders {
    pub(super) fn to_args(&self) -> Vec<OsString> {
        let mut args: Vec<OsString> = vec![
            "--data".into(),
            self.data_directory.clone().into(),
            "--socket".into(),
            self.socket_directory.clone().into(),
            "--binaries".into(),
            self.binaries.clone().into(),
        ];
        for (name, value) in &self.settings {
            args.extend(["--set".into(), format!("{name}={value}").into()]);
        }
        args
    }

    fn from_args(mut args: impl Iterator<Item = OsString>) -> Option<Orders> {
        let mut orders = Orders::default();
        while let Some(name) = args.next() {
            let value = args.next()?;
            match name.to_str()? {
                "--data" => orders.data_directory = value.into(),
                "--socket" => orders.socket_directory = value.into(),
                "--binaries" => orders.binaries = value.into(),
                "--set" => {
                    let (name, value) = value.to_str()?.split_once('=')?;
                    orders.settings.push((name.to_owned(), value.to_owned()));
                }
                _ => return None,
            }
        }
        (orders.data_directory.is_absolute() && orders.binaries.is_absolute()).then_some(orders)
    }
}
