//! The environment variables that matter, read once.

use std::ffi::OsString;
use std::path::PathBuf;

/// What the process's environment says. Secrets named by `env:` are read when they are asked for, not here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Environment {
    /// `GATEKEEPER_PG_BIN`: where PostgreSQL's server programs are, against every other place.
    pub pg_bin: Option<PathBuf>,
    /// `PATH`: where else to look for them.
    pub path: OsString,
    /// `LD_LIBRARY_PATH`: where those programs find their libraries when they are not installed system-wide.
    pub library_path: OsString,
    /// `CREDENTIALS_DIRECTORY`: where systemd puts credentials.
    pub credentials_directory: Option<PathBuf>,
    /// `XDG_CACHE_HOME`, or `.cache` in `HOME`: where this user's programs keep what they can make again.
    pub cache_directory: Option<PathBuf>,
}

impl Environment {
    /// The environment of this process. An empty variable counts as absent.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
    pub fn read() -> Self {
        let directory = |name| {
            std::env::var_os(name)
                .filter(|text| !text.is_empty())
                .map(PathBuf::from)
        };
        Self {
            pg_bin: directory("GATEKEEPER_PG_BIN"),
            path: std::env::var_os("PATH").unwrap_or_default(),
            library_path: std::env::var_os("LD_LIBRARY_PATH").unwrap_or_default(),
            credentials_directory: directory("CREDENTIALS_DIRECTORY"),
            cache_directory: directory("XDG_CACHE_HOME")
                .or_else(|| Some(directory("HOME")?.join(".cache")))
                .filter(|path| path.is_absolute()),
        }
    }
}

/// A file that the kernel keeps (`/proc/…`); absent where there is none.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads what the system says of itself"
)]
pub fn system_file(path: &str) -> Option<String> {
    std::fs::read_to_string(path).ok()
}
