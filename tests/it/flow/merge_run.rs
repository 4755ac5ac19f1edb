//! Merges that are approved are carried out: what survives, what is kept, and what is left alone.

use gatekeeper::sandbox::{Kind, Options, Rule};
use serde_json::{Value, json};

use super::world::World;
use crate::process::gatekeeper;

pub(super) async fn run(world: &World, words: &[&str]) -> String {
    let done = gatekeeper(world, words).await;
    assert_eq!(done.code, Some(0), "{words:?}: {} {}", done.stderr, done.stdout);
    done.stdout
}

pub(super) async fn run_json(world: &World, words: &[&str]) -> Value {
    serde_json::from_str(&run(world, &[words, &["--json"]].concat()).await).unwrap()
}

/// Pairs of contacts that are one person each, and one of three.
pub(super) fn pair(number: usize) -> [Value; 2] {
    let (first, last) = names(number);
    [
        json!({"email": format!("{first}.{last}@firm{number}.example").to_lowercase(), "firstname": first, "lastname": last,
            "company": format!("Firm{number} Works"), "phone": format!("+1 415 555 {:04}", 2000 + number), "city": "Oslo",
            "createdate": "2020-01-01T00:00:00Z"}),
        json!({"email": format!("{first}{last}@home{number}.example").to_lowercase(), "firstname": first, "lastname": last,
            "company": format!("Firm{number} Works Inc."), "phone": format!("(415) 555-{:04}", 2000 + number), "city": "Bergen",
            "jobtitle": "Buyer", "createdate": "2021-01-01T00:00:00Z"}),
    ]
}

fn names(number: usize) -> (&'static str, String) {
    const FIRST: [&str; 8] = [
        "Robert", "Paula", "Oskar", "Marta", "Ingrid", "Viktor", "Selma", "Anton",
    ];
    const LAST: [&str; 10] = [
        "Fairweather",
        "Lindqvist",
        "Okonkwo",
        "Brannigan",
        "Castellano",
        "Duvalier",
        "Eriksen",
        "Gallagher",
        "Holloway",
        "Ivanenko",
    ];
    (FIRST[number % 8], LAST[number / 8 % 10].to_owned())
}

/// A world in which each pair is one group, planned.
pub(super) async fn planned(pairs: usize) -> (World, Vec<[String; 2]>) {
    planned_in(World::new().await, pairs).await
}

pub(super) async fn planned_in(world: World, pairs: usize) -> (World, Vec<[String; 2]>) {
    let contacts: Vec<Value> = (0..pairs).flat_map(pair).collect();
    let ids = world.seed(Value::Array(contacts));
    world.mirror().await;
    run(&world, &["duplicates", "scan"]).await;
    let report = run_json(&world, &["merge", "plan"]).await;
    assert_eq!(
        (&report["plans"], &report["held"]),
        (&json!(pairs), &json!(0)),
        "{report}"
    );
    let ids = ids.chunks(2).map(|pair| [pair[0].clone(), pair[1].clone()]).collect();
    (world, ids)
}

/// The survivor of a pair, by the address of either.
pub(super) fn survivor(world: &World, number: usize) -> Value {
    let address = pair(number)[0]["email"].clone();
    let all = world.contacts();
    let holds = |contact: &&Value| {
        contact["email"] == address
            || contact["hs_additional_emails"]
                .as_str()
                .is_some_and(|more| more.contains(address.as_str().unwrap()))
    };
    let found: Vec<&Value> = all.iter().filter(holds).collect();
    assert_eq!(found.len(), 1, "{found:#?}");
    found[0].clone()
}

#[tokio::test]
async fn what_is_approved_is_merged_and_what_survives_is_written_and_read_back() {
    let (world, ids) = planned(3).await;
    // Bergen of the second is newer; the rules of the gate let the value survive that was set last.
    let plans: Vec<Value> = serde_json::from_str(&run(&world, &["merge", "show", "--json"]).await).unwrap();
    assert_eq!(plans.len(), 3);
    let said = run(&world, &["merge", "approve", "--all", "--note", "looked at"]).await;
    assert!(said.contains("3 plans now approved"), "{said}");
    let dry = run(&world, &["merge", "run", "--dry-run"]).await;
    assert!(dry.contains("3 groups") && dry.contains("Nothing is done yet"), "{dry}");
    assert!(world.effects(Kind::Merge).is_empty());

    let report = run_json(&world, &["merge", "run"]).await;
    assert_eq!(
        (
            &report["merged"],
            &report["merges"],
            &report["failed"],
            &report["values_not_kept"]
        ),
        (&json!(3), &json!(3), &json!(0), &json!(0)),
        "{report}"
    );
    assert_eq!(world.contacts().len(), 3);
    for (number, pair_ids) in ids.iter().enumerate() {
        let survivor = survivor(&world, number);
        let id = survivor["hs_object_id"].as_str().unwrap().to_owned();
        assert!(!pair_ids.contains(&id), "a third id");
        assert_eq!(survivor["jobtitle"], "Buyer");
        let planned = world
            .ask(&format!(
                "select survivor.value from merge.survivor join merge.plan using (plan_id)
                 where plan.survivor_crm_id = '{id}' and field = 'city'"
            ))
            .await;
        assert_eq!(survivor["city"], planned.as_str());
        // The mirror goes on under the new id, with the number of the one that stayed; both old ids lead to it.
        let stayed = "select (contact.contact_id = plan.master_id)::text from merge.plan
             join crm.contact on contact.crm_id = plan.survivor_crm_id where plan.survivor_crm_id = ";
        assert_eq!(world.ask(&format!("{stayed} '{id}'")).await, "true");
        for old in pair_ids {
            let leads_to = format!("select crm_id from crm.contact_alias where absorbed_crm_id = '{old}'");
            assert_eq!(world.ask(&leads_to).await, id);
        }
    }
    let living = "select count(*) from crm.contact where archived_at is null";
    assert_eq!(world.count(living).await, 3);
    // Both old ones are kept as they were, with all properties.
    let snapshots = "select count(*) from merge.snapshot where record -> 'values' ? 'hs_object_source' or record -> 'values' ? 'city'";
    assert_eq!(world.count(snapshots).await, 6);
    let ledger = "select count(*) from report.merge_ledger
         where approved_by is not null and call_id is not null and loser_before ->> 'email' is not null and winner_after is not null";
    assert_eq!(world.count(ledger).await, 3);
    let saved = "select sum(contacts_saved)::bigint from report.merge_summary where state = 'merged'";
    assert_eq!(world.count(saved).await, 3);
    let events = "select string_agg(event, ' ' order by event_id) from audit.merge_event where plan_id = 1";
    assert_eq!(world.ask(events).await, "approved begun absorbed merged");
    // The CRM's own view of it changes nothing.
    world.mirror().await;
    assert_eq!(world.count(living).await, 3);
    let by_people = "select count(*) from crm.contact_field where rule like '%in the CRM'";
    assert_eq!(
        world.count(by_people).await,
        0,
        "what the merge brought is nobody's edit"
    );
    assert_eq!(run_json(&world, &["merge", "run"]).await["merged"], 0);
    // A scan and a plan afterwards find nothing more.
    run(&world, &["duplicates", "scan"]).await;
    assert_eq!(run_json(&world, &["merge", "plan"]).await["plans"], 0);
}

#[tokio::test]
async fn a_lead_for_an_absorbed_contact_finds_the_survivor() {
    let (world, _) = planned(1).await;
    run(&world, &["merge", "approve", "--all"]).await;
    run(&world, &["merge", "run"]).await;
    let home = pair(0)[1]["email"].clone();
    let lead = world
        .settled(json!({"source": "sales", "email": home, "job_title": "Head of buying"}))
        .await;
    let decided = world.decision(lead).await;
    assert_eq!(
        (decided.action.as_str(), decided.outcome.as_deref()),
        ("update", Some("applied"))
    );
    assert_eq!(world.only_contact()["jobtitle"], "Head of buying");
}

#[tokio::test]
async fn a_contact_that_changed_since_makes_its_group_stale() {
    let (world, ids) = planned(3).await;
    run(&world, &["merge", "approve", "--all"]).await;
    world.edit(&ids[1][1], json!({"jobtitle": "Seller"}));
    world.crm.sandbox().human_archive(&ids[2][0]).unwrap();
    let report = run_json(&world, &["merge", "run"]).await;
    assert_eq!(
        (&report["merged"], &report["stale"]),
        (&json!(1), &json!(2)),
        "{report}"
    );
    let reasons = "select string_agg(reason, ' ' order by plan_id) from merge.plan where state = 'stale'";
    assert_eq!(world.ask(reasons).await, "contact_changed contact_gone");
    assert_eq!(world.effects(Kind::Merge).len(), 1);
    // Planned anew it can be approved again.
    run(&world, &["duplicates", "scan"]).await;
    run(&world, &["merge", "plan"]).await;
    let open = "select string_agg(state, ' ') from merge.plan where state in ('proposed', 'held', 'approved')";
    assert_eq!(world.ask(open).await, "proposed");
}

#[tokio::test]
async fn a_change_that_nobody_sees_keeps_the_approval() {
    let (world, ids) = planned(1).await;
    run(&world, &["merge", "approve", "--all"]).await;
    // Not mirrored, and of no plan; the version of the contact changes all the same.
    world.edit(&ids[0][0], json!({"lifecyclestage": "customer"}));
    world.mirror().await;
    run(&world, &["merge", "plan"]).await;
    assert_eq!(world.ask("select state from merge.plan").await, "approved");
    assert_eq!(run_json(&world, &["merge", "run"]).await["merged"], 1);
    assert_eq!(world.only_contact()["lifecyclestage"], "customer");
}

#[tokio::test]
async fn what_a_person_chooses_is_written_and_a_value_that_the_crm_refuses_costs_no_other() {
    let (world, _) = planned(1).await;
    run(
        &world,
        &[
            "merge",
            "approve",
            "1",
            "--set",
            "city=Riga",
            "--set",
            "job_title=Chief",
        ],
    )
    .await;
    // Written with the others it is refused, and alone.
    let refused = Rule {
        operation: Some("batch_update".to_owned()),
        body_contains: Some("Riga".to_owned()),
        status: Some(400),
        ..Rule::default()
    };
    world.faults(vec![refused]);
    let report = run_json(&world, &["merge", "run"]).await;
    assert_eq!(
        (&report["merged"], &report["values_not_kept"]),
        (&json!(1), &json!(1)),
        "{report}"
    );
    let survivor = world.only_contact();
    assert_eq!(
        (&survivor["city"], &survivor["jobtitle"]),
        (&json!("Bergen"), &json!("Chief"))
    );
    assert_eq!(
        world.ask("select not_kept::text from merge.plan").await,
        r#"{"city": "validation_error"}"#
    );
    let by = "select source || ' ' || rule from crm.contact_field join crm.contact using (contact_id)
         where field = 'job_title' and archived_at is null";
    assert_eq!(world.ask(by).await, "crm chosen for a merge");
}

#[tokio::test]
async fn where_the_account_keeps_primary_ids_the_one_that_stays_keeps_its_id() {
    let options = Options {
        preserve_primary_id: true,
        ..Options::default()
    };
    let (world, ids) = planned_in(World::with(options, |_| ()).await, 2).await;
    run(&world, &["merge", "approve", "--all"]).await;
    assert_eq!(run_json(&world, &["merge", "run"]).await["merged"], 2);
    for contact in world.contacts() {
        let id = contact["hs_object_id"].as_str().unwrap().to_owned();
        assert!(ids.iter().any(|pair| pair.contains(&id)));
        let same = format!(
            "select (plan.survivor_crm_id = member.crm_id)::text from merge.plan join merge.member using (plan_id)
             where member.place = 0 and plan.survivor_crm_id = '{id}'"
        );
        assert_eq!(world.ask(&same).await, "true");
    }
}

#[tokio::test]
async fn many_groups_cost_hardly_more_calls_than_their_merges() {
    let (world, _) = planned(60).await;
    run(&world, &["merge", "approve", "--all"]).await;
    let report = run_json(&world, &["merge", "run"]).await;
    assert_eq!(report["merged"], 60, "{report}");
    // Each contact is read, what it is tied to as well, two are merged in a call, each survivor is written and read back.
    let floor = 60 + 2 + 2 + 1 + 1;
    let calls = world
        .count("select count(*) from audit.crm_call where priority = 'merge'")
        .await;
    assert!(calls * 10 <= floor * 12, "{calls} calls, where {floor} are needed");
}

#[tokio::test]
async fn three_contacts_are_merged_one_after_another_under_the_ids_that_come_back() {
    let world = World::new().await;
    let mut contacts = pair(0).to_vec();
    let mut third = pair(0)[0].clone();
    third["email"] = json!("r.fairweather@post.example");
    third["zip"] = json!("94107");
    contacts.push(third);
    let ids = world.seed(Value::Array(contacts));
    world.mirror().await;
    run(&world, &["duplicates", "scan"]).await;
    assert_eq!(run_json(&world, &["merge", "plan"]).await["merges"], 2);
    run(&world, &["merge", "approve", "--all"]).await;
    run(&world, &["merge", "approve", "--held-for", "chain"]).await;
    assert_eq!(run_json(&world, &["merge", "run"]).await["merges"], 2);
    let survivor = world.only_contact();
    assert_eq!(survivor["zip"], "94107");
    let chained = "select string_agg((step.primary_crm_id = earlier.result_crm_id)::text, ' ')
         from merge.step join merge.step as earlier on earlier.plan_id = step.plan_id and earlier.place = step.place - 1";
    assert_eq!(world.ask(chained).await, "true");
    let lead_to = format!(
        "select count(*) from crm.contact_alias where crm_id = '{}' and absorbed_crm_id in ('{}')",
        survivor["hs_object_id"].as_str().unwrap(),
        ids.join("','")
    );
    assert_eq!(world.count(&lead_to).await, 3);
}
