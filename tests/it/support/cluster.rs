//! One private cluster for all tests of this checkout, whichever process they run in.
//!
//! It is an embedded cluster like the daemon's own, shared and guarded in the same way, only without fsync. It is made
//! once, below `target/tmp`, and stops when the last test process has gone.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use gatekeeper::config::Environment;
use gatekeeper::store::embedded::{Embedded, Plan};

/// The real binary.
pub(crate) fn gatekeeper() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_gatekeeper"))
}

/// A plan for an embedded cluster in this directory: quick, and not safe against power cuts.
pub(crate) fn plan(directory: &Path) -> Plan {
    let settings = [
        ("fsync", "off"),
        ("full_page_writes", "off"),
        ("synchronous_commit", "off"),
        ("max_connections", "200"),
        ("autovacuum_naptime", "600"),
        ("log_min_messages", "fatal"),
    ];
    Plan {
        data_directory: directory.to_owned(),
        program: gatekeeper().to_owned(),
        server_settings: settings
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec(),
        environment: Environment::read(),
    }
}

/// The same for a cluster that can go on as a promoted standby does: it answers only when it is promoted.
pub(crate) fn plan_of_a_standby(directory: &Path) -> Plan {
    let mut plan = plan(directory);
    for (name, value) in [("restore_command", "false"), ("hot_standby", "off")] {
        plan.server_settings.push((name.to_owned(), value.to_owned()));
    }
    plan
}

/// Writes a file of a cluster as the user that runs the server.
pub(crate) fn write_in_cluster(cluster: &Path, name: &str, text: &str) {
    let path = cluster.join(name);
    std::fs::write(&path, text).unwrap();
    let owner = std::fs::metadata(cluster).unwrap();
    std::os::unix::fs::chown(&path, Some(owner.uid()), Some(owner.gid())).unwrap();
}

/// The cluster of this test run.
pub(crate) fn cluster() -> &'static Embedded {
    static CLUSTER: LazyLock<Embedded> = LazyLock::new(|| {
        // Tests have runtimes of their own, which end with them. The cluster belongs to none of these.
        let open = || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(Embedded::open(&plan(&directory())))
        };
        match std::thread::spawn(open).join().expect("no panic") {
            Ok(cluster) => cluster,
            Err(error) => panic!("{}", gatekeeper::fault::chain(&error)),
        }
    });
    &CLUSTER
}

fn directory() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("postgres")
}
