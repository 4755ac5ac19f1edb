//! Back-test: old decisions made again under other rules, and nothing touched.

use chrono::{DateTime, Utc};
use gatekeeper::backtest::{Past, Report, backtest};
use gatekeeper::store::backtest::{rules_after, rules_in_force};
use serde_json::{Value, json};

use super::world::{World, but, robert};
use crate::process::gatekeeper;

const ALL: Past = Past {
    since: DateTime::<Utc>::UNIX_EPOCH,
    until: None,
    source: None,
    examples: 3,
};

async fn proposed(world: &World, past: &Past, statements: &str) -> Report {
    let mut client = world.db.client().await;
    let in_force = rules_in_force(&client).await.unwrap();
    let proposed = rules_after(&mut client, statements).await.unwrap();
    backtest(&client, past, &in_force, Some(&proposed), |_, _| ())
        .await
        .unwrap()
}

/// What was decided, against what the rules in force make of it.
async fn decided(world: &World) -> Report {
    let client = world.db.client().await;
    let in_force = rules_in_force(&client).await.unwrap();
    backtest(&client, &ALL, &in_force, None, |_, _| ()).await.unwrap()
}

/// `from>to count` of each kind of difference.
fn told(report: &Report) -> (u64, Vec<String>, Vec<String>) {
    let of = |counts: &[gatekeeper::backtest::Count]| {
        let counts = counts.iter().map(|count| {
            let field = count
                .field
                .as_ref()
                .map(|field| format!("{field} "))
                .unwrap_or_default();
            format!("{field}{}>{} {}", count.from, count.to, count.count)
        });
        counts.collect()
    };
    (report.differ, of(&report.actions), of(&report.fields))
}

/// A history of all that may happen: new people, repeats, matches of each tier, questions, dead letters, edits by hand.
async fn history() -> World {
    let world = World::new().await;
    world.rule("job_title", "*", "newest").await;
    world.settled(robert()).await;
    let of = |source: &str, day: u32, more: Value| {
        let when = format!("2025-02-{day:02}T10:00:00Z");
        but(
            robert(),
            but(json!({"source": source, "source_key": null, "occurred_at": when}), more),
        )
    };
    world
        .settled(of("webinar", 1, json!({"city": "Chicago", "job_title": "Buyer"})))
        .await;
    world
        .settled(of("payments", 2, json!({"city": "Boston", "external_id": null})))
        .await;
    world
        .settled(of(
            "fair",
            3,
            json!({"city": "Austin", "job_title": "Boss", "external_id": null, "email": null}),
        ))
        .await;
    world
        .settled(of(
            "fair",
            4,
            json!({"external_id": null, "email": null, "phone": null, "first_name": "Bob"}),
        ))
        .await;
    world
        .settled(of(
            "webinar",
            5,
            json!({"external_id": null, "phone": null, "first_name": "Mary", "last_name": "Jones"}),
        ))
        .await;
    world
        .settled(json!({"source": "nobody", "email": "x@example.com"}))
        .await;
    world.settled(json!({"source": "fair", "city": "Kiel"})).await;
    let id = world.only_contact()["hs_object_id"].as_str().unwrap().to_owned();
    world.edit(&id, json!({"city": "Denver", "jobtitle": ""}));
    world.mirror().await;
    let many: Vec<Value> = (6..12)
        .map(|day| {
            of(
                "webinar",
                day,
                json!({"city": format!("Town {day}"), "job_title": "Chef"}),
            )
        })
        .collect();
    world.leads(many.into()).await;
    let new = |number: usize| json!({"source": "sales", "email": format!("new{number}@example.com"), "city": "Kiel"});
    world
        .leads([new(1), new(2), new(1), new(3)].into_iter().collect())
        .await;
    world.settle().await;
    world
}

#[tokio::test]
async fn made_again_under_the_same_rules_no_decision_differs() {
    let world = history().await;
    let report = decided(&world).await;
    assert_eq!(told(&report), (0, vec![], vec![]), "{:#?}", report.examples);
    assert_eq!(
        report.decisions,
        world.count("select count(distinct lead_id) from audit.entry").await as u64
    );
    let nothing = proposed(&world, &ALL, "update rules.source set description = 'x'").await;
    assert_eq!(nothing.differ, 0, "{:#?}", nothing.examples);
}

#[tokio::test]
async fn other_ranks_and_policies_show_which_values_would_be_written() {
    let world = history().await;
    let before = world
        .ask("select md5(string_agg(entry::text, '' order by decision_id)) from audit.entry")
        .await;
    let versions = "select max(policy_version) || ' ' || (select rank from rules.source where source = 'payments') from rules.policy_version";
    let rules = world.ask(versions).await;
    let report = proposed(
        &world,
        &ALL,
        "update rules.source set rank = 10 where source = 'payments'",
    )
    .await;
    let (differ, actions, fields) = told(&report);
    // Each by itself, against what stood there then: what the fair brought was kept because of what payments had brought.
    assert_eq!(
        fields,
        ["city written>kept 1", "city kept>written 1"],
        "{:#?}",
        report.examples
    );
    assert_eq!((differ, actions), (2, vec!["update>unchanged 1".to_owned()]));
    assert_eq!(
        (report.sources["payments"].differ, report.sources["fair"].differ),
        (1, 1)
    );
    let example = report.examples.iter().find(|example| example.what == "city").unwrap();
    assert_eq!(
        (example.from.as_str(), example.to.as_str()),
        (
            "written, highest_rank: payments 90 above sales 60",
            "kept, highest_rank: payments 10 below sales 60"
        )
    );
    let never = "insert into rules.field (field, source, policy) values ('*', 'sales', 'never')";
    let report = proposed(&world, &ALL, never).await;
    assert!(
        report.fields.iter().all(|count| count.to == "kept"),
        "{:?}",
        report.fields
    );
    // Only of one source.
    let of_fair = Past {
        source: Some("fair".to_owned()),
        ..ALL
    };
    assert_eq!(proposed(&world, &of_fair, never).await.differ, 0);
    // Nothing was touched.
    assert_eq!(
        world
            .ask("select md5(string_agg(entry::text, '' order by decision_id)) from audit.entry")
            .await,
        before
    );
    assert_eq!(world.ask(versions).await, rules);
    // In force, it is what differs from what was decided.
    world
        .db
        .run("update rules.source set rank = 10 where source = 'payments'")
        .await;
    assert_eq!(
        told(&decided(&world).await).2,
        ["city written>kept 1", "city kept>written 1"]
    );
}

#[tokio::test]
async fn other_weights_thresholds_and_sources_show_who_would_be_somebody_else() {
    let world = history().await;
    let asked = "update rules.match_threshold set score = 60 where name in ('match', 'review')";
    let report = proposed(&world, &ALL, asked).await;
    let (_, actions, _) = told(&report);
    assert!(
        actions.iter().any(|change| change.ends_with(">create 1")),
        "{actions:?}"
    );
    let lighter = "update rules.match_weight set weight = weight - 40 where field = 'last_name' and level = 'exact'";
    let by_weight = proposed(&world, &ALL, lighter).await;
    assert_eq!(by_weight.differ, report.differ, "{:#?}", by_weight.examples);
    let known = "insert into rules.source (source, rank) values ('nobody', 10)";
    assert_eq!(told(&proposed(&world, &ALL, known).await).1, ["dead>revived 1"]);
    let unknown = "delete from rules.source where source = 'payments'";
    assert_eq!(told(&proposed(&world, &ALL, unknown).await).1, ["update>dead 1"]);
}

#[tokio::test]
async fn the_command_tries_a_file_and_refuses_one_that_would_end_the_trial() {
    let world = history().await;
    let file = world.directory.path().join("proposed.sql");
    let path = file.display().to_string();
    let words = ["rules", "backtest", "--since", "2020-01-01T00:00:00Z", "--rules", &path];
    std::fs::write(
        &file,
        "update rules.source set rank = 10 where source = 'payments'; -- commit;",
    )
    .unwrap();
    let shown = gatekeeper(&world, &words).await;
    assert_eq!(shown.code, Some(0), "{}", shown.stderr);
    assert!(
        shown.stdout.contains("2 would differ") && shown.stdout.contains("highest_rank"),
        "{}",
        shown.stdout
    );
    let json = gatekeeper(&world, &[&words[..], &["--json"]].concat()).await.stdout;
    assert_eq!(serde_json::from_str::<Value>(&json).unwrap()["differ"], 2);
    std::fs::write(&file, "update rules.source set rank = 10;\nCommit;").unwrap();
    let refused = gatekeeper(&world, &words).await;
    assert_eq!(refused.code, Some(2));
    assert!(refused.stderr.contains("\"commit\""), "{}", refused.stderr);
    std::fs::write(&file, "update rules.source set grade = 10").unwrap();
    assert_eq!(gatekeeper(&world, &words).await.code, Some(1));
    assert_eq!(
        world.count("select count(*) from rules.source where rank = 10").await,
        0
    );
}

#[tokio::test]
async fn the_effective_rules_are_shown_and_contradictions_named() {
    let world = history().await;
    world
        .db
        .run(
            "update rules.source set expires_days = 365 where source = 'crm';
             insert into rules.field (field, source, rank) values ('city', 'fair', 85);
             insert into rules.field (field, policy) values ('shoe_size', 'max')",
        )
        .await;
    let shown = gatekeeper(&world, &["rules", "show"]).await.stdout;
    assert!(shown.contains("highest_rank 85") && shown.contains("365d"), "{shown}");
    let json: Value = serde_json::from_str(&gatekeeper(&world, &["rules", "show", "--json"]).await.stdout).unwrap();
    let of_fair = |row: &&Value| row["field"] == "city" && row["source"] == "fair";
    let city = json["effective"]
        .as_array()
        .unwrap()
        .iter()
        .find(of_fair)
        .unwrap()
        .clone();
    assert_eq!((&city["rank"], &city["policy"]), (&json!(85), &json!("highest_rank")));
    let found = gatekeeper(&world, &["rules", "check"]).await;
    assert_eq!(found.code, Some(2));
    for words in [
        "(shoe_size, *): the CRM has no such property",
        "\"nobody\" is not entered, and 1 of its leads",
    ] {
        assert!(found.stdout.contains(words), "{} should say {words}", found.stdout);
    }
}
