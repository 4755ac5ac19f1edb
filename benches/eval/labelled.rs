//! Labelled contacts: what a matcher may see, and who they really are.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use chrono::NaiveDate;
use gatekeeper::domain::{Field, Record};
use gatekeeper::normalize::Normalizer;
use gatekeeper::store::Client;
use gatekeeper::store::mirror::MirrorRows;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::Outcome;

/// Contacts written in one statement, as a page of the CRM.
const PAGE: usize = 1_000;

/// A row of a file of contacts, as `../shared/data/README.md` describes it.
#[derive(Debug, Deserialize)]
pub(crate) struct Labelled {
    pub(crate) id: String,
    first_name: String,
    last_name: String,
    company: String,
    email: String,
    phone: String,
    mobile: String,
    title: String,
    street: String,
    city: String,
    state: String,
    postal_code: String,
    country: String,
    created_at: String,
    /// Equal for one person. No matcher sees it.
    pub(crate) entity_id: String,
    /// What was done to the row on purpose. No matcher sees it.
    pub(crate) note: String,
}

impl Labelled {
    /// The contact as a CRM would give it.
    pub(crate) fn record(&self) -> Record {
        let values = [
            ("first_name", &self.first_name),
            ("last_name", &self.last_name),
            ("company", &self.company),
            ("email", &self.email),
            ("phone", &self.phone),
            ("mobile_phone", &self.mobile),
            ("job_title", &self.title),
            ("street", &self.street),
            ("city", &self.city),
            ("state", &self.state),
            ("postal_code", &self.postal_code),
            ("country", &self.country),
        ];
        let made = NaiveDate::parse_from_str(&self.created_at, "%Y-%m-%d").ok();
        let made = made.and_then(|day| day.and_hms_opt(0, 0, 0)).map(|time| time.and_utc());
        Record {
            crm_id: self.id.clone(),
            values: values
                .into_iter()
                .filter(|(_, value)| !value.trim().is_empty())
                .map(|(name, value)| (Field::from_name(name), value.clone()))
                .collect::<BTreeMap<_, _>>(),
            additional_emails: Vec::new(),
            gatekeeper_key: None,
            absorbed_ids: Vec::new(),
            created_at: made,
            updated_at: made,
            archived: false,
        }
    }

    /// What was done to it: `a`, `b` of `ops=a,b;ev=…`.
    pub(crate) fn corruptions(&self) -> Vec<&str> {
        self.noted("ops=")
    }

    /// The traps that it is part of.
    pub(crate) fn traps(&self) -> Vec<&str> {
        self.noted("k=")
            .into_iter()
            .map(|trap| trap.trim_end_matches('\''))
            .collect()
    }

    fn noted(&self, kind: &str) -> Vec<&str> {
        noted(&self.note, kind)
    }
}

/// The words of one kind in a note: `a`, `b` of `ops=a,b;ev=C`, for `ops=`.
pub(crate) fn noted<'a>(note: &'a str, kind: &str) -> Vec<&'a str> {
    let noted = note.split(';').find_map(|part| part.strip_prefix(kind));
    noted
        .unwrap_or_default()
        .split(',')
        .filter(|word| !word.is_empty())
        .collect()
}

/// Reads a file of contacts.
pub(crate) fn read(file: &Path) -> Outcome<Vec<Labelled>> {
    rows_of(file)
}

/// The rows of a CSV file, packed by gzip or not.
pub(crate) fn rows_of<T: DeserializeOwned>(file: &Path) -> Outcome<Vec<T>> {
    let bytes = match file.extension().is_some_and(|extension| extension == "gz") {
        true => Command::new("gzip").arg("-dc").arg(file).output()?.stdout,
        false => std::fs::read(file)?,
    };
    let rows = csv::Reader::from_reader(bytes.as_slice())
        .deserialize()
        .collect::<Result<_, _>>()?;
    Ok(rows)
}

/// Writes contacts into the mirror, as the pages of a CRM.
pub(crate) async fn write_mirror(client: &Client, contacts: &[Labelled], normalizer: &Normalizer) -> Outcome<()> {
    for page in contacts.chunks(PAGE) {
        let records: Vec<Record> = page.iter().map(Labelled::record).collect();
        MirrorRows::new(&records, normalizer).write(client).await?;
    }
    Ok(())
}
