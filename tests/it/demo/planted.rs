//! Compares what was decided with what the sample promises.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use tokio_postgres::Client;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cases {
    case: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    lead: String,
    actions: Vec<String>,
    tier: Option<String>,
    reason: Option<String>,
    person: Option<String>,
    #[serde(default)]
    kept: BTreeMap<String, String>,
    #[serde(default)]
    holds: BTreeMap<String, String>,
}

/// What the document of planted.sql says of one delivery.
#[derive(Debug, Deserialize)]
struct Decided {
    lead: String,
    action: String,
    tier: Option<String>,
    reason: Option<String>,
    contact: Option<Value>,
    kept: BTreeMap<String, String>,
}

/// Fails with every case that came out differently.
pub(super) async fn check(client: &Client) {
    let cases: Cases = toml::from_str(include_str!("../../cases/demo/planted.toml")).unwrap();
    let rows = client.query(include_str!("planted.sql"), &[]).await.unwrap();
    let decided: Vec<Decided> = rows
        .iter()
        .map(|row| serde_json::from_value(row.get(0)).unwrap())
        .collect();
    let mut problems = Vec::new();
    for case in &cases.case {
        let deliveries: Vec<&Decided> = decided.iter().filter(|one| one.lead == case.lead).collect();
        let found = compare(case, &deliveries);
        problems.extend(found.map(|problem| format!("{} ({}): {problem}", case.lead, case.name)));
    }
    let planted: Vec<&Decided> = decided.iter().filter(|one| is_planted(&one.lead)).collect();
    for one in planted {
        if !cases.case.iter().any(|case| case.lead == one.lead) {
            problems.push(format!("{} is planted and has no case", one.lead));
        }
    }
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

/// demo/planted.toml numbers its leads from 9000 on; nobody else's numbers go that far.
fn is_planted(lead: &str) -> bool {
    let digits: String = lead.chars().rev().take_while(char::is_ascii_digit).collect();
    digits.len() == 4 && digits.ends_with('9')
}

fn compare(case: &Case, deliveries: &[&Decided]) -> impl Iterator<Item = String> {
    let mut problems = Vec::new();
    let mut expect = |what: &str, expected: String, found: String| {
        if expected != found {
            problems.push(format!("{what} is {found}, and must be {expected}"));
        }
    };
    let actions: Vec<&String> = deliveries.iter().map(|one| &one.action).collect();
    expect("the action", format!("{:?}", case.actions), format!("{actions:?}"));
    if let Some(last) = deliveries.last() {
        expect("the tier", format!("{:?}", case.tier), format!("{:?}", last.tier));
        let reason = last.reason.as_deref().map(without_numbers);
        expect("the reason", format!("{:?}", case.reason), format!("{reason:?}"));
        let value = |field: &str| {
            let value = last.contact.as_ref().and_then(|contact| contact[field].as_str());
            value.unwrap_or_default().to_owned()
        };
        if let Some(person) = &case.person {
            let field = if person.contains('@') { "email" } else { "external_id" };
            expect("the person", person.clone(), value(field));
        }
        for (field, expected) in &case.holds {
            expect(field, expected.clone(), value(field));
        }
        for (field, rule) in &case.kept {
            let found = last.kept.get(field).cloned().unwrap_or_default();
            expect(&format!("the rule that kept {field}"), rule.clone(), found);
        }
    }
    problems.into_iter()
}

fn without_numbers(reason: &str) -> String {
    reason
        .split(' ')
        .map(|word| if word.parse::<i64>().is_ok() { "N" } else { word })
        .collect::<Vec<_>>()
        .join(" ")
}
