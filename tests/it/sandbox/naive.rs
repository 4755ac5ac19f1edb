//! What a naive client believes of HubSpot, and what the sandbox does instead. The numbers are those of the fact sheet's
//! short list; 13 to 15 are about another CRM.

use std::time::Duration;

use gatekeeper::sandbox::{ConflictBody, Limits, Options};
use reqwest::Method;
use serde_json::json;

use super::caller::Caller;

#[tokio::test]
async fn n01_the_id_of_the_primary_does_not_survive_a_merge() {
    let crm = Caller::plain().await;
    let (a, b) = (
        crm.create(json!({"email": "a@x.com"})).await,
        crm.create(json!({"email": "b@x.com"})).await,
    );
    let survivor = crm.merge(&a, &b).await;
    assert!(survivor != a && survivor != b);
    assert_eq!(crm.get(&format!("/{a}")).await.id(), survivor);
}

#[tokio::test]
async fn n02_search_does_not_tell_whether_a_contact_exists() {
    let crm = Caller::new(Options {
        search_lag: Duration::from_secs(60),
        ..Options::default()
    })
    .await;
    crm.create(json!({"email": "a@x.com"})).await;
    let found = crm
        .search(json!([{"propertyName": "email", "operator": "EQ", "value": "a@x.com"}]))
        .await;
    assert_eq!(found.body["total"], 0);
    assert_eq!(
        crm.post("", json!({"properties": {"email": "a@x.com"}})).await.status,
        409
    );
}

#[tokio::test]
async fn n03_a_secondary_address_is_not_found_by_email_and_still_blocks_creation() {
    let crm = Caller::plain().await;
    let owner = crm.seed(vec![
        json!({"email": "a@x.com", "hs_additional_emails": "second@x.com"}),
    ]);
    let found = crm
        .search(json!([{"propertyName": "email", "operator": "EQ", "value": "second@x.com"}]))
        .await;
    assert_eq!(found.body["total"], 0);
    let refused = crm.post("", json!({"properties": {"email": "Second@x.com"}})).await;
    assert_eq!(refused.status, 409);
    assert!(refused.body["message"].as_str().unwrap().ends_with(&owner[0]));
}

#[tokio::test]
async fn n04_many_contacts_may_share_one_time_of_change() {
    let crm = Caller::plain().await;
    let stamp = "2026-05-01T00:00:00.000Z";
    crm.seed(
        (0..300)
            .map(|n| json!({"firstname": format!("n{n}"), "lastmodifieddate": stamp}))
            .collect(),
    );
    let after = crm
        .search(json!([{"propertyName": "lastmodifieddate", "operator": "GT", "value": "1777593600000"}]))
        .await;
    assert_eq!(
        after.body["total"], 0,
        "going on after the stamp of a full first page loses the other 100"
    );
}

#[tokio::test]
async fn n05_one_conflict_fails_a_whole_batch_and_names_only_the_first() {
    let crm = Caller::plain().await;
    let ids = crm.seed(vec![json!({"email": "a@x.com"}), json!({"email": "b@x.com"})]);
    let inputs = ["new@x.com", "b@x.com", "a@x.com"].map(|email| json!({"properties": {"email": email}}));
    let answer = crm.post("/batch/create", json!({"inputs": inputs})).await;
    assert_eq!(answer.status, 409);
    assert!(answer.text.contains(&ids[1]) && !answer.text.contains(&ids[0]));
    assert_eq!(crm.get("").await.results().len(), 2, "nothing was made");
}

#[tokio::test]
async fn n06_a_good_status_does_not_mean_that_all_rows_were_written() {
    let crm = Caller::plain().await;
    let (a, b) = (
        crm.create(json!({"email": "a@x.com"})).await,
        crm.create(json!({"email": "b@x.com"})).await,
    );
    crm.merge(&a, &b).await;
    let before = crm.effects().len();
    let inputs = json!({"inputs": [{"id": a, "objectWriteTraceId": "t1", "properties": {"city": "Rome"}}]});
    let silent = crm.post("/batch/update", inputs).await;
    assert_eq!(
        (silent.status, silent.results().len(), silent.body.get("errors")),
        (200, 0, None)
    );
    for (tail, status) in [("create", 201), ("update", 200), ("upsert", 200), ("read", 200)] {
        let wrapperless = crm
            .post(&format!("/batch/{tail}"), json!([{"properties": {"email": "c@x.com"}}]))
            .await;
        assert_eq!((wrapperless.status, wrapperless.results().len()), (status, 0), "{tail}");
        assert_eq!(wrapperless.body["status"], "COMPLETE");
    }
    assert_eq!(crm.effects().len(), before);
}

#[tokio::test]
async fn n07_a_batch_read_by_address_answers_in_lower_case_and_without_the_alias() {
    let crm = Caller::plain().await;
    crm.seed(vec![
        json!({"email": "a@x.com", "hs_additional_emails": "second@x.com"}),
    ]);
    let body = json!({"idProperty": "email", "properties": ["email"], "inputs": [{"id": "SECOND@x.com"}]});
    let answer = crm.post("/batch/read", body).await;
    assert_eq!(answer.results()[0]["properties"]["email"], "a@x.com");
    assert!(!answer.text.to_lowercase().contains("second"));
}

#[tokio::test]
async fn n08_a_conflict_has_two_shapes_and_only_a_text_in_common() {
    let mut categories = Vec::new();
    for shape in [ConflictBody::Conflict, ConflictBody::AlreadyExists] {
        let crm = Caller::new(Options {
            conflict_body: shape,
            ..Options::default()
        })
        .await;
        let id = crm.create(json!({"email": "a@x.com"})).await;
        let body = crm.post("", json!({"properties": {"email": "a@x.com"}})).await.body;
        assert_eq!(body["message"], format!("Contact already exists. Existing ID: {id}"));
        categories.push(body["category"].clone());
    }
    assert_eq!(categories, ["CONFLICT", "OBJECT_ALREADY_EXISTS"]);
}

#[tokio::test]
async fn n09_a_429_does_not_say_how_long_to_wait() {
    let limits = Limits {
        general: 1,
        search: 1,
        ..Limits::PROFESSIONAL
    };
    let crm = Caller::new(Options {
        limits: Some(limits),
        ..Options::default()
    })
    .await;
    let (first, search) = (crm.get("").await, crm.post("/search", json!({})).await);
    assert_eq!((first.status, search.status), (200, 200));
    assert_eq!(
        search.header("x-hubspot-ratelimit-max"),
        None,
        "search has no burst headers"
    );
    let (general, search) = (crm.get("").await, crm.post("/search", json!({})).await);
    assert_eq!((general.status, search.status), (429, 429));
    assert_eq!(
        (general.header("retry-after"), search.header("retry-after")),
        (None, None)
    );
    assert_eq!(search.body.get("policyName"), None);
}

#[tokio::test]
async fn n10_search_never_sees_what_was_archived() {
    let crm = Caller::plain().await;
    let id = crm.create(json!({"email": "a@x.com"})).await;
    crm.delete(&id).await;
    assert_eq!(crm.post("/search", json!({})).await.body["total"], 0);
    assert_eq!(crm.get("?archived=true").await.ids(), [id]);
}

#[tokio::test]
async fn n11_required_properties_are_enforced_from_2026_09_on() {
    let crm = Caller::new(Options {
        required: vec!["lastname".to_owned()],
        ..Options::default()
    })
    .await;
    let refused = crm.post("", json!({"properties": {"email": "a@x.com"}})).await;
    assert_eq!(
        (refused.status, &refused.body["category"]),
        (400, &json!("VALIDATION_ERROR"))
    );
    assert_eq!(refused.body["errors"][0]["code"], "MISSING_REQUIRED_PROPERTY");
    assert_eq!(
        refused.body["errors"][0]["context"]["propertyName"],
        json!(["lastname"])
    );
    let traced = crm
        .create_traced(&[json!({"email": "b@x.com"}), json!({"lastname": "Lee"})])
        .await;
    assert_eq!(
        (traced.status, &traced.body["errors"][0]["errors"][0]["code"]),
        (207, &json!("MISSING_REQUIRED_PROPERTY"))
    );
    let crm = crm.on_paths("/crm/v3/objects/contacts");
    let id = crm.create(json!({"email": "a@x.com"})).await;
    let crm = crm.on_paths("/crm/objects/2026-09/contacts");
    assert_eq!(
        crm.patch(&format!("/{id}"), json!({"city": "Rome"})).await.status,
        200,
        "a change that does not touch it"
    );
    assert_eq!(crm.patch(&format!("/{id}"), json!({"lastname": ""})).await.status, 400);
}

#[tokio::test]
async fn n12_dated_paths_stand_beside_v3() {
    let crm = Caller::plain().await;
    for path in [
        "/crm/objects/2026-09/contacts",
        "/crm/objects/2026-03/contacts",
        "/crm/v3/objects/contacts",
    ] {
        assert_eq!(crm.send(crm.request(Method::GET, path)).await.status, 200, "{path}");
    }
}
