//! What can be wrong with settings. Every text names the key and, where the file gives it, line and column.

use std::fmt;
use std::path::PathBuf;

/// Why there are no settings.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file named on the command line, or found, cannot be read.
    #[error("cannot read the settings file {}; check the path and its permissions", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// Not TOML, an unknown key, or a value of the wrong type.
    #[error("{name}: {problem}")]
    Malformed {
        /// Which file.
        name: String,
        /// What and where.
        problem: Problem,
    },
    /// Values that cannot be, alone or together. All of them are here.
    #[error("{name} has {}{}", count(problems.len()), list(problems))]
    Invalid {
        /// Which file.
        name: String,
        /// All problems, in the order of the sections.
        problems: Vec<Problem>,
    },
}

/// One problem of a settings file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Dotted key, `daemon.lease_seconds`; empty when the text is not even TOML.
    pub key: String,
    /// What is wrong and what would be right.
    pub message: String,
    /// The line of the file with a caret below, when the key stands in the file.
    pub excerpt: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.message)?;
        match &self.excerpt {
            Some(excerpt) => write!(f, "\n{excerpt}"),
            None => Ok(()),
        }
    }
}

fn count(problems: usize) -> String {
    match problems {
        1 => "one problem".to_owned(),
        n => format!("{n} problems"),
    }
}

fn list(problems: &[Problem]) -> String {
    problems.iter().map(|problem| format!("\n- {problem}")).collect()
}
