//! Everything at once: a CRM that fails in every way at random, people who meddle, and each person in several leads.

use gatekeeper::sandbox::{Options, Rule};
use serde_json::{Value, json};

use super::invariants;
use super::world::World;

/// How long the weather lasts.
const STORM_MS: u64 = 8_000;

fn weather(seed: u64) -> Vec<Rule> {
    let rule = || Rule {
        probability: Some(0.12),
        for_ms: Some(STORM_MS),
        retry_after_s: Some(1),
        ..Rule::default()
    };
    let mishaps = [
        Rule {
            drop_answer_after_apply: true,
            ..rule()
        },
        Rule {
            apply_late_ms: Some(2_500),
            ..rule()
        },
        Rule {
            status_after_apply: Some(502),
            ..rule()
        },
        Rule {
            status: Some(503),
            ..rule()
        },
        Rule {
            status: Some(429),
            probability: Some(0.05),
            ..rule()
        },
        Rule {
            status: Some(423),
            probability: Some(0.05),
            ..rule()
        },
        Rule {
            truncate_body: true,
            ..rule()
        },
        Rule {
            not_json: true,
            ..rule()
        },
        Rule { omit_rows: 7, ..rule() },
        Rule {
            drop_before_apply: true,
            ..rule()
        },
        Rule {
            answer_delay_ms: Some(300),
            probability: Some(0.5),
            ..rule()
        },
    ];
    let operations = ["batch_create", "batch_update", "batch_read"];
    let mut rules = Vec::new();
    for (place, mishap) in mishaps.into_iter().enumerate() {
        for (number, operation) in operations.iter().enumerate() {
            rules.push(Rule {
                operation: Some((*operation).to_owned()),
                seed: seed * 1_000 + (place * 3 + number) as u64,
                ..mishap.clone()
            });
        }
    }
    rules
}

/// Each of 150 people from three sources; what `payments` says must stand in the end.
fn leads(seed: u64) -> Value {
    let mut leads = Vec::new();
    for (number, source) in ["webinar", "payments", "sales"].iter().enumerate() {
        for place in 0..150_u64 {
            let person = (place * (7 + 4 * number as u64) + seed) % 150;
            leads.push(json!({
                "source": source, "source_key": person.to_string(), "city": source,
                "email": format!("p{person}@example.com"),
            }));
        }
    }
    leads.into()
}

#[tokio::test]
async fn whatever_the_crm_does_everybody_is_one_contact_and_the_best_source_has_the_last_word() {
    let seed = std::env::var("GATEKEEPER_TEST_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok());
    let seed: u64 = seed.unwrap_or(1);
    let options = Options {
        seed,
        scattered_ids: true,
        ..Options::default()
    };
    let world = World::with(options, |config| {
        config.gate.batch_leads = 40;
        config.limits.calls_in_flight = 4;
    })
    .await;
    let known = (0..50).map(|person| json!({"email": format!("p{person}@example.com"), "city": "Kiel"}));
    let ids = world.seed(known.collect());
    world
        .settled(json!({"source": "sales", "email": "first@example.com"}))
        .await;
    world.faults(weather(seed));
    world.leads(leads(seed)).await;
    // Meanwhile people make contacts that the mirror does not know, merge some that it does, and throw one away.
    world.seed(
        (140..150)
            .map(|person| json!({"email": format!("p{person}@example.com"), "city": "Bonn"}))
            .collect(),
    );
    for pair in ids[..6].chunks(2) {
        let body = json!({"primaryObjectId": pair[0], "objectIdToMerge": pair[1]});
        world.crm.sandbox().human_merge(&body).unwrap();
    }
    world.run().await;
    // What is still on its way lands within this time.
    tokio::time::sleep(std::time::Duration::from_millis(3_000)).await;
    invariants::check(&world).await;
    let contacts = world.contacts();
    assert_eq!(contacts.len(), 1 + 150 - 3, "three pairs are one person each");
    let others = "select string_agg(format('lead %s of %s %s: %s', lead_id, source, source_key, (
           select string_agg(concat_ws(' ', action, tier, outcome, reason, contact_id::text, decision.crm_id), ', ' order by decision_id)
           from audit.decision where decision.lead_id = work.lead_id
         )), E'\\n')
         from gate.work join staging.lead using (lead_id) where work.state <> 'done'";
    assert_eq!(world.ask(others).await, "");
    let wrong: Vec<&Value> = contacts
        .iter()
        .filter(|contact| contact["city"] != "payments" && contact["email"] != "first@example.com")
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
