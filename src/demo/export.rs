//! Reads an export as an ETL job would: its own encoding, delimiter, headers and times, into the columns of `staging.lead`.
//!
//! A row is never lost: a cell that cannot be read is left out, a row that is too short has fewer cells, and what the cells
//! mean is the gate's business.

use chrono::NaiveDateTime;
use csv::ByteRecord;
use serde_json::{Map, Value};

use super::DemoError;
use super::sample::{Encoding, Export};

/// The columns of `demo/sql/copy_leads.sql` after `source`, in its order.
pub(super) const COLUMNS: [&str; 17] = [
    "source_key",
    "external_id",
    "email",
    "phone",
    "mobile_phone",
    "first_name",
    "last_name",
    "full_name",
    "company",
    "job_title",
    "street",
    "city",
    "state",
    "postal_code",
    "country",
    "properties",
    "occurred_at",
];

/// One lead: a cell for each of [`COLUMNS`]; `None` is NULL.
pub(super) type Row = [Option<String>; COLUMNS.len()];

/// Where a cell goes.
enum Aim {
    Column(usize),
    Time,
    Property(String),
    Nowhere,
}

const PROPERTIES: usize = 15;
const OCCURRED_AT: usize = 16;

/// All rows of an export.
pub(super) fn rows(export: &Export) -> Result<Vec<Row>, DemoError> {
    let problem = |problem: String| DemoError::Sample { file: "leads", problem };
    let delimiter = u8::try_from(export.delimiter).map_err(|error| problem(error.to_string()))?;
    let content = export.content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(export.content);
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .flexible(true)
        .from_reader(content);
    let unreadable = |error: csv::Error| problem(error.to_string());
    let header = reader.byte_headers().map_err(unreadable)?.clone();
    let aims = header
        .iter()
        .map(|name| aim(export, &decode(name, export.encoding)))
        .collect::<Result<Vec<Aim>, String>>()
        .map_err(problem)?;
    let mut rows = Vec::new();
    let mut record = ByteRecord::new();
    while reader.read_byte_record(&mut record).map_err(unreadable)? {
        rows.push(row(&record, &aims, export));
    }
    Ok(rows)
}

fn aim(export: &Export, header: &str) -> Result<Aim, String> {
    let Some(target) = export.columns.get(header) else {
        return Ok(Aim::Nowhere);
    };
    if let Some(property) = target.strip_prefix("property:") {
        return Ok(Aim::Property(property.to_owned()));
    }
    match COLUMNS.iter().position(|column| column == target) {
        Some(OCCURRED_AT) => Ok(Aim::Time),
        Some(PROPERTIES) | None => Err(format!("staging.lead has no column {target} to read into")),
        Some(place) => Ok(Aim::Column(place)),
    }
}

fn row(record: &ByteRecord, aims: &[Aim], export: &Export) -> Row {
    let mut row = Row::default();
    let mut properties = Map::new();
    for (cell, aim) in record.iter().zip(aims) {
        let text = decode(cell, export.encoding);
        if text.is_empty() {
            continue;
        }
        match aim {
            Aim::Column(place) => row[*place] = Some(text),
            Aim::Time => row[OCCURRED_AT] = time(&text, &export.occurred_at),
            Aim::Property(name) => {
                properties.insert(name.clone(), Value::String(text));
            }
            Aim::Nowhere => {}
        }
    }
    if !properties.is_empty() {
        row[PROPERTIES] = Some(Value::Object(properties).to_string());
    }
    row
}

/// A cell's text. PostgreSQL's text cannot hold the character of number 0, which is left out.
fn decode(bytes: &[u8], encoding: Encoding) -> String {
    let text = match encoding {
        Encoding::Utf8 => String::from_utf8_lossy(bytes).into_owned(),
        Encoding::Latin1 => bytes.iter().copied().map(char::from).collect(),
    };
    if text.contains('\0') {
        text.replace('\0', "")
    } else {
        text
    }
}

/// A time as PostgreSQL reads it; without one the time of arrival counts.
fn time(text: &str, pattern: &str) -> Option<String> {
    let time = NaiveDateTime::parse_from_str(text, pattern).ok()?;
    Some(time.and_utc().to_rfc3339())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::demo::sample::Sample;

    #[test]
    fn the_columns_are_those_of_the_copy() {
        let sql = include_str!("../../demo/sql/copy_leads.sql");
        let list = sql.split_once('(').unwrap().1.split_once(')').unwrap().0;
        let columns: Vec<&str> = list.split(',').map(str::trim).collect();
        assert_eq!(columns, [&["source"], &COLUMNS[..]].concat());
    }

    #[test]
    fn every_row_of_the_sample_has_its_key_and_its_time() {
        for export in Sample::read().unwrap().sources {
            for row in rows(&export).unwrap() {
                assert!(row[0].is_some(), "{row:?}");
                assert!(row[OCCURRED_AT].is_some(), "{row:?}");
            }
        }
    }

    #[test]
    fn what_can_be_read_of_a_bad_row_is_kept() {
        let export = |encoding, content| {
            let columns = [
                ("Id", "source_key"),
                ("Name", "full_name"),
                ("At", "occurred_at"),
                ("Stage", "property:stage"),
            ];
            let mut export = Sample::read().unwrap().sources.remove(0);
            export.delimiter = ',';
            export.encoding = encoding;
            export.occurred_at = "%d.%m.%Y %H:%M".to_owned();
            export.columns = BTreeMap::from(columns.map(|(from, to)| (from.to_owned(), to.to_owned())));
            export.content = content;
            rows(&export).unwrap()
        };
        let read = export(
            Encoding::Utf8,
            b"Id,Name,Other,At,Stage\n1,A\0da,x,yesterday\n2,\"L\xff\nb\",,31.12.2025 14:05,lead,more,cells\n3\n",
        );
        let cells = |row: &Row| [0, 7, 15, 16].map(|place| row[place].clone().unwrap_or_default());
        assert_eq!(read.len(), 3);
        assert_eq!(cells(&read[0]), ["1", "Ada", "", ""]);
        assert_eq!(
            cells(&read[1]),
            ["2", "L\u{fffd}\nb", r#"{"stage":"lead"}"#, "2025-12-31T14:05:00+00:00"]
        );
        assert_eq!(cells(&read[2]), ["3", "", "", ""]);
        assert_eq!(
            export(Encoding::Latin1, b"Id,Name\n1,V\xf6ssing\n")[0][7].as_deref(),
            Some("Vössing")
        );
    }
}
