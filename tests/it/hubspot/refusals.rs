//! What the CRM refuses for good, and what the connector does not even ask.

use std::time::Duration;

use gatekeeper::crm::{CrmError, FieldSet, PropertyFault, ReadKey, Reader, Window, Writer};
use gatekeeper::domain::Field;
use gatekeeper::fault::{Classify, Fault};
use gatekeeper::sandbox::Options;

use super::account::{Account, found};
use super::{brief, canonical, change, permit, person, search_permit};

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
    assert!(
        account.read(ReadKey::GatekeeperKey, &["v1.a"]).await.found.is_empty(),
        "reading is allowed"
    );
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
