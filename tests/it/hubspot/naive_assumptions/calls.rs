//! Limits and versions, which hold for every call.

use std::time::Duration;

use gatekeeper::crm::{CrmError, ReadKey, Reader, RowOutcome, Writer};
use gatekeeper::domain::Field;
use gatekeeper::sandbox::{Limits, Options};

use super::super::account::Account;
use super::super::{brief, canonical, change, permit, person, search_permit};
use super::{all_changed, ever};

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
        assert_eq!(all_changed(&account, ever()).await, std::slice::from_ref(&id));
        let page = hubspot
            .list(permit(), &canonical(), None, false)
            .await
            .result
            .expect("a page");
        assert_eq!((page.records[0].crm_id.as_str(), page.next), (&*id, None));
        assert!(!page.records[0].values.contains_key(&Field::City));
    }
}
