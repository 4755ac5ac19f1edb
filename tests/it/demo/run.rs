//! The binary as a child process in a directory of its own.

use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

use tempfile::TempDir;

use crate::support::gatekeeper;

/// A demo that was started.
pub(super) struct Demo {
    directory: TempDir,
    child: Option<Child>,
}

impl Demo {
    /// Starts one, with nothing to look at on a terminal.
    pub(super) fn start(name: &str) -> Demo {
        // Not below target/: root's server could not reach that in every checkout, and the socket's path must be short.
        let directory = tempfile::Builder::new()
            .prefix(&format!("gatekeeper-demo-{name}-"))
            .tempdir()
            .unwrap();
        let child = command(directory.path()).spawn().unwrap();
        Demo {
            directory,
            child: Some(child),
        }
    }

    pub(super) fn directory(&self) -> &Path {
        self.directory.path()
    }

    pub(super) fn id(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    /// Waits for the end; what it printed, and what it said beside that.
    pub(super) fn wait(&mut self) -> (ExitStatus, String, String) {
        wait(self.child.take().unwrap())
    }

    /// The processes that work in its directory, by their command lines.
    pub(super) fn processes(&self) -> Vec<String> {
        let ours = self.directory.path().to_str().unwrap();
        let mut found = Vec::new();
        for entry in std::fs::read_dir("/proc").unwrap().flatten() {
            let Ok(line) = std::fs::read(entry.path().join("cmdline")) else {
                continue;
            };
            let line = String::from_utf8_lossy(&line).replace('\0', " ");
            // A process that has ended and was not waited for yet has no command line.
            if line.contains(ours) {
                found.push(line);
            }
        }
        found
    }
}

/// Runs one to its end in this directory.
pub(super) fn in_directory(directory: &Path) -> (ExitStatus, String, String) {
    wait(command(directory).spawn().unwrap())
}

fn command(directory: &Path) -> Command {
    let mut command = Command::new(gatekeeper());
    command
        .args(["demo", "--directory"])
        .arg(directory)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn wait(child: Child) -> (ExitStatus, String, String) {
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status, text(output.stdout), text(output.stderr))
}
