//! Batch read, create, update, upsert and archive.

use gatekeeper::sandbox::Options;
use serde_json::{Value, json};

use super::caller::{Answer, Caller};

async fn with_ext_id() -> Caller {
    Caller::new(Options {
        unique: vec!["ext_id".to_owned()],
        ..Options::default()
    })
    .await
}

/// Trace id and message of each error of an answer.
fn errors(answer: &Answer) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let one = |error: &Value| {
        (
            text(&error["context"]["objectWriteTraceId"][0]),
            text(&error["message"]),
        )
    };
    answer.body["errors"].as_array().unwrap().iter().map(one).collect()
}

#[tokio::test]
async fn a_batch_read_names_all_missing_keys_in_one_error() {
    let crm = Caller::plain().await;
    let ids = crm.seed(vec![
        json!({"email": "a@x.com", "hs_additional_emails": "b@x.com;c@x.com"}),
    ]);
    let inputs = ["A@x.com", "c@x.com", "no@x.com", "none@x.com"].map(|id| json!({"id": id}));
    let body = json!({"idProperty": "email", "properties": ["hs_additional_emails"], "inputs": inputs});
    let answer = crm.post("/batch/read", body).await;
    assert_eq!((answer.status, &answer.body["status"]), (207, &json!("COMPLETE")));
    assert_eq!(answer.ids(), ids, "once, though two of its addresses were asked for");
    assert_eq!(
        answer.results()[0]["properties"]["hs_additional_emails"],
        "b@x.com;c@x.com"
    );
    assert!(!answer.results()[0].to_string().contains("no@x.com"));
    assert_eq!(
        (&answer.body["numErrors"], &answer.body["errors"][0]["category"]),
        (&json!(1), &json!("OBJECT_NOT_FOUND"))
    );
    assert_eq!(
        answer.body["errors"][0]["context"]["ids"],
        json!(["no@x.com", "none@x.com"])
    );
}

#[tokio::test]
async fn a_batch_read_of_nothing_but_missing_keys_is_207_with_no_results() {
    let crm = with_ext_id().await;
    let answer = crm
        .post("/batch/read", json!({"idProperty": "ext_id", "inputs": [{"id": "x"}]}))
        .await;
    assert_eq!((answer.status, answer.results().len()), (207, 0));
    assert_eq!(
        crm.post("/batch/read", json!({"idProperty": "city", "inputs": [{"id": "x"}]}))
            .await
            .status,
        400
    );
}

#[tokio::test]
async fn a_batch_takes_at_most_100_inputs() {
    let crm = Caller::plain().await;
    let inputs: Vec<Value> = (0..101)
        .map(|n| json!({"id": n.to_string(), "properties": {}}))
        .collect();
    for tail in ["read", "create", "update", "archive"] {
        assert_eq!(
            crm.post(&format!("/batch/{tail}"), json!({"inputs": inputs}))
                .await
                .status,
            400,
            "{tail}"
        );
    }
}

#[tokio::test]
async fn results_come_back_in_no_order_and_the_same_seed_shuffles_alike() {
    let mut orders = Vec::new();
    for seed in [5, 5, 6] {
        let crm = Caller::new(Options {
            seed,
            ..Options::default()
        })
        .await;
        let rows: Vec<Value> = (0..50).map(|n| json!({"email": format!("P{n}@x.com")})).collect();
        let answer = crm.create_traced(&rows).await;
        assert_eq!(answer.status, 201);
        let traces: Vec<String> = answer
            .results()
            .iter()
            .map(|one| one["objectWriteTraceId"].to_string())
            .collect();
        for one in answer.results() {
            let n = one["objectWriteTraceId"].as_str().unwrap().trim_start_matches('t');
            assert_eq!(one["properties"]["email"], format!("p{n}@x.com"));
        }
        orders.push(traces);
    }
    assert_eq!(orders[0], orders[1]);
    assert_ne!(orders[0], orders[2]);
}

#[tokio::test]
async fn with_trace_ids_each_bad_row_is_an_error_of_its_own() {
    let crm = with_ext_id().await;
    let owner = crm.create(json!({"email": "a@x.com", "ext_id": "E1"})).await;
    let rows = [
        json!({"email": "new@x.com"}),
        json!({"email": "a@x.com"}),
        json!({"email": "NEW@x.com"}),
        json!({"email": "nonsense"}),
        json!({"email": "b@x.com", "ext_id": "E1"}),
        json!({"email": "c@x.com", "nonsense": "1"}),
        json!({"email": "d@x.com", "createdate": "1"}),
        json!({"email": "e@x.com", "numemployees": "many"}),
        json!({"email": "f@x.com", "hs_lead_status": "new"}),
    ];
    let answer = crm.create_traced(&rows).await;
    assert_eq!(
        (answer.status, answer.results().len(), &answer.body["numErrors"]),
        (207, 1, &json!(8))
    );
    let made = answer.ids()[0].clone();
    let expected = [
        ("t1", format!("Existing ID: {owner}")),
        ("t2", format!("Existing ID: {made}")),
        ("t3", "INVALID_EMAIL".to_owned()),
        ("t4", "CONFLICTING_UNIQUE_VALUE".to_owned()),
        ("t5", "PROPERTY_DOESNT_EXIST".to_owned()),
        ("t6", "READ_ONLY_VALUE".to_owned()),
        ("t7", "INVALID_INTEGER".to_owned()),
        ("t8", "INVALID_OPTION".to_owned()),
    ];
    for ((trace, message), (wanted, part)) in errors(&answer).iter().zip(expected) {
        assert_eq!(trace, wanted);
        assert!(message.contains(&part), "{trace}: {message}");
    }
    assert_eq!(crm.effects().len(), 2);
}

#[tokio::test]
async fn without_trace_ids_one_bad_row_fails_all() {
    let crm = with_ext_id().await;
    crm.create(json!({"email": "a@x.com", "ext_id": "E1"})).await;
    let good = json!({"properties": {"email": "good@x.com"}});
    for (bad, status, code) in [
        (json!({"email": "a@x.com"}), 409, ""),
        (json!({"email": "GOOD@x.com"}), 409, ""),
        (json!({"ext_id": "E1"}), 400, "CONFLICTING_UNIQUE_VALUE"),
        (json!({"nonsense": "1"}), 400, "PROPERTY_DOESNT_EXIST"),
        (json!({"hs_object_id": "1"}), 400, "READ_ONLY_VALUE"),
        (json!({"email": "a@x"}), 400, "INVALID_EMAIL"),
    ] {
        let answer = crm
            .post("/batch/create", json!({"inputs": [good, {"properties": bad}]}))
            .await;
        assert_eq!(answer.status, status, "{bad}");
        if status == 400 {
            assert_eq!(
                (&answer.body["category"], &answer.body["errors"][0]["code"]),
                (&json!("VALIDATION_ERROR"), &json!(code))
            );
        }
    }
    assert_eq!(crm.effects().len(), 1, "nothing of any batch was written");
}

#[tokio::test]
async fn trace_ids_help_only_when_every_input_has_one_of_its_own() {
    let crm = Caller::plain().await;
    crm.create(json!({"email": "a@x.com"})).await;
    let row = |trace: Value, email: &str| json!({"objectWriteTraceId": trace, "properties": {"email": email}});
    for second in [Value::Null, json!("t0")] {
        let inputs = [row(json!("t0"), "new@x.com"), row(second, "a@x.com")];
        assert_eq!(crm.post("/batch/create", json!({"inputs": inputs})).await.status, 409);
    }
    assert_eq!(crm.effects().len(), 1);
}

#[tokio::test]
async fn a_batch_update_echoes_traces_and_names_missing_records() {
    let crm = Caller::plain().await;
    let id = crm.create(json!({"email": "a@x.com"})).await;
    let row = |id: &str| json!({"id": id, "properties": {"city": "Rome"}});
    let plain = crm
        .post("/batch/update", json!({"inputs": [row(&id), row("1"), row("2")]}))
        .await;
    assert_eq!((plain.status, plain.ids()), (207, vec![id.clone()]));
    assert_eq!(
        plain.body["errors"][0]["context"],
        json!({"ids": ["1", "2"]}),
        "one error for all"
    );
    let traced = |id: &str, trace: &str| json!({"id": id, "objectWriteTraceId": trace, "properties": {"city": "Bonn"}});
    let answer = crm
        .post(
            "/batch/update",
            json!({"inputs": [traced(&id, "t1"), traced("1", "t2")]}),
        )
        .await;
    assert_eq!(
        (answer.status, &answer.results()[0]["objectWriteTraceId"]),
        (207, &json!("t1"))
    );
    assert_eq!(
        answer.body["errors"][0]["context"],
        json!({"ids": ["1"], "objectWriteTraceId": ["t2"]})
    );
}

#[tokio::test]
async fn repeated_ids_fail_the_batch_with_or_without_traces() {
    let crm = Caller::plain().await;
    let id = crm.create(json!({"email": "a@x.com"})).await;
    let row = |trace: &str| json!({"id": id, "objectWriteTraceId": trace, "properties": {"city": "Rome"}});
    let answer = crm
        .post("/batch/update", json!({"inputs": [row("t1"), row("t2")]}))
        .await;
    assert_eq!((answer.status, &answer.body["context"]["ids"]), (400, &json!([id])));
    assert_eq!(
        answer.body["message"],
        format!("Duplicate IDs found in batch input: [{id}]. IDs must be unique")
    );
    let by_mail = |id: &str| json!({"id": id, "idProperty": "email", "properties": {}});
    let inputs = [by_mail("n@x.com"), by_mail("N@x.com")];
    assert_eq!(crm.post("/batch/upsert", json!({"inputs": inputs})).await.status, 400);
}

#[tokio::test]
async fn a_batch_update_by_address_is_refused_and_by_unique_property_taken() {
    let crm = with_ext_id().await;
    let id = crm.create(json!({"email": "a@x.com", "ext_id": "E1"})).await;
    let row = |id: &str, by: &str| json!({"inputs": [{"id": id, "idProperty": by, "properties": {"city": "Rome"}}]});
    let refused = crm.post("/batch/update", row("a@x.com", "email")).await;
    assert_eq!(
        refused.body["message"],
        "Unable to perform update/upsert by non-unique 0-1 property"
    );
    assert_eq!(crm.post("/batch/update", row("E1", "ext_id")).await.ids(), [id]);
}

#[tokio::test]
async fn an_upsert_makes_or_changes_and_says_which() {
    let crm = with_ext_id().await;
    let ids = crm.seed(vec![
        json!({"email": "a@x.com", "hs_additional_emails": "a2@x.com", "ext_id": "E1"}),
    ]);
    let row = |id: &str, by: &str| json!({"id": id, "idProperty": by, "objectWriteTraceId": id, "properties": {"city": "Rome"}});
    let inputs = [row("E9", "ext_id"), row("A2@x.com", "email"), row("bad", "email")];
    let answer = crm.post("/batch/upsert", json!({"inputs": inputs})).await;
    assert_eq!((answer.status, answer.results().len()), (207, 2));
    for one in answer.results() {
        let is_old = one["id"] == ids[0].as_str();
        assert_eq!(one["new"], !is_old);
        assert_eq!(one["objectWriteTraceId"], if is_old { "A2@x.com" } else { "E9" });
    }
    assert_eq!(errors(&answer)[0].0, "bad");
    assert_eq!(crm.get("/E9?idProperty=ext_id").await.status, 200, "the key was set");
    assert_eq!(
        crm.get("/a@x.com?idProperty=email").await.id(),
        ids[0],
        "the primary address stays"
    );
}

#[tokio::test]
async fn a_batch_archive_is_204_whatever_was_there() {
    let crm = Caller::plain().await;
    let id = crm.create(json!({"email": "a@x.com"})).await;
    let answer = crm
        .post("/batch/archive", json!({"inputs": [{"id": id}, {"id": "1"}]}))
        .await;
    assert_eq!((answer.status, answer.text.as_str()), (204, ""));
    assert_eq!(crm.get("?archived=true").await.ids(), [id]);
}
