//! The unit file: understood by systemd, and with no more rights than it needs.

use std::path::Path;
use std::process::{Command, Output};

use crate::support;
use crate::support::Directory;

const UNIT: &str = include_str!("../../../systemd/gatekeeper.service");
const PRIVATE_CLUSTER: &str = include_str!("../../../systemd/private-cluster.conf");

/// Of 10. Network, unix sockets and the host's process list are what remains.
const MOST_EXPOSURE: f64 = 1.5;

#[test]
fn the_unit_gives_up_the_rights_that_it_does_not_need() {
    let exposure = exposure("security", UNIT);
    assert!(
        exposure <= MOST_EXPOSURE,
        "{exposure}; see systemd-analyze security --offline=true systemd/gatekeeper.service"
    );
}

#[test]
fn the_private_cluster_costs_next_to_nothing_of_that() {
    let exposure = exposure("private-cluster", &format!("{UNIT}\n{PRIVATE_CLUSTER}"));
    assert!(exposure <= MOST_EXPOSURE, "{exposure}");
}

#[test]
fn a_unit_with_more_rights_is_seen_as_such() {
    let loose = UNIT
        .replace("NoNewPrivileges=yes", "")
        .replace("CapabilityBoundingSet=\n", "")
        .replace("DynamicUser=yes", "");
    let exposure = exposure("loose", &loose);
    assert!(exposure > MOST_EXPOSURE, "{exposure}");
}

#[test]
fn systemd_understands_every_line_of_the_unit() {
    for (name, unit) in [
        ("unit", UNIT.to_owned()),
        ("unit-private", format!("{UNIT}\n{PRIVATE_CLUSTER}")),
    ] {
        let complaints = complaints(name, &unit);
        assert!(complaints.is_empty(), "{complaints:#?}");
    }
}

#[test]
fn a_line_that_systemd_does_not_understand_is_seen() {
    let typo = complaints("typo", &UNIT.replace("WatchdogSec=", "WatchdogSecs="));
    assert!(typo.iter().any(|line| line.contains("WatchdogSecs")), "{typo:?}");
    let no_number = complaints("no-number", &UNIT.replace("TimeoutStopSec=45", "TimeoutStopSec=soon"));
    assert!(no_number.iter().any(|line| line.contains("soon")), "{no_number:?}");
}

#[test]
fn the_unit_waits_longer_for_the_end_than_the_daemon_takes() {
    let value = |key: &str| UNIT.lines().find_map(|line| line.strip_prefix(key)).unwrap().to_owned();
    let grace = gatekeeper::config::Config::default().daemon.shutdown_grace_seconds;
    assert!(value("TimeoutStopSec=").parse::<u64>().unwrap() > grace);
    assert_eq!(value("RestartPreventExitStatus="), "2 4");
}

/// What `systemd-analyze security` says, 0 to 10.
fn exposure(name: &str, unit: &str) -> f64 {
    let directory = Directory::new(&format!("systemd-{name}"));
    let file = write(&directory, unit);
    let output = systemd_analyze(&["security", "--offline=true", "--no-pager"], &file);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let overall = said.lines().find(|line| line.contains("Overall exposure level"));
    let figure = overall.and_then(|line| line.rsplit_once(": ")?.1.split(' ').next()?.parse().ok());
    figure.unwrap_or_else(|| panic!("{said}{}", String::from_utf8_lossy(&output.stderr)))
}

/// What `systemd-analyze verify` has against the unit.
fn complaints(name: &str, unit: &str) -> Vec<String> {
    let directory = Directory::new(&format!("systemd-verify-{name}"));
    let ours = support::gatekeeper().to_string_lossy();
    let file = write(&directory, &unit.replace("/usr/bin/gatekeeper", &ours));
    let output = systemd_analyze(&["verify", "--man=no"], &file);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    said.lines()
        .filter(|line| line.contains("gatekeeper.service"))
        .map(str::to_owned)
        .collect()
}

fn write(directory: &Directory, unit: &str) -> std::path::PathBuf {
    let file = directory.path().join("gatekeeper.service");
    std::fs::write(&file, unit).unwrap();
    file
}

fn systemd_analyze(arguments: &[&str], unit: &Path) -> Output {
    match Command::new("systemd-analyze").args(arguments).arg(unit).output() {
        Ok(output) => output,
        Err(error) => panic!(
            "systemd-analyze: {error}. `make test` sees to it; by hand: ./scripts/with-tools.sh systemd-analyze -- cargo test systemd. \
             Debian: apt-get install systemd; Fedora: dnf install systemd"
        ),
    }
}
