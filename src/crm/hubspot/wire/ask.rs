//! What is sent: bodies and queries that satisfy HubSpot's documentation and its OpenAPI files alike.
//!
//! The two disagree about what is required, so every member that either wants is always there: the five members of a
//! search, `associations` on create, `propertiesWithHistory` on batch read. Values are always texts.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::names::{ID, MODIFIED, Names};
use crate::crm::{CreateRow, KEY_PROPERTY, ReadKey, UpdateRow, Window};
use crate::domain::{CrmId, Field};

/// Contacts on a page of the list; HubSpot's maximum.
const LIST_LIMIT: usize = 100;
/// Contacts on a page of a search; HubSpot's maximum.
pub(in crate::crm::hubspot) const SEARCH_LIMIT: usize = 200;
/// Longest body of a search, in characters; a longer one is answered 400.
pub(in crate::crm::hubspot) const SEARCH_BODY_LIMIT: usize = 3_000;
/// Longest URL that is sent; HubSpot answers 414 to longer ones without saying from where on.
pub(in crate::crm::hubspot) const URL_LIMIT: usize = 8_000;

/// The query of one page of the list.
pub(in crate::crm::hubspot) fn list_query(
    properties: &[String],
    after: Option<&str>,
    archived: bool,
) -> Vec<(&'static str, String)> {
    let mut query = vec![
        ("limit", LIST_LIMIT.to_string()),
        ("archived", archived.to_string()),
        ("properties", properties.join(",")),
    ];
    if let Some(after) = after {
        query.push(("after", after.to_owned()));
    }
    query
}

/// The search for what changed in a window, by id, above an id.
///
/// Three filters, one group, one sort: inside every limit that any source names. `after` is always `"0"`: the next page
/// is asked for by the id, not by an offset, so the window of 10,000 results never ends it, however many contacts
/// share one timestamp. Ids are unique, hence strictly greater: a page that ended at an id never repeats it.
pub(in crate::crm::hubspot) fn search_body(properties: &[String], window: Window, after_id: Option<&CrmId>) -> Value {
    let above = after_id.map_or("0", |id| id.0.as_str());
    let filter = |property: &str, operator: &str, value: String| json!({"propertyName": property, "operator": operator, "value": value});
    json!({
        "filterGroups": [{"filters": [
            filter(MODIFIED, "GTE", window.lo.timestamp_millis().to_string()),
            filter(MODIFIED, "LTE", window.hi.timestamp_millis().to_string()),
            filter(ID, "GT", above.to_owned()),
        ]}],
        "sorts": [ID],
        "properties": properties,
        "limit": SEARCH_LIMIT,
        "after": "0",
    })
}

/// A batch read. The record id is the key when none is named.
pub(in crate::crm::hubspot) fn read_body(properties: &[String], key: ReadKey, values: &[String]) -> Value {
    let inputs: Vec<Value> = values.iter().map(|value| json!({"id": value})).collect();
    let mut body = json!({"properties": properties, "propertiesWithHistory": [], "inputs": inputs});
    let id_property = match key {
        ReadKey::CrmId | ReadKey::ArchivedCrmId => None,
        ReadKey::Email => Some("email"),
        ReadKey::GatekeeperKey => Some(KEY_PROPERTY),
    };
    if let Some(id_property) = id_property {
        body["idProperty"] = id_property.into();
    }
    body
}

/// A batch read by record id of the histories of some properties.
pub(in crate::crm::hubspot) fn history_body(properties: &[String], ids: &[String]) -> Value {
    let inputs: Vec<Value> = ids.iter().map(|id| json!({"id": id})).collect();
    json!({"properties": [], "propertiesWithHistory": properties, "inputs": inputs})
}

/// The query of a batch read: contacts in the recycle bin are shown to those alone who ask for them.
pub(in crate::crm::hubspot) fn read_query(key: ReadKey) -> Vec<(&'static str, String)> {
    match key {
        ReadKey::ArchivedCrmId => vec![("archived", true.to_string())],
        ReadKey::CrmId | ReadKey::Email | ReadKey::GatekeeperKey => Vec::new(),
    }
}

/// A batch create. Every row has its own trace id: without them one conflict fails all rows.
pub(in crate::crm::hubspot) fn create_body(names: &Names, rows: &[CreateRow]) -> Value {
    let inputs = rows.iter().map(|row| {
        let mut properties = properties(names, &row.values);
        properties.insert(KEY_PROPERTY.to_owned(), row.gatekeeper_key.as_str().into());
        json!({"objectWriteTraceId": row.intent_id, "properties": properties, "associations": []})
    });
    json!({"inputs": inputs.collect::<Vec<Value>>()})
}

/// A batch update by record id.
pub(in crate::crm::hubspot) fn update_body(names: &Names, rows: &[UpdateRow]) -> Value {
    let inputs = rows.iter().map(|row| {
        let properties = properties(names, &row.values);
        json!({"id": row.crm_id, "objectWriteTraceId": row.intent_id, "properties": properties})
    });
    json!({"inputs": inputs.collect::<Vec<Value>>()})
}

/// A field without a property of its own goes by its canonical name: HubSpot then refuses that row alone.
fn properties(names: &Names, values: &BTreeMap<Field, String>) -> Map<String, Value> {
    let named = values.iter().map(|(field, value)| {
        // A blank text would be stored as it is, and never agree with a mirror in which blank means absent.
        let value = if value.trim().is_empty() { "" } else { value };
        (
            names.property_of(field).unwrap_or_else(|| field.name()).to_owned(),
            Value::from(value),
        )
    });
    named.collect()
}

/// Contacts by their ids, and nothing else.
pub(in crate::crm::hubspot) fn ids_body(ids: &[String]) -> Value {
    let inputs: Vec<Value> = ids.iter().map(|id| json!({"id": id})).collect();
    json!({"inputs": inputs})
}

/// Ties of a contact to objects.
pub(in crate::crm::hubspot) fn associate_body(crm_id: &CrmId, objects: &[String]) -> Value {
    let tie = |object: &String| json!({"from": {"id": crm_id}, "to": {"id": object}});
    json!({"inputs": objects.iter().map(tie).collect::<Vec<Value>>()})
}

/// The body of a merge of two contacts: the second one is absorbed by the first.
pub(in crate::crm::hubspot) fn merge_body(primary: &CrmId, absorbed: &CrmId) -> Value {
    json!({"primaryObjectId": primary, "objectIdToMerge": absorbed})
}

/// Our unique property. `hasUniqueValue` cannot be changed once it is made.
pub(in crate::crm::hubspot) fn key_property_body() -> Value {
    json!({
        "name": KEY_PROPERTY,
        "label": "Gatekeeper key",
        "description": "Set by Gatekeeper when it creates a contact; keeps one person from becoming two. Do not edit.",
        "type": "string",
        "fieldType": "text",
        "groupName": "contactinformation",
        "hasUniqueValue": true,
        "formField": false,
    })
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::domain::IntentId;

    #[test]
    fn a_search_asks_by_id_and_never_by_offset() {
        let window = Window {
            lo: DateTime::from_timestamp_millis(1_731_000_000_000).unwrap(),
            hi: DateTime::from_timestamp_millis(1_731_000_060_000).unwrap(),
        };
        let body = search_body(&["email".to_owned()], window, Some(&CrmId("77".to_owned())));
        assert_eq!(
            body,
            json!({
                "filterGroups": [{"filters": [
                    {"propertyName": "lastmodifieddate", "operator": "GTE", "value": "1731000000000"},
                    {"propertyName": "lastmodifieddate", "operator": "LTE", "value": "1731000060000"},
                    {"propertyName": "hs_object_id", "operator": "GT", "value": "77"},
                ]}],
                "sorts": ["hs_object_id"], "properties": ["email"], "limit": 200, "after": "0",
            })
        );
        let first = search_body(&[], window, None);
        assert_eq!(first["filterGroups"][0]["filters"][2]["value"], "0");
    }

    #[test]
    fn rows_carry_trace_id_key_and_texts_only() {
        let names = Names::new(Some("ext_id".to_owned())).unwrap();
        let intent_id = IntentId::new();
        let values = BTreeMap::from([
            (Field::FirstName, "Ana".to_owned()),
            (Field::ExternalId, "7".to_owned()),
            (Field::Company, "  ".to_owned()),
        ]);
        let row = CreateRow {
            intent_id,
            gatekeeper_key: "v1.A".to_owned(),
            values: values.clone(),
        };
        let properties = json!({"firstname": "Ana", "ext_id": "7", "company": ""});
        let mut created = properties.clone();
        created["gatekeeper_key"] = "v1.A".into();
        assert_eq!(
            create_body(&names, &[row]),
            json!({"inputs": [{"objectWriteTraceId": intent_id.to_string(), "properties": created, "associations": []}]})
        );
        let row = UpdateRow {
            intent_id,
            crm_id: CrmId("512".to_owned()),
            values,
        };
        assert_eq!(
            update_body(&names, &[row]),
            json!({"inputs": [{"id": "512", "objectWriteTraceId": intent_id.to_string(), "properties": properties}]})
        );
    }

    #[test]
    fn a_batch_read_names_its_key_unless_it_is_the_record_id() {
        let values = ["a".to_owned()];
        assert_eq!(
            read_body(&[], ReadKey::CrmId, &values),
            json!({"properties": [], "propertiesWithHistory": [], "inputs": [{"id": "a"}]})
        );
        assert_eq!(read_body(&[], ReadKey::Email, &values)["idProperty"], "email");
        assert_eq!(
            read_body(&[], ReadKey::GatekeeperKey, &values)["idProperty"],
            "gatekeeper_key"
        );
    }
}
