//! The habits of this house, kept by tests. Each check is also tried on a small sample that breaks it.

mod files;
mod layers;
mod promises;
mod property_names;
mod settings;
mod source;
mod sql_text;

use source::File;

/// Fails with all complaints, one on a line.
#[track_caller]
fn nothing_wrong(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

/// A file that is not there, for trying a check.
fn sample(path: &str, text: &str) -> File {
    File {
        path: path.to_owned(),
        text: text.to_owned(),
    }
}
