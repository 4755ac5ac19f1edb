//! The demo's directory: its own, emptied at each start, one demo in it at a time.
//!
//! ```text
//! directory/
//!   .gatekeeper-demo   says that it is ours to empty; locked while a demo runs
//!   config.toml        the settings that every command of the demo uses
//!   crm-token          the sandbox's token
//!   crm-journal.jsonl  every request that the sandbox got, and every effect
//!   daemon.log         what the daemon and the other commands said
//!   database/          the private cluster
//! ```

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::DemoError;
use crate::config::Environment;

const MARK: &str = ".gatekeeper-demo";

/// Where root's demo is: a place of the system that the server's user can enter, unlike root's home.
const OF_ROOT: &str = "/var/cache/gatekeeper/demo";

/// How long a server that is just stopping may take.
const PATIENCE: Duration = Duration::from_secs(40);

const STEP: Duration = Duration::from_millis(50);

/// The directory, ours while this value lives.
pub(super) struct Place {
    directory: PathBuf,
    token: String,
    /// Holds the lock.
    _mark: File,
}

impl Place {
    /// Makes the directory, or empties the one of the last demo.
    pub(super) async fn prepare(asked: Option<&Path>, stop: &CancellationToken) -> Result<Place, DemoError> {
        let root = rustix::process::geteuid().is_root();
        let directory = asked.map_or_else(|| usual(root), Path::to_owned);
        let directory = std::path::absolute(&directory).map_err(failed("finding", &directory))?;
        DirBuilder::new()
            .recursive(true)
            .mode(0o755)
            .create(&directory)
            .map_err(failed("making", &directory))?;
        let directory = directory.canonicalize().map_err(failed("finding", &directory))?;
        let mark = take(&directory)?;
        // The server's user passes through to database/, which is closed to everybody else.
        let mode = if root { 0o711 } else { 0o700 };
        std::fs::set_permissions(&directory, Permissions::from_mode(mode)).map_err(failed("closing", &directory))?;
        if root {
            enterable(&directory)?;
        }
        empty(&directory, stop).await?;
        let place = Place {
            directory,
            token: format!("demo-{}", uuid::Uuid::new_v4().simple()),
            _mark: mark,
        };
        place.write("crm-token", &place.token)?;
        Ok(place)
    }

    /// The sandbox's token.
    pub(super) fn token(&self) -> &str {
        &self.token
    }

    /// Where the token is written.
    pub(super) fn token_file(&self) -> PathBuf {
        self.directory.join("crm-token")
    }

    /// The settings file.
    pub(super) fn config(&self) -> PathBuf {
        self.directory.join("config.toml")
    }

    /// The sandbox's journal.
    pub(super) fn journal(&self) -> PathBuf {
        self.directory.join("crm-journal.jsonl")
    }

    /// What the daemon and the other commands say.
    pub(super) fn log(&self) -> PathBuf {
        self.directory.join("daemon.log")
    }

    /// The private cluster.
    pub(super) fn database(&self) -> PathBuf {
        self.directory.join("database")
    }

    /// Writes a file that only this user can read.
    pub(super) fn write(&self, name: &str, text: &str) -> Result<PathBuf, DemoError> {
        let path = self.directory.join(name);
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&path)
            .map_err(failed("writing", &path))?;
        io::Write::write_all(&mut file, text.as_bytes()).map_err(failed("writing", &path))?;
        Ok(path)
    }
}

/// Where the demo is when nobody says.
fn usual(root: bool) -> PathBuf {
    if root {
        return PathBuf::from(OF_ROOT);
    }
    match Environment::read().cache_directory {
        Some(cache) => cache.join("gatekeeper/demo"),
        None => std::env::temp_dir().join(format!("gatekeeper-demo-{}", rustix::process::geteuid().as_raw())),
    }
}

/// Makes sure that the directory is ours, and nobody else is at work in it.
fn take(directory: &Path) -> Result<File, DemoError> {
    let is = std::fs::metadata(directory).map_err(failed("looking at", directory))?;
    if is.uid() != rustix::process::geteuid().as_raw() {
        return Err(DemoError::Foreign {
            path: directory.to_owned(),
        });
    }
    let mark = directory.join(MARK);
    let mut entries = std::fs::read_dir(directory).map_err(failed("reading", directory))?;
    if !mark.exists() && entries.next().is_some() {
        return Err(DemoError::NotOurs {
            path: directory.to_owned(),
        });
    }
    let file = OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(false)
        .mode(0o600)
        .open(&mark)
        .map_err(failed("writing", &mark))?;
    if file.try_lock().is_err() {
        return Err(DemoError::Busy {
            path: directory.to_owned(),
        });
    }
    Ok(file)
}

/// Removes what the last demo left, once nobody uses its database any more.
async fn empty(directory: &Path, stop: &CancellationToken) -> Result<(), DemoError> {
    // Every user of the cluster shares this lock, and its guard holds it while the server stops.
    let users = directory.join("database/users.lock");
    if let Ok(users) = File::open(&users) {
        let begun = Instant::now();
        while users.try_lock().is_err() {
            if begun.elapsed() > PATIENCE {
                return Err(DemoError::Busy {
                    path: directory.to_owned(),
                });
            }
            if timeout(STEP, stop.cancelled()).await.is_ok() {
                return Err(DemoError::Interrupted);
            }
        }
    }
    for entry in std::fs::read_dir(directory).map_err(failed("reading", directory))? {
        let entry = entry.map_err(failed("reading", directory))?;
        let path = entry.path();
        if entry.file_name() == MARK {
            continue;
        }
        let is_directory = entry.file_type().is_ok_and(|is| is.is_dir());
        let removed = match is_directory {
            true => std::fs::remove_dir_all(&path),
            false => std::fs::remove_file(&path),
        };
        removed.map_err(failed("emptying", &path))?;
    }
    Ok(())
}

/// For root: whether everybody may enter, down to the directory itself.
fn enterable(directory: &Path) -> Result<(), DemoError> {
    for path in directory.ancestors() {
        let is = std::fs::metadata(path).map_err(failed("looking at", path))?;
        if is.mode() & 0o001 == 0 {
            return Err(DemoError::Unreachable { path: path.to_owned() });
        }
    }
    Ok(())
}

fn failed(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> DemoError {
    let path = path.to_owned();
    move |source| DemoError::Directory {
        operation,
        path,
        source,
    }
}
