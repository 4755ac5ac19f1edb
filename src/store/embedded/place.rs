//! Where the cluster and its socket are: directories that the server's user can reach and nobody else can.

use std::fs::{DirBuilder, Permissions};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::EmbeddedError;
use super::error::At;
use super::owner::Owner;

/// Where root's cluster goes when the server's user cannot reach the place that was asked for.
const FALLBACK: &str = "/var/lib/gatekeeper";

/// A unix socket's path has at most 107 bytes on Linux, and 103 on macOS.
const LONGEST_SOCKET: usize = 103;

/// The files of one cluster. All paths are absolute and free of links.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) data: PathBuf,
}

impl Place {
    /// Makes the data directory (mode 0700, handed to its owner) if it is not there yet.
    pub(super) fn prepare(asked: &Path, owner: Owner) -> Result<Place, EmbeddedError> {
        let asked = std::path::absolute(asked).at("finding it", asked)?;
        let data = match owner {
            Owner::Other { uid, gid } if !reachable(&asked, uid, gid) => {
                let instead = Path::new(FALLBACK).join(short_hash(&asked));
                tracing::warn!(
                    asked = %asked.display(), instead = %instead.display(),
                    "the server's user cannot reach the data directory that was asked for; using another"
                );
                instead
            }
            _ => asked,
        };
        if let Some(parent) = data.parent() {
            DirBuilder::new()
                .recursive(true)
                .mode(0o755)
                .create(parent)
                .at("making it", parent)?;
        }
        make_private(&data, owner)?;
        let data = data.canonicalize().at("finding it", &data)?;
        Ok(Place { data })
    }

    /// The place of a cluster that is there already.
    pub(super) fn known(data: PathBuf) -> Place {
        Place { data }
    }

    pub(super) fn cluster(&self) -> PathBuf {
        self.data.join("cluster")
    }

    pub(super) fn log(&self) -> PathBuf {
        self.data.join("server.log")
    }

    pub(super) fn users_lock(&self) -> PathBuf {
        self.data.join("users.lock")
    }

    pub(super) fn start_lock(&self) -> PathBuf {
        self.data.join("start.lock")
    }

    pub(super) fn guard_lock(&self) -> PathBuf {
        self.data.join("guard.lock")
    }

    /// A private directory for the socket: in the data directory, or below /tmp when that path is too long.
    pub(super) fn socket_directory(&self, owner: Owner) -> Result<PathBuf, EmbeddedError> {
        let beside = self.data.join("socket");
        let file = beside.join(".s.PGSQL.5432.lock");
        let directory = match file.as_os_str().len() <= LONGEST_SOCKET {
            true => beside,
            false => PathBuf::from(format!("/tmp/gatekeeper-{}-{}", owner.uid(), short_hash(&self.data))),
        };
        make_private(&directory, owner)?;
        let is = std::fs::symlink_metadata(&directory).at("looking at it", &directory)?;
        match is.is_dir() && is.uid() == owner.uid() && is.mode() & 0o077 == 0 {
            true => Ok(directory),
            false => Err(EmbeddedError::Socket { path: directory }),
        }
    }
}

fn make_private(directory: &Path, owner: Owner) -> Result<(), EmbeddedError> {
    match DirBuilder::new().mode(0o700).create(directory) {
        Ok(()) => owner.give(directory),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            // An empty directory that somebody made for us, such as systemd's StateDirectory, becomes the owner's.
            let is = std::fs::symlink_metadata(directory).at("looking at it", directory)?;
            let ours = is.uid() == rustix::process::geteuid().as_raw();
            if is.is_dir() && ours && is.mode() & 0o077 != 0 {
                std::fs::set_permissions(directory, Permissions::from_mode(0o700)).at("closing it", directory)?;
            }
            if is.is_dir() && ours {
                owner.give(directory)
            } else {
                Ok(())
            }
        }
        Err(source) => Err(EmbeddedError::Directory {
            operation: "making it",
            path: directory.to_owned(),
            source,
        }),
    }
}

/// Whether a user can enter every directory above this one. What does not exist yet will be made so.
fn reachable(path: &Path, uid: u32, gid: u32) -> bool {
    path.ancestors()
        .skip(1)
        .filter_map(|above| std::fs::metadata(above).ok())
        .filter(|is| is.is_dir())
        .all(|is| {
            let bit = match (is.uid() == uid, is.gid() == gid) {
                (true, _) => 0o100,
                (false, true) => 0o010,
                (false, false) => 0o001,
            };
            is.mode() & bit != 0
        })
}

/// Twelve letters that stand for a path.
fn short_hash(path: &Path) -> String {
    let digest = Sha256::digest(path.as_os_str().as_encoded_bytes());
    data_encoding::HEXLOWER.encode(&digest[..6])
}
