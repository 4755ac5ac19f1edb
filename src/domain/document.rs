//! A JSON document that is carried and not looked into.

use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

/// A JSON document as text. What a batch keeps as evidence is many times smaller so than as a tree of values.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Document(Box<RawValue>);

impl Document {
    /// The document that a value makes; `null` for what cannot be one: a map whose names are no texts.
    pub fn of(value: &impl Serialize) -> Self {
        Self(to_raw_value(value).unwrap_or_default())
    }

    /// The text.
    pub fn text(&self) -> &str {
        self.0.get()
    }
}

impl Default for Document {
    fn default() -> Self {
        Self(RawValue::NULL.to_owned())
    }
}

impl PartialEq for Document {
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text()
    }
}
