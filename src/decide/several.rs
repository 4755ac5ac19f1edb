//! Fields of several values, which the CRM keeps joined with `;`: a set, in which order says nothing.

use std::collections::BTreeSet;

const SEPARATOR: char = ';';

/// The values in a text, without blanks and empty ones.
pub(super) fn values(text: &str) -> BTreeSet<String> {
    text.split(SEPARATOR)
        .map(str::trim)
        .filter(|value| !value.is_empty())
        .map(str::to_owned)
        .collect()
}

/// The text of a set of values.
pub(super) fn text(values: &BTreeSet<String>) -> String {
    let values: Vec<&str> = values.iter().map(String::as_str).collect();
    values.join(";")
}
