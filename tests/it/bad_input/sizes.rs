//! Leads that are too large, too deep, or too many: what can be used is used, the rest has a reason.

use serde_json::json;

use crate::flow::world::World;

/// Text that does not compress: an index entry of it is as long as it is.
fn noise(length: usize) -> String {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut letter = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        char::from(b'a' + ((state >> 33) % 26) as u8)
    };
    (0..length).map(|_| letter()).collect()
}

async fn neighbour(world: &World) -> i64 {
    world
        .lead(json!({"source": "sales", "email": "neighbour@example.com"}))
        .await
}

#[tokio::test]
async fn a_megabyte_in_every_column_harms_nobody() {
    let world = World::new().await;
    let long = noise(1_000_000);
    let columns = [
        "source",
        "source_key",
        "external_id",
        "email",
        "phone",
        "mobile_phone",
        "first_name",
        "last_name",
        "full_name",
        "company",
        "job_title",
        "street",
        "city",
        "state",
        "postal_code",
        "country",
    ];
    let mut leads = Vec::new();
    for column in columns {
        let mut lead = json!({"source": "sales", "email": format!("{column}@example.com")});
        lead[column] = json!(long);
        leads.push(lead);
    }
    leads.push(json!({"source": "sales", "email": "properties@example.com", "properties": {"message": long}}));
    let mut all = json!({"properties": {"message": long}});
    for column in columns {
        all[column] = json!(long);
    }
    all["source"] = json!("sales");
    leads.push(all);
    let leads = world.leads(leads.into()).await;
    let good = neighbour(&world).await;
    world.settle().await;
    assert_eq!(world.state(good).await, "done");
    for (place, column) in columns.iter().enumerate() {
        let expected = match *column {
            "source" => "dead unknown_source",
            "email" => "dead too_long",
            _ => "done",
        };
        assert_eq!(world.state(leads[place]).await, expected, "{column}");
        if expected == "done" && *column != "source_key" {
            let field = if *column == "full_name" { "first_name" } else { column };
            let ruling = world.ruling(leads[place], field).await;
            assert!(
                ruling == "refused too_long" || *column == "full_name",
                "{column}: {ruling}"
            );
        }
    }
    assert_eq!(
        world.ruling(leads[columns.len()], "properties").await,
        "refused too_long"
    );
    assert_eq!(world.state(leads[columns.len() + 1]).await, "dead too_long");
}

#[tokio::test]
async fn identifiers_that_no_index_takes_are_refused_and_not_tried_for_ever() {
    let world = World::new().await;
    let leads = world
        .leads(json!([
            {"source": "sales", "external_id": noise(10_000), "first_name": "Ann"},
            {"source": "sales", "external_id": noise(10_000), "email": "a@example.com"},
            {"source": "sales", "email": format!("{}@example.com", noise(10_000))},
            {"source": "sales", "email": format!("a@{}.com", noise(10_000)), "phone": "+1 415 555 0101"},
            {"source": "sales", "source_key": noise(10_000), "email": "b@example.com"},
            {"source": "sales", "source_key": noise(10_000), "email": "b@example.com"},
            {"source": noise(10_000), "source_key": "1", "email": "c@example.com"},
            {"source": "sales", "first_name": noise(10_000), "last_name": noise(10_000), "company": noise(10_000)},
            {"source": "sales", "email": "d@example.com", "properties": {noise(10_000): "x", noise(240): "y"}},
        ]))
        .await;
    let good = neighbour(&world).await;
    world.settle().await;
    assert_eq!(world.state(good).await, "done");
    let states = [
        "dead too_long",
        "done",
        "dead invalid_email",
        "done",
        "done",
        "done",
        "dead unknown_source",
        "done",
        "done",
    ];
    for (place, expected) in states.iter().enumerate() {
        assert_eq!(world.state(leads[place]).await, *expected, "lead {place}");
    }
    assert_eq!(world.ruling(leads[1], "external_id").await, "refused too_long");
    assert_eq!(world.ruling(leads[8], "properties").await, "refused bad_name");
    assert_eq!(world.ruling(leads[8], &noise(240)).await, "refused unknown_property");
}

#[tokio::test]
async fn json_of_any_depth_and_any_number_is_taken_and_answered_for() {
    let world = World::new().await;
    let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    let nested = |levels: usize| format!("{}1{}", "{\"a\":".repeat(levels), "}".repeat(levels));
    let cases = [
        (deep(30), "not_an_object"),
        (deep(100), "not_an_object"),
        (deep(200), "too_deep"),
        (deep(5_000), "too_deep"),
        (nested(40), "too_deep"),
        (nested(2_000), "too_deep"),
        (nested(5_000), "too_deep"),
        ("{\"numemployees\": 1e400}".to_owned(), "not_readable"),
        (format!("{{\"numemployees\": {}}}", "9".repeat(5_000)), "not_readable"),
        ("\"text\"".to_owned(), "not_an_object"),
        ("17".to_owned(), "not_an_object"),
    ];
    let mut leads = Vec::new();
    for (number, (properties, _)) in cases.iter().enumerate() {
        let sql = "insert into staging.lead (source, email, properties) values ('sales', $1, $2::text::jsonb) returning lead_id";
        let client = world.db.client().await;
        let email = format!("p{number}@example.com");
        let row = client.query_one(sql, &[&email, properties]).await;
        leads.push(
            row.unwrap_or_else(|error| panic!("{number}: {error:?}"))
                .get::<_, i64>(0),
        );
    }
    let good = neighbour(&world).await;
    world.settle().await;
    assert_eq!(world.state(good).await, "done");
    for (lead, (properties, reason)) in leads.iter().zip(&cases) {
        let start: String = properties.chars().take(40).collect();
        assert_eq!(world.state(*lead).await, "done", "{start}");
        assert_eq!(
            world.ruling(*lead, "properties").await,
            format!("refused {reason}"),
            "{start}"
        );
    }
}

#[tokio::test]
async fn the_deepest_json_that_the_database_takes_is_no_poison() {
    let world = World::new().await;
    // Where the server's stack ends depends on the server: the deepest that it takes is found by trying.
    let mut taken = 0;
    for levels in [3_000, 5_000, 6_000, 7_000, 8_000, 10_000, 14_000, 20_000, 30_000] {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let json = format!("{}1{}", open.repeat(levels), close.repeat(levels));
            let sql = "insert into staging.lead (source, email, properties) values ('sales', $1, $2::text::jsonb)";
            let email = format!("l{levels}.{}@example.com", open.len());
            taken += world
                .db
                .client()
                .await
                .execute(sql, &[&email, &json])
                .await
                .unwrap_or(0);
        }
    }
    assert!(taken >= 2, "{taken}");
    let good = neighbour(&world).await;
    world.settle().await;
    assert_eq!(world.state(good).await, "done");
    assert_eq!(
        world.count("select count(*) from gate.work where state = 'done'").await as u64,
        taken + 1
    );
}

#[tokio::test]
async fn a_hundred_thousand_properties_are_refused_together() {
    let world = World::new().await;
    let many: serde_json::Map<String, serde_json::Value> = (0..100_000)
        .map(|number| (format!("property_{number}"), json!(number)))
        .collect();
    let few: serde_json::Map<String, serde_json::Value> =
        (0..201).map(|number| (format!("p{number}"), json!(number))).collect();
    let leads = world
        .leads(json!([
            {"source": "sales", "email": "many@example.com", "properties": many},
            {"source": "sales", "email": "few@example.com", "properties": few},
        ]))
        .await;
    world.settle().await;
    assert_eq!(world.state(leads[0]).await, "done");
    assert_eq!(world.ruling(leads[0], "properties").await, "refused too_long");
    assert_eq!(
        world.ruling(leads[1], "properties").await,
        "refused too_many_properties"
    );
}

#[tokio::test]
async fn a_backlog_of_huge_leads_is_worked_off_in_pieces() {
    let world = World::new().await;
    let long = noise(200_000);
    for batch in 0..4 {
        let leads = (0..20).map(|number| {
            json!({"source": "sales", "email": format!("p{batch}.{number}@example.com"), "properties": {"message": long}, "street": "x".repeat(60_000)})
        });
        world.leads(leads.collect()).await;
    }
    world.settle().await;
    assert_eq!(world.contacts().len(), 80);
}
