//! Faults of a CRM that works: what was told of each row, against what the CRM says really happened.

use std::time::Duration;

use gatekeeper::crm::{CreateRow, CrmError, ReadKey, Reader, Writer};
use gatekeeper::domain::Field;
use gatekeeper::fault::{Classify, Fault};
use gatekeeper::sandbox::{Body, Rule};

use super::account::Account;
use super::{brief, canonical, permit, person};

fn on(operation: &str, rule: Rule) -> Rule {
    Rule {
        operation: Some(operation.to_owned()),
        times: Some(1),
        ..rule
    }
}

fn three() -> Vec<CreateRow> {
    ["v1.a", "v1.b", "v1.c"]
        .map(|key| person(key, &[(Field::City, "Riga")]))
        .to_vec()
}

/// How many of the three the CRM has.
async fn there(account: &Account) -> usize {
    account
        .read(ReadKey::GatekeeperKey, &["v1.a", "v1.b", "v1.c"])
        .await
        .found
        .len()
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_is_unknown_and_the_key_tells_what_became_of_it() {
    let cases = [
        (
            Rule {
                drop_answer_after_apply: true,
                ..Rule::default()
            },
            "unknown reset",
            3,
        ),
        (
            Rule {
                drop_before_apply: true,
                ..Rule::default()
            },
            "unknown reset",
            0,
        ),
        (
            Rule {
                truncate_body: true,
                ..Rule::default()
            },
            "unknown truncated",
            3,
        ),
        (
            Rule {
                not_json: true,
                ..Rule::default()
            },
            "unknown not_json",
            3,
        ),
        (
            Rule {
                status_after_apply: Some(502),
                ..Rule::default()
            },
            "unknown status_502",
            3,
        ),
        (
            Rule {
                status_after_apply: Some(500),
                ..Rule::default()
            },
            "unknown status_500",
            3,
        ),
        (
            Rule {
                status: Some(504),
                ..Rule::default()
            },
            "unknown status_504",
            0,
        ),
    ];
    for (rule, expected, applied) in cases {
        let account = Account::faulty(vec![on("batch_create", rule.clone())]).await;
        let rows = three();
        let answer = account.hubspot.create(permit(), &rows).await;
        assert!(
            rows.iter().all(|row| brief(&answer.rows[&row.intent_id]) == expected),
            "{rule:?}: {:?}",
            answer.rows
        );
        assert_eq!(answer.error.map(|error| error.fault()), Some(Fault::Unknown));
        assert_eq!(there(&account).await, applied, "{rule:?}");
        // Sent again, the same rows make no second contact, whatever had become of them.
        let again = account.hubspot.create(permit(), &rows).await;
        let doubled = rows
            .iter()
            .filter(|row| brief(&again.rows[&row.intent_id]) == "applied")
            .count();
        assert_eq!(doubled, 3 - applied, "{rule:?}");
    }
}

#[tokio::test]
async fn rows_left_out_of_an_answer_are_unknown_although_they_were_done() {
    let account = Account::faulty(vec![on(
        "batch_create",
        Rule {
            omit_rows: 2,
            ..Rule::default()
        },
    )])
    .await;
    let rows = three();
    let answer = account.hubspot.create(permit(), &rows).await;
    let mut outcomes: Vec<String> = answer.rows.values().map(brief).collect();
    outcomes.sort();
    assert_eq!(
        outcomes,
        ["applied", "unknown missing_from_answer", "unknown missing_from_answer"]
    );
    assert_eq!(there(&account).await, 3);
}

#[tokio::test]
async fn an_answer_after_the_deadline_is_no_answer_and_the_write_may_land_later() {
    for rule in [
        Rule {
            delay_ms: Some(1_500),
            ..Rule::default()
        },
        Rule {
            answer_delay_ms: Some(1_500),
            ..Rule::default()
        },
        Rule {
            slow_drip_ms: Some(400),
            ..Rule::default()
        },
    ] {
        let account = Account::faulty(vec![on("batch_create", rule.clone())]).await;
        let mut settings = super::settings(&account.running.base_url());
        settings.request_deadline = Duration::from_millis(500);
        let hasty = gatekeeper::crm::hubspot::HubSpot::new(settings).expect("good settings");
        let rows = three();
        let answer = hasty.create(permit(), &rows).await;
        assert!(
            answer.rows.values().all(|outcome| brief(outcome) == "unknown timeout"),
            "{rule:?}: {:?}",
            answer.rows
        );
        while there(&account).await < 3 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

#[tokio::test]
async fn refusals_that_pass_leave_every_row_unsent_and_say_how_long_to_wait() {
    let secs = Duration::from_secs;
    let json = Some(Body::Json);
    let cases = [
        (
            Rule {
                status: Some(423),
                ..Rule::default()
            },
            Fault::Throttled(secs(2)),
        ),
        (
            Rule {
                status: Some(429),
                ..Rule::default()
            },
            Fault::Throttled(secs(10)),
        ),
        (
            Rule {
                status: Some(429),
                body: Some(Body::Plain),
                ..Rule::default()
            },
            Fault::Throttled(secs(10)),
        ),
        (
            Rule {
                status: Some(429),
                retry_after_s: Some(3),
                ..Rule::default()
            },
            Fault::Throttled(secs(3)),
        ),
        (
            Rule {
                status: Some(429),
                policy: Some("SECONDLY".into()),
                ..Rule::default()
            },
            Fault::Throttled(secs(1)),
        ),
        (
            Rule {
                status: Some(477),
                retry_after_s: Some(900),
                ..Rule::default()
            },
            Fault::Throttled(secs(900)),
        ),
        (
            Rule {
                status: Some(401),
                ..Rule::default()
            },
            Fault::Broken,
        ),
        (
            Rule {
                status: Some(403),
                body: json,
                ..Rule::default()
            },
            Fault::Broken,
        ),
    ];
    for (rule, fault) in cases {
        let account = Account::faulty(vec![on("batch_create", rule.clone())]).await;
        let rows = three();
        let answer = account.hubspot.create(permit(), &rows).await;
        assert!(
            answer.rows.values().all(|outcome| brief(outcome) == "not sent"),
            "{rule:?}: {:?}",
            answer.rows
        );
        assert_eq!(answer.error.map(|error| error.fault()), Some(fault), "{rule:?}");
        assert_eq!(there(&account).await, 0, "{rule:?}");
    }
}

#[tokio::test]
async fn reads_that_fail_say_nothing_about_what_is_there() {
    for status in [500, 502, 503, 504, 521, 523, 524] {
        let account = Account::faulty(vec![on(
            "batch_read",
            Rule {
                status: Some(status),
                ..Rule::default()
            },
        )])
        .await;
        let asked = ["v1.a".to_owned()];
        let answer = account
            .hubspot
            .read(permit(), &canonical(), ReadKey::GatekeeperKey, &asked)
            .await;
        assert!(
            matches!(answer.result, Err(CrmError::NoAnswer { .. })),
            "{status}: {:?}",
            answer.result
        );
    }
}
