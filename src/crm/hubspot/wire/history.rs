//! The history of properties: who set a value last, and when.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::names::Names;
use super::{elements, text};
use crate::crm::LastChange;

/// What is no person, of the values of `sourceType`. HubSpot names no complete list; what is not known counts as a person's,
/// which protects it.
const MACHINES: [&str; 18] = [
    "ANALYTICS",
    "API",
    "AUTOMATION_PLATFORM",
    "BATCH_UPDATE",
    "BOT",
    "CALCULATED",
    "DATA_ENRICHMENT",
    "EMAIL",
    "EMAIL_INTEGRATION",
    "FORM",
    "IMPORT",
    "INTEGRATION",
    "INTEGRATIONS_PLATFORM",
    "INTEGRATIONS_SYNC",
    "INTERNAL_PROCESSING",
    "MIGRATION",
    "SALESFORCE",
    "WORKFLOWS",
];

/// Contacts in one request: with history a page holds half as many.
pub(in crate::crm::hubspot) const HISTORY_LIMIT: usize = 50;

/// The last change of each property whose history stands in an answer; none when there is no list of contacts in it.
pub(in crate::crm::hubspot) fn last_changes(value: &Value, names: &Names) -> Option<Vec<LastChange>> {
    value.get("results")?.as_array()?;
    let mut changes = Vec::new();
    for entry in elements(value, "results") {
        let Some(crm_id) = text(entry, "id") else { continue };
        let histories = entry.get("propertiesWithHistory").and_then(Value::as_object);
        for (property, versions) in histories.into_iter().flatten() {
            let Some(field) = names.home_of(property) else { continue };
            let versions = versions.as_array().map_or(&[][..], Vec::as_slice);
            let dated = versions.iter().filter_map(|version| Some((time(version)?, version)));
            let Some((changed_at, version)) = dated.max_by_key(|(at, _)| *at) else {
                continue;
            };
            let source_type = text(version, "sourceType").unwrap_or_default();
            changes.push(LastChange {
                crm_id: crm_id.clone(),
                field,
                value: text(version, "value").unwrap_or_default(),
                changed_at,
                by_person: !MACHINES.contains(&source_type.as_str()),
            });
        }
    }
    Some(changes)
}

fn time(version: &Value) -> Option<DateTime<Utc>> {
    let at = text(version, "timestamp")?;
    let at = DateTime::parse_from_rfc3339(&at).ok()?;
    Some(at.with_timezone(&Utc))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::Field;

    #[test]
    fn the_newest_version_counts_and_what_is_not_known_is_a_persons() {
        let names = Names::new(None).unwrap();
        let version = |value: &str, at: &str, by: &str| json!({"value": value, "timestamp": at, "sourceType": by, "sourceId": "userId:7"});
        let answer = json!({"results": [
            {"id": "1", "propertiesWithHistory": {
                "city": [version("Riga", "2026-01-02T00:00:00Z", "INTEGRATION"), version("Kiel", "2026-01-01T00:00:00Z", "CRM_UI")],
                "firstname": [version("Ann", "2026-01-01T00:00:00.5Z", "MOBILE_IOS")],
                "company": [version("Acme", "no time", "CRM_UI")],
                "phone": [],
            }},
            {"id": "2"},
        ]});
        let mut changes = last_changes(&answer, &names).unwrap();
        changes.sort_by(|left, right| left.field.cmp(&right.field));
        let told: Vec<(Field, &str, bool)> = changes
            .iter()
            .map(|change| (change.field.clone(), change.value.as_str(), change.by_person))
            .collect();
        assert_eq!(told, [(Field::FirstName, "Ann", true), (Field::City, "Riga", false)]);
        assert!(last_changes(&json!({"status": "x"}), &names).is_none());
    }
}
