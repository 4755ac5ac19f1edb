//! The `properties` column: any other CRM property by its name, as flat text.

use serde_json::Value;

use crate::domain::{Field, Refusal};

/// More properties than a CRM form has; a runaway export.
const MOST: usize = 200;
/// Levels of arrays and objects; deeper ones are refused unread.
const DEEPEST: usize = 32;
/// Names longer than this no CRM has.
const LONGEST_NAME: usize = 250;

/// Every property that has a value, in the order of their names; what is not usable goes to `refused`.
pub(super) fn flatten(properties: &Value, refused: &mut Vec<Refusal>) -> Vec<(Field, String)> {
    let whole = |reason: &str| Refusal {
        field: Field::Property("properties".into()),
        reason: reason.to_owned(),
    };
    let Value::Object(map) = properties else {
        if !properties.is_null() {
            refused.push(whole("not_an_object"));
        }
        return Vec::new();
    };
    if map.len() > MOST {
        refused.push(whole("too_many_properties"));
        return Vec::new();
    }
    if is_too_deep(properties) {
        refused.push(whole("too_deep"));
        return Vec::new();
    }
    let mut flat = Vec::with_capacity(map.len());
    for (name, value) in map {
        let name = name.trim();
        if name.is_empty() || name.len() > LONGEST_NAME || name.chars().any(char::is_control) {
            refused.push(whole("bad_name"));
            continue;
        }
        let field = Field::from_name(name);
        match text_of(value) {
            Ok(Some(text)) => flat.push((field, text)),
            Ok(None) => {}
            Err(reason) => refused.push(Refusal {
                field,
                reason: reason.to_owned(),
            }),
        }
    }
    flat
}

/// The text of a scalar, or of an array of scalars joined with `;` as CRMs take lists; none when blank.
fn text_of(value: &Value) -> Result<Option<String>, &'static str> {
    let text = match value {
        Value::Array(items) => {
            let texts: Result<Vec<Option<String>>, _> = items.iter().map(scalar).collect();
            texts?.into_iter().flatten().collect::<Vec<_>>().join(";")
        }
        single => scalar(single)?.unwrap_or_default(),
    };
    Ok((!text.is_empty()).then_some(text))
}

fn scalar(value: &Value) -> Result<Option<String>, &'static str> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok((!text.is_empty()).then(|| text.clone())),
        Value::Bool(_) | Value::Number(_) => Ok(Some(value.to_string())),
        Value::Array(_) | Value::Object(_) => Err("nested_value"),
    }
}

/// Counted without recursion: the sender chooses the depth, not our stack.
fn is_too_deep(root: &Value) -> bool {
    let mut waiting = vec![(root, 1)];
    while let Some((value, depth)) = waiting.pop() {
        match value {
            Value::Array(_) | Value::Object(_) if depth > DEEPEST => return true,
            Value::Array(items) => waiting.extend(items.iter().map(|item| (item, depth + 1))),
            Value::Object(map) => waiting.extend(map.values().map(|item| (item, depth + 1))),
            _ => {}
        }
    }
    false
}
