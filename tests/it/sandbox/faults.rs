//! Faults: what the sender sees, and what really happened.

use std::time::{Duration, Instant};

use gatekeeper::sandbox::{Body, End, Options, Rule};
use reqwest::Method;
use serde_json::{Value, json};

use super::caller::Caller;

async fn with_rule(rule: Rule) -> Caller {
    Caller::new(Options {
        faults: vec![rule],
        ..Options::default()
    })
    .await
}

fn on(operation: &str) -> Rule {
    Rule {
        operation: Some(operation.to_owned()),
        ..Rule::default()
    }
}

fn person() -> Value {
    json!({"properties": {"email": "a@x.com"}})
}

#[tokio::test]
async fn a_dropped_answer_is_an_error_for_the_sender_and_an_effect_all_the_same() {
    let crm = with_rule(Rule {
        drop_answer_after_apply: true,
        times: Some(1),
        ..on("create")
    })
    .await;
    assert!(crm.try_post("", person()).await.is_err());
    assert_eq!(crm.effects().len(), 1);
    let request = &crm.requests()[0];
    assert_eq!(
        (request.end, request.status, request.fault),
        (End::Dropped, Some(201), Some(1))
    );
    assert_eq!(crm.post("", person()).await.status, 409, "the next one finds it made");
}

#[tokio::test]
async fn a_drop_before_applying_leaves_nothing() {
    let crm = with_rule(Rule {
        drop_before_apply: true,
        ..on("create")
    })
    .await;
    assert!(crm.try_post("", person()).await.is_err());
    assert!(crm.effects().is_empty());
    assert_eq!((crm.requests()[0].end, crm.requests()[0].status), (End::Dropped, None));
}

#[tokio::test]
async fn an_effect_may_come_after_the_connection_is_gone() {
    let crm = with_rule(Rule {
        apply_late_ms: Some(200),
        times: Some(1),
        ..on("create")
    })
    .await;
    let begun = Instant::now();
    assert!(crm.try_post("", person()).await.is_err());
    assert!(begun.elapsed() < Duration::from_millis(200), "dropped at once");
    assert!(crm.effects().is_empty());
    while crm.effects().is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(10));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(begun.elapsed() >= Duration::from_millis(200));
    assert_eq!(crm.effects()[0].request, Some(crm.requests()[0].seq));
}

#[tokio::test]
async fn a_sender_that_gives_up_waiting_still_has_its_effect() {
    let crm = with_rule(Rule {
        apply_late_ms: Some(300),
        hold: true,
        ..on("create")
    })
    .await;
    let request = crm.request(Method::POST, "/crm/v3/objects/contacts").json(&person());
    assert!(
        crm.try_send(request.timeout(Duration::from_millis(50)))
            .await
            .unwrap_err()
            .is_timeout()
    );
    let begun = Instant::now();
    while crm.effects().is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(10));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(crm.requests()[0].end, End::Abandoned);
    assert_eq!(crm.counts().requests["create"]["abandoned"], 1);
}

#[tokio::test]
async fn a_stop_forgets_late_effects_and_does_not_wait_for_them() {
    let crm = with_rule(Rule {
        apply_late_ms: Some(60_000),
        hold: true,
        ..on("create")
    })
    .await;
    let sandbox = std::sync::Arc::clone(crm.running.sandbox());
    let waiting = tokio::spawn(
        crm.request(Method::POST, "/crm/v3/objects/contacts")
            .json(&person())
            .send(),
    );
    while sandbox.journal_after(0).is_empty() {
        tokio::task::yield_now().await;
    }
    tokio::time::timeout(Duration::from_secs(5), crm.running.stop())
        .await
        .unwrap()
        .unwrap();
    assert!(waiting.await.unwrap().is_err());
    assert!(sandbox.contacts().is_empty());
}

#[tokio::test]
async fn statuses_come_with_their_bodies_and_without_effects() {
    let crm = Caller::plain().await;
    for (status, rule, json_body, wait) in [
        (429, Rule::default(), true, None),
        (
            429,
            Rule {
                body: Some(Body::Plain),
                ..Rule::default()
            },
            false,
            None,
        ),
        (423, Rule::default(), true, None),
        (
            477,
            Rule {
                retry_after_s: Some(7),
                ..Rule::default()
            },
            true,
            Some("7"),
        ),
        (500, Rule::default(), true, None),
        (502, Rule::default(), false, None),
        (
            503,
            Rule {
                body: Some(Body::Json),
                ..Rule::default()
            },
            true,
            None,
        ),
        (524, Rule::default(), false, None),
    ] {
        crm.running.sandbox().clear_faults();
        crm.running.sandbox().add_faults(vec![Rule {
            status: Some(status),
            ..rule
        }]);
        let answer = crm.post("", person()).await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.body.is_object(), json_body, "{status}: {}", answer.text);
        assert_eq!(answer.header("retry-after"), wait, "{status}");
    }
    assert!(crm.effects().is_empty());
}

#[tokio::test]
async fn a_bad_status_may_hide_an_effect() {
    let crm = with_rule(Rule {
        status_after_apply: Some(502),
        ..on("create")
    })
    .await;
    assert_eq!(crm.post("", person()).await.status, 502);
    assert_eq!(crm.effects().len(), 1);
}

#[tokio::test]
async fn rows_can_be_left_out_of_an_answer() {
    let crm = with_rule(Rule {
        omit_rows: 2,
        ..on("batch_create")
    })
    .await;
    let rows: Vec<Value> = (0..5).map(|n| json!({"email": format!("p{n}@x.com")})).collect();
    let answer = crm.create_traced(&rows).await;
    assert_eq!(
        (answer.status, answer.results().len(), answer.body.get("errors")),
        (201, 3, None)
    );
    assert_eq!(crm.effects().len(), 5);
}

#[tokio::test]
async fn an_answer_can_break_in_the_middle_or_be_no_json_or_drip() {
    let crm = Caller::new(Options {
        faults: vec![
            Rule {
                truncate_body: true,
                nth: Some(1),
                ..on("list")
            },
            Rule {
                not_json: true,
                nth: Some(2),
                ..on("list")
            },
            Rule {
                slow_drip_ms: Some(20),
                nth: Some(3),
                ..on("list")
            },
        ],
        ..Options::default()
    })
    .await;
    let ids = crm.seed(vec![json!({"email": "a@x.com"})]);
    let list = || crm.request(Method::GET, "/crm/v3/objects/contacts");
    let half = list().send().await.unwrap();
    assert_eq!(half.status().as_u16(), 200, "the head is whole");
    assert!(half.bytes().await.is_err(), "the body is not");
    let page = crm.send(list()).await;
    assert_eq!((page.status, &page.body), (200, &Value::Null));
    let begun = Instant::now();
    assert_eq!(crm.send(list()).await.ids(), ids);
    assert!(begun.elapsed() >= Duration::from_millis(60));
    assert_eq!(crm.send(list()).await.ids(), ids, "and then all is well again");
}

#[tokio::test]
async fn a_storm_passes_by_itself() {
    let crm = with_rule(Rule {
        status: Some(503),
        for_ms: Some(300),
        ..Rule::default()
    })
    .await;
    let begun = Instant::now();
    assert_eq!(crm.get("").await.status, 503);
    while crm.get("").await.status == 503 {
        assert!(begun.elapsed() < Duration::from_secs(10));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn slowness_delays_only_the_requests_it_names() {
    let crm = with_rule(Rule {
        delay_ms: Some(150),
        body_contains: Some("slow@x.com".to_owned()),
        ..on("create")
    })
    .await;
    let begun = Instant::now();
    crm.create(json!({"email": "slow@x.com"})).await;
    assert!(begun.elapsed() >= Duration::from_millis(150));
    crm.create(json!({"email": "fast@x.com"})).await;
    assert_eq!(
        crm.requests().iter().map(|request| request.fault).collect::<Vec<_>>(),
        [Some(1), None]
    );
}

#[tokio::test]
async fn rules_are_set_shown_and_lifted_over_http_and_a_misspelt_one_is_refused() {
    let crm = Caller::plain().await;
    let control = |method: Method| {
        crm.http
            .request(method, format!("{}/_sandbox/faults", crm.running.base_url()))
    };
    let rules = json!([{"operation": "list", "nth": 2, "status": 500}]);
    assert_eq!(crm.send(control(Method::POST).json(&rules)).await.body[0]["number"], 1);
    assert_eq!((crm.get("").await.status, crm.get("").await.status), (200, 500));
    let shown = crm.send(control(Method::GET)).await.body;
    assert_eq!((&shown[0]["seen"], &shown[0]["hit"]), (&json!(2), &json!(1)));
    assert_eq!(
        crm.send(control(Method::POST).json(&json!([{"operaton": "list"}])))
            .await
            .status,
        400
    );
    assert_eq!(crm.send(control(Method::DELETE)).await.status, 204);
    assert_eq!(crm.send(control(Method::GET)).await.body, json!([]));
}
