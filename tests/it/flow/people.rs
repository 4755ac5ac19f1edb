//! Who is who: new people, the same person again, and each tier by which a known one is found.

use serde_json::{Value, json};

use super::world::{World, but, robert};
use crate::process::gatekeeper;

#[tokio::test]
async fn a_new_person_becomes_a_contact_with_a_key_an_audit_row_a_mirror_row_and_provenance() {
    let world = World::new().await;
    let lead = world.settled(robert()).await;

    let contact = world.only_contact();
    assert_eq!(contact["email"], "robert.smith@acme.example");
    assert_eq!(contact["phone"], "+14155552671");
    assert_eq!(contact["ext_id"], "P-4711");
    let key = contact["gatekeeper_key"].as_str().unwrap();
    assert!(key.starts_with("v1.") && key.len() == 29, "{key}");

    let decision = world.decision(lead).await;
    assert_eq!(
        (decision.action.as_str(), decision.outcome.as_deref(), decision.tier),
        ("create", Some("applied"), None)
    );
    assert_eq!(decision.crm_id.as_deref(), contact["hs_object_id"].as_str());
    let mirrored = format!(
        "select concat_ws(' ', gatekeeper_key, email, external_id, first_name, last_name)
         from crm.contact where crm_id = '{}'",
        decision.crm_id.unwrap()
    );
    assert_eq!(
        world.ask(&mirrored).await,
        format!("{key} robert.smith@acme.example P-4711 Robert Smith")
    );
    let provenance = "select string_agg(concat_ws(' ', field, value, source, lead_id::text, rule), '; ' order by field)
         from crm.contact_field where field in ('city', 'email')";
    assert_eq!(
        world.ask(provenance).await,
        format!(
            "city Springfield sales {lead} highest_rank: blank; \
             email robert.smith@acme.example sales {lead} highest_rank: blank"
        )
    );
    assert_eq!(world.writes(), (1, 0));
    let status = "select concat_ws(' ', state, action, outcome) from staging.lead_status";
    assert_eq!(world.ask(status).await, "done create applied");
}

#[tokio::test]
async fn the_same_person_twice_in_one_batch_is_one_contact_and_one_write() {
    let world = World::new().await;
    let second = but(
        robert(),
        json!({"source": "webinar", "source_key": "W-1", "job_title": "Buyer"}),
    );
    let leads = world.leads(json!([robert(), second])).await;
    world.settle().await;
    assert_eq!(world.writes(), (1, 0));
    assert_eq!(world.only_contact()["jobtitle"], "Buyer");
    let (first, second) = (world.decision(leads[0]).await, world.decision(leads[1]).await);
    assert_eq!((first.action.as_str(), second.action.as_str()), ("create", "coalesced"));
    assert_eq!(first.contact_id, second.contact_id);
    assert_eq!(first.crm_id, second.crm_id);
}

#[tokio::test]
async fn the_same_person_from_two_sources_in_two_batches_is_one_contact_one_creation_and_one_change() {
    let world = World::new().await;
    world.settled(robert()).await;
    let again = but(
        robert(),
        json!({"source": "payments", "source_key": "P-1", "external_id": null, "job_title": "Buyer"}),
    );
    let again = world.settled(again).await;
    assert_eq!(world.writes(), (1, 1));
    let decision = world.decision(again).await;
    assert_eq!(
        (decision.action.as_str(), decision.tier.as_deref()),
        ("update", Some("email"))
    );
    assert_eq!(world.only_contact()["jobtitle"], "Buyer");
}

#[tokio::test]
async fn leads_of_new_people_that_differ_only_in_spelling_meet_within_one_batch() {
    let world = World::new().await;
    let leads = world
        .leads(json!([
            {"source": "sales", "email": "Ann.Lee@Example.com", "first_name": "Ann", "last_name": "Lee"},
            {"source": "fair", "email": " ann.lee@example.com ", "full_name": "LEE, Ann"},
            {"source": "sales", "phone": "(212) 736-5000", "first_name": "Joe", "last_name": "Poe"},
            {"source": "fair", "phone": "+1-212-736-5000", "first_name": "Joseph", "last_name": "Poe"},
            {"source": "sales", "first_name": "William", "last_name": "Brandt", "company": "Nordwind GmbH", "city": "Kiel"},
            {"source": "fair", "first_name": "Bill", "last_name": "Brandt", "company": "Nordwind", "city": "Kiel"},
        ]))
        .await;
    world.settle().await;
    assert_eq!(world.contacts().len(), 3);
    assert_eq!(world.writes(), (3, 0));
    let mut tiers = Vec::new();
    for lead in leads {
        let decision = world.decision(lead).await;
        tiers.push((decision.action, decision.tier.unwrap_or_default()));
    }
    let tiers: Vec<(&str, &str)> = tiers
        .iter()
        .map(|(action, tier)| (action.as_str(), tier.as_str()))
        .collect();
    assert_eq!(
        tiers,
        [
            ("create", ""),
            ("coalesced", "email"),
            ("create", ""),
            ("coalesced", "phone"),
            ("create", ""),
            ("coalesced", "fuzzy"),
        ]
    );
}

/// A contact of the CRM, a lead, and the tier by which the lead attaches to it.
const ATTACHES: [(&str, &str, &str); 7] = [
    (
        r#"{"ext_id": "P-1", "firstname": "Robert", "lastname": "Smith"}"#,
        r#"{"external_id": " P-1 ", "first_name": "R.", "last_name": "Smith", "job_title": "Buyer"}"#,
        "external_id",
    ),
    (
        r#"{"email": "robert@acme.example", "firstname": "Robert", "lastname": "Smith"}"#,
        r#"{"email": "Robert@ACME.example", "first_name": "Bob", "last_name": "Smith", "job_title": "Buyer"}"#,
        "email",
    ),
    (
        r#"{"email": "robert@acme.example", "hs_additional_emails": "bob@home.example", "firstname": "Robert"}"#,
        r#"{"email": "bob@home.example", "job_title": "Buyer"}"#,
        "email",
    ),
    (
        r#"{"phone": "+49 30 9018 20", "firstname": "Robert", "lastname": "Smith"}"#,
        r#"{"phone": "030/901820", "country": "Germany", "first_name": "Robert", "last_name": "Smith", "job_title": "Buyer"}"#,
        "phone",
    ),
    (
        r#"{"mobilephone": "+1 415 555 2671", "firstname": "Robert", "lastname": "Smith"}"#,
        r#"{"phone": "4155552671", "first_name": "Bob", "last_name": "Smith", "job_title": "Buyer"}"#,
        "phone",
    ),
    (
        r#"{"firstname": "Robert", "lastname": "Smith", "company": "Acme Inc.", "city": "Springfield"}"#,
        r#"{"first_name": "Bob", "last_name": "Smith", "company": "ACME, Incorporated", "job_title": "Buyer"}"#,
        "fuzzy",
    ),
    (
        r#"{"firstname": "Robert", "lastname": "Robertson", "company": "Acme Inc.", "email": "rr@acme.example"}"#,
        r#"{"first_name": "Robert", "last_name": "Robertsen", "company": "Acme", "email": "bob@home.example", "job_title": "Buyer"}"#,
        "fuzzy",
    ),
];

#[tokio::test]
async fn each_tier_attaches_a_lead_to_the_contact_that_is_there() {
    for (contact, lead, tier) in ATTACHES {
        let world = World::new().await;
        let contact: Value = serde_json::from_str(contact).unwrap();
        let lead: Value = serde_json::from_str(lead).unwrap();
        let id = &world.seed(json!([contact]))[0];
        let lead_id = world.settled(but(json!({"source": "payments"}), lead.clone())).await;
        let decision = world.decision(lead_id).await;
        assert_eq!(
            (
                decision.action.as_str(),
                decision.tier.as_deref(),
                decision.crm_id.as_ref()
            ),
            ("update", Some(tier), Some(id)),
            "{lead} to {contact}"
        );
        assert_eq!(world.only_contact()["jobtitle"], "Buyer");
    }
}

/// Somebody else: contacts, a lead, and why it is not one of them.
const SOMEBODY_ELSE: [(&str, &str); 6] = [
    // A shared mailbox.
    (
        r#"{"email": "info@acme.example", "firstname": "Robert", "lastname": "Smith"}"#,
        r#"{"email": "info@acme.example", "first_name": "Jane", "last_name": "Doe", "phone": "+1 415 555 2671"}"#,
    ),
    // A switchboard that stewards have listed.
    (
        r#"{"phone": "+1 212 736 5000", "firstname": "Robert", "lastname": "Smith"}"#,
        r#"{"phone": "+1 212 736 5000", "first_name": "Jane", "last_name": "Doe", "email": "jane@acme.example"}"#,
    ),
    // A number that a colleague has as well.
    (
        r#"{"phone": "+1 415 555 2671", "firstname": "Robert", "lastname": "Smith"}"#,
        r#"{"phone": "+1 415 555 2671", "first_name": "Jane", "last_name": "Doe"}"#,
    ),
    // The same name at another company.
    (
        r#"{"firstname": "Robert", "lastname": "Smith", "company": "Acme", "city": "Springfield"}"#,
        r#"{"first_name": "Robert", "last_name": "Smith", "company": "Globex", "city": "Kiel"}"#,
    ),
    // All agrees, but the firm has numbered the address: the second person of that name.
    (
        r#"{"email": "robert.smith@acme.example", "firstname": "Robert", "lastname": "Smith", "company": "Acme", "city": "Riga"}"#,
        r#"{"email": "robert.smith2@acme.example", "first_name": "Robert", "last_name": "Smith", "company": "Acme", "city": "Riga"}"#,
    ),
    // Another id in the leading system.
    (
        r#"{"ext_id": "P-1", "firstname": "Robert", "lastname": "Smith", "company": "Acme"}"#,
        r#"{"external_id": "P-2", "first_name": "Robert", "last_name": "Smith", "company": "Acme"}"#,
    ),
];

#[tokio::test]
async fn shared_mailboxes_switchboards_and_namesakes_do_not_identify() {
    for (contact, lead) in SOMEBODY_ELSE {
        let world = World::new().await;
        world
            .db
            .run("insert into rules.shared_phone (phone) values ('+12127365000')")
            .await;
        let contact: Value = serde_json::from_str(contact).unwrap();
        let lead: Value = serde_json::from_str(lead).unwrap();
        let id = world.seed(json!([contact])).remove(0);
        let before = world.contact(&id);
        let lead_id = world.settled(but(json!({"source": "payments"}), lead.clone())).await;
        let decision = world.decision(lead_id).await;
        assert_eq!(decision.action, "create", "{lead} is not {contact}: {decision:?}");
        assert_eq!(world.contact(&id), before);
        assert_eq!(world.contacts().len(), 2);
    }
}

#[tokio::test]
async fn an_address_that_somebody_else_holds_is_not_given_to_a_second_contact() {
    let world = World::new().await;
    world.seed(json!([{"email": "info@acme.example", "firstname": "Robert", "lastname": "Smith"}]));
    let lead = json!({
        "source": "payments", "email": "info@acme.example", "first_name": "Jane", "last_name": "Doe",
        "phone": "+1 415 555 2671",
    });
    let lead = world.settled(lead).await;
    assert_eq!(world.ruling(lead, "email").await, "refused email_held_by_other");
    let jane = world.contact(&world.decision(lead).await.crm_id.unwrap());
    assert_eq!((&jane["firstname"], &jane["email"]), (&json!("Jane"), &json!(null)));
}

#[tokio::test]
async fn many_contacts_with_one_number_make_it_a_switchboard_without_a_list() {
    let world = World::new().await;
    let colleagues = (0..25)
        .map(|number| json!({"phone": "+1 212 736 5000", "firstname": format!("Anna{number}"), "lastname": "Miller"}));
    world.seed(colleagues.collect());
    let lead = json!({"source": "sales", "phone": "+1 212 736 5000", "first_name": "Zoe", "last_name": "Young"});
    let lead = world.settled(lead).await;
    assert_eq!(world.decision(lead).await.action, "create");
}

#[tokio::test]
async fn who_has_a_colleagues_number_is_found_by_name_also_when_both_given_names_begin_alike() {
    let world = World::new().await;
    let ids = world.seed(json!([
        {"phone": "+1 212 736 5000", "firstname": "Rita", "lastname": "Miller"},
        {"firstname": "Robert", "lastname": "Smith", "company": "Acme", "city": "Riga", "jobtitle": "Buyer"},
    ]));
    let lead = json!({
        "source": "sales", "phone": "+1 212 736 5000", "first_name": "Robert", "last_name": "Smith", "company": "Acme",
        "city": "Riga", "job_title": "Buyer",
    });
    let lead = world.settled(lead).await;
    let decision = world.decision(lead).await;
    assert_eq!(
        (decision.action.as_str(), decision.crm_id.as_ref()),
        ("update", Some(&ids[1]))
    );
}

#[tokio::test]
async fn an_external_id_that_no_property_holds_still_asks_before_a_second_contact() {
    let world = World::with(Default::default(), |config| config.crm.external_id_property.clear()).await;
    let first = world
        .settled(json!({"source": "sales", "external_id": "7", "email": "a@example.com"}))
        .await;
    let second = world
        .settled(json!({"source": "sales", "external_id": "7", "email": "b@example.com"}))
        .await;
    assert_eq!(world.state(first).await, "done");
    // The id stands nowhere, but the person key was founded on it.
    assert_eq!(world.state(second).await, "review same_person_key");
    assert_eq!(world.contacts().len(), 1);
}

#[tokio::test]
async fn one_person_fifty_times_in_one_batch_is_one_call_and_fifty_audit_rows() {
    let world = World::new().await;
    let spelled = |number: usize| match number % 4 {
        0 => format!("Ann.Lee+{number}@gmail.com"),
        1 => "ANNLEE@GMAIL.COM".to_owned(),
        2 => format!("  a.n.n.lee+tag{number}@googlemail.com "),
        _ => "ann.lee@gmail.com".to_owned(),
    };
    let leads = (0..50).map(|number| {
        json!({
            "source": "sales", "source_key": format!("S-{number}"), "email": spelled(number), "first_name": "Ann",
            "last_name": "Lee",
        })
    });
    let leads = world.leads(leads.collect()).await;
    world.settle().await;
    assert_eq!(world.contacts().len(), 1, "{:#?}", world.contacts());
    assert_eq!(world.writes(), (1, 0));
    let audited = "select count(*) from audit.decision where outcome = 'applied'";
    assert_eq!(world.count(audited).await, leads.len() as i64);
}

#[tokio::test]
async fn an_address_a_number_and_both_are_one_contact_or_a_question_in_any_order() {
    let person = json!({"source": "sales", "first_name": "Ann", "last_name": "Lee"});
    let leads = [
        json!({"source_key": "1", "email": "ann.lee@acme.example"}),
        json!({"source_key": "2", "phone": "+14155552671"}),
        json!({"source_key": "3", "email": "ann.lee@acme.example", "phone": "+14155552671"}),
    ]
    .map(|lead| but(person.clone(), lead));
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        for together in [true, false] {
            let world = World::new().await;
            let leads: Vec<_> = order.iter().map(|&place| leads[place].clone()).collect();
            if together {
                world.leads(leads.into()).await;
                world.settle().await;
            } else {
                for lead in leads {
                    world.settled(lead).await;
                }
            }
            let (people, asked) = (
                world.contacts().len(),
                world.count("select count(*) from report.review").await,
            );
            assert!(
                people == 1 || (people == 2 && asked > 0),
                "{order:?}, together: {together}: {people} contacts, {asked} questions"
            );
        }
    }
}

#[tokio::test]
async fn who_brings_only_a_name_and_the_end_of_a_known_number_is_known_and_who_is_not_is_a_dead_letter() {
    let world = World::new().await;
    let ids = world.seed(json!([
        {"firstname": "Stuart", "lastname": "Davenhall", "phone": "+44 7855 402059", "email": "stuart@davenhall.example"},
    ]));
    world.mirror().await;
    let lead = json!({"source": "sales", "source_key": "S-1", "first_name": "Stu", "last_name": "Davenhall",
        "phone": "07855 402 059", "job_title": "Buyer"});
    let stranger = but(
        lead.clone(),
        json!({"source_key": "S-2", "first_name": "Bea", "last_name": "Oyelaran", "phone": "01632 960 1"}),
    );
    let leads = world.leads(json!([lead, stranger])).await;
    world.settle().await;
    let known = world.decision(leads[0]).await;
    assert_eq!(
        (known.action.as_str(), known.crm_id.as_ref()),
        ("update", Some(&ids[0]))
    );
    assert_eq!(world.decision(leads[1]).await.action, "dead");
    assert_eq!(
        world.ask("select string_agg(reason, ' ') from gate.dead_letter").await,
        "invalid_phone"
    );
}

#[tokio::test]
async fn why_not_says_what_two_agree_in_and_whether_they_were_compared() {
    let world = World::new().await;
    let namesakes: Vec<Value> = (0..5)
        .map(|number| {
            json!({"firstname": "Ann", "lastname": "Keel", "company": format!("{} Works", ["Umbra", "Velo", "Quartz", "Nimbus", "Ozon"][number]),
                "email": format!("ak{number}@firm{number}.example"), "city": "Leeds"})
        })
        .collect();
    let ids = world.seed(json!(namesakes));
    world.mirror().await;
    let leads = world
        .leads(json!([
            {"source": "sales", "source_key": "S-1", "first_name": "Ann", "last_name": "Keel", "company": "Umbra Works",
             "email": "ann.keel@umbra.example"},
            {"source": "sales", "source_key": "S-2", "first_name": "Ann", "last_name": "Keel", "company": "Fathom Ltd",
             "email": "ann.keel@fathom.example", "city": "Bath"},
            {"source": "sales", "source_key": "S-3", "first_name": "Zoe", "last_name": "Quist", "company": "Fathom Ltd",
             "email": "zoe.quist@fathom.example"},
        ]))
        .await;
    world.settle().await;
    let ask = async |lead: i64, contact: &str| {
        let contact = format!("crm:{contact}");
        let told = gatekeeper(&world, &["why-not", &lead.to_string(), &contact]).await;
        assert_eq!(told.code, Some(0), "{}", told.stderr);
        told.stdout
    };
    let colleague = ask(leads[0], &ids[0]).await;
    assert!(
        colleague.contains("company") && colleague.contains("exact"),
        "{colleague}"
    );
    assert!(colleague.contains("a match from"), "{colleague}");
    let namesake = ask(leads[1], &ids[1]).await;
    assert!(
        namesake.contains("were not compared: at a glance too little agrees"),
        "{namesake}"
    );
    let stranger = ask(leads[2], &ids[1]).await;
    assert!(
        stranger.contains("no identifier and no blocking key in common"),
        "{stranger}"
    );
    let json = gatekeeper(
        &world,
        &["why-not", &leads[1].to_string(), &format!("crm:{}", ids[1]), "--json"],
    )
    .await;
    let json: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(json["compared_for_a_block"], false, "{json}");
    assert!(
        json["smallest_shared_block"]
            .as_i64()
            .is_some_and(|contacts| contacts > 3),
        "{json}"
    );
}
