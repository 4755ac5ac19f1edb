//! Merge plans: who stays, what survives, what would be lost, and what a person must look at first.

use serde_json::{Value, json};

use super::world::World;
use crate::process::gatekeeper;

async fn run(world: &World, words: &[&str]) -> String {
    let done = gatekeeper(world, words).await;
    assert_eq!(done.code, Some(0), "{words:?}: {}", done.stderr);
    done.stdout
}

async fn planned(world: &World) -> Value {
    run(world, &["duplicates", "scan"]).await;
    serde_json::from_str(&run(world, &["merge", "plan", "--json"]).await).unwrap()
}

/// Field, value, whose by CRM id, rule, what is lost.
const VALUES: &str = "select coalesce(string_agg(concat_ws(' | ', field, survivor.value, contact.crm_id = member.crm_id, rule,
      nullif((select string_agg(loser ->> 'value', ', ') from jsonb_array_elements(survivor.lost) as each_one (loser)), '')), E'\\n' order by field), '')
    from merge.survivor
    join crm.contact using (contact_id)
    join merge.member on member.plan_id = survivor.plan_id and member.place = 0";

#[tokio::test]
async fn the_survivors_are_those_of_the_gates_own_rules() {
    let world = World::new().await;
    let ids = world.seed(json!([
        {"email": "robert.smith@acme.example", "firstname": "Robert", "lastname": "Smith", "company": "Acme", "phone": "+1 415 555 2671",
         "city": "Oslo", "createdate": "2020-01-01T00:00:00Z"},
        {"email": "rsmith@home.example", "firstname": "Bob", "lastname": "Smith", "company": "Acme Inc.", "phone": "(415) 555-2671",
         "ext_id": "P-1", "createdate": "2021-01-01T00:00:00Z"},
    ]));
    world.mirror().await;
    // What payments brings to the first one is better than what the CRM holds of the second one.
    world
        .settled(
            json!({"source": "payments", "email": "robert.smith@acme.example", "city": "Riga", "street": "Main St 1"}),
        )
        .await;
    world.edit(&ids[1], json!({"city": "Bergen", "jobtitle": "Buyer"}));
    world.mirror().await;
    let report = planned(&world).await;
    assert_eq!(
        (
            &report["plans"],
            &report["held"],
            &report["contacts"],
            &report["merges"],
            &report["writes"]
        ),
        (&json!(1), &json!(0), &json!(2), &json!(1), &json!(1)),
        "{report}"
    );
    let plan: Vec<Value> = serde_json::from_str(&run(&world, &["merge", "show", "--json"]).await).unwrap();
    assert_eq!(plan[0]["master_crm_id"], json!(ids[1]));
    assert_eq!(plan[0]["master_rule"], "has external_id");
    assert_eq!(plan[0]["merged_crm_ids"], json!([ids[0]]));
    let values = world.ask(VALUES).await;
    assert!(
        values.contains("city | Riga | f | highest_rank: payments 90 above crm 50 | Bergen"),
        "{values}"
    );
    assert!(
        values.contains("street | Main St 1 | f | all that hold it say the same"),
        "{values}"
    );
    assert!(
        !values.contains("job_title"),
        "the one that stays holds it alone: {values}"
    );
    assert!(!values.contains("phone"), "two spellings of one number: {values}");
    let shown = run(&world, &["merge", "show", &plan[0]["plan_id"].to_string()]).await;
    assert!(
        shown.contains("payments 90 above crm 50") && shown.contains("Digest"),
        "{shown}"
    );
    // Planned anew it is the same plan; after a change it is another one.
    let digest = "select digest from merge.plan";
    let before = world.ask(digest).await;
    planned(&world).await;
    assert_eq!(world.ask(digest).await, before);
    world.edit(&ids[1], json!({"city": "Tromso"}));
    world.mirror().await;
    planned(&world).await;
    assert_ne!(world.ask(digest).await, before);
    assert_eq!(world.contacts().len(), 2, "nothing is merged by a plan");
}

#[tokio::test]
async fn of_two_spellings_the_one_in_capitals_gives_way() {
    let world = World::new().await;
    world.seed(json!([
        {"email": "jose.ashdown@acme.example", "firstname": "JOSÉ", "lastname": "ASHDOWN", "company": "Acme", "phone": "+1 415 555 2671",
         "city": "Oslo", "jobtitle": "Buyer", "createdate": "2020-01-01T00:00:00Z"},
        {"email": "jashdown@home.example", "firstname": "José", "lastname": "Ashdown", "company": "Acme", "phone": "(415) 555-2671",
         "createdate": "2021-01-01T00:00:00Z"},
    ]));
    world.mirror().await;
    planned(&world).await;
    run(&world, &["merge", "approve", "--all"]).await;
    run(&world, &["merge", "run"]).await;
    let contact = world.only_contact();
    assert_eq!(
        (&contact["firstname"], &contact["lastname"]),
        (&json!("José"), &json!("Ashdown"))
    );
    assert_eq!(contact["jobtitle"], "Buyer");
}

#[tokio::test]
async fn whom_the_leading_system_knows_apart_a_person_must_look_at() {
    let world = World::new().await;
    let twin = |id: &str, email: &str| {
        json!({"email": email, "firstname": "Robert", "lastname": "Smith", "company": "Acme", "phone": "+1 415 555 2671",
            "city": "Oslo", "address": "Main St 1", "ext_id": id})
    };
    world.seed(json!([
        twin("P-1", "robert.smith@acme.example"),
        twin("P-2", "robertsmith@acme.example")
    ]));
    world.mirror().await;
    let report = planned(&world).await;
    if report["plans"] == 1 {
        assert_eq!(report["held_for"]["different_external_ids"], 1, "{report}");
        assert_eq!(world.ask("select state from merge.plan").await, "held");
    }
    // The scan may hold them for two people already, for that very reason.
    let pairs = world
        .count("select count(*) from merge.plan where state = 'proposed'")
        .await;
    assert_eq!(pairs, 0);
}

#[tokio::test]
async fn without_a_scan_there_is_nothing_to_plan() {
    let world = World::new().await;
    world.mirror().await;
    let said = run(&world, &["merge", "plan"]).await;
    assert!(said.contains("duplicates scan"), "{said}");
    assert_eq!(gatekeeper(&world, &["merge", "show", "1"]).await.code, Some(2));
}
