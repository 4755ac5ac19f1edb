//! Rows that the CRM refuses: each ends with the CRM's words, and its neighbours go on.

use gatekeeper::sandbox::{Options, Rule};
use serde_json::json;

use super::world::World;

/// A hundred leads of new people; the one at 41 says something in its job title.
fn hundred(source: &str, title: &str) -> serde_json::Value {
    let lead = |number: usize| {
        json!({
            "source": source, "source_key": number.to_string(), "email": format!("p{number}@example.com"),
            "first_name": "Pat", "job_title": if number == 41 { title } else { "Buyer" },
        })
    };
    (0..100).map(lead).collect()
}

#[tokio::test]
async fn one_row_that_the_crm_refuses_becomes_a_dead_letter_and_the_other_99_go_on() {
    let world = World::with(
        Options {
            required: vec!["jobtitle".to_owned()],
            ..Options::default()
        },
        |_| (),
    )
    .await;
    // The account requires a title; one lead has none. The answer names the row.
    let mut leads = hundred("sales", "");
    leads[41]["job_title"] = json!(null);
    let leads = world.leads(leads).await;
    world.settle().await;
    assert_eq!(world.contacts().len(), 99);
    let dead = "select string_agg(concat_ws(' ', lead_id::text, message), ';') from report.dead_letter";
    let dead = world.ask(dead).await;
    assert!(
        dead.starts_with(&leads[41].to_string()) && dead.contains("jobtitle"),
        "{dead}"
    );
    assert!(!dead.contains(';'), "{dead}");
    assert_eq!(world.requests("batch_create").len(), 1);
}

#[tokio::test]
async fn a_batch_that_is_refused_without_a_word_about_rows_is_halved_until_the_row_stands_alone() {
    for status in [400, 409, 413] {
        let world = World::new().await;
        world.faults(vec![Rule {
            operation: Some("batch_create".to_owned()),
            body_contains: Some("unlucky".to_owned()),
            status: Some(status),
            ..Rule::default()
        }]);
        let leads = world.leads(hundred("sales", "unlucky")).await;
        world.run().await;
        super::invariants::check(&world).await;
        assert_eq!(world.contacts().len(), 99, "{status}");
        assert!(world.state(leads[41]).await.starts_with("dead "), "{status}");
    }
}

#[tokio::test]
async fn of_two_leads_in_one_refused_write_only_the_one_to_blame_dies() {
    for known in [false, true] {
        let world = World::with(Options::default(), |config| {
            config.crm.properties = vec!["closedate".to_owned()];
        })
        .await;
        if known {
            world.seed(json!([{"email": "ann@example.com"}]));
        }
        let ann = |source: &str, date: &str| {
            json!({
                "source": source, "source_key": date, "email": "ann@example.com", "city": "Riga",
                "properties": {"closedate": date},
            })
        };
        let leads = world
            .leads(json!([
                ann("webinar", "2025-01-01T00:00:00Z"),
                ann("payments", "the day after tomorrow"),
                {"source": "sales", "email": "bob@example.com"},
            ]))
            .await;
        world.settle().await;
        assert_eq!(world.state(leads[0]).await, "done");
        assert_eq!(world.state(leads[1]).await, "dead invalid_date");
        assert_eq!(world.state(leads[2]).await, "done");
        assert_eq!(world.contacts().len(), 2);
        // Replayed together they do not kill each other either.
        let done = crate::process::gatekeeper(&world, &["dead", "replay", &leads[1].to_string()]).await;
        assert_eq!(done.code, Some(0), "{}", done.stderr);
        world.settle().await;
        assert_eq!(world.state(leads[1]).await, "dead invalid_date");
    }
}

#[tokio::test]
async fn a_changed_row_that_the_crm_refuses_harms_no_other() {
    let world = World::new().await;
    world.leads(hundred("sales", "Buyer")).await;
    world.settle().await;
    world.faults(vec![Rule {
        operation: Some("batch_update".to_owned()),
        body_contains: Some("unlucky".to_owned()),
        status: Some(400),
        ..Rule::default()
    }]);
    let mut leads = hundred("payments", "unlucky");
    for (number, lead) in leads.as_array_mut().unwrap().iter_mut().enumerate() {
        lead["city"] = json!("Riga");
        if number != 41 {
            lead["job_title"] = json!("Boss");
        }
    }
    let leads = world.leads(leads).await;
    world.settle().await;
    assert!(world.state(leads[41]).await.starts_with("dead "));
    let moved = world
        .contacts()
        .iter()
        .filter(|contact| contact["city"] == "Riga")
        .count();
    assert_eq!(moved, 99);
}

#[tokio::test]
async fn a_probe_that_is_refused_holds_up_nobody() {
    let world = World::new().await;
    world
        .settled(json!({"source": "sales", "email": "first@example.com"}))
        .await;
    world.faults(vec![Rule {
        operation: Some("batch_read".to_owned()),
        body_contains: Some("p41@example.com".to_owned()),
        status: Some(400),
        ..Rule::default()
    }]);
    world.leads(hundred("sales", "Buyer")).await;
    world.settle().await;
    assert_eq!(world.contacts().len(), 101);
}
