//! What a naive client gets wrong about HubSpot, each fact by its name.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{DateTime, Utc};
use gatekeeper::crm::{ChangedPage, CrmError, ReadKey, Reader, RowOutcome, Window, Writer};
use gatekeeper::domain::{CrmId, Field};
use gatekeeper::sandbox::{ConflictBody, Limits, Options};

use super::account::{Account, applied, found};
use super::{brief, canonical, change, permit, person, search_permit};

fn ids(of: &[&str]) -> Vec<CrmId> {
    of.iter().map(|id| CrmId((*id).to_owned())).collect()
}

/// All of a window, page by page; panics when a page repeats or goes back.
async fn all_changed(account: &Account, window: Window) -> Vec<String> {
    let mut after: Option<CrmId> = None;
    let mut all = Vec::new();
    loop {
        let page = changed(account, window, after.as_ref()).await;
        all.extend(page.records.into_iter().map(|record| record.crm_id));
        match page.next_after_id {
            None => return all,
            next => after = next,
        }
    }
}

async fn changed(account: &Account, window: Window, after: Option<&CrmId>) -> ChangedPage {
    account
        .hubspot
        .changed(search_permit(), &canonical(), window, after)
        .await
        .result
        .expect("a page")
}

fn ever() -> Window {
    Window {
        lo: DateTime::UNIX_EPOCH,
        hi: Utc::now() + Duration::from_secs(60),
    }
}

// 1
#[tokio::test]
async fn a_merge_mints_a_new_id_and_the_old_ones_lead_to_it() {
    let account = Account::open(Options::default()).await;
    let (one, two) = (
        account.make_one("v1.a", "a@x.org").await,
        account.make_one("v1.b", "b@x.org").await,
    );
    let survivor = account.merge(&one, &two).await;
    assert!(survivor != one && survivor != two);
    let answer = account.read(ReadKey::CrmId, &[&one, &two, "1"]).await;
    assert_eq!(answer.records.len(), 1);
    assert_eq!(
        (found(&answer, &one), found(&answer, &two)),
        (Some(&*survivor), Some(&*survivor))
    );
    assert_eq!(found(&answer, "1"), None);
    let absorbed: BTreeSet<CrmId> = answer.records[0].absorbed_ids.iter().cloned().collect();
    assert_eq!(absorbed, ids(&[&one, &two]).into_iter().collect());
}

// 1, the other way
#[tokio::test]
async fn an_account_may_keep_the_primary_id_in_a_merge() {
    let account = Account::open(Options {
        preserve_primary_id: true,
        ..Options::default()
    })
    .await;
    let (one, two) = (
        account.make_one("v1.a", "a@x.org").await,
        account.make_one("v1.b", "b@x.org").await,
    );
    assert_eq!(account.merge(&one, &two).await, one);
    let answer = account.read(ReadKey::CrmId, &[&one, &two]).await;
    assert_eq!((found(&answer, &one), found(&answer, &two)), (Some(&*one), Some(&*one)));
}

// 2
#[tokio::test]
async fn search_does_not_know_yet_what_a_batch_read_by_the_unique_property_finds() {
    let account = Account::open(Options {
        search_lag: Duration::from_secs(3600),
        ..Options::default()
    })
    .await;
    let id = account.make_one("v1.a", "a@x.org").await;
    assert!(all_changed(&account, ever()).await.is_empty());
    assert_eq!(
        found(&account.read(ReadKey::GatekeeperKey, &["v1.a"]).await, "v1.a"),
        Some(&*id)
    );
    assert_eq!(
        found(&account.read(ReadKey::Email, &["A@x.org"]).await, "A@x.org"),
        Some(&*id)
    );
}

// 2, the match is stale and the row is fresh
#[tokio::test]
async fn a_row_that_has_left_the_window_since_is_not_part_of_it() {
    let lag = Duration::from_millis(400);
    let account = Account::open(Options {
        search_lag: lag,
        ..Options::default()
    })
    .await;
    let id = account.make_one("v1.a", "a@x.org").await;
    let created = account.read(ReadKey::CrmId, &[&id]).await.records[0]
        .updated_at
        .expect("a time");
    let window = Window {
        lo: created,
        hi: created,
    };
    while all_changed(&account, window).await != [id.clone()] {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    while Utc::now().timestamp_millis() <= created.timestamp_millis() {
        tokio::task::yield_now().await;
    }
    let row = change(&id, &[(Field::City, "Riga")]);
    account.hubspot.update(permit(), std::slice::from_ref(&row)).await;
    let page = changed(&account, window, None).await;
    assert_eq!(page.total, Some(1), "the index still believes that it belongs there");
    assert!(page.records.is_empty());
}

// 3
#[tokio::test]
async fn a_secondary_address_finds_its_contact_and_stands_in_the_way_of_a_new_one() {
    let account = Account::open(Options::default()).await;
    let (one, two) = (
        account.make_one("v1.a", "a@x.org").await,
        account.make_one("v1.b", "b@x.org").await,
    );
    let survivor = account.merge(&one, &two).await;
    let answer = account.read(ReadKey::Email, &["B@X.org", "a@x.org", "c@x.org"]).await;
    assert_eq!(
        (found(&answer, "B@X.org"), found(&answer, "a@x.org")),
        (Some(&*survivor), Some(&*survivor))
    );
    assert_eq!(answer.records[0].additional_emails, ["b@x.org"]);
    assert!(found(&answer, "c@x.org").is_none() && answer.unexplained.is_empty());
    let row = person("v1.c", &[(Field::Email, "b@x.org")]);
    let created = account.hubspot.create(permit(), std::slice::from_ref(&row)).await;
    assert_eq!(brief(&created.rows[&row.intent_id]), format!("conflict {survivor}"));
}

// 4
#[tokio::test]
async fn more_than_ten_thousand_contacts_of_one_millisecond_are_read_to_the_end() {
    let account = Account::open(Options {
        scattered_ids: true,
        ..Options::default()
    })
    .await;
    let stamp = "2026-11-23T10:00:00.123Z";
    let contact = || serde_json::Map::from_iter([("lastmodifieddate".to_owned(), serde_json::Value::from(stamp))]);
    let made = account
        .running
        .sandbox()
        .seed((0..10_100).map(|_| contact()).collect())
        .expect("seeds");
    let moment: DateTime<Utc> = stamp.parse().expect("a time");
    let read = all_changed(&account, Window { lo: moment, hi: moment }).await;
    assert_eq!(read.len(), 10_100, "each exactly once");
    assert_eq!(
        read.iter().cloned().collect::<BTreeSet<String>>(),
        made.into_iter().collect()
    );
    let numbers: Vec<u128> = read.iter().map(|id| id.parse().expect("a number")).collect();
    assert!(numbers.is_sorted(), "in the order of the ids as numbers");
}

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

// 9
#[tokio::test]
async fn a_limit_that_is_hit_says_nothing_of_the_wait_and_its_policy_still_gives_one() {
    let tight = Limits {
        general: 2,
        search: 1,
        ..Limits::PROFESSIONAL
    };
    let account = Account::open(Options {
        limits: Some(tight),
        ..Options::default()
    })
    .await;
    let hubspot = &account.hubspot;
    let policy = |result: Result<(), CrmError>| match result {
        Err(CrmError::Throttled { policy, wait }) => (policy, wait),
        other => panic!("{other:?}"),
    };
    let searched = async || {
        hubspot
            .changed(search_permit(), &canonical(), ever(), None)
            .await
            .result
            .map(drop)
    };
    searched().await.expect("the first one");
    assert_eq!(
        policy(searched().await),
        ("SECONDLY".to_owned(), Some(Duration::from_secs(1)))
    );
    let first = hubspot.account(permit()).await;
    assert_eq!(
        (first.call.rate.window_max, first.call.rate.window),
        (Some(2), Some(Duration::from_secs(10)))
    );
    hubspot.account(permit()).await.result.expect("the second one");
    let third = hubspot.account(permit()).await;
    let ten = ("TEN_SECONDLY_ROLLING".to_owned(), Some(Duration::from_secs(10)));
    assert_eq!(policy(third.result.map(drop)), ten);
    let row = person("v1.a", &[]);
    let refused = hubspot.create(permit(), std::slice::from_ref(&row)).await;
    assert_eq!(brief(&refused.rows[&row.intent_id]), "not sent");

    let daily = Limits {
        daily: 1,
        ..Limits::PROFESSIONAL
    };
    let account = Account::open(Options {
        limits: Some(daily),
        ..Options::default()
    })
    .await;
    account
        .hubspot
        .account(permit())
        .await
        .result
        .expect("the only one today");
    let refused = account.hubspot.account(permit()).await;
    assert_eq!(policy(refused.result.map(drop)), ("DAILY".to_owned(), None));
}

// 10
#[tokio::test]
async fn an_archived_contact_is_seen_by_no_search_but_in_the_list_of_the_bin() {
    let account = Account::open(Options::default()).await;
    let (kept, gone) = (
        account.make_one("v1.a", "a@x.org").await,
        account.make_one("v1.b", "b@x.org").await,
    );
    account.archive(&gone).await;
    assert_eq!(all_changed(&account, ever()).await, [kept.clone()]);
    let listed = async |archived| {
        let page = account
            .hubspot
            .list(permit(), &canonical(), None, archived)
            .await
            .result
            .expect("a page");
        page.records
            .into_iter()
            .map(|record| (record.crm_id, record.archived))
            .collect::<Vec<_>>()
    };
    assert_eq!(listed(false).await, [(kept, false)]);
    assert_eq!(listed(true).await, [(gone, true)]);
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

// 12
#[tokio::test]
async fn every_call_works_under_all_three_version_prefixes() {
    for version in ["2026-09", "2026-03", "v3"] {
        let account = Account::bare(
            version,
            Options {
                unique: vec!["ext_id".to_owned()],
                ..Options::default()
            },
        )
        .await;
        let hubspot = &account.hubspot;
        assert_eq!(
            hubspot.account(permit()).await.result.expect("an account").account_id,
            "62515"
        );
        let before = hubspot.schema(permit()).await.result.expect("properties");
        assert!(before.require_unique_key().is_err());
        assert!(before.properties.contains_key(&Field::FirstName) && before.properties[&Field::ExternalId].unique);
        assert!(hubspot.create_key_property(permit()).await.result.expect("made"));
        assert!(
            !hubspot
                .create_key_property(permit())
                .await
                .result
                .expect("there already")
        );
        assert!(
            hubspot
                .schema(permit())
                .await
                .result
                .expect("properties")
                .has_unique_key
        );

        let everything: Vec<(Field, String)> = canonical()
            .into_iter()
            .map(|field| {
                (
                    field.clone(),
                    if field == Field::Email {
                        "a@x.org".to_owned()
                    } else {
                        field.to_string()
                    },
                )
            })
            .collect();
        let pairs: Vec<(Field, &str)> = everything
            .iter()
            .map(|(field, value)| (field.clone(), value.as_str()))
            .collect();
        let id = account.make(&[person("v1.a", &pairs)]).await.remove(0);
        let record = account.read(ReadKey::GatekeeperKey, &["v1.a"]).await.records.remove(0);
        assert_eq!(
            record.values,
            everything.iter().cloned().collect(),
            "{version}: what was sent comes back"
        );

        let row = change(&id, &[(Field::City, ""), (Field::Company, "Acme")]);
        let answer = hubspot.update(permit(), std::slice::from_ref(&row)).await;
        match &answer.rows[&row.intent_id] {
            RowOutcome::Applied { record, .. } => {
                assert_eq!(record.values.get(&Field::City), None, "cleared");
                assert_eq!(record.values[&Field::Company], "Acme");
            }
            other => panic!("{version}: {other:?}"),
        }
        assert_eq!(all_changed(&account, ever()).await, [id.clone()]);
        let page = hubspot
            .list(permit(), &canonical(), None, false)
            .await
            .result
            .expect("a page");
        assert_eq!((page.records[0].crm_id.as_str(), page.next), (&*id, None));
        assert!(!page.records[0].values.contains_key(&Field::City));
    }
}
