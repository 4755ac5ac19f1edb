//! Who runs the server. PostgreSQL refuses root, so root hands it to somebody without privileges.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use super::EmbeddedError;
use super::error::At;

/// Users to hand the server to, in this order.
const UNPRIVILEGED: [&str; 2] = ["postgres", "nobody"];

/// Whom the server and its files belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    /// Ourselves: we are not root.
    Us,
    /// This user and group: we are root.
    Other { uid: u32, gid: u32 },
}

impl Owner {
    /// Ourselves, or for root the first unprivileged user there is.
    pub(super) fn choose() -> Result<Owner, EmbeddedError> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Owner::Us);
        }
        let known = |name: &&str| {
            Some(Owner::Other {
                uid: id("-u", name)?,
                gid: id("-g", name)?,
            })
        };
        UNPRIVILEGED.iter().find_map(known).ok_or(EmbeddedError::NoUser)
    }

    pub(super) fn uid(self) -> u32 {
        match self {
            Owner::Us => rustix::process::geteuid().as_raw(),
            Owner::Other { uid, .. } => uid,
        }
    }

    /// Gives a file or directory to the owner.
    pub(super) fn give(self, path: &Path) -> Result<(), EmbeddedError> {
        match self {
            Owner::Us => Ok(()),
            Owner::Other { uid, gid } => {
                std::os::unix::fs::chown(path, Some(uid), Some(gid)).at("handing it to the server's user", path)
            }
        }
    }

    /// Lets a program run as the owner. For root this also drops all supplementary groups.
    pub(super) fn run(self, command: &mut Command) {
        if let Owner::Other { uid, gid } = self {
            command.uid(uid).gid(gid);
        }
    }
}

/// Asks the system's `id`, which knows every directory service that this machine uses.
fn id(which: &str, name: &str) -> Option<u32> {
    let output = Command::new("id").args([which, name]).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}
