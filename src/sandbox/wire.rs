//! What goes over the wire: records, answers and the bodies of refusals.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::builtin::{CREATED, MODIFIED, OBJECT_ID};
use super::contact::{Contact, iso};
use super::options::ConflictBody;
use super::properties::Catalog;
use super::routes::Version;
use super::values::PropId;

/// Shown when no properties are asked for.
const DEFAULT: [&str; 6] = [
    "createdate",
    "email",
    "firstname",
    "hs_object_id",
    "lastmodifieddate",
    "lastname",
];

/// A good answer.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) body: Option<Value>,
    /// Rows that the answer holds, for reads; 0 where the rows sent are what counts.
    pub(super) rows: usize,
}

impl Reply {
    /// An answer with a body.
    pub(super) fn json(status: u16, body: Value) -> Reply {
        Reply {
            status,
            body: Some(body),
            rows: 0,
        }
    }

    /// 204.
    pub(super) fn empty() -> Reply {
        Reply {
            status: 204,
            body: None,
            rows: 0,
        }
    }
}

/// One thing that is wrong with one property.
#[derive(Debug, Clone)]
pub(super) struct Flaw {
    pub(super) property: String,
    pub(super) code: &'static str,
    pub(super) message: String,
}

/// A refusal.
#[derive(Debug, Clone)]
pub(super) struct Problem {
    pub(super) status: u16,
    category: Option<&'static str>,
    sub_category: Option<&'static str>,
    message: String,
    errors: Vec<Value>,
    context: Map<String, Value>,
    extra: Map<String, Value>,
}

impl Problem {
    /// A refusal with a category and a message.
    pub(super) fn new(status: u16, category: Option<&'static str>, message: impl Into<String>) -> Problem {
        let (errors, context, extra) = (Vec::new(), Map::new(), Map::new());
        Problem {
            status,
            category,
            sub_category: None,
            message: message.into(),
            errors,
            context,
            extra,
        }
    }

    /// 400 `VALIDATION_ERROR`.
    pub(super) fn validation(message: impl Into<String>) -> Problem {
        Problem::new(400, Some("VALIDATION_ERROR"), message)
    }

    /// 404 for one record; v3 paths answer without a category.
    pub(super) fn not_found(version: Version) -> Problem {
        let category = (version > Version::V3).then_some("OBJECT_NOT_FOUND");
        Problem::new(404, category, "resource not found")
    }

    /// 400 for a field of the body that is missing.
    pub(super) fn missing_field(name: &str) -> Problem {
        Problem::validation(format!(
            "Invalid input JSON: some required fields were not set: [{name}]"
        ))
    }

    /// 400 for values of properties. Newer paths repeat the codes outside of the message.
    pub(super) fn flaws(version: Version, flaws: &[Flaw]) -> Problem {
        let embedded: Vec<Value> = flaws
            .iter()
            .map(|flaw| {
                json!({"isValid": false, "message": flaw.message, "error": flaw.code, "name": flaw.property,
                       "localizedErrorMessage": flaw.message})
            })
            .collect();
        let mut problem = Problem::validation(format!("Property values were not valid: {}", Value::from(embedded)));
        if version > Version::V3 {
            let detail = |flaw: &Flaw| json!({"message": flaw.message, "code": flaw.code, "context": {"propertyName": [flaw.property]}});
            problem.errors = flaws.iter().map(detail).collect();
        }
        problem
    }

    /// 409: the address belongs to another contact, which is not known when it stands in the same batch.
    pub(super) fn conflict(shape: ConflictBody, address: &str, owner: Option<u64>) -> Problem {
        let existing = owner.map_or(String::new(), |id| format!(". Existing ID: {id}"));
        let message = format!("Contact already exists{existing}");
        match shape {
            ConflictBody::Conflict => Problem::new(409, Some("CONFLICT"), message),
            ConflictBody::AlreadyExists => {
                let mut problem = Problem::new(409, Some("OBJECT_ALREADY_EXISTS"), message);
                let text = format!("A contact with email {address} already exists{existing}");
                problem.errors.push(json!({"message": text, "in": "email"}));
                problem.extra.insert("error".to_owned(), "CONTACT_EXISTS".into());
                if let Some(id) = owner {
                    let identity = json!({"value": address, "type": "EMAIL", "isPrimary": true});
                    let profile = json!({"vid": id, "identity": [identity], "linkedVid": []});
                    problem.extra.insert("identityProfile".to_owned(), profile);
                }
                problem
            }
        }
    }

    /// Adds a list of texts to the context.
    pub(super) fn with_context(mut self, key: &str, values: Vec<String>) -> Problem {
        self.context.insert(key.to_owned(), values.into());
        self
    }

    /// Adds the second category.
    pub(super) fn with_sub_category(mut self, name: &'static str) -> Problem {
        self.sub_category = Some(name);
        self
    }

    /// Adds an entry to `errors`.
    pub(super) fn with_error(mut self, error: Value) -> Problem {
        self.errors.push(error);
        self
    }

    /// Adds a field at the top.
    pub(super) fn with_field(mut self, key: &str, value: impl Into<Value>) -> Problem {
        self.extra.insert(key.to_owned(), value.into());
        self
    }

    /// As one of the `errors` of a batch answer.
    pub(super) fn into_row(mut self, trace: Option<&str>) -> Value {
        if let Some(trace) = trace {
            self.context.insert("objectWriteTraceId".to_owned(), json!([trace]));
        }
        self.extra.clear();
        Value::Object(self.fields())
    }

    /// As the body of an answer.
    pub(super) fn into_body(self, correlation_id: Uuid) -> Value {
        let mut body = self.fields();
        body.insert("correlationId".to_owned(), correlation_id.to_string().into());
        Value::Object(body)
    }

    fn fields(self) -> Map<String, Value> {
        let mut body = self.extra;
        body.insert("status".to_owned(), "error".into());
        body.insert("message".to_owned(), self.message.into());
        if let Some(category) = self.category {
            body.insert("category".to_owned(), category.into());
        }
        if let Some(name) = self.sub_category {
            body.insert("subCategory".to_owned(), name.into());
        }
        if !self.errors.is_empty() {
            body.insert("errors".to_owned(), self.errors.into());
        }
        if !self.context.is_empty() {
            body.insert("context".to_owned(), self.context.into());
        }
        body
    }
}

/// The properties to show: the named ones that exist and the three that always come; the default set for no names.
pub(super) fn shown<'a>(catalog: &Catalog, names: impl Iterator<Item = &'a str>) -> Vec<PropId> {
    let mut shown: Vec<PropId> = names.filter_map(|name| catalog.find(name)).map(|(id, _)| id).collect();
    if shown.is_empty() {
        return DEFAULT
            .iter()
            .filter_map(|name| catalog.find(name))
            .map(|(id, _)| id)
            .collect();
    }
    shown.extend([CREATED, MODIFIED, OBJECT_ID]);
    shown
}

/// A record; what is not set is `null`.
pub(super) fn record(contact: &Contact, catalog: &Catalog, shown: &[PropId]) -> Map<String, Value> {
    let mut properties = Map::new();
    for &id in shown {
        let value = contact
            .value(catalog, id)
            .map_or(Value::Null, |value| Value::String(value.into_owned()));
        properties.insert(catalog.at(id).name.clone(), value);
    }
    let mut record = Map::new();
    record.insert("id".to_owned(), contact.id.to_string().into());
    record.insert("properties".to_owned(), properties.into());
    record.insert("createdAt".to_owned(), iso(contact.created_ms).into());
    record.insert("updatedAt".to_owned(), iso(contact.modified_ms).into());
    record.insert("archived".to_owned(), contact.archived_ms.is_some().into());
    if let Some(at) = contact.archived_ms {
        record.insert("archivedAt".to_owned(), iso(at).into());
    }
    record
}
