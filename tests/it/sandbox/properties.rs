//! Properties and the rules for their values.

use gatekeeper::sandbox::Options;
use reqwest::Method;
use serde_json::{Value, json};

use super::caller::{Answer, Caller};

const PATH: &str = "/crm/properties/2026-09/contacts";

async fn post(crm: &Caller, body: &Value) -> Answer {
    crm.send(crm.request(Method::POST, PATH).json(body)).await
}

fn property(name: &str, unique: bool) -> Value {
    json!({"name": name, "label": name, "type": "string", "fieldType": "text", "groupName": "contactinformation",
           "hasUniqueValue": unique})
}

#[tokio::test]
async fn the_list_says_what_may_be_written() {
    let crm = Caller::plain().await;
    for path in [PATH, "/crm/v3/properties/contacts", "/crm/properties/2026-03/0-1"] {
        let answer = crm.send(crm.request(Method::GET, path)).await;
        let find = |name: &str| answer.results().iter().find(|one| one["name"] == name).unwrap().clone();
        assert_eq!(find("hs_object_id")["modificationMetadata"]["readOnlyValue"], true);
        assert_eq!(find("email")["modificationMetadata"]["readOnlyValue"], false);
        assert_eq!(find("lastmodifieddate")["type"], "datetime");
        assert_eq!(find("lifecyclestage")["options"][1]["value"], "lead");
    }
}

#[tokio::test]
async fn a_unique_property_is_made_once_and_guards_its_values() {
    let crm = Caller::plain().await;
    let made = post(&crm, &property("key", true)).await;
    assert_eq!((made.status, &made.body["hasUniqueValue"]), (201, &json!(true)));
    let again = post(&crm, &property("key", true)).await;
    assert_eq!(
        (again.status, &again.body["category"]),
        (409, &json!("OBJECT_ALREADY_EXISTS"))
    );
    assert_eq!(again.body["subCategory"], "Properties.PROPERTY_WITH_NAME_EXISTS");
    let owner = crm.create(json!({"key": "K"})).await;
    let taken = crm.post("", json!({"properties": {"key": "K"}})).await;
    assert_eq!(
        (taken.status, &taken.body["category"]),
        (400, &json!("VALIDATION_ERROR"))
    );
    assert_eq!(taken.body["errors"][0]["code"], "CONFLICTING_UNIQUE_VALUE");
    let message = taken.body["errors"][0]["message"].as_str().unwrap();
    assert!(
        message.ends_with(&format!("{owner} already has that value.")),
        "{message}"
    );
    assert_eq!(
        crm.patch(&format!("/{owner}"), json!({"key": "K"})).await.status,
        200,
        "its own value is no conflict"
    );
    let fixed = json!({"hasUniqueValue": false});
    assert_eq!(
        crm.send(crm.request(Method::PATCH, &format!("{PATH}/key")).json(&fixed))
            .await
            .status,
        400
    );
}

#[tokio::test]
async fn there_are_at_most_ten_unique_properties() {
    let crm = Caller::plain().await;
    for n in 0..10 {
        assert_eq!(post(&crm, &property(&format!("key_{n}"), true)).await.status, 201);
    }
    assert_eq!(post(&crm, &property("key_10", true)).await.status, 400);
    assert_eq!(post(&crm, &property("key_10", false)).await.status, 201);
}

#[tokio::test]
async fn an_archived_property_is_unknown_until_it_is_made_again() {
    let crm = Caller::plain().await;
    post(&crm, &property("note", false)).await;
    let id = crm.create(json!({"note": "kept"})).await;
    assert_eq!(
        crm.send(crm.request(Method::DELETE, &format!("{PATH}/note")))
            .await
            .status,
        204
    );
    assert_eq!(crm.patch(&format!("/{id}"), json!({"note": "x"})).await.status, 400);
    assert_eq!(
        crm.get(&format!("/{id}?properties=note")).await.body["properties"].get("note"),
        None
    );
    assert_eq!(post(&crm, &property("note", false)).await.status, 201);
    assert_eq!(
        crm.get(&format!("/{id}?properties=note")).await.body["properties"]["note"],
        "kept"
    );
    assert_eq!(
        crm.send(crm.request(Method::DELETE, &format!("{PATH}/email")))
            .await
            .status,
        400
    );
}

#[tokio::test]
async fn older_paths_give_the_codes_inside_of_the_message_alone() {
    let crm = Caller::plain().await.on_paths("/crm/v3/objects/contacts");
    let answer = crm
        .post("", json!({"properties": {"nonsense": "1", "email": "no"}}))
        .await;
    let message = answer.body["message"].as_str().unwrap();
    let embedded: Value =
        serde_json::from_str(message.strip_prefix("Property values were not valid: ").unwrap()).unwrap();
    let codes: Vec<&str> = embedded
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["error"].as_str().unwrap())
        .collect();
    assert_eq!(
        (answer.status, codes),
        (400, vec!["INVALID_EMAIL", "PROPERTY_DOESNT_EXIST"])
    );
    assert_eq!(answer.body.get("errors"), None);
}

#[tokio::test]
async fn the_lifecycle_never_goes_back_unless_it_is_cleared_first() {
    let crm = Caller::plain().await;
    let id = crm.create(json!({"lifecyclestage": "customer"})).await;
    let stage = async |set: &str| {
        let patched = crm.patch(&format!("/{id}"), json!({"lifecyclestage": set})).await;
        patched.body["properties"]["lifecyclestage"].clone()
    };
    assert_eq!(stage("lead").await, "customer", "200, and not written");
    assert_eq!(stage("evangelist").await, "evangelist");
    assert_eq!(stage("").await, "");
    assert_eq!(stage("lead").await, "lead");
}

#[tokio::test]
async fn several_options_are_appended_after_a_semicolon() {
    let crm = Caller::plain().await;
    let id = crm.create(json!({"hs_buying_role": "BLOCKER;OTHER"})).await;
    let appended = crm
        .patch(&format!("/{id}"), json!({"hs_buying_role": ";CHAMPION;OTHER"}))
        .await;
    assert_eq!(appended.body["properties"]["hs_buying_role"], "BLOCKER;OTHER;CHAMPION");
    assert_eq!(
        crm.patch(&format!("/{id}"), json!({"hs_buying_role": "CHAMPION;champion"}))
            .await
            .status,
        400
    );
}

#[tokio::test]
async fn a_day_must_be_midnight_on_older_paths_and_is_normalized_on_newer_ones() {
    let crm = Caller::plain().await;
    let day =
        json!({"name": "day", "label": "Day", "type": "date", "fieldType": "date", "groupName": "contactinformation"});
    assert_eq!(post(&crm, &day).await.status, 201);
    let noon = json!({"properties": {"day": "1790942400000"}});
    let newer = crm.post("", noon.clone()).await;
    assert_eq!(
        (newer.status, &newer.body["properties"]["day"]),
        (201, &json!("2026-10-02"))
    );
    assert_eq!(newer.body["warnings"][0]["category"], "PROPERTY_VALUE_NORMALIZED");
    let crm = crm.on_paths("/crm/objects/2026-03/contacts");
    assert_eq!(crm.post("", noon).await.body["errors"][0]["code"], "INVALID_DATE");
    assert_eq!(
        crm.post("", json!({"properties": {"day": "2026-10-02"}})).await.status,
        201
    );
}

#[tokio::test]
async fn the_account_tells_its_id_and_time_zone() {
    let options = Options {
        portal_id: 77,
        time_zone: "Asia/Kolkata".to_owned(),
        utc_offset: 19_800,
        ..Options::default()
    };
    let crm = Caller::new(options).await;
    for path in ["/account-info/v3/details", "/account-info/2026-09/details"] {
        let account = crm.send(crm.request(Method::GET, path)).await.body;
        assert_eq!(
            (&account["portalId"], &account["timeZone"]),
            (&json!(77), &json!("Asia/Kolkata"))
        );
        assert_eq!(
            (&account["utcOffsetMilliseconds"], &account["utcOffset"]),
            (&json!(19_800_000), &json!("+05:30"))
        );
    }
}
