//! Leads with values that are no values: each ends with a reason, and its neighbours go on.

use serde_json::{Value, json};

use crate::flow::world::World;

/// A lead, and how it ends.
const LEADS: [(&str, &str); 33] = [
    // Nothing to go by.
    (r#"{"source": "sales"}"#, "dead no_identifier"),
    (
        r#"{"source": "sales", "email": "", "phone": " ", "external_id": "\t"}"#,
        "dead no_identifier",
    ),
    (
        r#"{"source": "sales", "first_name": "Ann", "last_name": "Lee"}"#,
        "dead no_identifier",
    ),
    (
        r#"{"source": "sales", "city": "Riga", "properties": {"message": "hello"}}"#,
        "dead no_identifier",
    ),
    (r#"{}"#, "dead source_missing"),
    (r#"{"source": "", "email": "a1@example.com"}"#, "dead source_missing"),
    (r#"{"email": "a2@example.com"}"#, "dead source_missing"),
    (
        r#"{"source": "nobody", "email": "a3@example.com"}"#,
        "dead unknown_source",
    ),
    (
        r#"{"source": "Sales ", "email": "a4@example.com"}"#,
        "dead unknown_source",
    ),
    (
        r#"{"source": "crm", "email": "a5@example.com"}"#,
        "dead source_reserved",
    ),
    // Addresses.
    (r#"{"source": "sales", "email": "no at sign"}"#, "dead invalid_email"),
    (
        r#"{"source": "sales", "email": "two@@example.com"}"#,
        "dead invalid_email",
    ),
    (r#"{"source": "sales", "email": "a@b"}"#, "dead invalid_email"),
    (
        r#"{"source": "sales", "email": "a@.com; b@.com"}"#,
        "dead invalid_email",
    ),
    (
        r#"{"source": "sales", "email": "noreply@example.com"}"#,
        "dead junk_value",
    ),
    (r#"{"source": "sales", "email": "n/a"}"#, "dead junk_value"),
    (
        r#"{"source": "sales", "email": "broken@", "phone": "+1 415 555 0101"}"#,
        "done",
    ),
    (
        r#"{"source": "sales", "email": "<script>alert(1)</script>@example.com", "phone": "+1 415 555 0102"}"#,
        "done",
    ),
    (
        r#"{"source": "sales", "email": "'; drop table staging.lead; --@example.com", "phone": "+1 415 555 0103"}"#,
        "done",
    ),
    // Numbers of any shape.
    (r#"{"source": "sales", "phone": "call me"}"#, "dead invalid_phone"),
    (r#"{"source": "sales", "phone": "12"}"#, "dead invalid_phone"),
    (
        r#"{"source": "sales", "phone": "+999999999999999999999999"}"#,
        "dead junk_value",
    ),
    (r#"{"source": "sales", "phone": "0000000000"}"#, "dead junk_value"),
    (
        r#"{"source": "sales", "phone": "4.15555E+9", "mobile_phone": "-5"}"#,
        "dead invalid_phone",
    ),
    (
        r#"{"source": "sales", "phone": "+1 415 555 0104 ext. 99999999999999999"}"#,
        "dead invalid_phone",
    ),
    (
        r#"{"source": "sales", "phone": "١٤١٥٥٥٥٠١٠٥", "country": "US"}"#,
        "done",
    ),
    // Characters that nobody sees.
    (
        r#"{"source": "sales", "email": "\u200bzero\u200d.width@exa\u2060mple.com", "first_name": "\u202eAnn\u202c"}"#,
        "done",
    ),
    (
        r#"{"source": "sales", "email": "ctl\u0001\u0007\u001b[31m@example.com", "phone": "+1 415 555 0106"}"#,
        "done",
    ),
    (
        r#"{"source": "sales", "email": "rtl@example.com", "first_name": "\u200fעֲבְרִית", "last_name": "\u202e\u202d\u2066", "company": "شركة"}"#,
        "done",
    ),
    (
        r#"{"source": "sales", "external_id": "\ufeff\u0085\u2028ID-1", "first_name": "\ud83d\ude00", "last_name": "\u0301\u0301\u0301"}"#,
        "done",
    ),
    (
        r#"{"source": "sales", "email": "q@example.com", "full_name": "Zalgo ẗ̴̡̢̛̪̳̥̲͖́̈́̽̿͝"}"#,
        "done",
    ),
    // Properties that are no object.
    (
        r#"{"source": "sales", "email": "p1@example.com", "properties": [1, 2, {"a": 1}]}"#,
        "done",
    ),
    (
        r#"{"source": "sales", "email": "p2@example.com", "properties": {"email": {"a": [1]}, "phone": [["x"]], "message": {"a": 1}}}"#,
        "done",
    ),
];

#[tokio::test]
async fn every_bad_lead_ends_with_its_reason_and_all_good_ones_go_on() {
    let world = World::new().await;
    let mut batch = Vec::new();
    for (number, (lead, _)) in LEADS.iter().enumerate() {
        let lead: Value = serde_json::from_str(lead).unwrap();
        batch.push(lead);
        batch.push(json!({"source": "sales", "email": format!("good{number}@example.com")}));
    }
    let leads = world.leads(Value::Array(batch)).await;
    world.settle().await;
    let mut wrong = Vec::new();
    for (number, (lead, expected)) in LEADS.iter().enumerate() {
        let state = world.state(leads[2 * number]).await;
        if state != *expected {
            wrong.push(format!("{lead}: {state}, not {expected}"));
        }
        let good = world.state(leads[2 * number + 1]).await;
        if good != "done" {
            wrong.push(format!("the good lead beside {lead}: {good}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert_eq!(
        world.count("select count(*) from staging.lead").await as usize,
        2 * LEADS.len()
    );
    // What nobody sees is not in the CRM either.
    for contact in world.contacts() {
        let text = contact.to_string();
        let hidden = |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
        assert!(!text.contains(hidden) && !text.contains("\\u00"), "{text}");
    }
}

#[tokio::test]
async fn times_that_cannot_be_do_not_count() {
    let world = World::new().await;
    let times = [
        "infinity",
        "-infinity",
        "200000-01-01 00:00:00+00",
        "4000-01-01 00:00:00 BC",
        "0001-01-01",
        "1899-12-31",
        "9999-12-31",
        "294276-12-31 23:59:59",
    ];
    for (number, time) in times.iter().enumerate() {
        // The time of arrival as well: an ETL job may copy it from elsewhere.
        for (place, column) in ["occurred_at", "received_at"].iter().enumerate() {
            world
                .db
                .run(&format!(
                    "insert into staging.lead (source, email, city, {column})
                     values ('sales', 't{number}.{place}@example.com', 'Riga', '{time}')"
                ))
                .await;
        }
    }
    world
        .lead(json!({"source": "sales", "email": "good@example.com"}))
        .await;
    world.settle().await;
    assert_eq!(world.contacts().len(), 2 * times.len() + 1);
    // None of them outlives every honest time: a later value wins.
    let newer: Vec<Value> = (0..times.len())
        .flat_map(|number| {
            [0, 1].map(
                |place| json!({"source": "webinar", "email": format!("t{number}.{place}@example.com"), "city": "Oslo"}),
            )
        })
        .collect();
    world.rule("city", "*", "newest").await;
    world.leads(Value::Array(newer)).await;
    world.settle().await;
    let moved = world
        .contacts()
        .iter()
        .filter(|contact| contact["city"] == "Oslo")
        .count();
    assert_eq!(moved, 2 * times.len());
}

#[tokio::test]
async fn a_field_that_is_refused_in_its_column_and_in_the_properties_is_refused_once() {
    let world = World::new().await;
    let long = "x".repeat(70_000);
    let lead = json!({
        "source": "sales", "email": "a@example.com", "first_name": "n/a", "phone": "call me",
        "properties": {"first_name": long, "phone": [1], "mobile_phone": "n/a", "properties": {"a": 1}, "\u{7}": 1},
    });
    let lead = world.settled(lead).await;
    assert_eq!(world.state(lead).await, "done");
    let refused = format!(
        "select string_agg(field, ' ' order by field) from audit.change join audit.entry using (decision_id)
         where verdict = 'refused' and lead_id = {lead}"
    );
    assert_eq!(world.ask(&refused).await, "first_name mobile_phone phone properties");
}

#[tokio::test]
async fn a_lead_that_is_deleted_before_it_was_decided_is_dead_and_harms_nobody() {
    let world = World::new().await;
    let leads = world
        .leads(json!([{"source": "sales", "email": "a@example.com"}, {"source": "sales", "email": "b@example.com"}]))
        .await;
    world
        .db
        .run(&format!("delete from staging.lead where lead_id = {}", leads[0]))
        .await;
    world.run().await;
    assert_eq!(world.state(leads[0]).await, "dead lead_deleted");
    assert_eq!(world.state(leads[1]).await, "done");
}

#[tokio::test]
async fn what_the_crm_holds_may_be_as_bad_as_any_lead() {
    let world = World::new().await;
    let noise = "\u{0}\u{1}\u{202e}\u{fffd}";
    world.seed(json!([
        {"email": "a@example.com", "firstname": format!("Ann{noise}"), "phone": noise, "company": "x".repeat(60_000)},
        {"firstname": noise, "lastname": "y".repeat(60_000), "ext_id": "z".repeat(60_000)},
        {"email": "b@example.com", "gatekeeper_key": "k".repeat(60_000)},
    ]));
    let lead = world
        .settled(json!({"source": "payments", "email": "a@example.com", "city": "Riga"}))
        .await;
    assert_eq!(world.decision(lead).await.action, "update");
    let second = world
        .settled(json!({"source": "payments", "email": "b@example.com", "city": "Riga"}))
        .await;
    assert_eq!(world.decision(second).await.action, "update");
    assert_eq!(world.count("select count(*) from crm.contact").await, 3);
}
