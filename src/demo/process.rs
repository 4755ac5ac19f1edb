//! This program as other processes: the daemon and the commands, exactly as a user would run them.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};
use tokio_util::sync::CancellationToken;

use super::DemoError;
use super::place::Place;
use crate::config::Environment;

/// How long the daemon may drain after SIGTERM: longer than its own bound.
const GRACE: Duration = Duration::from_secs(45);

/// Characters of a failed command's log that are shown.
const TAIL: usize = 2_000;

/// This program, with the demo's settings.
pub(super) struct Gatekeeper {
    program: PathBuf,
    config: PathBuf,
    log: PathBuf,
}

/// A command that runs. Dropped, it is killed.
pub(super) struct Process {
    child: Child,
    command: String,
    log: PathBuf,
}

impl Gatekeeper {
    /// This program.
    pub(super) fn new(place: &Place) -> Result<Gatekeeper, DemoError> {
        let program = std::env::current_exe().map_err(|source| DemoError::Start {
            program: PathBuf::from("gatekeeper"),
            command: String::new(),
            source,
        })?;
        Ok(Gatekeeper {
            program,
            config: place.config(),
            log: place.log(),
        })
    }

    /// How the user's shell calls it with these settings.
    pub(super) fn line(&self) -> String {
        format!("{} --config {}", shown(&self.program), self.config.display())
    }

    /// Starts a command that writes to the log.
    pub(super) fn start(&self, arguments: &[&str]) -> Result<Process, DemoError> {
        let log = self.open_log().map_err(|source| self.not_started(arguments, source))?;
        let error_log = log.try_clone().map_err(|source| self.not_started(arguments, source))?;
        self.spawn(arguments, Stdio::from(log), Stdio::from(error_log))
    }

    /// Runs a command that writes to the log to its end.
    pub(super) async fn run(&self, arguments: &[&str], stop: &CancellationToken) -> Result<(), DemoError> {
        self.start(arguments)?.finish(stop).await
    }

    /// Runs a command that writes where we do to its end.
    pub(super) async fn show(&self, arguments: &[&str], stop: &CancellationToken) -> Result<(), DemoError> {
        self.spawn(arguments, Stdio::inherit(), Stdio::inherit())?
            .finish(stop)
            .await
    }

    fn spawn(&self, arguments: &[&str], output: Stdio, errors: Stdio) -> Result<Process, DemoError> {
        let child = Command::new(&self.program)
            .arg("--config")
            .arg(&self.config)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            // Ctrl-C in the terminal is for the demo, which asks the daemon to end and waits for it.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|source| self.not_started(arguments, source))?;
        Ok(Process {
            child,
            command: arguments.join(" "),
            log: self.log.clone(),
        })
    }

    fn open_log(&self) -> io::Result<File> {
        OpenOptions::new().create(true).append(true).open(&self.log)
    }

    fn not_started(&self, arguments: &[&str], source: io::Error) -> DemoError {
        DemoError::Start {
            program: self.program.clone(),
            command: arguments.join(" "),
            source,
        }
    }
}

impl Process {
    /// Waits for its end; ends it early when `stop` is cancelled.
    pub(super) async fn finish(mut self, stop: &CancellationToken) -> Result<(), DemoError> {
        tokio::select! {
            status = self.child.wait() => self.outcome(status?),
            () = stop.cancelled() => {
                self.end().await?;
                Err(DemoError::Interrupted)
            }
        }
    }

    /// Whether it has ended, and how.
    pub(super) fn ended(&mut self) -> Result<bool, DemoError> {
        match self.child.try_wait()? {
            None => Ok(false),
            Some(status) => self.outcome(status).map(|()| true),
        }
    }

    /// Asks it to end and waits until it has.
    pub(super) async fn end(&mut self) -> Result<(), DemoError> {
        let pid = self.child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        if let Some(pid) = pid {
            // An error means that it has ended already.
            let _ = kill_process(pid, Signal::TERM);
        }
        if tokio::time::timeout(GRACE, self.child.wait()).await.is_err() {
            self.child.kill().await?;
        }
        Ok(())
    }

    fn outcome(&self, status: ExitStatus) -> Result<(), DemoError> {
        if status.success() {
            return Ok(());
        }
        let text = std::fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let from = text.char_indices().rev().nth(TAIL).map_or(0, |(at, _)| at);
        Err(DemoError::Command {
            command: self.command.clone(),
            status,
            log: self.log.clone(),
            tail: text[from..].trim().to_owned(),
        })
    }
}

/// A program as one types it here: by name if the shell finds it, else by path, from the working directory if it is below.
fn shown(program: &Path) -> String {
    let name = program.file_name().unwrap_or(OsStr::new("gatekeeper"));
    let path = Environment::read().path;
    if std::env::split_paths(&path).any(|directory| directory.join(name) == program) {
        return name.display().to_string();
    }
    let here = std::env::current_dir().unwrap_or_default();
    program.strip_prefix(&here).unwrap_or(program).display().to_string()
}
