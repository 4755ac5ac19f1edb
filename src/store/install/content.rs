//! What is installed: the files of `migrations/` and `sql/`, which are part of this binary.

use refinery::Migration;
use sha2::{Digest, Sha256};

use crate::store::StoreError;

/// Made by refinery's macro from the files of `migrations/`.
#[allow(missing_docs, unreachable_pub, clippy::unwrap_used)]
mod embedded {
    refinery::embed_migrations!("migrations");
}

// Made by build.rs from the files of `sql/`: `(name, text)` in the order of their names.
include!(concat!(env!("OUT_DIR"), "/sql_files.rs"));

/// Tables, functions and views to install.
#[derive(Debug, Clone)]
pub struct Content {
    pub(super) extensions: Vec<String>,
    pub(super) migrations: Vec<Migration>,
    pub(super) files: Vec<(String, String)>,
}

impl Content {
    /// What this binary carries.
    pub fn embedded() -> Content {
        Content {
            extensions: vec!["pg_trgm".to_owned(), "fuzzystrmatch".to_owned()],
            migrations: embedded::migrations::runner().get_migrations().clone(),
            files: SQL_FILES
                .iter()
                .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
                .collect(),
        }
    }

    /// Something else, for tests of installing itself. Migrations are named as files are, `V1__first`.
    ///
    /// # Errors
    /// When a migration's name is not of that form.
    pub fn of(extensions: &[&str], migrations: &[(&str, &str)], files: &[(&str, &str)]) -> Result<Content, StoreError> {
        let migrations = migrations
            .iter()
            .map(|(name, text)| Migration::unapplied(name, text))
            .collect::<Result<_, _>>()
            .map_err(|error| StoreError::History {
                reason: error.to_string(),
            })?;
        Ok(Content {
            extensions: extensions.iter().map(|name| (*name).to_owned()).collect(),
            migrations,
            files: files
                .iter()
                .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
                .collect(),
        })
    }

    /// Stands for the functions and views: the same when, and only when, all names and texts are.
    pub fn hash(&self) -> String {
        let mut hasher = Sha256::new();
        for (name, text) in &self.files {
            for part in [name, text] {
                hasher.update((part.len() as u64).to_le_bytes());
                hasher.update(part);
            }
        }
        data_encoding::HEXLOWER.encode(&hasher.finalize())
    }

    /// Stands for all that is installed, tables too.
    pub fn full_hash(&self) -> String {
        let mut hasher = Sha256::new();
        for migration in &self.migrations {
            hasher.update(migration.to_string());
            hasher.update(migration.checksum().to_le_bytes());
        }
        hasher.update(self.hash());
        data_encoding::HEXLOWER.encode(&hasher.finalize())
    }
}
