//! Search: operators, order, limits, lag.

use std::time::Duration;

use gatekeeper::sandbox::Options;
use serde_json::{Value, json};

use super::caller::Caller;

#[tokio::test]
async fn every_operator_finds_what_it_says() {
    let crm = Caller::new(Options {
        unique: vec!["ext_id".to_owned()],
        ..Options::default()
    })
    .await;
    crm.seed(vec![
        json!({"email": "ann@x.com", "firstname": "Ann Marie", "numemployees": "5", "hs_lead_status": "NEW", "ext_id": "12"}),
        json!({"email": "bob@y.com", "firstname": "Bob", "numemployees": "50", "hs_lead_status": "OPEN", "ext_id": "ab"}),
        json!({"email": "cy@x.com", "hs_additional_emails": "cyrus@z.com", "phone": "+49 30 901820",
               "lastmodifieddate": "2020-06-01T00:00:00.000Z", "createdate": "2020-01-01"}),
    ]);
    let one = |property: &str, operator: &str, value: &str| json!([{"propertyName": property, "operator": operator, "value": value}]);
    let many = |property: &str, operator: &str, values: &[&str]| json!([{"propertyName": property, "operator": operator, "values": values}]);
    let june = "1590969600000";
    for (filters, names) in [
        (one("email", "EQ", "ANN@x.com"), "ann"),
        (one("email", "EQ", "cyrus@z.com"), ""),
        (one("hs_additional_emails", "EQ", "cyrus@z.com"), "cy"),
        (one("firstname", "NEQ", "bob"), "ann"),
        (one("firstname", "HAS_PROPERTY", ""), "ann bob"),
        (one("firstname", "NOT_HAS_PROPERTY", ""), "cy"),
        (one("firstname", "CONTAINS_TOKEN", "marie"), "ann"),
        (one("firstname", "CONTAINS_TOKEN", "mar"), ""),
        (one("email", "CONTAINS_TOKEN", "*@x.com"), "ann cy"),
        (one("firstname", "NOT_CONTAINS_TOKEN", "marie"), "bob"),
        (one("firstname", "GTE", "bob"), "bob"),
        (one("numemployees", "LT", "50"), "ann"),
        (one("numemployees", "LTE", "50"), "ann bob"),
        (one("numemployees", "GT", "5"), "bob"),
        (one("numemployees", "EQ", "5.0"), "ann"),
        (
            json!([{"propertyName": "numemployees", "operator": "BETWEEN", "value": "5", "highValue": "6"}]),
            "ann",
        ),
        (many("firstname", "IN", &["bob"]), "bob"),
        (many("firstname", "IN", &["Bob"]), ""),
        (many("firstname", "NOT_IN", &["bob"]), "ann"),
        (one("hs_lead_status", "EQ", "NEW"), "ann"),
        (one("hs_lead_status", "EQ", "new"), ""),
        (many("hs_lead_status", "IN", &["NEW", "OPEN"]), "ann bob"),
        (one("lastmodifieddate", "LTE", june), "cy"),
        (one("lastmodifieddate", "LT", june), ""),
        (one("lastmodifieddate", "EQ", june), "cy"),
        (one("createdate", "EQ", "1577836800000"), "cy"),
        (one("hs_searchable_calculated_phone_number", "EQ", "30901820"), "cy"),
        (one("ext_id", "EQ", "12"), "ann"),
        (one("ext_id", "EQ", "AB"), "bob"),
    ] {
        let answer = crm.search(filters.clone()).await;
        assert_eq!(answer.status, 200, "{filters}: {}", answer.text);
        let mut found: Vec<&str> = answer
            .results()
            .iter()
            .map(|one| one["properties"]["email"].as_str().unwrap())
            .collect();
        found.sort_unstable();
        let found: Vec<&str> = found.iter().map(|email| email.split('@').next().unwrap()).collect();
        assert_eq!(found.join(" "), names, "{filters}");
        assert_eq!(answer.body["total"], found.len(), "{filters}");
    }
}

#[tokio::test]
async fn groups_are_joined_by_or_and_free_text_looks_everywhere() {
    let crm = Caller::plain().await;
    let ids = crm.seed(vec![
        json!({"email": "a@x.com", "company": "Acme Inc"}),
        json!({"email": "b@x.com", "hs_additional_emails": "old@acme.com"}),
        json!({"email": "c@x.com"}),
    ]);
    let filter =
        |name: &str, value: &str| json!({"filters": [{"propertyName": name, "operator": "EQ", "value": value}]});
    let groups = json!([
        filter("email", "old@acme.com"),
        filter("hs_additional_emails", "old@acme.com"),
        filter("email", "c@x.com")
    ]);
    assert_eq!(
        crm.post("/search", json!({"filterGroups": groups})).await.ids(),
        ids[1..]
    );
    assert_eq!(crm.post("/search", json!({"query": "acme"})).await.ids(), ids[..2]);
    assert_eq!(
        crm.post("/search", json!({})).await.ids(),
        ids,
        "by creation, all of them"
    );
}

#[tokio::test]
async fn one_sort_is_taken_as_an_object_or_as_a_text() {
    let crm = Caller::plain().await;
    let ids = crm.seed(vec![
        json!({"city": "b"}),
        json!({"city": "A"}),
        json!({"email": "none@x.com"}),
        json!({"city": "c"}),
    ]);
    let order = |places: [usize; 4]| places.map(|at| ids[at].clone()).to_vec();
    for (sorts, places) in [
        (json!(["city"]), [1, 0, 3, 2]),
        (json!(["-city"]), [3, 0, 1, 2]),
        (
            json!([{"propertyName": "city", "direction": "DESCENDING"}]),
            [3, 0, 1, 2],
        ),
        (
            json!([{"propertyName": "city", "direction": "ASCENDING"}]),
            [1, 0, 3, 2],
        ),
        (json!(["-hs_object_id"]), [3, 2, 1, 0]),
        (json!([]), [0, 1, 2, 3]),
    ] {
        assert_eq!(
            crm.post("/search", json!({"sorts": sorts})).await.ids(),
            order(places),
            "{sorts}"
        );
    }
    assert_eq!(
        crm.post("/search", json!({"sorts": ["city", "email"]})).await.status,
        400
    );
    assert_eq!(crm.post("/search", json!({"sorts": ["nonsense"]})).await.status, 400);
}

#[tokio::test]
async fn what_goes_beyond_the_documented_limits_is_refused() {
    let crm = Caller::plain().await;
    let filter = json!({"propertyName": "email", "operator": "HAS_PROPERTY"});
    let groups = |count: usize, each: usize| json!(vec![json!({"filters": vec![filter.clone(); each]}); count]);
    for (body, status) in [
        (json!({"filterGroups": groups(5, 3)}), 200),
        (json!({"filterGroups": groups(3, 6)}), 200),
        (json!({"filterGroups": groups(6, 1)}), 400),
        (json!({"filterGroups": groups(1, 7)}), 400),
        (json!({"filterGroups": groups(4, 5)}), 400),
        (json!({"limit": 200}), 200),
        (json!({"limit": 201}), 400),
        (json!({"limit": 100, "after": "9900"}), 200),
        (json!({"limit": 101, "after": "9900"}), 400),
        (json!({"limit": 1, "after": 18_446_744_073_709_551_615u64}), 400),
        (json!({"query": "x".repeat(3_001)}), 400),
        (
            json!({"filterGroups": [{"filters": [{"propertyName": "nonsense", "operator": "EQ", "value": "1"}]}]}),
            400,
        ),
        (
            json!({"filterGroups": [{"filters": [{"propertyName": "email", "operator": "LIKE", "value": "1"}]}]}),
            400,
        ),
        (
            json!({"filterGroups": [{"filters": [{"propertyName": "email", "operator": "EQ"}]}]}),
            400,
        ),
        (
            json!({"filterGroups": [{"filters": [{"propertyName": "createdate", "operator": "GTE", "value": "soon"}]}]}),
            400,
        ),
    ] {
        let answer = crm.post("/search", body.clone()).await;
        assert_eq!(answer.status, status, "{body}");
        if status == 400 {
            assert_eq!(answer.body["category"], "VALIDATION_ERROR", "{body}");
        }
    }
}

#[tokio::test]
async fn pages_go_on_by_offset_and_the_window_can_be_walked_by_id() {
    let crm = Caller::plain().await;
    let ids = crm.seed((0..10_350).map(|n| json!({"firstname": format!("n{n}")})).collect());
    let (mut seen, mut lowest) = (Vec::new(), "0".to_owned());
    while seen.len() < ids.len() {
        let mut after = Some("0".to_owned());
        while let Some(offset) = after {
            let filters = json!([
                {"propertyName": "lastmodifieddate", "operator": "GTE", "value": "0"},
                {"propertyName": "hs_object_id", "operator": "GT", "value": lowest},
            ]);
            let body = json!({"filterGroups": [{"filters": filters}], "sorts": ["hs_object_id"], "limit": 200, "after": offset});
            let page = crm.post("/search", body).await;
            if offset == "0" {
                assert_eq!(page.body["total"], ids.len() - seen.len());
            }
            seen.extend(page.ids());
            after = page.body["paging"]["next"]["after"].as_str().map(str::to_owned);
            if after.as_deref() == Some("10000") {
                let body = json!({"limit": 200, "after": "10000"});
                assert_eq!(
                    crm.post("/search", body).await.status,
                    400,
                    "the cursor leads out of the window"
                );
                break;
            }
        }
        lowest = seen.last().unwrap().clone();
    }
    assert_eq!(seen, ids);
}

#[tokio::test]
async fn search_lags_behind_and_shows_fresh_rows_for_stale_hits() {
    let lag = Duration::from_millis(400);
    let crm = Caller::new(Options {
        search_lag: lag,
        ..Options::default()
    })
    .await;
    let old = crm.seed(vec![json!({"email": "a@x.com", "city": "Rome"})]);
    let begun = std::time::Instant::now();
    let new = crm.create(json!({"email": "b@x.com", "city": "Rome"})).await;
    crm.patch(&format!("/{}", old[0]), json!({"city": "Bonn"})).await;
    let of_city = |city: &'static str| json!({"filterGroups": [{"filters": [{"propertyName": "city", "operator": "EQ", "value": city}]}], "properties": ["city"]});
    let stale = crm.post("/search", of_city("Rome")).await;
    assert!(begun.elapsed() < lag, "this machine is too slow for this test");
    assert_eq!(
        stale.ids(),
        old,
        "the new one is not known yet, the old one by what it was"
    );
    assert_eq!(stale.results()[0]["properties"]["city"], "Bonn", "but shown as it is");
    assert_eq!(crm.get(&format!("/{new}")).await.status, 200, "reads do not lag");
    let body = json!({"idProperty": "email", "inputs": [{"id": "b@x.com"}]});
    assert_eq!(
        crm.post("/batch/read", body).await.ids(),
        std::slice::from_ref(&new),
        "nor do batch reads"
    );
    while crm.post("/search", of_city("Bonn")).await.ids() != old
        || crm.post("/search", of_city("Rome")).await.ids() != [new.clone()]
    {
        assert!(begun.elapsed() < Duration::from_secs(10), "search never catches up");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(begun.elapsed() >= lag);
}

#[tokio::test]
async fn archived_and_merged_contacts_never_come_back_from_search() {
    let crm = Caller::new(Options {
        search_lag: Duration::from_secs(60),
        ..Options::default()
    })
    .await;
    let ids = crm.seed(
        ["a", "b", "c", "d"]
            .map(|name| json!({"email": format!("{name}@x.com")}))
            .to_vec(),
    );
    crm.delete(&ids[0]).await;
    crm.merge(&ids[1], &ids[2]).await;
    let answer = crm.post("/search", json!({})).await;
    assert_eq!(
        (answer.ids(), &answer.body["total"]),
        (ids[3..].to_vec(), &Value::from(1))
    );
}
