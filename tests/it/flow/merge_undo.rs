//! Merges that are taken back, as far as the CRM allows it.

use gatekeeper::sandbox::Kind;
use serde_json::{Value, json};

use super::merge_run::{pair, planned, run, run_json};
use crate::process::gatekeeper;

#[tokio::test]
async fn what_was_merged_is_made_again_and_the_survivor_holds_what_it_held_before() {
    let (world, ids) = planned(2).await;
    let before: Vec<Value> = ids[0].iter().map(|id| world.contact(id)).collect();
    run(&world, &["merge", "approve", "1", "--set", "city=Riga"]).await;
    run(&world, &["merge", "run"]).await;
    let undone = run_json(&world, &["merge", "undo", "1", "--note", "father and son"]).await;
    let survivor = world.contact(undone["survivor_crm_id"].as_str().unwrap());
    let again = world.contact(undone["recreated"][0][1].as_str().unwrap());
    let master = before
        .iter()
        .position(|contact| contact["jobtitle"] == survivor["jobtitle"])
        .unwrap();
    for field in ["email", "firstname", "lastname", "company", "phone", "city", "jobtitle"] {
        assert_eq!(survivor[field], before[master][field], "{field}");
    }
    for field in ["firstname", "lastname", "company", "phone", "city", "jobtitle"] {
        assert_eq!(again[field], before[1 - master][field], "{field}");
    }
    let lost = undone["not_restored"].as_array().unwrap();
    assert_eq!(lost.len(), 1, "{undone}");
    assert_eq!(lost[0]["why"], "address_stays_with_survivor");
    assert_eq!(
        world.ask("select state from merge.plan where plan_id = 1").await,
        "undone"
    );
    let events = "select string_agg(event, ' ' order by event_id) from audit.merge_event where plan_id = 1";
    assert_eq!(
        world.ask(events).await,
        "approved begun absorbed merged undo_begun recreated undone"
    );
    // In the mirror it is who it was, and no scan puts them together again.
    let living = "select count(*) from crm.contact where archived_at is null";
    assert_eq!(world.count(living).await, 4);
    let same = "select (member.contact_id = contact.contact_id)::text from merge.member
         join crm.contact on contact.crm_id = member.recreated_crm_id";
    assert_eq!(world.ask(same).await, "true");
    world.mirror().await;
    assert_eq!(world.count(living).await, 4);
    run(&world, &["duplicates", "scan"]).await;
    let report = run_json(&world, &["merge", "plan"]).await;
    assert_eq!(report["plans"], 1, "the other pair alone: {report}");
    // Once is enough.
    let twice = gatekeeper(&world, &["merge", "undo", "1", "--note", "x"]).await;
    assert_eq!(twice.code, Some(2));
    assert!(twice.stderr.contains("undone already"), "{}", twice.stderr);
}

#[tokio::test]
async fn what_somebody_has_changed_since_stays() {
    let (world, _) = planned(1).await;
    run(&world, &["merge", "approve", "1", "--set", "city=Riga"]).await;
    run(&world, &["merge", "run"]).await;
    let survivor = world.only_contact()["hs_object_id"].as_str().unwrap().to_owned();
    world.edit(&survivor, json!({"city": "Tromso"}));
    let undone = run_json(&world, &["merge", "undo", "1", "--note", "x"]).await;
    assert_eq!(world.contact(&survivor)["city"], "Tromso");
    let lost = undone["not_restored"].as_array().unwrap();
    assert!(
        lost.iter()
            .any(|lost| lost["field"] == "city" && lost["why"] == "changed_since"),
        "{undone}"
    );
}

#[tokio::test]
async fn a_lead_finds_the_contact_that_was_made_again() {
    let (world, _) = planned(1).await;
    // Both bear a person key of ours, and the merge leaves one.
    world
        .leads(json!([
            {"source": "sales", "email": pair(0)[0]["email"], "street": "Main St 1"},
            {"source": "sales", "email": pair(0)[1]["email"], "street": "Main St 2"},
        ]))
        .await;
    world.run().await;
    run(&world, &["merge", "plan"]).await;
    run(&world, &["merge", "approve", "--all"]).await;
    run(&world, &["merge", "run"]).await;
    assert_eq!(world.contacts().len(), 1);
    let undone = run_json(&world, &["merge", "undo", "1", "--note", "two people"]).await;
    let again = undone["recreated"][0][1].as_str().unwrap().to_owned();
    assert_eq!(world.contacts().len(), 2);
    let street = world.contact(&again)["address"].clone();
    assert!(street == "Main St 1" || street == "Main St 2");
    // What is known of it is what was known: its street is of sales.
    let source = format!(
        "select source from crm.contact_field join crm.contact using (contact_id) where crm_id = '{again}' and field = 'street'"
    );
    assert_eq!(world.ask(&source).await, "sales");
    assert_eq!(world.effects(Kind::Create).len(), 1);
}

#[tokio::test]
async fn a_plan_that_was_not_carried_out_cannot_be_undone() {
    let (world, _) = planned(1).await;
    for (plan, says) in [("1", "nothing was merged by plan 1"), ("99", "there is no plan 99")] {
        let refused = gatekeeper(&world, &["merge", "undo", plan, "--note", "x"]).await;
        assert_eq!(refused.code, Some(2));
        assert!(refused.stderr.contains(says), "{}", refused.stderr);
    }
}

#[tokio::test]
async fn what_a_contact_was_tied_to_is_kept_and_tied_again() {
    let (world, ids) = planned(1).await;
    let stays = world.ask("select master_crm_id from report.merge_plan").await;
    let other = ids[0].iter().find(|id| **id != stays).unwrap();
    world.crm.sandbox().associate(&stays, "companies", "9001").unwrap();
    world.crm.sandbox().associate(other, "companies", "9002").unwrap();
    run(&world, &["merge", "approve", "--all"]).await;
    run(&world, &["merge", "run"]).await;
    let kept = "select string_agg(associations::text, ' ' order by place) from merge.snapshot";
    assert_eq!(
        world.ask(kept).await,
        r#"{"companies": ["9001"]} {"companies": ["9002"]}"#
    );
    let undone = run_json(&world, &["merge", "undo", "1", "--note", "x"]).await;
    let again = undone["recreated"][0][1].as_str().unwrap();
    assert_eq!(world.crm.sandbox().associations(again, "companies"), ["9002"]);
}

#[tokio::test]
async fn a_token_that_may_not_read_companies_costs_the_ties_and_nothing_else() {
    let mut options = gatekeeper::sandbox::Options::default();
    let refused = gatekeeper::sandbox::Rule {
        operation: Some("association_read".to_owned()),
        status: Some(403),
        ..Default::default()
    };
    options.faults.push(refused);
    let world = super::world::World::with(options, |_| ()).await;
    let (world, _) = super::merge_run::planned_in(world, 2).await;
    run(&world, &["merge", "approve", "--all"]).await;
    let done = gatekeeper(&world, &["merge", "run", "--json"]).await;
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    assert!(
        done.stderr.contains("what contacts are tied to is not kept"),
        "{}",
        done.stderr
    );
    assert_eq!(world.contacts().len(), 2);
    assert_eq!(
        world
            .count("select count(*) from merge.snapshot where associations is null")
            .await,
        4
    );
}

#[cfg(feature = "failpoints")]
#[tokio::test]
async fn an_undo_that_dies_at_any_step_is_ended_by_the_daemon_and_makes_nobody_twice() {
    use crate::process::Daemon;
    let patience = std::time::Duration::from_secs(60);
    let points = [
        "undo_begun",
        "survivor_restored",
        "recreating",
        "recreated",
        "recreated_noted",
    ];
    let (world, _) = planned(points.len()).await;
    run(&world, &["merge", "approve", "--all"]).await;
    run(&world, &["merge", "run"]).await;
    for (place, point) in points.iter().enumerate() {
        let plan = (place + 1).to_string();
        let words = ["merge", "undo", &plan, "--note", "x"];
        let mut dying = Daemon::command_to_fail(&world, &world.config, &words, &format!("{point}:1:kill"));
        assert_eq!(dying.end(patience).await, None, "{point}: {}", dying.log());
    }
    let mut daemon = Daemon::start(&world, &[]);
    crate::support::eventually(patience, "all are undone", async || {
        match world
            .count("select count(*) from merge.plan where state <> 'undone'")
            .await
        {
            0 => Ok(()),
            left => Err((left, daemon.log())),
        }
    })
    .await;
    daemon.signal(rustix::process::Signal::TERM);
    assert_eq!(daemon.end(patience).await, Some(0));
    assert_eq!(world.contacts().len(), 2 * points.len());
    assert_eq!(world.effects(Kind::Create).len(), points.len());
    world.mirror().await;
    let living = "select count(*) from crm.contact where archived_at is null";
    assert_eq!(world.count(living).await, 2 * points.len() as i64);
    assert_eq!(world.count("select count(*) from merge.under_way").await, 0);
}

#[tokio::test]
async fn an_undo_without_a_survivor_is_refused() {
    let (world, _) = planned(1).await;
    run(&world, &["merge", "approve", "--all"]).await;
    run(&world, &["merge", "run"]).await;
    let survivor = world.only_contact()["hs_object_id"].as_str().unwrap().to_owned();
    // The mirror has not heard of it.
    world.crm.sandbox().human_archive(&survivor).unwrap();
    let refused = gatekeeper(&world, &["merge", "undo", "1", "--note", "x"]).await;
    assert_eq!(refused.code, Some(2), "{}", refused.stdout);
    assert!(refused.stderr.contains("not there any more"), "{}", refused.stderr);
    assert_eq!(world.ask("select state from merge.plan").await, "merged");
    assert_eq!(world.count("select count(*) from merge.under_way").await, 0);
}
