//! What a daemon may use: looked at all the while it runs, so that each test of the real process is a test of its bounds.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use gatekeeper::config::Config;
use tokio::task::JoinHandle;

/// Resident memory at its highest, in kilobytes. A release build stays below 80 MB with a backlog of 10,000 leads.
const MOST_MEMORY_KB: u64 = 200_000;

/// Sockets beside those to the database: calls on the wire, kept connections to the CRM, metrics, systemd.
const OTHER_SOCKETS: u64 = 24;

/// Looks at a process until it is dropped.
pub(super) struct Bounds {
    seen: Arc<Seen>,
    most_sockets: u64,
    looking: JoinHandle<()>,
}

#[derive(Default)]
struct Seen {
    memory_kb: AtomicU64,
    sockets: AtomicU64,
}

impl Bounds {
    pub(super) fn of(process: u32, config: &Config) -> Bounds {
        let seen = Arc::new(Seen::default());
        let noted = Arc::clone(&seen);
        let looking = tokio::spawn(async move {
            let place = Path::new("/proc").join(process.to_string());
            loop {
                noted.memory_kb.fetch_max(memory_kb(&place), Ordering::Relaxed);
                noted.sockets.fetch_max(sockets(&place), Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
        Bounds {
            seen,
            // The pool, and the connection that listens.
            most_sockets: config.database.pool_size as u64 + 1 + OTHER_SOCKETS,
            looking,
        }
    }

    /// What went beyond its bound.
    pub(super) fn broken(&self) -> Vec<String> {
        let over = |what: &str, seen: &AtomicU64, most: u64| {
            let seen = seen.load(Ordering::Relaxed);
            (seen > most).then(|| format!("{what}: {seen}, and {most} is the most"))
        };
        let memory = over("kilobytes of memory", &self.seen.memory_kb, MOST_MEMORY_KB);
        let sockets = over("sockets", &self.seen.sockets, self.most_sockets);
        memory.into_iter().chain(sockets).collect()
    }
}

impl Drop for Bounds {
    fn drop(&mut self) {
        self.looking.abort();
    }
}

/// `VmHWM` of the process; 0 when it is gone.
fn memory_kb(place: &Path) -> u64 {
    let status = std::fs::read_to_string(place.join("status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}

fn sockets(place: &Path) -> u64 {
    let descriptors = std::fs::read_dir(place.join("fd")).into_iter().flatten().flatten();
    let targets = descriptors.filter_map(|descriptor| std::fs::read_link(descriptor.path()).ok());
    targets
        .filter(|target| target.to_string_lossy().starts_with("socket:"))
        .count() as u64
}

#[tokio::test]
async fn a_process_that_takes_too_much_is_seen() {
    let config = Config::default();
    let bounds = Bounds::of(std::process::id(), &config);
    let held: Vec<std::net::UdpSocket> = (0..=bounds.most_sockets)
        .map(|_| std::net::UdpSocket::bind("127.0.0.1:0").unwrap())
        .collect();
    let memory = vec![1_u8; (MOST_MEMORY_KB as usize + 1_000) * 1_024];
    crate::support::eventually(Duration::from_secs(10), "both are seen", async || {
        match bounds.broken() {
            broken if broken.len() == 2 => Ok(()),
            broken => Err(broken),
        }
    })
    .await;
    drop((held, memory));
}
