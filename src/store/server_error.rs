//! What the server or the driver said, without the values in it.

use std::fmt;

use tokio_postgres::error::{DbError, SqlState};

/// An error of the server or the driver, safe to log.
///
/// The server quotes values: in the detail always, in the message of data and constraint errors. Those are left out.
#[derive(Debug)]
pub struct ServerError {
    code: Option<SqlState>,
    text: String,
}

impl ServerError {
    pub(super) fn of(error: &tokio_postgres::Error) -> Self {
        match error.as_db_error() {
            Some(said) => Self {
                code: Some(said.code().clone()),
                text: describe(said),
            },
            None => Self {
                code: None,
                text: error.to_string(),
            },
        }
    }

    pub(super) fn with_line(mut self, line: usize) -> Self {
        self.text.push_str(&format!(" at line {line}"));
        self
    }

    /// The server's code; `None` when it is the connection or the driver that failed.
    pub fn code(&self) -> Option<&SqlState> {
        self.code.as_ref()
    }

    /// The first two characters of the code, which name its class.
    pub fn class(&self) -> &str {
        self.code.as_ref().map_or("", |code| &code.code()[..2])
    }
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for ServerError {}

fn describe(said: &DbError) -> String {
    let code = said.code().code();
    let mut text = match &code[..2] {
        // Data, constraints, and `with check option`: the message quotes values.
        "22" | "23" | "44" => format!("SQLSTATE {code}"),
        // Raised by a function of ours, for a person: what is wrong, and what to do.
        "P0" => match said.hint() {
            Some(hint) => format!("{}; {hint}", said.message()),
            None => said.message().to_owned(),
        },
        _ => format!("{} (SQLSTATE {code})", said.message()),
    };
    for (name, value) in [
        ("schema", said.schema()),
        ("table", said.table()),
        ("column", said.column()),
        ("constraint", said.constraint()),
    ] {
        if let Some(value) = value {
            text.push_str(&format!(" {name}={value}"));
        }
    }
    text
}
