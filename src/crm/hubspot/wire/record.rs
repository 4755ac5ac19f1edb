//! A contact as HubSpot writes it, made a [`Record`].

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::names::{CREATED, ID, MERGED_IDS, MERGED_VIDS, MODIFIED, MORE_EMAILS, Names};
use super::{as_text, text};
use crate::crm::KEY_PROPERTY;
use crate::domain::{CrmId, Field, Record};

/// The contact in `value`, with the values of the fields that `keep` wants; none when it has no id.
///
/// HubSpot adds properties that nobody asked for (`hs_is_contact`, `hs_full_name_or_email`); they are not kept.
pub(super) fn record(value: &Value, names: &Names, keep: &dyn Fn(&Field) -> bool) -> Option<Record> {
    let nothing = Value::Null;
    let properties = value.get("properties").unwrap_or(&nothing);
    let crm_id = text(value, "id")
        .or_else(|| text(properties, ID))
        .filter(|id| !id.is_empty())?;
    let mut record = Record {
        created_at: text(properties, CREATED)
            .or_else(|| text(value, "createdAt"))
            .as_deref()
            .and_then(time),
        updated_at: text(properties, MODIFIED)
            .or_else(|| text(value, "updatedAt"))
            .as_deref()
            .and_then(time),
        archived: value.get("archived").and_then(Value::as_bool).unwrap_or(false),
        gatekeeper_key: text(properties, KEY_PROPERTY).filter(|key| is_key(key)),
        additional_emails: parts(text(properties, MORE_EMAILS)).collect(),
        absorbed_ids: absorbed(properties, &crm_id),
        crm_id,
        ..Record::default()
    };
    for (property, value) in properties.as_object().into_iter().flatten() {
        let Some(field) = names.home_of(property) else { continue };
        if !keep(&field) {
            continue;
        }
        if let Some(value) = as_text(value).filter(|value| !value.trim().is_empty()) {
            record.values.insert(field, value);
        }
    }
    Some(record)
}

/// Ours are far shorter; what else a person writes there is no key.
fn is_key(text: &str) -> bool {
    !text.trim().is_empty() && text.len() <= 100
}

/// Ids that were merged into this one, from both properties that tell of it: neither is complete.
fn absorbed(properties: &Value, own: &str) -> Vec<CrmId> {
    let mut ids: Vec<CrmId> = Vec::new();
    let listed = parts(text(properties, MERGED_IDS));
    let timed =
        parts(text(properties, MERGED_VIDS)).map(|pair| pair.split(':').next().unwrap_or_default().trim().to_owned());
    for id in listed.chain(timed).map(CrmId) {
        if !id.0.is_empty() && id.0 != own && !ids.contains(&id) {
            ids.push(id);
        }
    }
    ids
}

fn parts(joined: Option<String>) -> impl Iterator<Item = String> {
    let parts: Vec<String> = joined
        .unwrap_or_default()
        .split(';')
        .map(|part| part.trim().to_owned())
        .filter(|part| !part.is_empty())
        .collect();
    parts.into_iter()
}

/// A time in either of HubSpot's forms: ISO 8601, or milliseconds since 1970.
pub(super) fn time(text: &str) -> Option<DateTime<Utc>> {
    match text.parse::<i64>() {
        Ok(millis) => DateTime::from_timestamp_millis(millis),
        Err(_) => DateTime::parse_from_rfc3339(text).ok().map(|time| time.to_utc()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(value: &Value) -> Option<Record> {
        record(value, &Names::new(Some("ext_id".to_owned())).unwrap(), &|_| true)
    }

    #[test]
    fn a_contact_is_read_in_canonical_names() {
        let record = read(&json!({
            "id": "37765128953",
            "properties": {
                "firstname": " Ana ", "lastname": null, "company": "", "email": "ana@example.org", "ext_id": "S-7",
                "jobtitle": "  ", "numemployees": 12, "lifecyclestage": "lead", "gatekeeper_key": "v1.ABC",
                "hs_additional_emails": "a@example.org; b@example.org;",
                "hs_merged_object_ids": "11;12", "hs_calculated_merged_vids": "12:1731000000000;13:1731000000001",
                "createdate": "2024-09-24T03:26:07.120Z", "lastmodifieddate": "1731000000000", "hs_object_id": "37765128953"
            },
            "createdAt": "2020-01-01T00:00:00Z", "updatedAt": "2020-01-01T00:00:00Z", "archived": true
        }))
        .unwrap();
        assert_eq!(record.crm_id, "37765128953");
        assert_eq!(record.values[&Field::FirstName], " Ana ", "values stay as they are");
        assert_eq!(record.values[&Field::ExternalId], "S-7");
        assert_eq!(record.values[&Field::Property("numemployees".into())], "12");
        for blank in [Field::LastName, Field::Company, Field::JobTitle] {
            assert!(!record.values.contains_key(&blank), "{blank}");
        }
        assert_eq!(record.additional_emails, ["a@example.org", "b@example.org"]);
        assert_eq!(record.absorbed_ids, ["11", "12", "13"].map(|id| CrmId(id.to_owned())));
        assert_eq!(record.gatekeeper_key.as_deref(), Some("v1.ABC"));
        assert_eq!(record.created_at.unwrap().timestamp_subsec_millis(), 120);
        assert_eq!(record.updated_at.unwrap().timestamp(), 1_731_000_000);
        assert!(record.archived);
    }

    #[test]
    fn any_member_may_be_missing_or_of_another_type() {
        assert!(read(&json!({})).is_none());
        assert!(read(&json!("text")).is_none());
        let record = read(&json!({"id": 512, "properties": [], "archived": "no", "createdAt": 5.5})).unwrap();
        assert_eq!(
            (record.crm_id.as_str(), record.values.len(), record.archived),
            ("512", 0, false)
        );
        assert_eq!(read(&json!({"properties": {"hs_object_id": "9"}})).unwrap().crm_id, "9");
    }

    #[test]
    fn what_nobody_wants_is_not_kept() {
        let value = json!({"id": "1", "properties": {"email": "a@b.c", "hs_is_contact": "true"}});
        let record = record(&value, &Names::new(None).unwrap(), &|field| *field == Field::Email).unwrap();
        assert_eq!(record.values.len(), 1);
    }
}
