//! Runs the tables: each row is what arrives and what must come out.

use std::collections::BTreeMap;
use std::path::PathBuf;

use gatekeeper::domain::{Field, Lead, Normalized};
use serde::Deserialize;
use serde_json::Value;

use super::{lead, normalizer, record};

/// A file of cases.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    table: Vec<Table>,
    #[serde(default)]
    whole: Vec<Whole>,
}

/// Single values: `rows` of input and expectation. `!reason` expects a refusal, an empty text expects nothing.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    about: String,
    field: String,
    /// `value`, or the name of a key of `MatchKeys`; lists of keys are joined with a space.
    gives: String,
    country: Option<String>,
    rows: Vec<(String, String)>,
}

/// Whole leads: what is named in the expectations is compared, an empty text expects nothing.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Whole {
    about: String,
    #[serde(default)]
    mirror: bool,
    country: Option<String>,
    given: BTreeMap<String, String>,
    full_name: Option<String>,
    properties: Option<Value>,
    #[serde(default)]
    values: BTreeMap<String, String>,
    #[serde(default)]
    keys: BTreeMap<String, String>,
    refused: Option<BTreeMap<String, String>>,
}

fn files() -> Vec<(PathBuf, File)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/cases/normalize");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            let file = toml::from_str(&std::fs::read_to_string(&path).unwrap())
                .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            (path, file)
        })
        .collect();
    files.sort_by(|a, b| a.0.cmp(&b.0));
    files
}

fn fields(given: &BTreeMap<String, String>) -> BTreeMap<Field, String> {
    given
        .iter()
        .map(|(name, value)| (Field::from_name(name), value.clone()))
        .collect()
}

/// A key by its name, as one text.
fn key(normalized: &Normalized, name: &str) -> String {
    match &serde_json::to_value(&normalized.keys).unwrap()[name] {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items
            .iter()
            .map(|item| item.as_str().unwrap())
            .collect::<Vec<_>>()
            .join(" "),
        other => panic!("{name} is {other}"),
    }
}

#[test]
fn every_row_of_every_table_comes_out_as_written() {
    let mut wrong = Vec::new();
    let mut rows = 0;
    for (path, file) in files() {
        for table in file.table {
            let normalizer = normalizer(table.country.as_deref());
            for (text, expected) in &table.rows {
                rows += 1;
                let field = Field::from_name(&table.field);
                let result = normalizer.lead(&lead(BTreeMap::from([(field.clone(), text.clone())])));
                let refusal = result
                    .refused
                    .iter()
                    .find(|refusal| refusal.field == field)
                    .map(|refusal| format!("!{}", refusal.reason));
                let found = refusal.unwrap_or_else(|| match table.gives.as_str() {
                    "value" => result.values.get(&field).cloned().unwrap_or_default(),
                    name => key(&result, name),
                });
                if &found != expected {
                    wrong.push(format!(
                        "{} ({}): {text:?} gives {found:?}, not {expected:?}",
                        path.display(),
                        table.about
                    ));
                }
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {rows} rows:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(rows > 250, "only {rows} rows were found");
}

#[test]
fn every_whole_lead_comes_out_as_written() {
    let mut wrong = Vec::new();
    for (path, file) in files() {
        for case in file.whole {
            let normalizer = normalizer(case.country.as_deref());
            let values = fields(&case.given);
            let result = if case.mirror {
                normalizer.record(&record(values))
            } else {
                normalizer.lead(&Lead {
                    full_name: case.full_name.clone(),
                    properties: case.properties.clone(),
                    ..lead(values)
                })
            };
            let mut check = |what: &str, found: String, expected: &str| {
                if found != expected {
                    wrong.push(format!(
                        "{} ({}): {what} is {found:?}, not {expected:?}",
                        path.display(),
                        case.about
                    ));
                }
            };
            for (name, expected) in &case.values {
                check(
                    name,
                    result.values.get(&Field::from_name(name)).cloned().unwrap_or_default(),
                    expected,
                );
            }
            for (name, expected) in &case.keys {
                check(name, key(&result, name), expected);
            }
            if let Some(expected) = &case.refused {
                let found: BTreeMap<String, String> = result
                    .refused
                    .iter()
                    .map(|refusal| (refusal.field.name().to_owned(), refusal.reason.clone()))
                    .collect();
                check("refused", format!("{found:?}"), &format!("{expected:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
