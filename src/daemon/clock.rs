//! A clock that goes on while the machine is suspended.
//!
//! Others may take over when the database's clock says that a lease has run out. `Instant` stands still during a suspend on
//! Linux: a replica that woke up would think that its lease holds.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

#[cfg(target_os = "linux")]
const CLOCK: ClockId = ClockId::Boottime;
#[cfg(not(target_os = "linux"))]
const CLOCK: ClockId = ClockId::Monotonic;

/// Time since some point in the past, suspends included. Never goes back.
pub(super) fn elapsed() -> Duration {
    let now = clock_gettime(CLOCK);
    let seconds = u64::try_from(now.tv_sec).unwrap_or_default();
    let nanoseconds = u32::try_from(now.tv_nsec).unwrap_or_default();
    Duration::new(seconds, nanoseconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn it_counts_the_time_since_the_boot_of_the_machine() {
        let uptime = crate::config::system_file("/proc/uptime").unwrap();
        let uptime: f64 = uptime.split_whitespace().next().unwrap().parse().unwrap();
        let elapsed = elapsed().as_secs_f64();
        // `/proc/uptime` is of the boot clock, cut to hundredths.
        assert!(elapsed >= uptime - 0.01 && elapsed < uptime + 5.0, "{elapsed} {uptime}");
    }
}
