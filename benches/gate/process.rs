//! Child processes: the sandbox and the daemon, each a process of the real binary.

use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::Outcome;

/// The real binary, built for release.
pub(crate) fn gatekeeper() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_gatekeeper"))
}

/// A process of ours. Killed with this value if it has not been stopped before.
pub(crate) struct Process {
    child: Child,
    log: PathBuf,
}

/// What a command took.
pub(crate) struct Ran {
    pub(crate) time: Duration,
    /// Bytes.
    pub(crate) peak_memory: u64,
}

impl Process {
    /// Starts `gatekeeper` with these arguments; what it says goes to a file.
    pub(crate) fn start(arguments: &[&str], log: PathBuf) -> Outcome<Process> {
        let file = File::create(&log)?;
        let child = Command::new(gatekeeper())
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .spawn()?;
        Ok(Process { child, log })
    }

    /// Fails with the last lines of its log when it has ended.
    pub(crate) fn still_runs(&mut self) -> Outcome<()> {
        if let Some(status) = self.child.try_wait()? {
            let log = std::fs::read_to_string(&self.log).unwrap_or_default();
            let lines: Vec<&str> = log.lines().collect();
            let tail = lines[lines.len().saturating_sub(10)..].join("\n");
            return Err(format!("a process ended with {status}:\n{tail}").into());
        }
        Ok(())
    }

    /// The most memory that it ever had, in bytes.
    pub(crate) fn peak_memory(&self) -> Outcome<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes: u64 = line
            .and_then(|line| line.split_whitespace().next())
            .ok_or("no VmHWM")?
            .parse()?;
        Ok(kilobytes * 1024)
    }

    /// Waits for its end, which must be a good one.
    pub(crate) async fn ends(mut self) -> Outcome<Ran> {
        let begun = Instant::now();
        let mut peak_memory = 0;
        loop {
            if let Some(status) = self.child.try_wait()? {
                if status.success() {
                    let time = begun.elapsed();
                    return Ok(Ran { time, peak_memory });
                }
                return Err(format!("{status}: {}", std::fs::read_to_string(&self.log)?).into());
            }
            // Ended in between it has no figures any more.
            peak_memory = self.peak_memory().unwrap_or(0).max(peak_memory);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Asks it to end and waits until it has.
    pub(crate) fn stop(mut self) -> Outcome<()> {
        self.still_runs()?;
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        kill_process(pid.ok_or("no process number")?, Signal::TERM)?;
        let asked = Instant::now();
        while self.child.try_wait()?.is_none() {
            if asked.elapsed() > Duration::from_secs(45) {
                return Err("a process does not end".into());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// A port of the loopback that is free now.
pub(crate) fn free_port() -> Outcome<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
