//! After any sequence of operations the indices agree with the records, and the journal with both.

use std::collections::BTreeMap;

use gatekeeper::sandbox::{Kind, Options};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::caller::Caller;

/// One step; the numbers choose among what is there.
#[derive(Debug, Clone)]
enum Step {
    Create { email: u8, key: u8 },
    CreateMany { rows: Vec<(u8, u8)>, traced: bool },
    Update { which: usize, email: u8, key: u8 },
    Upsert { email: u8, key: u8 },
    Archive { which: usize },
    Merge { primary: usize, other: usize },
    Erase { email: u8 },
}

fn step() -> impl Strategy<Value = Step> {
    let (email, key, which) = (0u8..8, 0u8..5, 0usize..40);
    prop_oneof![
        (email.clone(), key.clone()).prop_map(|(email, key)| Step::Create { email, key }),
        (prop::collection::vec((email.clone(), key.clone()), 1..5), any::<bool>())
            .prop_map(|(rows, traced)| Step::CreateMany { rows, traced }),
        (which.clone(), email.clone(), key.clone()).prop_map(|(which, email, key)| Step::Update { which, email, key }),
        (email.clone(), key).prop_map(|(email, key)| Step::Upsert { email, key }),
        which.clone().prop_map(|which| Step::Archive { which }),
        (which.clone(), which).prop_map(|(primary, other)| Step::Merge { primary, other }),
        email.prop_map(|email| Step::Erase { email }),
    ]
}

/// Values of a row; 0 stands for an empty one.
fn values(email: u8, key: u8) -> Value {
    let text = |number: u8, text: String| if number == 0 { String::new() } else { text };
    json!({"email": text(email, format!("P{email}@x.com")), "ext_id": text(key, format!("K{key}"))})
}

async fn take(crm: &Caller, step: &Step, ids: &mut Vec<String>) {
    let pick = |ids: &Vec<String>, which: usize| ids.get(which % ids.len().max(1)).cloned().unwrap_or("1".to_owned());
    let answer = match step {
        Step::Create { email, key } => crm.post("", json!({"properties": values(*email, *key)})).await,
        Step::CreateMany { rows, traced } => {
            let row = |(at, (email, key)): (usize, &(u8, u8))| {
                let trace = if *traced { json!(format!("t{at}")) } else { Value::Null };
                json!({"objectWriteTraceId": trace, "properties": values(*email, *key)})
            };
            let inputs: Vec<Value> = rows.iter().enumerate().map(row).collect();
            crm.post("/batch/create", json!({"inputs": inputs})).await
        }
        Step::Update { which, email, key } => {
            crm.patch(&format!("/{}", pick(ids, *which)), values(*email, *key))
                .await
        }
        Step::Upsert { email, key } => {
            let input = json!({"id": format!("K{key}"), "idProperty": "ext_id", "properties": {"email": values(*email, 0)["email"]}});
            crm.post("/batch/upsert", json!({"inputs": [input]})).await
        }
        Step::Archive { which } => crm.delete(&pick(ids, *which)).await,
        Step::Merge { primary, other } => {
            let body = json!({"primaryObjectId": pick(ids, *primary), "objectIdToMerge": pick(ids, *other)});
            crm.post("/merge", body).await
        }
        Step::Erase { email } => {
            crm.post(
                "/gdpr-delete",
                json!({"objectId": format!("p{email}@x.com"), "idProperty": "email"}),
            )
            .await
        }
    };
    assert!(answer.status < 500, "{step:?}: {}", answer.text);
    let results = answer.body["results"].as_array().cloned().unwrap_or_default();
    ids.extend(
        results
            .iter()
            .chain([&answer.body])
            .filter_map(|one| one["id"].as_str())
            .map(str::to_owned),
    );
}

/// What the journal says that there is: id to values, archived ones included.
fn replayed(crm: &Caller) -> BTreeMap<String, BTreeMap<String, String>> {
    let mut all: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for effect in crm.effects() {
        match effect.kind {
            Kind::Erase => drop(all.remove(&effect.id)),
            Kind::Merge => {
                let base = if effect.absorbed.len() == 2 {
                    &effect.absorbed[0]
                } else {
                    &effect.id
                };
                let base = all.get(base).cloned().unwrap_or_default();
                for gone in &effect.absorbed {
                    all.remove(gone);
                }
                all.insert(effect.id.clone(), base);
            }
            _ => {}
        }
        if effect.kind == Kind::Erase {
            continue;
        }
        let values = all.entry(effect.id).or_default();
        values.extend(effect.changed);
        values.retain(|_, value| !value.is_empty());
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn indices_records_and_journal_agree(steps in prop::collection::vec(step(), 1..60), preserve in any::<bool>()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let options = Options {
                unique: vec!["ext_id".to_owned()],
                preserve_primary_id: preserve,
                search_lag: std::time::Duration::from_millis(1),
                ..Options::default()
            };
            let crm = Caller::new(options).await;
            let mut ids = Vec::new();
            for step in &steps {
                take(&crm, step, &mut ids).await;
                assert_eq!(crm.running.sandbox().index_faults(), Vec::<String>::new(), "after {step:?}");
            }
            let mut held = BTreeMap::new();
            for contact in crm.running.sandbox().contacts() {
                let properties = contact["properties"].as_object().unwrap().iter();
                let own = properties.filter(|(name, _)| ["email", "ext_id"].contains(&name.as_str()));
                let own = own.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()));
                held.insert(contact["id"].as_str().unwrap().to_owned(), own.collect::<BTreeMap<_, _>>());
            }
            assert_eq!(held, replayed(&crm));
            for id in &ids {
                let known = crm.get(&format!("/{id}")).await.status == 200;
                let batch = crm.post("/batch/read", json!({"inputs": [{"id": id}]})).await;
                assert_eq!(known, batch.results().len() == 1, "{id} by read and by batch read");
            }
        });
    }
}
