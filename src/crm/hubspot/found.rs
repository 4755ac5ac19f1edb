//! Which record answers which value that was asked for: HubSpot does not say, so the records must.

use std::collections::{BTreeMap, BTreeSet};

use super::wire::Told;
use crate::crm::{ReadAnswer, ReadKey};
use crate::domain::Record;

/// Builds the answer to a batch read from what the records hold.
///
/// A primary address outranks a secondary one, a contact's own id one that it absorbed. A record that answers nothing
/// is kept when it is the only one and a single id was asked for: then there is nothing else that it could answer.
pub(super) fn found(key: ReadKey, values: &[String], told: Told) -> ReadAnswer {
    let mut answer = ReadAnswer::default();
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut strong: BTreeMap<String, usize> = BTreeMap::new();
    let mut weak: BTreeMap<String, usize> = BTreeMap::new();
    for record in told.results.into_iter().filter_map(|result| result.record) {
        if !seen.insert(record.crm_id.clone()) {
            continue;
        }
        let at = answer.records.len();
        let (own, others) = identifiers(key, &record);
        if let Some(id) = own {
            strong.entry(id).or_insert(at);
        }
        for id in others {
            weak.entry(id).or_insert(at);
        }
        answer.records.push(record);
    }
    let missing: BTreeSet<String> = told
        .complaints
        .iter()
        .flat_map(|complaint| &complaint.ids)
        .map(|id| comparable(key, id))
        .collect();
    for value in values {
        let wanted = comparable(key, value);
        match strong.get(&wanted).or_else(|| weak.get(&wanted)) {
            Some(at) => _ = answer.found.insert(value.clone(), *at),
            None if missing.contains(&wanted) => {}
            None => answer.unexplained.push(value.clone()),
        }
    }
    if let (ReadKey::CrmId, [only], [_], 1) = (key, values, &answer.records[..], answer.unexplained.len()) {
        answer.found.insert(only.clone(), 0);
        answer.unexplained.clear();
    }
    answer
}

/// What a record is known by under a key: for certain, and beside it.
fn identifiers(key: ReadKey, record: &Record) -> (Option<String>, Vec<String>) {
    let form = |text: &String| comparable(key, text);
    match key {
        ReadKey::CrmId | ReadKey::ArchivedCrmId => (
            Some(form(&record.crm_id)),
            record.absorbed_ids.iter().map(|id| form(&id.0)).collect(),
        ),
        ReadKey::Email => (
            record.values.get(&crate::domain::Field::Email).map(form),
            record.additional_emails.iter().map(form).collect(),
        ),
        ReadKey::GatekeeperKey => (record.gatekeeper_key.as_ref().map(form), Vec::new()),
    }
}

/// The values to ask for: of several spellings of one value the first, as it is. The same value twice would refuse the
/// whole batch; and whether a unique property is case-sensitive is not documented, so no spelling is changed.
pub(super) fn once_each(key: ReadKey, values: &[String]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    values
        .iter()
        .filter(|value| seen.insert(comparable(key, value)))
        .cloned()
        .collect()
}

/// The form in which two spellings of one value are equal. HubSpot lowers the case of addresses.
fn comparable(key: ReadKey, value: &str) -> String {
    match key {
        ReadKey::CrmId | ReadKey::ArchivedCrmId => value.trim().to_owned(),
        ReadKey::Email => value.trim().to_lowercase(),
        ReadKey::GatekeeperKey => value.trim().to_ascii_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::crm::hubspot::wire::{Names, told};

    fn ask(key: ReadKey, values: &[&str], body: &serde_json::Value) -> (BTreeMap<String, String>, Vec<String>) {
        let told = told(body, &Names::new(None).unwrap(), &|_| true);
        let values: Vec<String> = values.iter().map(|value| (*value).to_owned()).collect();
        let answer = found(key, &values, told);
        let found = answer
            .found
            .iter()
            .map(|(value, at)| (value.clone(), answer.records[*at].crm_id.clone()));
        (found.collect(), answer.unexplained)
    }

    fn pairs(of: &[(&str, &str)]) -> BTreeMap<String, String> {
        of.iter()
            .map(|(value, id)| ((*value).to_owned(), (*id).to_owned()))
            .collect()
    }

    #[test]
    fn addresses_are_found_by_what_the_contacts_hold_whatever_the_case_and_order() {
        let body = json!({
            "results": [
                {"id": "2", "properties": {"email": "bob@x.org", "hs_additional_emails": "rob@x.org;bobby@x.org"}},
                {"id": "1", "properties": {"email": "ana@x.org"}},
                {"id": "2", "properties": {"email": "bob@x.org"}},
            ],
            "errors": [{"category": "OBJECT_NOT_FOUND", "context": {"ids": ["nobody@x.org"]}}],
        });
        let asked = ["Ana@X.org", "ROB@x.org", "bob@x.org", "Nobody@x.org", "gap@x.org"];
        let (found, unexplained) = ask(ReadKey::Email, &asked, &body);
        assert_eq!(
            found,
            pairs(&[("Ana@X.org", "1"), ("ROB@x.org", "2"), ("bob@x.org", "2")])
        );
        assert_eq!(unexplained, ["gap@x.org"]);
    }

    #[test]
    fn a_primary_address_outranks_a_secondary_one() {
        let body = json!({"results": [
            {"id": "1", "properties": {"email": "a@x.org", "hs_additional_emails": "b@x.org"}},
            {"id": "2", "properties": {"email": "b@x.org"}},
        ]});
        assert_eq!(ask(ReadKey::Email, &["b@x.org"], &body).0, pairs(&[("b@x.org", "2")]));
    }

    #[test]
    fn absorbed_ids_lead_to_the_survivor() {
        let body = json!({"results": [{"id": "9", "properties": {
            "hs_merged_object_ids": "1", "hs_calculated_merged_vids": "2:1731000000000"}}]});
        let (found, unexplained) = ask(ReadKey::CrmId, &["1", "2", "3"], &body);
        assert_eq!(found, pairs(&[("1", "9"), ("2", "9")]));
        assert_eq!(unexplained, ["3"]);
    }

    #[test]
    fn an_only_record_answers_an_only_id_even_if_it_does_not_list_it() {
        let body = json!({"results": [{"id": "9"}]});
        assert_eq!(ask(ReadKey::CrmId, &["1"], &body), (pairs(&[("1", "9")]), vec![]));
        assert_eq!(ask(ReadKey::CrmId, &["1", "2"], &body).1, ["1", "2"]);
        assert_eq!(ask(ReadKey::Email, &["a@x.org"], &body).1, ["a@x.org"]);
    }

    #[test]
    fn two_spellings_of_one_value_are_asked_for_once_and_as_they_are() {
        let values = ["B@x.org", "a@x.org", "b@X.org"].map(str::to_owned);
        assert_eq!(once_each(ReadKey::Email, &values), ["B@x.org", "a@x.org"]);
        assert_eq!(once_each(ReadKey::GatekeeperKey, &["v1.ABC".to_owned()]), ["v1.ABC"]);
    }

    #[test]
    fn keys_are_found_by_the_key_that_the_contact_holds() {
        let body = json!({"results": [{"id": "9", "properties": {"gatekeeper_key": "v1.ABC"}}]});
        assert_eq!(
            ask(ReadKey::GatekeeperKey, &["v1.abc"], &body).0,
            pairs(&[("v1.abc", "9")])
        );
    }
}
