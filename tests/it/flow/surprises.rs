//! The CRM knows better than the mirror: people made, merged and archived there since the last poll.

use gatekeeper::sandbox::{ConflictBody, Kind, Options};
use serde_json::json;

use super::world::{World, but, robert};

/// A world whose mirror is loaded, and polls nothing more for a minute.
async fn loaded(options: Options) -> World {
    let world = World::with(options, |_| ()).await;
    world
        .settled(json!({"source": "sales", "email": "first@example.com"}))
        .await;
    world
}

#[tokio::test]
async fn a_contact_that_a_person_made_since_the_last_poll_is_found_and_changed_not_doubled() {
    let world = loaded(Options::default()).await;
    let made = world
        .seed(json!([{"email": "robert.smith@acme.example", "firstname": "Robert"}]))
        .remove(0);
    let lead = world.settled(but(robert(), json!({"source": "payments"}))).await;
    let decision = world.decision(lead).await;
    assert_eq!(
        (
            decision.action.as_str(),
            decision.crm_id.as_ref(),
            decision.tier.as_deref()
        ),
        ("update", Some(&made), Some("email"))
    );
    assert_eq!(world.contact(&made)["lastname"], "Smith");
    assert_eq!(world.contacts().len(), 2);
    // The probe found it: nothing was sent that had to be refused.
    assert_eq!(world.requests("batch_create").len(), 1);
    let first = format!(
        "select concat_ws(' ', action, outcome, reason) from audit.decision where lead_id = {lead} order by decision_id limit 1"
    );
    assert_eq!(world.ask(&first).await, "create none found_in_crm");
}

#[tokio::test]
async fn a_creation_that_meets_an_address_in_use_becomes_a_change() {
    for conflict_body in [ConflictBody::Conflict, ConflictBody::AlreadyExists] {
        let world = loaded(Options {
            conflict_body,
            ..Options::default()
        })
        .await;
        // Somebody makes the contact between our probe and our creation.
        world.faults(vec![gatekeeper::sandbox::Rule {
            operation: Some("batch_create".to_owned()),
            delay_ms: Some(1500),
            times: Some(1),
            ..Default::default()
        }]);
        let leads = (0..30)
            .map(|number| json!({"source": "payments", "email": format!("p{number}@example.com"), "city": "Riga"}));
        let leads = world.leads(leads.collect()).await;
        let meddle = async {
            crate::support::eventually(
                std::time::Duration::from_secs(20),
                "the creation is on the wire",
                async || match world.requests("batch_create").len() {
                    2 => Ok(()),
                    other => Err(other),
                },
            )
            .await;
            world.seed(json!([
                {"email": "p3@example.com", "firstname": "Made by hand"},
                {"email": "other@example.com", "hs_additional_emails": "p7@example.com", "firstname": "Has two"},
            ]))
        };
        let (ids, ()) = tokio::join!(meddle, world.run());
        super::invariants::check(&world).await;
        assert_eq!(world.contacts().len(), 1 + 28 + 2, "{conflict_body:?}");
        assert_eq!(world.contact(&ids[0])["city"], "Riga");
        assert_eq!(world.contact(&ids[1])["city"], "Riga");
        for (place, id) in [(3, &ids[0]), (7, &ids[1])] {
            let decision = world.decision(leads[place]).await;
            assert_eq!(
                (decision.action.as_str(), decision.crm_id.as_ref()),
                ("update", Some(id))
            );
        }
        assert_eq!(world.decision(leads[0]).await.action, "create");
    }
}

#[tokio::test]
async fn a_person_key_that_is_taken_is_never_doubled_and_never_ends_in_circles() {
    let world = loaded(Options::default()).await;
    let lead = |source: &str, company: &str| {
        json!({
            "source": source, "phone": "+1 415 555 2671", "first_name": "Robert", "last_name": "Smith", "company": company,
        })
    };
    world.settled(lead("sales", "Acme")).await;
    let made = world
        .contacts()
        .into_iter()
        .find(|contact| contact["phone"] == "+14155552671")
        .unwrap();
    let id = made["hs_object_id"].as_str().unwrap().to_owned();
    // Robert has a new number; the old one comes in again, from another firm. Nothing but the key still says that it is he.
    world.edit(&id, json!({"phone": "+1 212 736 5000"}));
    world.mirror().await;
    let again = world.settled(lead("payments", "Globex Mining")).await;
    assert_eq!(world.contacts().len(), 2);
    assert_eq!(world.state(again).await, "review same_person_key");
    assert!(world.requests("batch_create").len() <= 3);
}

#[tokio::test]
async fn the_id_of_a_contact_that_was_merged_away_is_followed() {
    for preserve_primary_id in [false, true] {
        let world = World::with(
            Options {
                preserve_primary_id,
                ..Options::default()
            },
            |_| (),
        )
        .await;
        let ids = world.seed(json!([
            {"email": "robert@acme.example", "firstname": "Robert", "lastname": "Smith"},
            {"email": "bob@home.example", "firstname": "Bob", "lastname": "Smith"},
        ]));
        world
            .settled(json!({"source": "sales", "email": "first@example.com"}))
            .await;
        let body = json!({"primaryObjectId": ids[1], "objectIdToMerge": ids[0]});
        let merged = world.crm.sandbox().human_merge(&body).unwrap()["id"]
            .as_str()
            .unwrap()
            .to_owned();
        let lead = json!({"source": "payments", "email": "robert@acme.example", "city": "Riga"});
        let lead = world.settled(lead).await;
        assert_eq!(world.contact(&merged)["city"], "Riga");
        assert_eq!(world.contacts().len(), 2);
        let decision = world.decision(lead).await;
        assert_eq!(
            (decision.outcome.as_deref(), decision.crm_id),
            (Some("applied"), Some(merged))
        );
        assert_eq!(world.effects(Kind::Create).len(), 1);
    }
}

#[tokio::test]
async fn a_contact_in_the_recycle_bin_is_not_written_to() {
    let world = World::new().await;
    let id = world
        .seed(json!([{"email": "robert@acme.example", "firstname": "Robert"}]))
        .remove(0);
    world
        .settled(json!({"source": "sales", "email": "first@example.com"}))
        .await;
    world.crm.sandbox().human_archive(&id).unwrap();
    let lead = world
        .settled(json!({"source": "payments", "email": "robert@acme.example", "city": "Riga"}))
        .await;
    assert_eq!(world.state(lead).await, "done");
    let decision = world.decision(lead).await;
    assert_eq!(decision.action, "create");
    assert_eq!(world.contact(&decision.crm_id.unwrap())["city"], "Riga");
    let gone = format!("select gone_reason from crm.contact where crm_id = '{id}'");
    assert_eq!(world.ask(&gone).await, "archived");
}
