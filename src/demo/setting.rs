//! The settings of the demo's daemon: the defaults, but for where the CRM and the database are.

use std::path::PathBuf;

use toml::{Table, Value};

use super::DemoError;
use super::place::Place;

/// The CRM's property in which the sample keeps the customer number.
pub(super) const EXTERNAL_ID: &str = "external_id";

/// The property beyond the canonical fields that the sample brings.
const STAGE: &str = "lifecyclestage";

const HEAD: &str =
    "# Written by `gatekeeper demo`; all other keys have their defaults, see config.toml of the project.\n";

/// Writes the settings file.
pub(super) fn write(place: &Place, base_url: &str, default_country: &str) -> Result<PathBuf, DemoError> {
    let text = |text: &str| Value::from(text);
    let database = place.database().display().to_string();
    let token = format!("file:{}", place.token_file().display());
    let settings = Table::from_iter([
        section("embedded", [("data_directory", text(&database))]),
        section(
            "crm",
            [
                ("base_url", text(base_url)),
                ("token", text(&token)),
                ("external_id_property", text(EXTERNAL_ID)),
                ("properties", Value::from(vec![STAGE])),
            ],
        ),
        section(
            "gate",
            [
                ("default_country", text(default_country)),
                // Half the sample at a time: its stories of leads that are folded into one write need company.
                ("batch_leads", Value::from(500)),
            ],
        ),
    ]);
    place.write("config.toml", &format!("{HEAD}\n{settings}"))
}

fn section<const N: usize>(name: &str, keys: [(&str, Value); N]) -> (String, Value) {
    let keys = keys.map(|(key, value)| (key.to_owned(), value));
    (name.to_owned(), Value::Table(Table::from_iter(keys)))
}
