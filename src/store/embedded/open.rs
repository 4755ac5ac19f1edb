//! Joins the cluster and leaves it: the order of the locks is the whole protocol.
//!
//! 1. `users.lock`, shared: from here on no guard stops the server under us. One that is stopping it is waited for.
//! 2. `start.lock`, exclusive: one process at a time looks whether a guard is at work, and starts one if not.
//! 3. Wait until the server accepts connections, then let go of `start.lock`.

#![expect(
    clippy::disallowed_methods,
    reason = "blocking work on a thread of its own: another process is waited for, within a deadline"
)]

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::error::At;
use super::guard::{BUSY, Orders};
use super::owner::Owner;
use super::place::Place;
use super::{Embedded, EmbeddedError, Plan, binaries, cluster, postmaster};

/// How long a start may take. After a crash the server first replays its log, up to `max_wal_size`.
const PATIENCE: Duration = Duration::from_secs(120);

/// How long leaving waits for the server to stop, if nobody else uses it.
const FAREWELL: Duration = Duration::from_secs(40);

/// How long others may hold us up before we believe that they stay.
const OTHERS: Duration = Duration::from_millis(500);

const STEP: Duration = Duration::from_millis(20);

pub(super) fn open(plan: &Plan) -> Result<Embedded, EmbeddedError> {
    let deadline = Instant::now() + PATIENCE;
    let owner = Owner::choose()?;
    let place = Place::prepare(&plan.data_directory, owner)?;

    let users = lock_file(&place.users_lock(), owner)?;
    wait_for(&place, deadline, &place.users_lock(), || users.try_lock_shared())?;

    let start = lock_file(&place.start_lock(), owner)?;
    wait_for(&place, deadline, &place.start_lock(), || start.try_lock())?;

    let mut guard = match is_guarded(&place, owner)? {
        true => None,
        false => Some(start_guard(plan, &place, owner)?),
    };
    let socket_directory = wait_until_ready(&place, guard.as_mut(), deadline)?;
    Ok(Embedded {
        users,
        data_directory: place.data,
        socket_directory,
        guard,
    })
}

pub(super) fn close(embedded: Embedded) {
    let Embedded {
        users,
        data_directory,
        guard,
        ..
    } = embedded;
    let place = Place::known(data_directory);
    drop(users);
    let Some(mut guard) = guard else { return };
    let started = Instant::now();
    while started.elapsed() < FAREWELL {
        if !matches!(guard.try_wait(), Ok(None)) {
            return;
        }
        // The guard takes the exclusive lock at once when it can: if we can still share, so do others.
        let shared = File::open(place.users_lock()).is_ok_and(|file| file.try_lock_shared().is_ok());
        if shared && started.elapsed() > OTHERS {
            return;
        }
        sleep(STEP);
    }
}

/// Opens a lock file, making it if needed. Closed on exec, as all of Rust's files are: no child keeps our locks.
pub(super) fn lock_file(path: &Path, owner: Owner) -> Result<File, EmbeddedError> {
    let made = !path.exists();
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .at("opening the lock file", path)?;
    if made {
        owner.give(path)?;
    }
    Ok(file)
}

fn wait_for(
    place: &Place,
    deadline: Instant,
    path: &Path,
    attempt: impl Fn() -> Result<(), TryLockError>,
) -> Result<(), EmbeddedError> {
    loop {
        match attempt() {
            Ok(()) => return Ok(()),
            Err(TryLockError::Error(source)) => {
                return Err(EmbeddedError::Directory {
                    operation: "locking",
                    path: path.to_owned(),
                    source,
                });
            }
            Err(TryLockError::WouldBlock) if Instant::now() > deadline => return Err(timeout(place)),
            Err(TryLockError::WouldBlock) => sleep(STEP),
        }
    }
}

fn is_guarded(place: &Place, owner: Owner) -> Result<bool, EmbeddedError> {
    let file = lock_file(&place.guard_lock(), owner)?;
    Ok(file.try_lock().is_err())
}

fn start_guard(plan: &Plan, place: &Place, owner: Owner) -> Result<Child, EmbeddedError> {
    let made_by = cluster::made_by(place);
    let binaries = binaries::find(&plan.environment, made_by, &place.data)?;
    if made_by.is_none() {
        tracing::info!(directory = %place.data.display(), version = binaries.major, "making the private cluster");
        cluster::make(plan, place, &binaries, owner)?;
    }
    let orders = Orders {
        data_directory: place.data.clone(),
        socket_directory: place.socket_directory(owner)?,
        binaries: binaries.directory,
        settings: plan.server_settings.clone(),
    };
    let mut command = Command::new(&plan.program);
    cluster::clean(&mut command, plan);
    command
        .arg(super::guard::SUBCOMMAND)
        .args(orders.to_args())
        .current_dir(&place.data)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // Ctrl-C in the terminal is for the daemon, which then drains with the server still there.
        .process_group(0);
    command.spawn().map_err(|source| EmbeddedError::Program {
        program: plan.program.clone(),
        source,
    })
}

fn wait_until_ready(
    place: &Place,
    mut guard: Option<&mut Child>,
    deadline: Instant,
) -> Result<std::path::PathBuf, EmbeddedError> {
    loop {
        if let Some(server) = postmaster::running(&place.cluster()).filter(|server| server.ready) {
            return Ok(server.socket_directory);
        }
        let ended = guard.as_mut().and_then(|guard| guard.try_wait().ok().flatten());
        if ended.is_some_and(|status| status.code() != Some(BUSY.into())) {
            return Err(EmbeddedError::NotStarted {
                log: place.log(),
                tail: tail(&place.log()),
            });
        }
        if Instant::now() > deadline {
            return Err(timeout(place));
        }
        sleep(STEP);
    }
}

fn timeout(place: &Place) -> EmbeddedError {
    EmbeddedError::Timeout {
        directory: place.data.clone(),
        seconds: PATIENCE.as_secs(),
    }
}

/// The last lines of a file.
fn tail(path: &Path) -> String {
    let mut text = Vec::new();
    if let Ok(mut file) = File::open(path) {
        let length = file.metadata().map_or(0, |is| is.len());
        let _ = file.seek(SeekFrom::Start(length.saturating_sub(2000)));
        let _ = file.read_to_end(&mut text);
    }
    let text = String::from_utf8_lossy(&text).into_owned();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(8)..].join("\n")
}
