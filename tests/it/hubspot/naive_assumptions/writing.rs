//! What became of the rows of a batch.

use gatekeeper::crm::{ReadKey, RowOutcome, Writer};
use gatekeeper::domain::Field;
use gatekeeper::sandbox::{ConflictBody, Options};

use super::super::account::{Account, applied, found};
use super::super::{brief, change, permit, person};

// 5
#[tokio::test]
async fn one_conflict_in_a_batch_fails_that_row_alone() {
    for conflict_body in [ConflictBody::Conflict, ConflictBody::AlreadyExists] {
        let account = Account::open(Options {
            conflict_body,
            ..Options::default()
        })
        .await;
        let taken = account.make_one("v1.first", "taken@x.org").await;
        let mut rows: Vec<_> = (0..98)
            .map(|row| person(&format!("v1.{row}"), &[(Field::City, "Riga")]))
            .collect();
        rows.insert(40, person("v1.other", &[(Field::Email, "Taken@x.org")]));
        rows.insert(50, person("v1.first", &[(Field::Email, "new@x.org")]));
        let answer = account.hubspot.create(permit(), &rows).await;
        assert!(answer.error.is_none(), "{:?}", answer.error);
        let of = |at: usize| brief(&answer.rows[&rows[at].intent_id]);
        assert_eq!(of(40), format!("conflict {taken}"), "by the address");
        assert_eq!(of(50), format!("conflict {taken}"), "by the key");
        assert_eq!(
            answer
                .rows
                .values()
                .filter(|outcome| brief(outcome) == "applied")
                .count(),
            98
        );
    }
}

// 6
#[tokio::test]
async fn an_accepted_batch_may_leave_rows_out_and_they_are_unknown() {
    let account = Account::open(Options::default()).await;
    let mut ids = Vec::new();
    for name in ["a", "b", "c"] {
        ids.push(account.make_one(&format!("v1.{name}"), &format!("{name}@x.org")).await);
    }
    account.merge(&ids[0], &ids[1]).await;
    let rows = [
        change(&ids[0], &[(Field::City, "Riga")]),
        change(&ids[2], &[(Field::City, "Riga")]),
    ];
    let answer = account.hubspot.update(permit(), &rows).await;
    assert_eq!(answer.call.status, Some(200), "HubSpot calls this a success");
    assert_eq!(brief(&answer.rows[&rows[0].intent_id]), "unknown missing_from_answer");
    assert_eq!(brief(&answer.rows[&rows[1].intent_id]), "applied");
}

// 7
#[tokio::test]
async fn results_come_in_another_order_and_case_and_still_find_their_rows() {
    let account = Account::open(Options {
        scattered_ids: true,
        ..Options::default()
    })
    .await;
    let email = |row: usize| format!("Person.{row}@X.org");
    let rows: Vec<_> = (0..100)
        .map(|row| person(&format!("v1.{row}"), &[(Field::Email, &email(row))]))
        .collect();
    let answer = account.hubspot.create(permit(), &rows).await;
    let mut asked = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        match &answer.rows[&row.intent_id] {
            RowOutcome::Applied { record, .. } => assert_eq!(record.values[&Field::Email], email(at).to_lowercase()),
            other => panic!("{other:?}"),
        }
        asked.push(email(at));
    }
    let asked: Vec<&str> = asked.iter().map(String::as_str).collect();
    let read = account.read(ReadKey::Email, &asked).await;
    for (at, row) in rows.iter().enumerate() {
        assert_eq!(found(&read, asked[at]), Some(applied(&answer, row)));
    }
}

// 8
#[tokio::test]
async fn both_bodies_of_a_conflict_name_the_contact_in_the_way() {
    for conflict_body in [ConflictBody::Conflict, ConflictBody::AlreadyExists] {
        for version in ["2026-09", "v3"] {
            let account = Account::open_in(
                version,
                Options {
                    conflict_body,
                    ..Options::default()
                },
            )
            .await;
            let taken = account.make_one("v1.a", "taken@x.org").await;
            let other = account.make_one("v1.b", "other@x.org").await;
            let by_address = person("v1.c", &[(Field::Email, "taken@x.org")]);
            let by_key = person("v1.a", &[(Field::Email, "free@x.org")]);
            for row in [by_address, by_key] {
                let answer = account.hubspot.create(permit(), std::slice::from_ref(&row)).await;
                assert_eq!(
                    brief(&answer.rows[&row.intent_id]),
                    format!("conflict {taken}"),
                    "{version}"
                );
            }
            let row = change(&other, &[(Field::Email, "taken@x.org")]);
            let answer = account.hubspot.update(permit(), std::slice::from_ref(&row)).await;
            assert_eq!(
                brief(&answer.rows[&row.intent_id]),
                format!("conflict {taken}"),
                "{version}"
            );
        }
    }
}

// 11
#[tokio::test]
async fn a_rule_of_the_administrator_refuses_from_2026_09_on_what_passed_before() {
    for (version, expected) in [
        ("v3", "applied"),
        ("2026-03", "applied"),
        ("2026-09", "rejected missing_required_property"),
    ] {
        let options = Options {
            required: vec!["company".to_owned()],
            ..Options::default()
        };
        let account = Account::open_in(version, options).await;
        let rows = [
            person("v1.a", &[(Field::City, "Riga")]),
            person("v1.b", &[(Field::Company, "Acme")]),
        ];
        let answer = account.hubspot.create(permit(), &rows).await;
        assert_eq!(brief(&answer.rows[&rows[0].intent_id]), expected, "{version}");
        assert_eq!(brief(&answer.rows[&rows[1].intent_id]), "applied", "{version}");
    }
}
