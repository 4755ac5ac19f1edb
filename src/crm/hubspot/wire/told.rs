//! What HubSpot answers: pages, batches, properties, the account.

use std::collections::BTreeMap;

use serde_json::Value;

use super::record::record;
use super::{Complaint, Names, elements, text};
use crate::crm::{Account, KEY_PROPERTY, Property, Schema};
use crate::domain::{Field, Record};

/// How far HubSpot says it came with a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::crm::hubspot) enum Completion {
    /// It says that it is done, or nothing.
    Done,
    /// It says something else, such as `PENDING`.
    Unfinished(String),
}

/// One entry of a batch's results.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::crm::hubspot) struct TracedRecord {
    /// Trace id of the row that it answers, when HubSpot gives it back.
    pub(in crate::crm::hubspot) trace_id: Option<String>,
    /// The contact; none when the entry has no id.
    pub(in crate::crm::hubspot) record: Option<Record>,
}

/// The answer to a batch.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::crm::hubspot) struct Told {
    /// How far it came.
    pub(in crate::crm::hubspot) completion: Completion,
    /// There was a list of results, be it empty.
    pub(in crate::crm::hubspot) has_results: bool,
    /// What was done or found, in no particular order.
    pub(in crate::crm::hubspot) results: Vec<TracedRecord>,
    /// What was not.
    pub(in crate::crm::hubspot) complaints: Vec<Complaint>,
}

/// A page of the list or of a search.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::crm::hubspot) struct Listed {
    /// The contacts, in the order of the page.
    pub(in crate::crm::hubspot) records: Vec<Record>,
    /// HubSpot's cursor of the next page.
    pub(in crate::crm::hubspot) after: Option<String>,
    /// How many there are in all, if it says so.
    pub(in crate::crm::hubspot) total: Option<u64>,
}

/// Reads the answer to a batch; the records hold the fields that `keep` wants.
pub(in crate::crm::hubspot) fn told(value: &Value, names: &Names, keep: &dyn Fn(&Field) -> bool) -> Told {
    let completion = match text(value, "status") {
        Some(status) if status != "COMPLETE" => Completion::Unfinished(status),
        _ => Completion::Done,
    };
    let results = elements(value, "results").iter().map(|entry| TracedRecord {
        trace_id: text(entry, "objectWriteTraceId"),
        record: record(entry, names, keep),
    });
    Told {
        completion,
        has_results: value.get("results").is_some_and(Value::is_array),
        results: results.collect(),
        complaints: elements(value, "errors").iter().map(Complaint::of).collect(),
    }
}

/// Reads a page; none when there is no list in it. An entry without an id is no contact and is left out.
pub(in crate::crm::hubspot) fn listed(value: &Value, names: &Names, keep: &dyn Fn(&Field) -> bool) -> Option<Listed> {
    let results = value.get("results")?.as_array()?;
    let next = value.get("paging").and_then(|paging| paging.get("next"));
    Some(Listed {
        records: results.iter().filter_map(|entry| record(entry, names, keep)).collect(),
        after: next
            .and_then(|next| text(next, "after"))
            .filter(|after| !after.is_empty()),
        total: value.get("total").and_then(Value::as_u64),
    })
}

/// What contacts are tied to. Who is tied to nothing is missing, or among the errors.
pub(in crate::crm::hubspot) fn associations(value: &Value) -> Option<BTreeMap<String, Vec<String>>> {
    value.get("results").and_then(Value::as_array)?;
    let mut ties: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for result in elements(value, "results") {
        let Some(from) = result.get("from").and_then(|from| text(from, "id")) else {
            continue;
        };
        let to = elements(result, "to").iter();
        let to = to.filter_map(|object| text(object, "toObjectId").or_else(|| text(object, "id")));
        ties.entry(from).or_default().extend(to);
    }
    Some(ties)
}

/// An answer that is one contact, with its canonical fields.
pub(in crate::crm::hubspot) fn one_record(value: &Value, names: &Names) -> Option<Record> {
    record(value, names, &|field| !matches!(field, Field::Property(_)))
}

/// Reads the account; none without its id.
pub(in crate::crm::hubspot) fn account(value: &Value) -> Option<Account> {
    Some(Account {
        account_id: text(value, "portalId")?,
        time_zone: text(value, "timeZone").filter(|zone| !zone.is_empty()),
    })
}

/// Reads the definitions of the properties; none when there is no list of them.
pub(in crate::crm::hubspot) fn schema(value: &Value, names: &Names) -> Option<Schema> {
    let defined = value.get("results")?.as_array()?;
    let mut schema = Schema::default();
    for entry in defined.iter().filter(|entry| !flag(entry, "archived")) {
        let Some(property) = property(entry) else { continue };
        schema.has_unique_key |= property.name == KEY_PROPERTY && property.unique;
        // A property in the shadow of a canonical name cannot be written, so it must not answer for that field.
        if let Some(field) = names.home_of(&property.name) {
            schema.properties.insert(field, property);
        }
    }
    Some(schema)
}

/// Whether the property that was just made is unique. An archived one of the same name comes back as it was.
pub(in crate::crm::hubspot) fn made_property_is_unique(value: &Value) -> bool {
    value.get("hasUniqueValue").and_then(Value::as_bool).unwrap_or(true)
}

fn property(entry: &Value) -> Option<Property> {
    let kind = text(entry, "type").unwrap_or_default();
    let read_only = entry
        .get("modificationMetadata")
        .is_some_and(|metadata| flag(metadata, "readOnlyValue"));
    // Owners and the like: the allowed values live elsewhere, so none can be refused here.
    let elsewhere = flag(entry, "externalOptions");
    let options = elements(entry, "options")
        .iter()
        .filter(|_| !elsewhere)
        .filter_map(|option| text(option, "value"));
    Some(Property {
        name: text(entry, "name")?,
        read_only: read_only || flag(entry, "calculated"),
        unique: flag(entry, "hasUniqueValue"),
        options: options.collect(),
        multiple: kind == "enumeration" && text(entry, "fieldType").as_deref() == Some("checkbox"),
        number: kind == "number",
    })
}

fn flag(value: &Value, member: &str) -> bool {
    value.get(member).and_then(Value::as_bool).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn names() -> Names {
        Names::new(Some("ext_id".to_owned())).unwrap()
    }

    #[test]
    fn a_batch_is_read_with_whatever_it_has() {
        let answer = told(
            &json!({
                "status": "PENDING",
                "results": [{"id": "1", "objectWriteTraceId": "t1"}, {"objectWriteTraceId": "t2"}, 7],
                "errors": [{"category": "OBJECT_NOT_FOUND", "context": {"ids": ["9"]}}],
            }),
            &names(),
            &|_| true,
        );
        assert_eq!(answer.completion, Completion::Unfinished("PENDING".to_owned()));
        assert_eq!(answer.results.iter().filter(|one| one.record.is_some()).count(), 1);
        assert_eq!(answer.results[1].trace_id.as_deref(), Some("t2"));
        assert_eq!(answer.complaints[0].ids, ["9"]);
        let nothing = told(&json!([]), &names(), &|_| true);
        assert!(!nothing.has_results && nothing.results.is_empty() && nothing.complaints.is_empty());
    }

    #[test]
    fn a_cursor_may_be_a_text_or_a_number() {
        for after in [json!("33452"), json!(33452)] {
            let page = listed(
                &json!({"results": [], "paging": {"next": {"after": after}}}),
                &names(),
                &|_| true,
            );
            assert_eq!(page.unwrap().after.as_deref(), Some("33452"));
        }
        assert_eq!(
            listed(&json!({"results": []}), &names(), &|_| true).unwrap().after,
            None
        );
        assert!(listed(&json!({"total": 0}), &names(), &|_| true).is_none());
    }

    #[test]
    fn properties_are_known_by_their_canonical_field() {
        let schema = schema(
            &json!({"results": [
                {"name": "firstname", "type": "string"},
                {"name": "first_name", "type": "number"},
                {"name": "ext_id", "type": "string", "hasUniqueValue": true},
                {"name": "gatekeeper_key", "type": "string", "hasUniqueValue": true},
                {"name": "numemployees", "type": "number"},
                {"name": "gone", "archived": true},
                {"name": "hs_object_id", "modificationMetadata": {"readOnlyValue": true}},
                {"name": "score", "calculated": true},
                {"name": "topics", "type": "enumeration", "fieldType": "checkbox",
                 "options": [{"value": "a"}, {"value": "b"}]},
                {"name": "hubspot_owner_id", "type": "enumeration", "externalOptions": true,
                 "options": [{"value": "1"}]},
                {"type": "string"},
            ]}),
            &names(),
        )
        .unwrap();
        assert!(schema.has_unique_key && schema.require_unique_key().is_ok());
        let of = |name: &str| &schema.properties[&Field::from_name(name)];
        assert!(
            !of("first_name").number,
            "the shadowed property does not answer for the first name"
        );
        assert!(of("external_id").unique && of("numemployees").number);
        assert!(of("hs_object_id").read_only && of("score").read_only);
        assert!(of("topics").multiple && of("topics").options.len() == 2);
        assert!(of("hubspot_owner_id").options.is_empty());
        assert!(!schema.properties.contains_key(&Field::from_name("gone")));
    }

    #[test]
    fn a_key_property_that_is_not_unique_is_told_from_none() {
        let with = |results: Value| schema(&json!({"results": results}), &names()).unwrap();
        let absent = with(json!([])).require_unique_key().unwrap_err().to_string();
        assert!(absent.contains("to make it"), "{absent}");
        let plain = with(json!([{"name": "gatekeeper_key"}]))
            .require_unique_key()
            .unwrap_err()
            .to_string();
        assert!(plain.contains("archive and delete it"), "{plain}");
    }
}
