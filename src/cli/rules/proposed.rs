//! Proposed rules: a file of SQL, tried in a transaction that is taken back.

use std::path::Path;

use super::super::CliError;
use crate::store::Client;
use crate::store::backtest::{RuleSet, rules_after};

/// Statements that would end the transaction in which the proposed rules are tried.
const ENDS_IT: [&str; 9] = [
    "begin",
    "start",
    "commit",
    "end",
    "rollback",
    "abort",
    "savepoint",
    "release",
    "prepare",
];

/// The rules as a file would make them. Nothing is changed.
pub(super) async fn proposed(client: &mut Client, file: &Path) -> Result<RuleSet, CliError> {
    let statements = statements(file)?;
    Ok(rules_after(client, &statements).await?)
}

/// The statements of a file, which must leave the transaction alone.
#[expect(clippy::disallowed_methods, reason = "a file that the user names")]
fn statements(file: &Path) -> Result<String, CliError> {
    let cannot = |problem: String| CliError::File {
        file: file.display().to_string(),
        problem,
    };
    let text = std::fs::read_to_string(file).map_err(|error| cannot(error.to_string()))?;
    let without_comments: Vec<&str> = text
        .lines()
        .map(|line| line.split("--").next().unwrap_or_default())
        .collect();
    let ends = without_comments.join("\n").split(';').find_map(|statement| {
        let word = statement.split_whitespace().next()?.to_lowercase();
        ENDS_IT.contains(&word.as_str()).then_some(word)
    });
    match ends {
        Some(word) => Err(cannot(format!(
            "it says {word:?}, and the rules are tried in one transaction that is taken back; leave only the changes of rules"
        ))),
        None => Ok(text),
    }
}
