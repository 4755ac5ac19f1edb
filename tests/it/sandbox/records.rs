//! List, read, create, change and archive one contact.

use gatekeeper::sandbox::{ConflictBody, Options};
use reqwest::Method;
use serde_json::{Value, json};

use super::caller::Caller;

#[tokio::test]
async fn a_created_contact_is_read_back_with_strings_and_nulls() {
    let crm = Caller::plain().await;
    let made = crm
        .post(
            "",
            json!({"properties": {"email": " Ann@X.com", "numemployees": 12}, "associations": []}),
        )
        .await;
    assert_eq!(made.status, 201);
    assert_eq!(made.body["properties"]["email"], "ann@x.com");
    let read = crm
        .get(&format!("/{}?properties=email,phone,numemployees,nonsense", made.id()))
        .await;
    let properties = &read.body["properties"];
    assert_eq!((read.status, &read.body["archived"]), (200, &Value::Bool(false)));
    assert_eq!(properties["numemployees"], "12");
    assert_eq!(properties["hs_object_id"], made.id().as_str());
    assert_eq!(properties.get("phone"), Some(&Value::Null), "asked for and not set");
    assert_eq!(properties.get("nonsense"), None, "not a property at all");
    assert_eq!(properties["lastmodifieddate"], read.body["updatedAt"]);
    assert_eq!(properties["createdate"], read.body["createdAt"]);
    assert!(made.id().parse::<u64>().unwrap() > u64::from(u32::MAX));
}

#[tokio::test]
async fn the_default_properties_are_the_documented_six() {
    let crm = Caller::plain().await;
    let id = crm.create(json!({"email": "a@x.com", "phone": "1"})).await;
    let read = crm.get(&format!("/{id}")).await;
    let names: Vec<&str> = read.body["properties"]
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(
        names,
        [
            "createdate",
            "email",
            "firstname",
            "hs_object_id",
            "lastmodifieddate",
            "lastname"
        ]
    );
}

#[tokio::test]
async fn every_generation_of_paths_serves_the_same_contacts() {
    let crm = Caller::plain().await;
    let id = crm.create(json!({"email": "a@x.com"})).await;
    for prefix in [
        "/crm/v3/objects/contacts",
        "/crm/objects/2026-03/contacts",
        "/crm/objects/2026-09/0-1",
    ] {
        let read = crm.send(crm.request(Method::GET, &format!("{prefix}/{id}"))).await;
        assert_eq!((read.status, read.id()), (200, id.clone()), "{prefix}");
    }
    assert_eq!(
        crm.send(crm.request(Method::GET, "/crm/objects/2027-03/contacts"))
            .await
            .status,
        404
    );
    assert_eq!(
        crm.send(crm.request(Method::PUT, "/crm/v3/objects/contacts"))
            .await
            .status,
        405
    );
}

#[tokio::test]
async fn a_contact_is_found_by_address_and_by_unique_property_but_not_by_an_ordinary_one() {
    let crm = Caller::new(Options {
        unique: vec!["ext_id".to_owned()],
        ..Options::default()
    })
    .await;
    let id = crm
        .create(json!({"email": "a+b@x.com", "ext_id": "E1", "firstname": "Ann"}))
        .await;
    assert_eq!(crm.get("/A%2Bb%40x.com?idProperty=email").await.id(), id);
    assert_eq!(crm.get("/E1?idProperty=ext_id").await.id(), id);
    assert_eq!(crm.get("/e1?idProperty=ext_id").await.status, 404);
    assert_eq!(crm.get("/Ann?idProperty=firstname").await.status, 400);
    assert_eq!(crm.get("/1").await.body["category"], "OBJECT_NOT_FOUND");
    let crm = crm.on_paths("/crm/v3/objects/contacts");
    let gone = crm.get("/1").await;
    assert_eq!((gone.status, gone.body.get("category")), (404, None));
    assert_eq!(gone.body["message"], "resource not found");
}

#[tokio::test]
async fn a_list_is_walked_by_id_to_its_end() {
    let crm = Caller::plain().await;
    let all = crm.seed((0..205).map(|n| json!({"email": format!("p{n}@x.com")})).collect());
    let (mut seen, mut after) = (Vec::new(), None);
    for page in 0.. {
        let cursor = after.map_or(String::new(), |after: String| format!("&after={after}"));
        let answer = crm.get(&format!("?limit=100&properties=email{cursor}")).await;
        seen.extend(answer.ids());
        let Some(next) = answer.body["paging"]["next"]["after"].as_str() else {
            assert!(answer.body.get("paging").is_none(), "no paging on the last page");
            assert_eq!(page, 2);
            break;
        };
        assert!(
            all.contains(&next.to_owned()),
            "the cursor is the id of the next contact"
        );
        after = Some(next.to_owned());
    }
    assert_eq!(seen, all);
    assert_eq!(crm.get("").await.results().len(), 10, "ten by default");
}

#[tokio::test]
async fn a_list_page_has_at_most_100_rows_and_a_url_at_most_8_kib() {
    let crm = Caller::plain().await;
    assert_eq!(crm.get("?limit=101").await.status, 400);
    assert_eq!(crm.get("?after=x").await.status, 400);
    let long = crm.get(&format!("?properties={}", "p,".repeat(4200))).await;
    assert_eq!((long.status, long.body), (414, Value::Null), "and the body is not JSON");
}

#[tokio::test]
async fn archived_contacts_are_listed_apart_and_free_their_address() {
    let crm = Caller::plain().await;
    let first = crm.create(json!({"email": "a@x.com"})).await;
    assert_eq!(crm.delete(&first).await.status, 204);
    assert_eq!(crm.delete(&first).await.status, 204, "a second time as well");
    assert_eq!(crm.get(&format!("/{first}")).await.status, 404);
    assert_eq!(crm.get(&format!("/{first}?archived=true")).await.body["archived"], true);
    let second = crm.create(json!({"email": "a@x.com"})).await;
    assert_ne!(first, second);
    assert_eq!(crm.get("").await.ids(), [second]);
    let bin = crm.get("?archived=true").await;
    assert_eq!(bin.ids(), [first]);
    assert!(bin.results()[0]["archivedAt"].is_string());
}

#[tokio::test]
async fn a_change_moves_the_time_and_an_empty_text_clears() {
    let crm = Caller::plain().await;
    let id = crm.seed(vec![
        json!({"email": "a@x.com", "phone": "1", "lastmodifieddate": "2020-01-01T00:00:00.000Z"}),
    ]);
    let patched = crm
        .patch(&format!("/{}", id[0]), json!({"phone": "", "city": "Rome"}))
        .await;
    assert_eq!(
        (patched.status, &patched.body["properties"]["phone"]),
        (200, &json!(""))
    );
    assert!(patched.body["updatedAt"].as_str().unwrap() > "2026");
    assert_eq!(
        patched.body["createdAt"].as_str().unwrap().len(),
        "2020-01-01T00:00:00.000Z".len()
    );
    let read = crm.get("/a@x.com?idProperty=email&properties=phone,city").await;
    assert_eq!(
        (&read.body["properties"]["phone"], &read.body["properties"]["city"]),
        (&Value::Null, &json!("Rome"))
    );
}

#[tokio::test]
async fn a_secondary_address_of_its_own_changes_places_with_the_primary() {
    let crm = Caller::plain().await;
    let id = crm.seed(vec![json!({"email": "a@x.com", "hs_additional_emails": "b@x.com"})]);
    assert_eq!(
        crm.patch(&format!("/{}", id[0]), json!({"email": "b@x.com"}))
            .await
            .status,
        200
    );
    let read = crm
        .get("/a@x.com?idProperty=email&properties=email,hs_additional_emails")
        .await;
    let properties = &read.body["properties"];
    assert_eq!(
        (&properties["email"], &properties["hs_additional_emails"]),
        (&json!("b@x.com"), &json!("a@x.com"))
    );
    assert_eq!(crm.running.sandbox().index_faults(), Vec::<String>::new());
}

#[tokio::test]
async fn a_taken_address_is_409_in_both_recorded_shapes_also_on_a_change() {
    for shape in [ConflictBody::Conflict, ConflictBody::AlreadyExists] {
        let crm = Caller::new(Options {
            conflict_body: shape,
            ..Options::default()
        })
        .await;
        let owner = crm.create(json!({"email": "a@x.com"})).await;
        let other = crm.create(json!({"email": "b@x.com"})).await;
        let created = crm.post("", json!({"properties": {"email": "A@x.com"}})).await;
        let changed = crm.patch(&format!("/{other}"), json!({"email": "a@X.com"})).await;
        for answer in [created, changed] {
            assert_eq!(answer.status, 409);
            assert_eq!(
                answer.body["message"],
                format!("Contact already exists. Existing ID: {owner}")
            );
            assert_eq!(
                answer.body["correlationId"].as_str(),
                answer.header("x-hubspot-correlation-id")
            );
            if shape == ConflictBody::Conflict {
                assert_eq!(answer.body["category"], "CONFLICT");
            } else {
                assert_eq!(answer.body["category"], "OBJECT_ALREADY_EXISTS");
                assert_eq!(answer.body["identityProfile"]["vid"].to_string(), owner);
            }
        }
    }
}

#[tokio::test]
async fn a_body_that_makes_no_sense_is_refused() {
    let crm = Caller::plain().await;
    let url = "/crm/v3/objects/contacts";
    let json_type = |text: &'static str| {
        crm.request(Method::POST, url)
            .header("content-type", "application/json")
            .body(text)
    };
    assert_eq!(crm.send(json_type("{\"properties\": ")).await.status, 400);
    assert_eq!(crm.send(json_type("")).await.status, 400);
    assert_eq!(crm.send(json_type("{}")).await.status, 400);
    assert_eq!(crm.send(crm.request(Method::POST, url).body("{}")).await.status, 415);
    assert!(crm.effects().is_empty());
}

#[tokio::test]
async fn a_token_is_needed_and_a_scope_for_each_operation() {
    let scopes = [gatekeeper::sandbox::SCOPES[0].to_owned()].into();
    let crm = Caller::new(Options {
        scopes,
        ..Options::default()
    })
    .await;
    let url = format!("{}/crm/v3/objects/contacts", crm.running.base_url());
    let bare = crm.send(crm.http.get(&url)).await;
    assert_eq!(
        (bare.status, &bare.body["category"]),
        (401, &json!("INVALID_AUTHENTICATION"))
    );
    assert_eq!(crm.send(crm.http.get(&url).bearer_auth("wrong")).await.status, 401);
    assert_eq!(crm.get("").await.status, 200);
    let refused = crm.post("", json!({"properties": {"email": "a@x.com"}})).await;
    assert_eq!(
        (refused.status, &refused.body["category"]),
        (403, &json!("MISSING_SCOPES"))
    );
    let scopes = &refused.body["errors"][0]["context"]["requiredGranularScopes"];
    assert_eq!(scopes, &json!(["crm.objects.contacts.write"]));
    assert_eq!(
        crm.send(crm.request(Method::GET, "/account-info/2026-09/details"))
            .await
            .status,
        200,
        "needs no scope"
    );
}

#[tokio::test]
async fn an_address_that_can_be_reached_from_outside_is_refused() {
    let options = Options {
        bind: "0.0.0.0".parse().unwrap(),
        ..Options::default()
    };
    let refused = gatekeeper::sandbox::start(options).await.err().unwrap();
    assert!(refused.to_string().contains("loopback"), "{refused}");
}

#[tokio::test]
async fn gdpr_delete_leaves_nothing_and_blocklists_unknown_addresses() {
    let crm = Caller::plain().await;
    let (first, second) = (
        crm.create(json!({"email": "a@x.com"})).await,
        crm.create(json!({"email": "b@x.com"})).await,
    );
    let survivor = crm.merge(&first, &second).await;
    assert_eq!(
        crm.post("/gdpr-delete", json!({"objectId": "B@x.com", "idProperty": "email"}))
            .await
            .status,
        204
    );
    for id in [first, second, survivor] {
        assert_eq!(crm.get(&format!("/{id}")).await.status, 404, "{id}");
    }
    assert_eq!(
        crm.post("/gdpr-delete", json!({"objectId": "z@x.com", "idProperty": "email"}))
            .await
            .status,
        204
    );
    assert_eq!(crm.post("/gdpr-delete", json!({"objectId": "1"})).await.status, 404);
    assert_eq!(crm.counts().blocklisted, 3);
    assert!(crm.get("?archived=true").await.results().is_empty());
}
