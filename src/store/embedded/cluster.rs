//! Makes the cluster. It appears whole or not at all: it is made beside its place and then moved there.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use super::binaries::Binaries;
use super::error::At;
use super::owner::Owner;
use super::place::Place;
use super::{EmbeddedError, Plan, ROLE};

/// Major version of the cluster that is there.
#[expect(clippy::disallowed_methods, reason = "a file of the server")]
pub(super) fn made_by(place: &Place) -> Option<u32> {
    std::fs::read_to_string(place.cluster().join("PG_VERSION"))
        .ok()?
        .trim()
        .parse()
        .ok()
}

/// Runs initdb, makes our database in it, and adds our settings.
///
/// Sorting is by code point (collation C), so indexes never depend on the system's library; letters are known by
/// UTF-8 where the system can, for pg_trgm looks at them.
pub(super) fn make(plan: &Plan, place: &Place, binaries: &Binaries, owner: Owner) -> Result<(), EmbeddedError> {
    let part = place.data.join("cluster.part");
    let mut output = String::new();
    for letters in ["C.UTF-8", "en_US.UTF-8", "C"] {
        if part.exists() {
            std::fs::remove_dir_all(&part).at("removing a half-made cluster", &part)?;
        }
        match initdb(plan, place, binaries, owner, &part, letters)? {
            Ok(()) => {
                create_database(plan, place, binaries, owner, &part)?;
                add_settings(&part)?;
                let cluster = place.cluster();
                return std::fs::rename(&part, &cluster).at("moving the new cluster there", &cluster);
            }
            Err(words) => output = words,
        }
        if !output.contains("locale") {
            break;
        }
    }
    Err(EmbeddedError::Initdb { output })
}

/// A server program as its owner, in a directory that the owner can enter.
pub(super) fn server_command(program: &Path, place: &Place, owner: Owner) -> Command {
    let mut command = Command::new(program);
    command.current_dir(&place.data).stdin(Stdio::null());
    owner.run(&mut command);
    command
}

fn initdb(
    plan: &Plan,
    place: &Place,
    binaries: &Binaries,
    owner: Owner,
    part: &Path,
    letters: &str,
) -> Result<Result<(), String>, EmbeddedError> {
    let program = binaries.directory.join("initdb");
    let mut command = server_command(&program, place, owner);
    clean(&mut command, plan);
    command
        .arg("--pgdata")
        .arg(part)
        .args(["--username", ROLE, "--encoding", "UTF8", "--data-checksums"]);
    command.args([
        "--locale",
        "C",
        "--lc-ctype",
        letters,
        "--auth-local",
        "trust",
        "--auth-host",
        "reject",
    ]);
    if plan
        .server_settings
        .iter()
        .any(|(name, value)| name == "fsync" && value == "off")
    {
        command.arg("--no-sync");
    }
    let output = command
        .output()
        .map_err(|source| EmbeddedError::Program { program, source })?;
    match output.status.success() {
        true => Ok(Ok(())),
        false => Ok(Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())),
    }
}

/// Lets only what the server's programs need through from our environment: it may hold secrets.
pub(super) fn clean(command: &mut Command, plan: &Plan) {
    command
        .env_clear()
        .env("PATH", &plan.environment.path)
        .env("LC_ALL", "C");
    if !plan.environment.library_path.is_empty() {
        command.env("LD_LIBRARY_PATH", &plan.environment.library_path);
    }
}

fn create_database(
    plan: &Plan,
    place: &Place,
    binaries: &Binaries,
    owner: Owner,
    part: &Path,
) -> Result<(), EmbeddedError> {
    let program = binaries.directory.join("postgres");
    let failed = |source| EmbeddedError::Program {
        program: program.clone(),
        source,
    };
    let mut command = server_command(&program, place, owner);
    clean(&mut command, plan);
    command
        .arg("--single")
        .arg("-D")
        .arg(part)
        .args(["-c", "log_min_messages=fatal", "postgres"]);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(include_bytes!("create.sql")).map_err(failed)?;
    }
    let output = child.wait_with_output().map_err(failed)?;
    match output.status.success() {
        true => Ok(()),
        false => Err(EmbeddedError::Initdb {
            output: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        }),
    }
}

fn add_settings(part: &Path) -> Result<(), EmbeddedError> {
    let path = part.join("postgresql.conf");
    let mut file = OpenOptions::new().append(true).open(&path).at("writing it", &path)?;
    file.write_all(include_bytes!("server.conf"))
        .and_then(|()| file.sync_all())
        .at("writing it", &path)
}
