//! What systemd hears of the daemon.

use std::os::unix::net::UnixDatagram;
use std::time::{Duration, Instant};

use gatekeeper::sandbox::Rule;
use rustix::process::Signal;
use serde_json::json;

use super::Daemon;
use crate::flow::world::World;

/// The unit's `WatchdogSec`, for a test: whoever is silent for longer is ended.
const PATIENCE: Duration = Duration::from_secs(4);

/// Listens as systemd does until a message has this line; how long it was silent at the longest.
fn hear(socket: &UnixDatagram, line: &str, at_least: Duration) -> Duration {
    let begun = Instant::now();
    let mut longest = Duration::ZERO;
    loop {
        let asked = Instant::now();
        let mut message = [0; 4096];
        let length = socket.recv(&mut message).expect("a sign of life");
        longest = longest.max(asked.elapsed());
        let text = String::from_utf8_lossy(&message[..length]);
        if text.lines().any(|said| said == line) && begun.elapsed() >= at_least {
            return longest;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_crm_fails_and_all_loops_wait_systemd_hears_that_the_daemon_lives() {
    let world = World::new().await;
    let path = world.directory.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let usec = PATIENCE.as_micros().to_string();
    let environment = [
        ("NOTIFY_SOCKET", path.to_str().unwrap()),
        ("WATCHDOG_USEC", usec.as_str()),
    ];
    let mut daemon = Daemon::start_in(&world, &world.config, &[], &environment);
    let (socket, _) = tokio::task::spawn_blocking(move || {
        let silent = hear(&socket, "READY=1", Duration::ZERO);
        (socket, silent)
    })
    .await
    .unwrap();
    world.lead(json!({"source": "sales", "email": "ann@example.com"})).await;
    world.faults(vec![Rule {
        status: Some(502),
        ..Rule::default()
    }]);
    // Long enough for a breaker that opens, a probe, and the rests between two passes.
    let (socket, silent) = tokio::task::spawn_blocking(move || {
        let silent = hear(&socket, "WATCHDOG=1", Duration::from_secs(13));
        (socket, silent)
    })
    .await
    .unwrap();
    assert!(silent < PATIENCE, "silent for {silent:?}: {}", daemon.log());
    daemon.signal(Signal::TERM);
    tokio::task::spawn_blocking(move || hear(&socket, "STOPPING=1", Duration::ZERO))
        .await
        .unwrap();
    assert_eq!(daemon.end(Duration::from_secs(60)).await, Some(0), "{}", daemon.log());
}
