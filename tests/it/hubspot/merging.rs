//! Merging and ties over real HTTP.

use gatekeeper::crm::{CrmError, MergeOutcome, Reader, Writer};
use gatekeeper::domain::CrmId;
use gatekeeper::sandbox::{Options, Rule, Running, start};
use serde_json::{Map, Value, json};

use super::{connect, permit};

async fn account() -> (Running, Vec<CrmId>) {
    let running = start(Options::default()).await.unwrap();
    let contact = |email: &str| -> Map<String, Value> { serde_json::from_value(json!({"email": email})).unwrap() };
    let ids = running
        .sandbox()
        .seed(["a@x.example", "b@x.example", "c@x.example"].map(contact).to_vec())
        .unwrap();
    (running, ids.into_iter().map(CrmId).collect())
}

#[tokio::test]
async fn a_merge_tells_the_new_id_and_one_that_was_made_already_is_refused_and_no_failure() {
    let (running, ids) = account().await;
    let crm = connect(&running.base_url());
    let merged = crm.merge(permit(), &ids[0], &ids[1]).await;
    assert_eq!((merged.call.operation, merged.call.rows), ("merge", 2));
    let Ok(MergeOutcome::Merged(record)) = merged.result else {
        panic!("{:?}", merged.result)
    };
    assert!(!ids.contains(&CrmId(record.crm_id.clone())), "a third id");
    let again = crm.merge(permit(), &ids[0], &ids[1]).await.result.unwrap();
    assert!(matches!(again, MergeOutcome::Refused { .. }), "{again:?}");
    let nobody = crm
        .merge(permit(), &ids[2], &CrmId("1".to_owned()))
        .await
        .result
        .unwrap();
    assert!(matches!(nobody, MergeOutcome::Refused { .. }), "{nobody:?}");
}

#[tokio::test]
async fn too_many_merges_have_a_reason_of_their_own_and_silence_is_no_answer() {
    let (running, ids) = account().await;
    let crm = connect(&running.base_url());
    let rule = |status: u16| Rule {
        operation: Some("merge".to_owned()),
        status: Some(status),
        times: Some(1),
        ..Rule::default()
    };
    running.sandbox().add_faults(vec![rule(414), rule(502), rule(403)]);
    let refused = crm.merge(permit(), &ids[0], &ids[1]).await.result.unwrap();
    assert_eq!(
        refused,
        MergeOutcome::Refused {
            code: "too_many_merges".to_owned()
        }
    );
    let silent = crm.merge(permit(), &ids[0], &ids[1]).await.result;
    assert!(matches!(silent, Err(CrmError::NoAnswer { .. })), "{silent:?}");
    let forbidden = crm.merge(permit(), &ids[0], &ids[1]).await.result;
    assert!(matches!(forbidden, Err(CrmError::Forbidden { .. })), "{forbidden:?}");
}

#[tokio::test]
async fn ties_are_read_made_and_joined_by_a_merge() {
    let (running, ids) = account().await;
    let crm = connect(&running.base_url());
    let texts: Vec<String> = ids.iter().map(|id| id.0.clone()).collect();
    let objects = ["9001".to_owned(), "9002".to_owned()];
    crm.associate(permit(), "companies", &ids[0], &objects)
        .await
        .result
        .unwrap();
    crm.associate(permit(), "companies", &ids[1], &objects[..1])
        .await
        .result
        .unwrap();
    let ties = crm.associations(permit(), "companies", &texts).await.result.unwrap();
    assert_eq!(ties.len(), 2, "who is tied to nothing is not there: {ties:?}");
    assert_eq!(ties[&texts[0]], objects);
    let Ok(MergeOutcome::Merged(record)) = crm.merge(permit(), &ids[1], &ids[0]).await.result else {
        panic!("not merged")
    };
    let survivor = [record.crm_id.clone()];
    let ties = crm.associations(permit(), "companies", &survivor).await.result.unwrap();
    assert_eq!(ties[&survivor[0]], objects);
    let none = crm.associations(permit(), "deals", &survivor).await.result.unwrap();
    assert!(none.is_empty(), "{none:?}");
}
