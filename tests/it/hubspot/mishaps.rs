//! Faults of a CRM that works: what was told of each row, against what the CRM says really happened.

use std::time::Duration;

use gatekeeper::crm::{CreateRow, CrmError, FieldSet, PropertyFault, ReadKey, Reader, Window, Writer};
use gatekeeper::domain::Field;
use gatekeeper::fault::{Classify, Fault};
use gatekeeper::sandbox::{Body, Options, Rule};

use super::account::{Account, found};
use super::{brief, canonical, change, permit, person, search_permit};

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

#[tokio::test]
async fn a_wrong_token_and_a_missing_scope_stop_everything_and_say_what_to_do() {
    let account = Account::open(Options::default()).await;
    let row = person("v1.a", &[]);
    let answer = account
        .with_token("wrong")
        .create(permit(), std::slice::from_ref(&row))
        .await;
    assert_eq!(brief(&answer.rows[&row.intent_id]), "not sent");
    let error = answer.error.expect("an error");
    assert_eq!(error.fault(), Fault::Broken);
    assert!(error.to_string().contains("INVALID_AUTHENTICATION"), "{error}");

    let scopes = ["crm.objects.contacts.read".to_owned()].into();
    let account = Account::open(Options {
        scopes,
        ..Options::default()
    })
    .await;
    let answer = account.hubspot.create(permit(), std::slice::from_ref(&row)).await;
    assert_eq!(brief(&answer.rows[&row.intent_id]), "not sent");
    let error = answer.error.expect("an error");
    assert!(error.to_string().contains("crm.objects.contacts.write"), "{error}");
    assert_eq!(there(&account).await, 0, "reading is allowed");
}

#[tokio::test]
async fn a_row_that_the_crm_refuses_says_why_and_harms_no_other() {
    let account = Account::open(Options::default()).await;
    let rows = [
        person("v1.a", &[(Field::Email, "not an address")]),
        person("v1.b", &[(Field::Property("no_such_property".into()), "x")]),
        person("v1.c", &[(Field::Property("hs_object_id".into()), "5")]),
        person("v1.d", &[(Field::City, "Riga")]),
    ];
    let answer = account.hubspot.create(permit(), &rows).await;
    let outcomes: Vec<String> = rows.iter().map(|row| brief(&answer.rows[&row.intent_id])).collect();
    let refused = [
        "rejected invalid_email",
        "rejected property_doesnt_exist",
        "rejected read_only_value",
        "applied",
    ];
    assert_eq!(outcomes, refused);
    let schema = account.hubspot.schema(permit()).await.result.expect("properties");
    assert_eq!(
        schema.check(&Field::Property("no_such_property".into()), "x"),
        Err(PropertyFault::Unknown)
    );
    assert_eq!(
        schema.check(&Field::Property("hs_object_id".into()), "5"),
        Err(PropertyFault::ReadOnly)
    );
}

#[tokio::test]
async fn a_change_of_a_contact_that_is_gone_is_missing_and_a_repeated_one_refuses_the_batch() {
    let account = Account::open(Options::default()).await;
    let id = account.make_one("v1.a", "a@x.org").await;
    let rows = [
        change("1", &[(Field::City, "Riga")]),
        change(&id, &[(Field::City, "Riga")]),
    ];
    let answer = account.hubspot.update(permit(), &rows).await;
    assert_eq!(brief(&answer.rows[&rows[0].intent_id]), "missing");
    assert_eq!(brief(&answer.rows[&rows[1].intent_id]), "applied");

    let rows = [
        change(&id, &[(Field::City, "Bonn")]),
        change(&id, &[(Field::City, "Rome")]),
    ];
    let answer = account.hubspot.update(permit(), &rows).await;
    assert!(
        matches!(answer.error, Some(CrmError::BatchRefused { .. })),
        "{:?}",
        answer.error
    );
    assert!(answer.rows.values().all(|outcome| brief(outcome) == "not sent"));
}

#[tokio::test]
async fn a_property_of_our_name_that_is_not_unique_is_refused_with_what_to_do() {
    let account = Account::bare("2026-09", Options::default()).await;
    let plain = serde_json::json!({"name": "gatekeeper_key", "label": "Key", "type": "string", "fieldType": "text",
        "groupName": "contactinformation", "hasUniqueValue": false});
    assert_eq!(account.post("/crm/properties/2026-09/contacts", &plain).await.0, 201);
    assert!(
        !account
            .hubspot
            .create_key_property(permit())
            .await
            .result
            .expect("there already")
    );
    let schema = account.hubspot.schema(permit()).await.result.expect("properties");
    let error = schema.require_unique_key().expect_err("it is not unique");
    assert!(error.to_string().contains("archive and delete it"), "{error}");
}

#[tokio::test]
async fn more_properties_than_a_url_or_a_search_holds_are_left_to_a_read_by_id() {
    let account = Account::open(Options::default()).await;
    let id = account
        .make(&[person("v1.a", &[(Field::City, "Riga")])])
        .await
        .remove(0);
    let many: FieldSet = (0..500)
        .map(|at| Field::Property(format!("custom_property_number_{at:04}").into()))
        .chain([Field::City])
        .collect();
    assert!(account.hubspot.list_needs_hydration(&many) && !account.hubspot.list_needs_hydration(&canonical()));
    let page = account
        .hubspot
        .list(permit(), &many, None, false)
        .await
        .result
        .expect("a page, and no 414");
    assert_eq!(
        (page.records[0].crm_id.as_str(), page.records[0].values.len()),
        (&*id, 0)
    );
    assert_eq!(page.records[0].gatekeeper_key.as_deref(), Some("v1.a"));
    let window = Window {
        lo: chrono::DateTime::UNIX_EPOCH,
        hi: chrono::Utc::now() + Duration::from_secs(60),
    };
    assert!(account.hubspot.changed_needs_hydration(&many));
    let changed = account
        .hubspot
        .changed(search_permit(), &many, window, None)
        .await
        .result
        .expect("and no 400");
    assert_eq!(
        (changed.records[0].crm_id.as_str(), changed.records[0].values.len()),
        (&*id, 0)
    );
    let asked = [id.clone()];
    let whole = account
        .hubspot
        .read(permit(), &many, ReadKey::CrmId, &asked)
        .await
        .result
        .expect("the rest");
    assert_eq!(found(&whole, &id), Some(&*id));
    assert_eq!(whole.records[0].values[&Field::City], "Riga");
}
