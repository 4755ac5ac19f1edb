//! Finds the settings file, reads it, and refuses it whole if anything in it is wrong.

use std::path::{Path, PathBuf};

use super::check::check;
use super::excerpt::{excerpt, is_sensitive, locate};
use super::{Config, ConfigError, Environment, Problem};

/// Where a settings file is looked for when none is named.
const PLACES: [&str; 2] = ["config.toml", "/etc/gatekeeper/config.toml"];

impl Config {
    /// The settings of this process: those of `named`, or of the first file found, or the defaults.
    ///
    /// # Errors
    /// A named file that cannot be read; anything wrong in the file, all problems at once.
    pub fn load(named: Option<&Path>) -> Result<Config, ConfigError> {
        let Some(path) = named.map(Path::to_owned).or_else(found) else {
            return Ok(Config {
                environment: Environment::read(),
                ..Config::default()
            });
        };
        #[expect(clippy::disallowed_methods, reason = "the settings file")]
        let text = std::fs::read_to_string(&path).map_err(|source| ConfigError::Unreadable {
            path: path.clone(),
            source,
        })?;
        let mut config = Config::parse(&text, &path.display().to_string())?;
        config.source = Some(path);
        config.environment = Environment::read();
        Ok(config)
    }

    /// Reads settings from a text. `name` is what errors call it.
    pub fn parse(text: &str, name: &str) -> Result<Config, ConfigError> {
        let config: Config = toml::from_str(text).map_err(|error| ConfigError::Malformed {
            name: name.to_owned(),
            problem: malformed(text, &error),
        })?;
        config.validate().map_err(|mut problems| {
            for problem in &mut problems {
                problem.excerpt =
                    locate(text, &problem.key).map(|span| excerpt(text, &span, is_sensitive(&problem.key)));
            }
            ConfigError::Invalid {
                name: name.to_owned(),
                problems,
            }
        })?;
        Ok(config)
    }

    /// Checks every value, and the values against each other.
    ///
    /// # Errors
    /// All problems found, in the order of the sections.
    pub fn validate(&self) -> Result<(), Vec<Problem>> {
        let problems = check(self);
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }
}

fn found() -> Option<PathBuf> {
    PLACES.iter().map(PathBuf::from).find(|path| path.exists())
}

/// toml's own words, with our excerpt: its own would print the line as it is, secrets and all.
fn malformed(text: &str, error: &toml::de::Error) -> Problem {
    let excerpt = error.span().map(|span| {
        let line_start = text[..span.start.min(text.len())].rfind('\n').map_or(0, |at| at + 1);
        let line = text[line_start..].lines().next().unwrap_or_default();
        let key = line.split('=').next().unwrap_or_default();
        let wrong_type = error.message().starts_with("invalid type") || error.message().starts_with("invalid value");
        excerpt(text, &span, is_sensitive(key) || !wrong_type && line.contains('='))
    });
    let message = match error.message().contains("string \"") {
        // "invalid type: string "…", expected …" quotes the value.
        true => hide_quoted(error.message()),
        false => error.message().to_owned(),
    };
    Problem {
        key: String::new(),
        message,
        excerpt,
    }
}

fn hide_quoted(message: &str) -> String {
    let quotes: Vec<usize> = message.match_indices('"').map(|(at, _)| at).collect();
    match (quotes.first(), quotes.last()) {
        (Some(&first), Some(&last)) if first < last => format!("{}\"…\"{}", &message[..first], &message[last + 1..]),
        _ => message.to_owned(),
    }
}
