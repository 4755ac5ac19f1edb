//! Which contacts there are, under which id, and where that can be seen.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{DateTime, Utc};
use gatekeeper::crm::{ReadKey, Reader, Window, Writer};
use gatekeeper::domain::{CrmId, Field};
use gatekeeper::sandbox::Options;

use super::super::account::{Account, found};
use super::super::{brief, canonical, change, permit, person};
use super::{all_changed, changed, ever};

fn ids(of: &[&str]) -> Vec<CrmId> {
    of.iter().map(|id| CrmId((*id).to_owned())).collect()
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

// 10
#[tokio::test]
async fn an_archived_contact_is_seen_by_no_search_but_in_the_list_of_the_bin() {
    let account = Account::open(Options::default()).await;
    let (kept, gone) = (
        account.make_one("v1.a", "a@x.org").await,
        account.make_one("v1.b", "b@x.org").await,
    );
    account.archive(&gone).await;
    assert_eq!(all_changed(&account, ever()).await, std::slice::from_ref(&kept));
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
