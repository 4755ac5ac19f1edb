//! Answers that are cut, late, endless or none: what was sent may have happened, and is not sent again.

use std::time::{Duration, Instant};

use gatekeeper::crm::hubspot::HubSpot;
use gatekeeper::crm::{CrmError, ReadKey, Reader, RowOutcome, Writer};
use gatekeeper::domain::Field;
use serde_json::json;

use super::script::{Script, Step};
use super::{brief, canonical, change, connect, permit, person, settings};

/// Two rows sent against one step: their outcomes, which are equal, and the call's error.
async fn write(hubspot: &HubSpot) -> (String, Option<CrmError>, Duration) {
    let rows = [
        person("v1.a", &[(Field::FirstName, "Ana")]),
        person("v1.b", &[(Field::FirstName, "Bob")]),
    ];
    let begun = Instant::now();
    let answer = hubspot.create(permit(), &rows).await;
    let taken = begun.elapsed();
    let outcomes: Vec<String> = rows.iter().map(|row| brief(&answer.rows[&row.intent_id])).collect();
    assert_eq!(answer.rows.len(), rows.len());
    assert_eq!(outcomes[0], outcomes[1]);
    (outcomes[0].clone(), answer.error, taken)
}

#[tokio::test]
async fn a_write_without_a_usable_answer_is_unknown_and_is_sent_once() {
    let cases = [
        (
            Step::Truncated(201, "{\"status\":\"COMPLETE\",\"results\":["),
            "unknown truncated",
        ),
        (Step::Truncated(502, "<html>"), "unknown truncated"),
        (Step::text(201, "<html>welcome</html>"), "unknown not_json"),
        (Step::text(200, ""), "unknown not_json"),
        (Step::text(201, &"[".repeat(100_000)), "unknown not_json"),
        (Step::json(200, &json!({})), "unknown missing_from_answer"),
        (
            Step::json(201, &json!({"status": "PENDING", "results": []})),
            "unknown status_pending",
        ),
        (Step::Close, "unknown reset"),
        (
            Step::text(500, "{\"category\":\"INTERNAL_ERROR\"}"),
            "unknown status_500",
        ),
        (Step::text(502, "bad gateway"), "unknown status_502"),
        (Step::text(524, "<html>timeout</html>"), "unknown status_524"),
    ];
    for (step, expected) in cases {
        let script = Script::play([step.clone()]).await;
        let (outcome, error, _) = write(&connect(&script.base_url)).await;
        assert_eq!(outcome, expected, "{step:?}");
        assert_eq!(script.seen().len(), 1, "{step:?} was sent again");
        if expected.contains("missing_from_answer") || expected.contains("pending") {
            assert!(error.is_none(), "the call as such was answered");
        } else {
            assert!(matches!(error, Some(CrmError::NoAnswer { .. })), "{step:?}: {error:?}");
        }
    }
}

#[tokio::test]
async fn the_deadline_holds_for_an_answer_that_never_begins_and_for_one_that_never_ends() {
    for step in [Step::Hang, Step::Endless(1, Duration::from_millis(20))] {
        let script = Script::play([step.clone()]).await;
        let mut settings = settings(&script.base_url);
        settings.request_deadline = Duration::from_millis(400);
        let (outcome, _, taken) = write(&HubSpot::new(settings).expect("good settings")).await;
        assert_eq!(outcome, "unknown timeout", "{step:?}");
        assert!(taken < Duration::from_secs(3), "{step:?} took {taken:?}");
        assert_eq!(script.seen().len(), 1);
    }
}

#[tokio::test]
async fn a_body_without_end_is_not_read_into_memory() {
    let script = Script::play([Step::Endless(1 << 20, Duration::ZERO)]).await;
    let (outcome, ..) = write(&connect(&script.base_url)).await;
    assert_eq!(outcome, "unknown too_long");
}

#[tokio::test]
async fn the_status_of_a_refusal_counts_even_if_its_body_is_cut() {
    let cases = [
        (409, "conflict"),
        (400, "rejected refused"),
        (401, "not sent"),
        (403, "not sent"),
        (423, "not sent"),
        (429, "not sent"),
        (477, "not sent"),
    ];
    for (status, expected) in cases {
        let script = Script::play([Step::Truncated(status, "{\"message\":\"A cont")]).await;
        let row = person("v1.a", &[]);
        let answer = connect(&script.base_url)
            .create(permit(), std::slice::from_ref(&row))
            .await;
        assert_eq!(brief(&answer.rows[&row.intent_id]), expected, "{status}");
    }
}

#[tokio::test]
async fn reads_without_a_usable_answer_find_nothing_out() {
    let steps = || {
        [
            Step::Truncated(200, "{\"results\":["),
            Step::text(200, "not json"),
            Step::json(200, &json!({"status": "COMPLETE"})),
            Step::json(200, &json!({"status": "PENDING", "results": []})),
            Step::text(503, "busy"),
            Step::Close,
        ]
    };
    for step in steps() {
        let script = Script::play([step.clone()]).await;
        let asked = ["a@example.org".to_owned()];
        let answer = connect(&script.base_url)
            .read(permit(), &canonical(), ReadKey::Email, &asked)
            .await;
        assert!(
            matches!(answer.result, Err(CrmError::NoAnswer { .. })),
            "{step:?}: {:?}",
            answer.result
        );
    }
    let script = Script::play([Step::json(200, &json!({"results": "none"}))]).await;
    let answer = connect(&script.base_url)
        .list(permit(), &canonical(), None, false)
        .await;
    assert!(
        matches!(answer.result, Err(CrmError::NoAnswer { .. })),
        "an odd page is no empty page"
    );
}

#[tokio::test]
async fn a_list_whose_cursor_stands_still_is_an_error_and_not_a_loop() {
    let page = json!({"results": [{"id": "1"}], "paging": {"next": {"after": "7"}}});
    let script = Script::play([Step::json(200, &page), Step::json(200, &page)]).await;
    let hubspot = connect(&script.base_url);
    let first = hubspot
        .list(permit(), &canonical(), None, false)
        .await
        .result
        .expect("a page");
    assert_eq!(first.next.as_deref(), Some("7"));
    let second = hubspot.list(permit(), &canonical(), Some("7"), false).await;
    assert!(matches!(second.result, Err(CrmError::NoAnswer { .. })));
}

#[tokio::test]
async fn a_connection_that_closes_between_two_writes_repeats_neither() {
    let done = json!({"status": "COMPLETE", "results": [], "errors": []});
    let script = Script::play([Step::json(201, &done), Step::Close, Step::json(201, &done)]).await;
    let hubspot = connect(&script.base_url);
    for expected in [
        "unknown missing_from_answer",
        "unknown reset",
        "unknown missing_from_answer",
    ] {
        let row = change("1", &[(Field::City, "Riga")]);
        let answer = hubspot.update(permit(), std::slice::from_ref(&row)).await;
        assert_eq!(brief(&answer.rows[&row.intent_id]), expected);
    }
    assert_eq!(script.seen().len(), 3);
}

#[tokio::test]
async fn no_error_of_a_call_holds_what_was_sent_or_answered_about_a_person() {
    let canary = "ana.canary@example.org";
    let body = json!({"status": "error", "category": "VALIDATION_ERROR", "message": format!("{canary} is bad")});
    for step in [
        Step::json(400, &body),
        Step::json(409, &body),
        Step::json(500, &body),
        Step::Close,
    ] {
        let script = Script::play([step.clone(), step.clone()]).await;
        let rows = [
            person("v1.a", &[(Field::Email, canary)]),
            person("v1.b", &[(Field::Email, canary)]),
        ];
        let hubspot = connect(&script.base_url);
        let answer = hubspot.create(permit(), &rows).await;
        assert!(
            !format!("{:?} {:?}", answer.error, answer.call).contains("canary"),
            "{step:?}"
        );
        let read = hubspot
            .read(permit(), &canonical(), ReadKey::Email, &[canary.to_owned()])
            .await;
        assert!(
            !format!("{:?} {:?}", read.result, read.call).contains("canary"),
            "{step:?}"
        );
    }
    let script = Script::play([Step::json(400, &body)]).await;
    let row = person("v1.a", &[(Field::Email, canary)]);
    let answer = connect(&script.base_url)
        .create(permit(), std::slice::from_ref(&row))
        .await;
    match &answer.rows[&row.intent_id] {
        RowOutcome::Rejected { message, .. } => assert!(message.contains(canary), "the dead letter has the words"),
        other => panic!("{other:?}"),
    }
}
