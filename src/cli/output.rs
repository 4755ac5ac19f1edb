//! Output: a table on a terminal, JSON for machines.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use comfy_table::{ContentArrangement, Table, presets};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

/// Prints a value as one JSON document.
pub(super) fn json(value: &impl Serialize) -> io::Result<()> {
    let text = serde_json::to_string_pretty(value)?;
    writeln!(io::stdout(), "{text}")
}

/// Prints a table. Long cells are wrapped on a terminal and left whole in a pipe.
pub(crate) fn table(header: &[&str], rows: Vec<Vec<String>>) -> io::Result<()> {
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_HORIZONTAL_ONLY)
        .set_header(header.to_vec());
    if io::stdout().is_terminal() {
        table.set_content_arrangement(ContentArrangement::Dynamic);
    }
    for row in rows {
        table.add_row(row);
    }
    writeln!(io::stdout(), "{table}")
}

/// Prints a line.
pub(crate) fn line(text: &str) -> io::Result<()> {
    writeln!(io::stdout(), "{text}")
}

/// Prints a line of a story: on a terminal wrapped between words, the rest set in below its beginning.
pub(super) fn told(text: &str) -> io::Result<()> {
    match Table::new().width() {
        Some(width) if io::stdout().is_terminal() => {
            wrapped(text, usize::from(width)).iter().try_for_each(|text| line(text))
        }
        _ => line(text),
    }
}

fn wrapped(text: &str, width: usize) -> Vec<String> {
    let indent = text.len() - text.trim_start().len();
    let mut lines = Vec::new();
    let mut rest = text;
    let mut begin = String::new();
    loop {
        let room = width.saturating_sub(begin.len()).max(20);
        let Some((end, letter)) = rest.char_indices().nth(room) else {
            lines.push(begin + rest);
            return lines;
        };
        // Never inside of the indentation; a word that is longer than the line is cut by the terminal.
        let cut = rest[..end + letter.len_utf8()]
            .rfind(' ')
            .filter(|cut| rest[..*cut].trim_start() != "");
        let cut = cut.or_else(|| Some(end + rest[end..].find(' ')?)).unwrap_or(rest.len());
        lines.push(begin + rest[..cut].trim_end());
        rest = rest[cut..].trim_start();
        begin = " ".repeat(indent + 6);
        if rest.is_empty() {
            return lines;
        }
    }
}

/// A bar over so many things, whose number is learned on the way. Nothing where there is no terminal.
pub(super) fn bar(things: &str) -> ProgressBar {
    let template = format!("{{bar:30}} {{human_pos}} of {{human_len}} {things}, {{eta}} left");
    let style = ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::new(0).with_style(style);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// A number of things in words: `1 lead`, `2 leads`.
pub(crate) fn count(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_is_wrapped_between_words_and_set_in() {
        assert_eq!(wrapped("  short", 20), ["  short"]);
        assert_eq!(
            wrapped("    one two three four five six seven", 24),
            ["    one two three four", "          five six seven"]
        );
        assert_eq!(
            wrapped("  abcdefghijklmnopqrstuvwxyzabcdefgh x", 20),
            ["  abcdefghijklmnopqrstuvwxyzabcdefgh", "        x"]
        );
        assert_eq!(wrapped(&"Ä".repeat(30), 20), ["Ä".repeat(30)]);
    }
}
