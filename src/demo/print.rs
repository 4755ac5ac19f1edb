//! How the report looks: headings, quiet tables, text. On standard output.

use std::io::Write;

use comfy_table::{Cell as TableCell, CellAlignment, Table, TableStyle};
use comfy_table::{ContentLineStyle, LineStyle};

use super::DemoError;

/// One cell.
pub(super) struct Cell(TableCell);

impl Cell {
    /// Words.
    pub(super) fn text(text: &str) -> Cell {
        Cell(TableCell::new(text))
    }

    /// A number; nothing for none, so that the others are seen.
    pub(super) fn count(count: u64) -> Cell {
        let text = if count == 0 { String::new() } else { number(count) };
        Cell(TableCell::new(text).set_alignment(CellAlignment::Right))
    }
}

/// A number with its thousands apart.
pub(super) fn number(number: u64) -> String {
    indicatif::HumanCount(number).to_string()
}

/// A heading, with a blank line above and below.
pub(super) fn heading(text: &str) -> Result<(), DemoError> {
    let rule = "─".repeat(text.chars().count());
    Ok(writeln!(std::io::stdout(), "\n{text}\n{rule}\n")?)
}

/// A line.
pub(super) fn line(text: &str) -> Result<(), DemoError> {
    Ok(writeln!(std::io::stdout(), "{text}")?)
}

/// A table with a line below its header.
pub(super) fn table(header: &[&str], rows: Vec<Vec<Cell>>) -> Result<(), DemoError> {
    let mut table = Table::new();
    let separator = LineStyle::none().fill('─').junction('─');
    table.load_style(
        TableStyle::new()
            .header_lines(ContentLineStyle::none())
            .header_separator(separator)
            .content_lines(ContentLineStyle::none()),
    );
    // A number's header stands above its numbers.
    let right = |column: usize| rows.first().is_some_and(|row: &Vec<Cell>| is_right(&row[column]));
    let header = header.iter().enumerate().map(|(column, name)| {
        let cell = TableCell::new(name);
        if right(column) {
            cell.set_alignment(CellAlignment::Right)
        } else {
            cell
        }
    });
    table.set_header(header.collect::<Vec<_>>());
    for row in rows {
        table.add_row(row.into_iter().map(|cell| cell.0).collect::<Vec<_>>());
    }
    table.lines().try_for_each(|text| line(text.trim_end()))
}

fn is_right(cell: &Cell) -> bool {
    cell.0 == cell.0.clone().set_alignment(CellAlignment::Right)
}
