//! The line of a settings file that a problem is about, with line, column and a caret.
//!
//! Texts in quotes are blotted out where they may be a secret: a mistyped `tokn = "…"` must not end in a journal.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Shows the line at `span`. With `blot`, whatever stands in quotes on it is replaced by dots.
pub(super) fn excerpt(text: &str, span: &Range<usize>, blot: bool) -> String {
    let start = floor(text, span.start.min(text.len()));
    let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
    let number = text[..line_start].matches('\n').count() + 1;
    let column = text[line_start..start].chars().count() + 1;
    let end = floor(text, span.end.clamp(start, line_end));
    let carets = text[start..end].chars().count().max(1);

    let whole = text[line_start..line_end].trim_end();
    let line = if blot { blotted(whole) } else { whole.to_owned() };
    let carets = if blot { 1 } else { carets };
    let margin = " ".repeat(number.to_string().len());
    format!(
        "  line {number}, column {column}\n  {margin} |\n  {number} | {line}\n  {margin} | {}{}",
        " ".repeat(column - 1),
        "^".repeat(carets)
    )
}

/// Where the value of a dotted key stands in the file.
pub(super) fn locate(text: &str, key: &str) -> Option<Range<usize>> {
    let table = DeTable::parse(text).ok()?;
    let mut table = table.get_ref();
    let mut found: Option<&Spanned<DeValue<'_>>> = None;
    for part in key.split('.') {
        if let Some(value) = found {
            table = value.get_ref().as_table()?;
        }
        found = table
            .iter()
            .find(|(name, _)| name.get_ref() == part)
            .map(|(_, value)| value);
        found?;
    }
    found.map(Spanned::span)
}

/// Whether a value at this key could be, or contain, a secret.
pub(super) fn is_sensitive(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    ["token", "password", "secret", "url"]
        .iter()
        .any(|word| key.contains(word))
}

fn blotted(line: &str) -> String {
    match line.split_once('=') {
        Some((key, _)) => format!("{}= …", key),
        None => "…".to_owned(),
    }
}

fn floor(text: &str, at: usize) -> usize {
    (0..=at).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}
