//! The normalizer on what people really type: cases as data in `tests/cases/normalize`, and properties that hold for any text.
#![allow(clippy::unwrap_used)]

mod cases;
mod properties;

use std::collections::BTreeMap;

use chrono::DateTime;
use gatekeeper::domain::{Field, Lead, LeadId, Record};
use gatekeeper::normalize::{Lists, Normalizer};

fn normalizer(country: Option<&str>) -> Normalizer {
    Normalizer::new(country, Lists::default()).unwrap()
}

fn lead(values: BTreeMap<Field, String>) -> Lead {
    Lead {
        lead_id: LeadId(1),
        source: None,
        source_key: None,
        values,
        full_name: None,
        properties: None,
        occurred_at: DateTime::UNIX_EPOCH,
        epoch: 1,
        claims: 1,
    }
}

fn record(values: BTreeMap<Field, String>) -> Record {
    Record {
        values,
        ..Record::default()
    }
}
