//! Secrets: where they are, and the value once read. Neither can be printed by accident.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Environment;

/// Where a secret is: `file:/path`, `credential:name`, `env:NAME`, or nothing.
///
/// What stands in the file is kept as it is until [`super::Config::parse`] has refused everything else, so that
/// all problems are reported at once. A refused text is never shown, for it may be the secret itself.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SecretRef(String);

/// A secret's value. Cannot be displayed or serialized; its Debug says nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

/// Why a secret could not be had. Each text names the key, where it was looked for, and how to provide it.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The key is empty.
    #[error("{key} is not set; it must say where the secret is: \"file:/path\", \"credential:name\" or \"env:NAME\"")]
    Unset {
        /// Key in the settings file.
        key: &'static str,
    },
    /// The key holds something else than a reference.
    #[error(
        "{key} must say where the secret is (\"file:/path\", \"credential:name\" or \"env:NAME\"), never the secret itself"
    )]
    Literal {
        /// Key in the settings file.
        key: &'static str,
    },
    /// A systemd credential was asked for, and systemd gave none.
    #[error(
        "{key} = \"credential:{name}\": $CREDENTIALS_DIRECTORY is not set; put LoadCredential={name}:/etc/gatekeeper/{name} \
         into the unit, or outside systemd set {key} = \"file:/path\""
    )]
    NoCredentials {
        /// Key in the settings file.
        key: &'static str,
        /// Name of the credential.
        name: String,
    },
    /// The variable is not there.
    #[error("{key} = \"env:{name}\": the environment variable {name} is not set; set it, or use \"file:/path\"")]
    NoVariable {
        /// Key in the settings file.
        key: &'static str,
        /// Name of the variable.
        name: String,
    },
    /// The file cannot be read.
    #[error(
        "{key} = \"{reference}\": cannot read {path}; write the secret there, readable by this user alone (mode 0400)"
    )]
    Unreadable {
        /// Key in the settings file.
        key: &'static str,
        /// The reference.
        reference: String,
        /// Which file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// There is nothing in it.
    #[error("{key} = \"{reference}\": it is empty; write the secret there")]
    Empty {
        /// Key in the settings file.
        key: &'static str,
        /// The reference.
        reference: String,
    },
}

enum Place<'a> {
    Unset,
    File(&'a Path),
    Credential(&'a str),
    Variable(&'a str),
}

impl SecretRef {
    /// A reference as it would stand in the settings file.
    pub fn new(reference: impl Into<String>) -> Self {
        Self(reference.into())
    }

    /// Whether the key was left empty.
    pub fn is_unset(&self) -> bool {
        self.0.is_empty()
    }

    /// Reads the secret now. `key` is the key in the settings file, for the error.
    ///
    /// White space around the value is not part of it: editors and `echo` leave a line feed.
    #[expect(
        clippy::disallowed_methods,
        reason = "secrets named by env:, when they are asked for"
    )]
    pub fn read(&self, key: &'static str, environment: &Environment) -> Result<Secret, SecretError> {
        let text = match self.place().ok_or(SecretError::Literal { key })? {
            Place::Unset => return Err(SecretError::Unset { key }),
            Place::File(path) => self.read_file(key, path)?,
            Place::Credential(name) => match &environment.credentials_directory {
                Some(directory) => self.read_file(key, &directory.join(name))?,
                None => {
                    return Err(SecretError::NoCredentials {
                        key,
                        name: name.to_owned(),
                    });
                }
            },
            Place::Variable(name) => std::env::var(name).map_err(|_| SecretError::NoVariable {
                key,
                name: name.to_owned(),
            })?,
        };
        match text.trim() {
            "" => Err(SecretError::Empty {
                key,
                reference: self.0.clone(),
            }),
            value => Ok(Secret(value.to_owned())),
        }
    }

    pub(super) fn is_reference(&self) -> bool {
        self.place().is_some()
    }

    fn place(&self) -> Option<Place<'_>> {
        if self.0.is_empty() {
            return Some(Place::Unset);
        }
        match self.0.split_once(':')? {
            ("file", path) if path.starts_with('/') => Some(Place::File(Path::new(path))),
            ("credential", name) if is_name(name, "-_.") && !name.starts_with('.') => Some(Place::Credential(name)),
            ("env", name) if is_name(name, "_") => Some(Place::Variable(name)),
            _ => None,
        }
    }

    #[expect(clippy::disallowed_methods, reason = "secrets named by file: and credential:")]
    fn read_file(&self, key: &'static str, path: &Path) -> Result<String, SecretError> {
        std::fs::read_to_string(path).map_err(|source| SecretError::Unreadable {
            key,
            reference: self.0.clone(),
            path: path.to_owned(),
            source,
        })
    }
}

fn is_name(text: &str, also: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || also.contains(c))
}

impl fmt::Debug for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.is_reference() {
            true => write!(f, "SecretRef({})", self.0),
            false => f.write_str("SecretRef(not a reference)"),
        }
    }
}

impl Secret {
    /// Makes a secret of a text, for tests and for values that are generated.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value, for the one place that sends it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}
