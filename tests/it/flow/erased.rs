//! People who are erased in the CRM: nothing of them stays here, and no lead makes them anew.

use gatekeeper::sandbox::Kind;
use gatekeeper::store::undo::{UndoChoice, request_undo};
use serde_json::{Value, json};

use super::world::World;
use crate::process::gatekeeper;

/// Everything that the mirror still holds of people who were erased, and how many they are.
const LEFT: &str = "select concat_ws(' ', count(*), string_agg((to_jsonb(contact)
      - 'contact_id' - 'crm_id' - 'archived_at' - 'gone_reason' - 'seen_at' - 'created_at' - 'updated_at'
      - 'additional_emails' - 'properties')::text, ' ') filter (where jsonb_strip_nulls(to_jsonb(contact)
      - 'contact_id' - 'crm_id' - 'archived_at' - 'gone_reason' - 'seen_at' - 'created_at' - 'updated_at'
      - 'additional_emails' - 'properties') <> '{}' or additional_emails <> '{}' or properties <> '{}'),
      (select nullif(count(*), 0) from crm.contact_field where contact_field.contact_id = any (array_agg(contact.contact_id))),
      (select nullif(count(*), 0) from gate.identifier where identifier.contact_id = any (array_agg(contact.contact_id))))
    from crm.contact where gone_reason = 'erased'";

fn ann() -> Value {
    json!({
        "email": "ann.lee@acme.example", "hs_additional_emails": "ann@home.example", "phone": "+49 30 1234567",
        "firstname": "Ann", "lastname": "Lee", "company": "Acme",
    })
}

#[tokio::test]
async fn whoever_was_erased_is_not_made_anew_by_any_identifier_of_theirs() {
    let world = World::new().await;
    let id = world.seed(json!([ann()])).remove(0);
    world.mirror().await;
    let known = json!({"source": "payments", "email": "ann.lee@acme.example", "external_id": "P-7", "city": "Riga"});
    world.settled(known).await;
    assert_eq!(world.contact(&id)["city"], "Riga");
    world.crm.sandbox().human_erase(&id).unwrap();
    // The mirror takes her for living: it is the answer to this write that tells.
    let first = world
        .settled(json!({"source": "payments", "email": "ann.lee@acme.example", "city": "Oslo"}))
        .await;
    assert_eq!(world.state(first).await, "dead erased_in_crm");
    assert_eq!(
        world.ask(LEFT).await,
        "1",
        "of her nothing is left but that she was here"
    );
    let kept = "select string_agg(person_key, ' ') from gate.erased_key";
    let kept = world.ask(kept).await;
    assert!(!kept.contains("ann") && kept.split(' ').count() == 4, "{kept}");
    let by = [
        json!({"email": "ANN@home.example"}),
        json!({"phone": "+49 (0)30 1234567", "first_name": "Ann", "last_name": "Lee"}),
        json!({"external_id": "P-7", "email": "new@example.org"}),
    ];
    for identifiers in by {
        let mut lead = identifiers.clone();
        lead["source"] = "payments".into();
        let lead = world.settled(lead).await;
        assert_eq!(world.state(lead).await, "dead erased_in_crm", "{identifiers}");
    }
    assert!(world.effects(Kind::Create).is_empty());
    // A namesake, and a colleague at the same telephone, are other people.
    for other in [
        json!({"email": "other@example.org", "first_name": "Ann", "last_name": "Lee", "company": "Acme"}),
        json!({"phone": "+49 (0)30 1234567", "first_name": "Karl", "last_name": "Berg", "company": "Acme"}),
    ] {
        let mut lead = other.clone();
        lead["source"] = "payments".into();
        let lead = world.settled(lead).await;
        assert_eq!(world.state(lead).await, "done", "{other}");
    }
    // She comes back of her own will: whoever enters her in the CRM lets her leads through.
    let again = world
        .seed(json!([{"email": "ann.lee@acme.example", "firstname": "Ann"}]))
        .remove(0);
    world.mirror().await;
    let replayed = gatekeeper(&world, &["dead", "replay", &first.to_string()]).await;
    assert_eq!(replayed.code, Some(0), "{}", replayed.stderr);
    world.settle().await;
    assert_eq!(world.state(first).await, "done");
    assert_eq!(world.contact(&again)["city"], "Oslo");
}

#[tokio::test]
async fn a_contact_of_our_own_making_that_was_erased_is_found_out_by_the_full_pass() {
    let world = World::new().await;
    let lead = json!({"source": "payments", "first_name": "Ann", "last_name": "Lee", "company": "Acme"});
    let lead = world.settled(lead).await;
    let id = world.decision(lead).await.crm_id.unwrap();
    world.crm.sandbox().human_erase(&id).unwrap();
    world.mirror().await;
    assert_eq!(world.ask(LEFT).await, "1");
    let again = json!({"source": "sales", "first_name": "Ann", "last_name": "Lee", "company": "Acme Ltd"});
    let again = world.settled(again).await;
    assert_eq!(world.state(again).await, "dead erased_in_crm");
    assert_eq!(world.effects(Kind::Create).len(), 1);
}

#[tokio::test]
async fn a_mailbox_that_many_use_does_not_bar_the_others() {
    let world = World::new().await;
    let id = world
        .seed(json!([{"email": "info@acme.example", "firstname": "Ann", "lastname": "Lee"}]))
        .remove(0);
    world.mirror().await;
    world.crm.sandbox().human_erase(&id).unwrap();
    world.mirror().await;
    assert_eq!(world.ask(LEFT).await, "1");
    let lead = json!({"source": "sales", "email": "info@acme.example", "first_name": "Karl", "last_name": "Berg"});
    let lead = world.settled(lead).await;
    assert_eq!(world.state(lead).await, "done");
}

#[tokio::test]
async fn whoever_stands_there_again_under_another_id_is_found_and_not_barred() {
    let world = World::new().await;
    let id = world.seed(json!([ann()])).remove(0);
    world.mirror().await;
    world
        .settled(json!({"source": "sales", "email": "first@example.com"}))
        .await;
    world.crm.sandbox().human_erase(&id).unwrap();
    let again = world
        .seed(json!([{"email": "ann@home.example", "firstname": "Ann"}]))
        .remove(0);
    let lead = json!({"source": "payments", "email": "ann@home.example", "city": "Riga"});
    let lead = world.settled(lead).await;
    assert_eq!(world.state(lead).await, "done");
    assert_eq!(world.contact(&again)["city"], "Riga");
    let gone = format!("select gone_reason from crm.contact where crm_id = '{id}'");
    assert_eq!(world.ask(&gone).await, "missing");
    assert_eq!(world.count("select count(*) from gate.erased_key").await, 0);
}

#[tokio::test]
async fn of_whoever_was_merged_into_an_erased_contact_nothing_stays_either() {
    let world = World::new().await;
    let ids = world
        .seed(json!([ann(), {"email": "ann@other.example", "firstname": "Ann", "lastname": "Lee", "city": "Kiel"}]));
    world.mirror().await;
    world
        .settled(json!({"source": "payments", "email": "ann@other.example", "city": "Riga"}))
        .await;
    let merge = json!({"primaryObjectId": ids[0], "objectIdToMerge": ids[1]});
    let survivor = world.crm.sandbox().human_merge(&merge).unwrap()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    world.mirror().await;
    let choice = UndoChoice {
        source: Some("payments".to_owned()),
        ..UndoChoice::default()
    };
    request_undo(&world.db.client().await, &choice, None).await.unwrap();
    let plan = format!(
        "insert into merge.plan (group_id, state, master_id, master_rule, contacts, merge_calls, write_needed, digest, policy_version)
         select 1, 'proposed', contact_id, '', 2, 1, true, '', 1 from crm.contact where crm_id = '{survivor}';
         insert into merge.member (plan_id, place, contact_id, crm_id) select plan_id, 0, master_id, '{survivor}' from merge.plan;
         insert into merge.survivor (plan_id, field, value, contact_id, rule, lost)
         select plan_id, 'city', 'Riga', master_id, '', '[]' from merge.plan"
    );
    world.db.run(&plan).await;
    world.crm.sandbox().human_erase(&survivor).unwrap();
    world.mirror().await;
    let values = "select count(*) from crm.contact
        where coalesce(email, phone, first_name, last_name, city) is not null or properties <> '{}'";
    assert_eq!(world.count(values).await, 0);
    assert_eq!(world.count("select count(*) from crm.contact_field").await, 0);
    assert_eq!(world.count("select count(*) from gate.undo").await, 0);
    assert_eq!(
        world
            .count("select (select count(*) from merge.plan) + (select count(*) from merge.survivor)")
            .await,
        0
    );
    assert_eq!(
        world
            .count("select count(*) from crm.contact where gone_reason = 'merged'")
            .await,
        1
    );
}
