//! The sample, as it is built into the binary: what `demo/` held when this program was made.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::DemoError;

const CONTACTS: &[u8] = include_bytes!("../../demo/contacts.csv");
const SOURCES: &str = include_str!("../../demo/sources.toml");
const LEADS: [(&str, &[u8]); 4] = [
    ("leads/payments.csv", include_bytes!("../../demo/leads/payments.csv")),
    ("leads/sales.csv", include_bytes!("../../demo/leads/sales.csv")),
    ("leads/webinar.csv", include_bytes!("../../demo/leads/webinar.csv")),
    (
        "leads/newsletter.csv",
        include_bytes!("../../demo/leads/newsletter.csv"),
    ),
];

/// All of it.
pub(super) struct Sample {
    /// The contacts that the CRM begins with, by HubSpot's property names.
    pub(super) contacts: Vec<Map<String, Value>>,
    /// Country of phone numbers that name none.
    pub(super) default_country: String,
    /// The exports, in the order in which they are delivered.
    pub(super) sources: Vec<Export>,
}

/// One export: how it is read and what its word is worth.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Export {
    /// Name of the source.
    pub(super) name: String,
    /// What it is, for people.
    pub(super) title: String,
    /// Rank in `rules.source`.
    pub(super) rank: i32,
    /// Its file in `demo/`.
    file: String,
    /// Between two cells.
    pub(super) delimiter: char,
    /// How letters are stored.
    pub(super) encoding: Encoding,
    /// How times are written, for chrono; without a zone they are UTC.
    pub(super) occurred_at: String,
    /// Header in the file to column of `staging.lead`, or to `property:NAME`.
    pub(super) columns: BTreeMap<String, String>,
    /// The file's content.
    #[serde(skip)]
    pub(super) content: &'static [u8],
}

/// How letters are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(super) enum Encoding {
    /// UTF-8, with or without a byte order mark.
    #[serde(rename = "utf-8")]
    Utf8,
    /// ISO 8859-1: each byte is the letter of that number.
    #[serde(rename = "latin-1")]
    Latin1,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sources {
    default_country: String,
    source: Vec<Export>,
}

impl Sample {
    /// Reads what is built in.
    pub(super) fn read() -> Result<Sample, DemoError> {
        let problem = |problem: String| DemoError::Sample {
            file: "sources.toml",
            problem,
        };
        let sources: Sources = toml::from_str(SOURCES).map_err(|error| problem(error.to_string()))?;
        let mut exports = sources.source;
        for export in &mut exports {
            let content = LEADS.iter().find(|(file, _)| *file == export.file);
            export.content = content
                .ok_or_else(|| problem(format!("{} is not built in", export.file)))?
                .1;
        }
        Ok(Sample {
            contacts: contacts()?,
            default_country: sources.default_country,
            sources: exports,
        })
    }
}

/// Blank cells are absent.
fn contacts() -> Result<Vec<Map<String, Value>>, DemoError> {
    let problem = |error: csv::Error| DemoError::Sample {
        file: "contacts.csv",
        problem: error.to_string(),
    };
    let mut reader = csv::Reader::from_reader(CONTACTS);
    let header = reader.headers().map_err(problem)?.clone();
    let mut contacts = Vec::new();
    for row in reader.records() {
        let row = row.map_err(problem)?;
        let filled = header.iter().zip(row.iter()).filter(|(_, value)| !value.is_empty());
        contacts.push(
            filled
                .map(|(name, value)| (name.to_owned(), Value::from(value)))
                .collect(),
        );
    }
    Ok(contacts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_is_as_large_as_it_says() {
        let sample = Sample::read().unwrap();
        assert_eq!(sample.contacts.len(), 2_400);
        let leads: Vec<usize> = sample
            .sources
            .iter()
            .map(|export| crate::demo::export::rows(export).unwrap().len())
            .collect();
        assert_eq!(leads, [150, 180, 170, 160]);
    }
}
