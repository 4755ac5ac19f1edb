//! Which operation a method and a path mean. The three generations of paths lead to the same operations.

use axum::http::Method;

/// Generation of the API, as it stands in the path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Version {
    /// `/crm/v3/objects/contacts`.
    V3,
    /// `/crm/objects/2026-03/contacts`.
    March2026,
    /// `/crm/objects/2026-09/contacts`: the administrator's rules are enforced, dates are normalized.
    September2026,
}

impl Version {
    fn of(text: &str) -> Option<Version> {
        Some(match text {
            "v3" => Version::V3,
            "2026-03" => Version::March2026,
            "2026-09" => Version::September2026,
            _ => return None,
        })
    }
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub(super) enum Operation {
    List,
    Get,
    Create,
    Update,
    Archive,
    Search,
    BatchRead,
    BatchCreate,
    BatchUpdate,
    BatchUpsert,
    BatchArchive,
    Merge,
    GdprDelete,
    AssociationRead,
    Associate,
    PropertyList,
    PropertyGet,
    PropertyCreate,
    PropertyUpdate,
    PropertyArchive,
    Account,
}

impl Operation {
    /// The name in the journal, in the counts and in fault rules.
    pub(super) fn name(self) -> &'static str {
        match self {
            Operation::List => "list",
            Operation::Get => "get",
            Operation::Create => "create",
            Operation::Update => "update",
            Operation::Archive => "archive",
            Operation::Search => "search",
            Operation::BatchRead => "batch_read",
            Operation::BatchCreate => "batch_create",
            Operation::BatchUpdate => "batch_update",
            Operation::BatchUpsert => "batch_upsert",
            Operation::BatchArchive => "batch_archive",
            Operation::Merge => "merge",
            Operation::GdprDelete => "gdpr_delete",
            Operation::AssociationRead => "association_read",
            Operation::Associate => "associate",
            Operation::PropertyList => "property_list",
            Operation::PropertyGet => "property_get",
            Operation::PropertyCreate => "property_create",
            Operation::PropertyUpdate => "property_update",
            Operation::PropertyArchive => "property_archive",
            Operation::Account => "account",
        }
    }

    /// Scopes of which any one suffices; empty means that none is needed.
    pub(super) fn scopes(self) -> &'static [&'static str] {
        match self {
            Operation::Account => &[],
            Operation::List
            | Operation::Get
            | Operation::Search
            | Operation::BatchRead
            | Operation::AssociationRead => &["crm.objects.contacts.read"],
            Operation::PropertyList | Operation::PropertyGet => {
                &["crm.schemas.contacts.read", "crm.objects.contacts.read"]
            }
            Operation::PropertyCreate | Operation::PropertyUpdate | Operation::PropertyArchive => {
                &["crm.schemas.contacts.write"]
            }
            _ => &["crm.objects.contacts.write"],
        }
    }

    /// Whether the body must be JSON.
    pub(super) fn has_body(self) -> bool {
        !matches!(
            self,
            Operation::List
                | Operation::Get
                | Operation::Archive
                | Operation::PropertyList
                | Operation::PropertyGet
                | Operation::PropertyArchive
                | Operation::Account
        )
    }
}

/// A recognized path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Route {
    pub(super) version: Version,
    pub(super) operation: Operation,
    /// The last piece of the path where it is a value: an id, an address, the name of a property.
    pub(super) target: String,
}

/// Finds the operation of a method and a path.
///
/// # Errors
/// 404 for an unknown path, 405 for a known one with the wrong method.
pub(super) fn route(method: &Method, path: &str) -> Result<Route, u16> {
    let pieces: Vec<&str> = path.trim_matches('/').split('/').collect();
    let (version, room, tail) = match pieces.as_slice() {
        [
            "crm",
            room @ ("objects" | "properties"),
            version,
            "contacts" | "0-1",
            tail @ ..,
        ] if *version != "v3" => (version, *room, tail),
        [
            "crm",
            version @ "v3",
            room @ ("objects" | "properties"),
            "contacts" | "0-1",
            tail @ ..,
        ] => (version, *room, tail),
        ["crm", "v4", "associations", "contacts" | "0-1", tail @ ..] => (&"v3", "associations", tail),
        ["crm", "associations", version, "contacts" | "0-1", tail @ ..] => (version, "associations", tail),
        ["account-info", version, "details"] => (version, "account", &[][..]),
        _ => return Err(404),
    };
    let version = Version::of(version).ok_or(404u16)?;
    let operation = match (room, tail) {
        ("account", _) => on(method, &[(Method::GET, Operation::Account)])?,
        ("objects", []) => on(
            method,
            &[(Method::GET, Operation::List), (Method::POST, Operation::Create)],
        )?,
        ("objects", ["batch", name]) => {
            let operation = match *name {
                "read" => Operation::BatchRead,
                "create" => Operation::BatchCreate,
                "update" => Operation::BatchUpdate,
                "upsert" => Operation::BatchUpsert,
                "archive" => Operation::BatchArchive,
                _ => return Err(404),
            };
            on(method, &[(Method::POST, operation)])?
        }
        ("objects", ["search"]) => on(method, &[(Method::POST, Operation::Search)])?,
        ("objects", ["merge"]) => on(method, &[(Method::POST, Operation::Merge)])?,
        ("objects", ["gdpr-delete"]) => on(method, &[(Method::POST, Operation::GdprDelete)])?,
        ("objects", [_]) => {
            let known = [
                (Method::GET, Operation::Get),
                (Method::PATCH, Operation::Update),
                (Method::DELETE, Operation::Archive),
            ];
            on(method, &known)?
        }
        ("associations", [kind, "batch", what @ ..]) => {
            let operation = match what {
                ["read"] => Operation::AssociationRead,
                ["associate", "default"] => Operation::Associate,
                _ => return Err(404),
            };
            let operation = on(method, &[(Method::POST, operation)])?;
            return Ok(Route {
                version,
                operation,
                target: percent_decoded(kind),
            });
        }
        ("properties", []) => on(
            method,
            &[
                (Method::GET, Operation::PropertyList),
                (Method::POST, Operation::PropertyCreate),
            ],
        )?,
        ("properties", [_]) => {
            let known = [
                (Method::GET, Operation::PropertyGet),
                (Method::PATCH, Operation::PropertyUpdate),
                (Method::DELETE, Operation::PropertyArchive),
            ];
            on(method, &known)?
        }
        _ => return Err(404),
    };
    Ok(Route {
        version,
        operation,
        target: percent_decoded(tail.last().unwrap_or(&"")),
    })
}

fn on(method: &Method, known: &[(Method, Operation)]) -> Result<Operation, u16> {
    known
        .iter()
        .find(|(one, _)| one == method)
        .map(|(_, operation)| *operation)
        .ok_or(405)
}

/// Undoes percent encoding; what is not valid stays as it is.
fn percent_decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let pair = text
            .get(at + 1..at + 3)
            .and_then(|pair| u8::from_str_radix(pair, 16).ok());
        match (bytes[at], pair) {
            (b'%', Some(byte)) => {
                out.push(byte);
                at += 3;
            }
            (byte, _) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_generation_of_paths_leads_to_the_same_operations() {
        let tails = [
            (Method::GET, "", Operation::List, ""),
            (Method::PATCH, "/a%2Bb%40x.com", Operation::Update, "a+b@x.com"),
            (Method::POST, "/batch/upsert", Operation::BatchUpsert, "upsert"),
            (Method::POST, "/gdpr-delete", Operation::GdprDelete, "gdpr-delete"),
        ];
        for (prefix, version) in [
            ("/crm/v3/objects/contacts", Version::V3),
            ("/crm/objects/2026-03/contacts", Version::March2026),
            ("/crm/objects/2026-09/0-1", Version::September2026),
        ] {
            for (method, tail, operation, target) in &tails {
                let found = route(method, &format!("{prefix}{tail}"));
                assert_eq!(
                    found,
                    Ok(Route {
                        version,
                        operation: *operation,
                        target: (*target).to_owned()
                    })
                );
            }
        }
    }

    #[test]
    fn unknown_paths_and_methods_are_told_apart() {
        assert_eq!(route(&Method::GET, "/crm/objects/2027-03/contacts"), Err(404));
        assert_eq!(route(&Method::GET, "/crm/objects/v3/contacts"), Err(404));
        assert_eq!(route(&Method::GET, "/crm/v3/objects/companies"), Err(404));
        assert_eq!(route(&Method::PUT, "/crm/v3/objects/contacts/1"), Err(405));
    }
}
