//! HubSpot's own words: the only place that knows its property names and the shapes of its bodies.
//!
//! Every field of an answer is optional here (crm-apis: documentation, OpenAPI and recorded traffic disagree), so
//! answers are read from a [`serde_json::Value`] field by field: one field of an unexpected type costs that field, not
//! the page or the batch that it stands in.

mod ask;
mod complaint;
mod history;
mod names;
mod record;
mod told;

pub(super) use ask::{
    SEARCH_BODY_LIMIT, SEARCH_LIMIT, URL_LIMIT, associate_body, create_body, history_body, ids_body, key_property_body,
    list_query, merge_body, read_body, read_query, search_body, update_body,
};
pub(super) use complaint::Complaint;
pub(super) use history::{HISTORY_LIMIT, last_changes};
pub(super) use names::Names;
pub(super) use told::{
    Completion, Listed, Told, TracedRecord, account, associations, listed, made_property_is_unique, one_record, schema,
    told,
};

use serde_json::Value;

/// A member as text: texts as they are but for NUL, which no database keeps, numbers and booleans written out; anything
/// else is no text.
fn text(value: &Value, member: &str) -> Option<String> {
    as_text(value.get(member)?)
}

fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.replace('\0', "")),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The elements of a member that is a list; none when it is not there or is something else.
fn elements<'a>(value: &'a Value, member: &str) -> &'a [Value] {
    value.get(member).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
