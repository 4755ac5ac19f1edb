//! What `postmaster.pid` says, and whether it is true.

use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::{Pid, test_kill_process};

/// A server that runs.
#[derive(Debug, Clone)]
pub(super) struct Postmaster {
    pub(super) pid: Pid,
    /// Where its socket is.
    pub(super) socket_directory: PathBuf,
    /// Whether it accepts connections.
    pub(super) ready: bool,
}

/// The server of this cluster, if one runs.
///
/// After a power cut the file is there and its process number belongs to nobody, or to somebody else.
#[expect(clippy::disallowed_methods, reason = "a file of the server")]
pub(super) fn running(cluster: &Path) -> Option<Postmaster> {
    let text = std::fs::read_to_string(cluster.join("postmaster.pid")).ok()?;
    let lines: Vec<&str> = text.lines().collect();
    let pid = Pid::from_raw(lines.first()?.trim().parse().ok()?)?;
    serves(pid, cluster).then(|| Postmaster {
        pid,
        socket_directory: PathBuf::from(lines.get(4).copied().unwrap_or_default()),
        ready: is_ready(&text),
    })
}

/// Whether the last server of this cluster got as far as accepting connections, also if it has crashed since.
#[expect(clippy::disallowed_methods, reason = "a file of the server")]
pub(super) fn was_ready(cluster: &Path) -> bool {
    std::fs::read_to_string(cluster.join("postmaster.pid")).is_ok_and(|text| is_ready(&text))
}

fn is_ready(text: &str) -> bool {
    text.lines().nth(7).is_some_and(|status| status.trim() == "ready")
}

impl Postmaster {
    pub(super) fn is_alive(&self) -> bool {
        test_kill_process(self.pid).is_ok()
    }
}

/// Whether that process was started for this cluster: its command line names the directory.
fn serves(pid: Pid, cluster: &Path) -> bool {
    let number = pid.as_raw_nonzero().get();
    match std::fs::read(format!("/proc/{number}/cmdline")) {
        Ok(line) => line
            .split(|byte| *byte == 0)
            .any(|word| word == cluster.as_os_str().as_encoded_bytes()),
        Err(_) if Path::new("/proc/self").exists() => false,
        Err(_) => Command::new("ps")
            .args(["-o", "command=", "-p", &number.to_string()])
            .output()
            .is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains(&*cluster.to_string_lossy())),
    }
}
