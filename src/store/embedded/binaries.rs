//! Finds PostgreSQL's server programs.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::EmbeddedError;
use crate::config::Environment;

/// The oldest server that we work with.
const OLDEST: u32 = 14;

/// Where distributions put them: the directory, the start of the name that holds the version, what follows it.
const PLACES: [(&str, &str, &str); 6] = [
    ("/usr/lib/postgresql", "", "bin"),
    ("/usr", "pgsql-", "bin"),
    ("/usr/local", "pgsql", "bin"),
    ("/opt/homebrew/opt", "postgresql", "bin"),
    ("/usr/local/opt", "postgresql", "bin"),
    ("/Applications/Postgres.app/Contents/Versions", "", "bin"),
];

/// A directory with `postgres` and `initdb`.
#[derive(Debug, Clone)]
pub(super) struct Binaries {
    pub(super) directory: PathBuf,
    pub(super) major: u32,
}

/// The programs for a cluster of this major version, or for a new one.
pub(super) fn find(
    environment: &Environment,
    made_by: Option<u32>,
    data_directory: &Path,
) -> Result<Binaries, EmbeddedError> {
    let directories = match &environment.pg_bin {
        Some(directory) => vec![directory.clone()],
        None => candidates(environment),
    };
    let found: Vec<Binaries> = directories.into_iter().filter_map(probe).collect();
    match made_by {
        None => found
            .iter()
            .find(|binaries| binaries.major >= OLDEST)
            .cloned()
            .ok_or_else(|| EmbeddedError::NoServer {
                looked: match (&environment.pg_bin, found.is_empty()) {
                    (_, false) => format!(" (only: {})", majors(&found)),
                    (Some(directory), true) => format!(" in GATEKEEPER_PG_BIN ({})", directory.display()),
                    (None, true) => String::new(),
                },
            }),
        Some(made_by) if found.is_empty() => Err(EmbeddedError::NoServer {
            looked: format!(" (the cluster needs PostgreSQL {made_by})"),
        }),
        Some(made_by) => found
            .iter()
            .find(|binaries| binaries.major == made_by)
            .cloned()
            .ok_or_else(|| EmbeddedError::OtherVersion {
                directory: data_directory.to_owned(),
                made_by,
                found: majors(&found),
            }),
    }
}

fn candidates(environment: &Environment) -> Vec<PathBuf> {
    let mut directories: Vec<PathBuf> = std::env::split_paths(&environment.path).collect();
    directories.splice(0..0, from_pg_config(&directories));
    for (parent, prefix, rest) in PLACES {
        directories.extend(
            versions(Path::new(parent), prefix)
                .into_iter()
                .map(|path| path.join(rest)),
        );
    }
    directories
}

/// What `pg_config` says, where there is one. On Debian it may be there without a server.
fn from_pg_config(path: &[PathBuf]) -> Option<PathBuf> {
    let program = path
        .iter()
        .map(|directory| directory.join("pg_config"))
        .find(|program| program.is_file())?;
    let output = Command::new(program).arg("--bindir").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(PathBuf::from(text.trim()))
}

/// Subdirectories whose names start so, the highest version first.
fn versions(parent: &Path, prefix: &str) -> Vec<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = std::fs::read_dir(parent)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let digits: String = name
                .strip_prefix(prefix)?
                .chars()
                .filter(char::is_ascii_digit)
                .collect();
            Some((digits.parse().unwrap_or(0), entry.path()))
        })
        .collect();
    found.sort_by(|a, b| b.cmp(a));
    found.into_iter().map(|(_, path)| path).collect()
}

fn probe(directory: PathBuf) -> Option<Binaries> {
    // Links such as /usr/local/bin/postgres are followed: the server looks for its files beside its real place.
    let postgres = directory.join("postgres").canonicalize().ok()?;
    let directory = postgres.parent()?.to_owned();
    if !directory.join("initdb").is_file() {
        return None;
    }
    let output = Command::new(&postgres).arg("--version").output().ok()?;
    let major = major(&String::from_utf8_lossy(&output.stdout))?;
    Some(Binaries { directory, major })
}

/// `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)` is 15; `17beta1` is 17.
fn major(version: &str) -> Option<u32> {
    let number = version
        .split_whitespace()
        .find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
    number.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

fn majors(found: &[Binaries]) -> String {
    let mut majors: Vec<u32> = found.iter().map(|binaries| binaries.major).collect();
    majors.dedup();
    majors.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::major;

    #[test]
    fn the_major_version_is_read_from_what_servers_say() {
        let cases = [
            ("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)", Some(15)),
            ("postgres (PostgreSQL) 17beta1", Some(17)),
            ("postgres (PostgreSQL) 14.0", Some(14)),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(major(text), expected, "{text}");
        }
    }
}
