//! What is asked of a person, and what comes of the answers, which are given by the real command.

use serde_json::{Value, json};

use super::world::{World, but};
use crate::process::gatekeeper;

/// Two contacts, and a lead whose address is the first one's and whose number the second one's.
async fn torn() -> (World, Vec<String>, i64) {
    let world = World::new().await;
    let ids = world.seed(json!([
        {"email": "robert@acme.example", "firstname": "Robert", "lastname": "Smith"},
        {"phone": "+1 415 555 2671", "firstname": "Jane", "lastname": "Doe"},
    ]));
    let lead = json!({
        "source": "payments", "email": "robert@acme.example", "phone": "(415) 555-2671", "first_name": "Robert",
        "last_name": "Smith", "city": "Riga",
    });
    let lead = world.settled(lead).await;
    (world, ids, lead)
}

async fn review(world: &World, words: &[&str]) -> String {
    let done = gatekeeper(world, &[&["review"], words].concat()).await;
    assert_eq!(done.code, Some(0), "{words:?}: {}", done.stderr);
    done.stdout
}

/// Situations about which nobody but a person can decide: contacts, a lead, the reason.
const QUESTIONS: [(&str, &str, &str); 8] = [
    (
        r#"[{"ext_id": "P-1", "firstname": "Robert"}, {"email": "r@acme.example", "firstname": "Robert"}]"#,
        r#"{"external_id": "P-1", "email": "r@acme.example", "first_name": "Robert"}"#,
        "tiers_disagree",
    ),
    (
        r#"[{"email": "r@acme.example", "firstname": "Robert", "lastname": "Smith"}]"#,
        r#"{"email": "r@acme.example", "first_name": "Jane", "last_name": "Doe"}"#,
        "same_email_other_name",
    ),
    (
        r#"[{"phone": "+14155552671", "firstname": "Robert", "lastname": "Smith"}, {"phone": "+14155552671", "firstname": "Rita", "lastname": "Smith"}]"#,
        r#"{"phone": "+14155552671", "last_name": "Smith", "first_name": "R"}"#,
        "ambiguous_phone",
    ),
    (
        r#"[{"firstname": "Robert", "lastname": "Smith", "company": "Acme", "jobtitle": "Buyer"}, {"firstname": "Rita", "lastname": "Smith", "company": "Acme", "jobtitle": "Buyer"}]"#,
        r#"{"first_name": "R.", "last_name": "Smith", "company": "Acme", "job_title": "Buyer"}"#,
        "ambiguous_fuzzy",
    ),
    (
        r#"[{"firstname": "Robert", "lastname": "Smith", "company": "Acme", "jobtitle": "Buyer"}]"#,
        r#"{"first_name": "R.", "last_name": "Smith", "company": "Acme", "job_title": "Engineer"}"#,
        "fuzzy_uncertain",
    ),
    // Two firms whose names share all but the word that distinguishes them.
    (
        r#"[{"email": "rs@weston.example", "firstname": "Robert", "lastname": "Smith", "company": "Weston Fjord Consulting", "city": "Riga"}]"#,
        r#"{"first_name": "Robert", "last_name": "Smith", "company": "Marlow Fjord Consulting", "city": "Riga"}"#,
        "fuzzy_uncertain",
    ),
    // A colleague of the same first name.
    (
        r#"[{"email": "rs@acme.example", "firstname": "Robert", "lastname": "Smith", "company": "Acme", "city": "Riga"}]"#,
        r#"{"phone": "+1 212 555 0199", "first_name": "Robert", "company": "Acme", "city": "Riga"}"#,
        "fuzzy_uncertain",
    ),
    // A colleague of the same first name and a family name that begins like his.
    (
        r#"[{"email": "rc@acme.example", "firstname": "Robert", "lastname": "Chesterworth", "company": "Acme", "city": "Riga"}]"#,
        r#"{"first_name": "Robert", "last_name": "Chesterson", "company": "Acme", "city": "Riga"}"#,
        "fuzzy_uncertain",
    ),
];

#[tokio::test]
async fn tiers_that_disagree_and_ties_are_never_guessed() {
    for (contacts, lead, reason) in QUESTIONS {
        let world = World::new().await;
        world.seed(serde_json::from_str(contacts).unwrap());
        let before = world.contacts();
        let lead: Value = serde_json::from_str(lead).unwrap();
        let lead_id = world.settled(but(json!({"source": "payments"}), lead.clone())).await;
        assert_eq!(
            world.state(lead_id).await,
            format!("review {reason}"),
            "{lead} of {contacts}"
        );
        assert_eq!(world.contacts(), before);
        let shown = "select coalesce(jsonb_array_length(candidates), 0)::bigint from report.review";
        assert!(world.count(shown).await >= 1);
    }
}

#[tokio::test]
async fn of_a_lead_without_an_identifier_a_person_may_make_somebody_new() {
    let world = World::new().await;
    world.seed(json!([
        {"phone": "+14155552671", "firstname": "Rita", "lastname": "Featherstone", "address": "8 Stanley Street", "zip": "75320"},
    ]));
    let relative =
        json!({"source": "payments", "first_name": "R.", "last_name": "Featherstone", "postal_code": "753 20"});
    let lead = world.settled(relative.clone()).await;
    assert_eq!(world.state(lead).await, "review fuzzy_uncertain");
    let stranger = world
        .settled(but(relative, json!({"postal_code": "10001", "last_name": "Smith"})))
        .await;
    assert_eq!(world.state(stranger).await, "dead no_identifier");
    review(&world, &["create", &lead.to_string(), "--note", "her son"]).await;
    world.settle().await;
    assert_eq!(world.decision(lead).await.action, "create");
    assert_eq!(world.contacts().len(), 2);
}

#[tokio::test]
async fn accepted_the_lead_is_that_contact() {
    let (world, ids, lead) = torn().await;
    assert_eq!(world.state(lead).await, "review tiers_disagree");
    let listed: Value = serde_json::from_str(&review(&world, &["list", "--json"]).await).unwrap();
    assert_eq!(listed[0]["lead_id"], json!(lead));
    let sql = format!("select contact_id::text from crm.contact where crm_id = '{}'", ids[1]);
    let contact = world.ask(&sql).await;
    review(&world, &["accept", &lead.to_string(), &contact, "--note", "he said so"]).await;
    world.settle().await;
    let decision = world.decision(lead).await;
    assert_eq!(
        (
            decision.action.as_str(),
            decision.tier.as_deref(),
            decision.outcome.as_deref()
        ),
        ("update", Some("steward"), Some("applied"))
    );
    assert_eq!(world.contact(&ids[1])["city"], "Riga");
    // The address stays with whom it belongs to.
    assert_eq!(world.ruling(lead, "email").await, "refused email_held_by_other");
    let noted = "select concat_ws(' ', command, lead_id::text, note) from audit.steward_action";
    assert_eq!(world.ask(noted).await, format!("review accept {lead} he said so"));
}

#[tokio::test]
async fn created_the_lead_is_a_new_person_without_what_others_hold() {
    let (world, ids, lead) = torn().await;
    review(&world, &["create", &lead.to_string()]).await;
    world.settle().await;
    let decision = world.decision(lead).await;
    assert_eq!(
        (decision.action.as_str(), decision.outcome.as_deref()),
        ("create", Some("applied"))
    );
    let made = decision.crm_id.unwrap();
    assert!(!ids.contains(&made));
    assert_eq!(world.contact(&made)["city"], "Riga");
    assert_eq!(world.contact(&made)["email"], json!(null));
    assert_eq!(world.contacts().len(), 3);
}

#[tokio::test]
async fn rejected_the_lead_is_done_and_nothing_is_written() {
    let (world, _, lead) = torn().await;
    let before = world.contacts();
    review(&world, &["reject", &lead.to_string()]).await;
    world.settle().await;
    assert_eq!(world.state(lead).await, "done");
    assert_eq!(world.contacts(), before);
}

#[tokio::test]
async fn a_contact_that_has_gone_since_it_was_accepted_is_asked_about_again() {
    let (world, ids, lead) = torn().await;
    let sql = format!("select contact_id::text from crm.contact where crm_id = '{}'", ids[1]);
    let contact = world.ask(&sql).await;
    review(&world, &["accept", &lead.to_string(), &contact]).await;
    world.crm.sandbox().human_archive(&ids[1]).unwrap();
    world.settle().await;
    assert_eq!(world.state(lead).await, "review contact_gone");
}
