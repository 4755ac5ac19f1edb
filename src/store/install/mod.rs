//! Brings a database to the state of this binary: tables by migrations, functions and views as a whole.
//!
//! All of it happens on one connection outside the pool, under one advisory lock, so any number of daemons may start at
//! once on an empty database: the first installs, the others find it done.

mod content;

pub use content::Content;

use std::error::Error;

use refinery::error::Kind;
use refinery::{Migration, Runner};
use tokio_postgres::Client;
use tokio_postgres::error::{ErrorPosition, SqlState};

use super::connect::Target;
use super::{ServerError, StoreError};

/// The advisory lock of an install, in each database by itself: "gatekeep" in ASCII.
const LOCK: i64 = 0x6761_7465_6b65_6570;

/// Where refinery keeps which migrations were applied. In public, for the other schemas are made by the first migration.
const HISTORY: &str = "public.gatekeeper_migration";

/// What an install did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    /// Migrations applied now, in their order, such as `V3__crm`.
    pub migrations: Vec<String>,
    /// Files of functions and views installed now; empty when they were there already.
    pub files: Vec<String>,
}

impl Installed {
    /// Whether the database was as it should be.
    pub fn is_nothing(&self) -> bool {
        self.migrations.is_empty() && self.files.is_empty()
    }
}

pub(super) async fn install(target: &Target, content: &Content) -> Result<Installed, StoreError> {
    let mut client = target.connect().await?;
    client
        .query(include_str!("../statements/install_session.sql"), &[])
        .await?;
    client
        .query(include_str!("../statements/install_lock.sql"), &[&LOCK])
        .await?;
    // The lock goes with the connection: at the end of this function, or of this process.
    if is_there(&client, content).await {
        return Ok(Installed {
            migrations: Vec::new(),
            files: Vec::new(),
        });
    }
    for extension in &content.extensions {
        look_for(&client, extension).await?;
    }
    let migrations = migrate(&mut client, &content.migrations).await?;
    let files = install_files(&mut client, content, !migrations.is_empty()).await?;
    Ok(Installed { migrations, files })
}

/// Whether all of it is there, by reading alone: a daemon that owns nothing may not even ask for tables to be made that
/// exist. What cannot be read is not there, and what is wrong with it is said by who installs.
async fn is_there(client: &Client, content: &Content) -> bool {
    let Ok(row) = client.query_one(include_str!("../statements/applied.sql"), &[]).await else {
        return false;
    };
    let (hash, versions, checksums): (Option<String>, Vec<i64>, Vec<String>) = (row.get(0), row.get(1), row.get(2));
    let mut ours: Vec<(i64, String)> = content
        .migrations
        .iter()
        .map(|migration| (i64::from(migration.version()), migration.checksum().to_string()))
        .collect();
    ours.sort();
    hash == Some(content.hash()) && versions.into_iter().zip(checksums).eq(ours)
}

async fn look_for(client: &Client, name: &str) -> Result<(), StoreError> {
    let row = client
        .query_one(include_str!("../statements/extension.sql"), &[&name])
        .await?;
    let [installed, available, creatable]: [bool; 3] = [row.get(0), row.get(1), row.get(2)];
    let advice = match (installed, available, creatable) {
        (true, _, _) | (_, true, true) => return Ok(()),
        (_, false, _) => "the server does not have it. Debian, Ubuntu: it comes with the package postgresql; Fedora: \
            dnf install postgresql-contrib; macOS: it comes with postgresql@17; at a cloud provider allow it in the console"
            .to_owned(),
        (_, true, false) => {
            format!("the role may not create it; as a superuser run, in this database: create extension {name};")
        }
    };
    Err(StoreError::Extension {
        name: name.to_owned(),
        advice,
    })
}

async fn migrate(client: &mut Client, migrations: &[Migration]) -> Result<Vec<String>, StoreError> {
    let newest = migrations.iter().map(Migration::version).max().unwrap_or(0);
    let mut runner = Runner::new(migrations);
    runner.set_migration_table_name(HISTORY);
    match runner.run_async(client).await {
        Ok(report) => Ok(report.applied_migrations().iter().map(Migration::to_string).collect()),
        Err(error) => Err(match error.kind() {
            Kind::MissingVersion(applied) if applied.version() > newest => StoreError::NewerDatabase {
                database: format!("migration {applied}"),
                program: format!("migration {newest}, version {}", env!("CARGO_PKG_VERSION")),
            },
            Kind::Connection(doing, source) => failed_migration(doing, source.as_ref()),
            other => StoreError::History {
                reason: other.to_string(),
            },
        }),
    }
}

/// What cannot be installed, when the role may not.
const NOT_THE_OWNER: &str = "as this role; run `gatekeeper migrate` once as the one that owns the schemas";

fn failed_migration(doing: &str, source: &(dyn Error + 'static)) -> StoreError {
    match source.downcast_ref::<tokio_postgres::Error>() {
        Some(error) if error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => StoreError::Install {
            what: NOT_THE_OWNER.to_owned(),
            source: ServerError::of(error),
        },
        Some(error) => StoreError::Install {
            what: doing.strip_prefix("error applying ").unwrap_or(doing).to_owned(),
            source: ServerError::of(error),
        },
        None => StoreError::History {
            reason: doing.to_owned(),
        },
    }
}

/// Installs functions and views, all or none, when they differ from what is there or the tables have just changed.
async fn install_files(
    client: &mut Client,
    content: &Content,
    tables_changed: bool,
) -> Result<Vec<String>, StoreError> {
    let hash = content.hash();
    let version = env!("CARGO_PKG_VERSION");
    let there = client
        .query_opt(include_str!("../statements/installed.sql"), &[])
        .await?;
    if let Some(row) = there {
        let (their_hash, their_version): (String, String) = (row.get(0), row.get(1));
        if their_hash == hash && !tables_changed {
            return Ok(Vec::new());
        }
        if their_hash != hash && is_newer(&their_version, version) {
            return Err(StoreError::NewerDatabase {
                database: their_version,
                program: version.to_owned(),
            });
        }
    }
    let transaction = client.transaction().await?;
    for (name, text) in &content.files {
        transaction.batch_execute(text).await.map_err(|error| {
            let said = ServerError::of(&error);
            // Until PostgreSQL 14 everybody may create in the schema public: the migrations find nothing to refuse.
            if error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) {
                return StoreError::Install {
                    what: NOT_THE_OWNER.to_owned(),
                    source: said,
                };
            }
            let source = match line_of(&error, text) {
                Some(line) => said.with_line(line),
                None => said,
            };
            StoreError::Install {
                what: format!("sql/{name}"),
                source,
            }
        })?;
    }
    transaction
        .execute(include_str!("../statements/mark_installed.sql"), &[&hash, &version])
        .await?;
    transaction.commit().await?;
    Ok(content.files.iter().map(|(name, _)| name.clone()).collect())
}

/// The server counts characters; people count lines.
fn line_of(error: &tokio_postgres::Error, text: &str) -> Option<usize> {
    match error.as_db_error()?.position()? {
        ErrorPosition::Original(at) => Some(
            text.chars()
                .take((*at as usize).saturating_sub(1))
                .filter(|c| *c == '\n')
                .count()
                + 1,
        ),
        ErrorPosition::Internal { .. } => None,
    }
}

/// Compares `1.10.2` with `1.9`, number by number.
fn is_newer(theirs: &str, ours: &str) -> bool {
    let numbers = |version: &str| -> Vec<u64> {
        version
            .split(|c: char| !c.is_ascii_digit())
            .map(|number| number.parse().unwrap_or(0))
            .take(3)
            .collect()
    };
    numbers(theirs) > numbers(ours)
}

#[cfg(test)]
mod tests {
    use super::is_newer;

    #[test]
    fn versions_are_compared_as_numbers() {
        let cases = [
            ("0.10.0", "0.9.9", true),
            ("0.1.0", "0.1.0", false),
            ("0.1.0", "0.2.0", false),
            ("1.0.0", "0.9.0", true),
        ];
        for (theirs, ours, expected) in cases {
            assert_eq!(is_newer(theirs, ours), expected, "{theirs} against {ours}");
        }
    }
}
