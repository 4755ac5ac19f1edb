//! What people say of plans: by filters, in a spreadsheet, with a choice of their own, and what becomes of it when plans change.

use serde_json::{Value, json};

use super::merge_run::{planned, run, run_json};
use super::world::World;
use crate::process::gatekeeper;

async fn states(world: &World) -> String {
    world
        .ask("select string_agg(state, ' ' order by plan_id) from merge.plan")
        .await
}

#[tokio::test]
async fn an_approval_outlives_a_new_plan_that_is_the_same_and_no_other() {
    let (world, ids) = planned(3).await;
    run(&world, &["merge", "approve", "1", "2"]).await;
    run(&world, &["merge", "reject", "3", "--note", "two people"]).await;
    run(&world, &["merge", "plan"]).await;
    assert_eq!(states(&world).await, "approved approved rejected");
    world.edit(&ids[1][0], json!({"jobtitle": "Seller"}));
    world.edit(&ids[2][0], json!({"jobtitle": "Seller"}));
    world.mirror().await;
    run(&world, &["duplicates", "scan"]).await;
    run(&world, &["merge", "plan"]).await;
    assert_eq!(states(&world).await, "approved proposed rejected");
    let lost = "select count(*) from audit.merge_event where event = 'approval_lost' and plan_id = 2";
    assert_eq!(world.count(lost).await, 1);
    // By hand a proposal is held, and stays so.
    run(&world, &["merge", "hold", "2", "--note", "ask her"]).await;
    run(&world, &["merge", "plan"]).await;
    assert_eq!(states(&world).await, "approved held rejected");
    let why = "select held_for::text || ' ' || note from merge.plan where plan_id = 2";
    assert_eq!(world.ask(why).await, "{by_hand} ask her");
}

#[tokio::test]
async fn what_is_approved_and_then_told_apart_is_not_merged() {
    let (world, ids) = planned(1).await;
    run(&world, &["merge", "approve", "--all"]).await;
    run(
        &world,
        &["duplicates", "apart", &ids[0][0], &ids[0][1], "--note", "twins"],
    )
    .await;
    let report = run_json(&world, &["merge", "run"]).await;
    assert_eq!(
        (&report["merged"], &report["stale"]),
        (&json!(0), &json!(1)),
        "{report}"
    );
    assert_eq!(world.ask("select reason from merge.plan").await, "told_apart");
    assert_eq!(world.contacts().len(), 2);
}

#[tokio::test]
async fn a_plan_that_somebody_has_tampered_with_is_not_run() {
    let (world, _) = planned(1).await;
    run(&world, &["merge", "approve", "--all"]).await;
    world
        .db
        .run("update merge.survivor set value = 'Kiel' where field = 'city'")
        .await;
    assert_eq!(run_json(&world, &["merge", "run"]).await["stale"], 1);
    assert_eq!(world.ask("select reason from merge.plan").await, "plan_changed");
}

#[tokio::test]
async fn filters_choose_what_is_approved() {
    let (world, _) = planned(3).await;
    let all = run_json(&world, &["merge", "approve", "--no-losses", "--dry-run"]).await;
    assert_eq!(all["plans"], json!([]), "in each of them a town is lost: {all}");
    let dry = run_json(
        &world,
        &["merge", "approve", "--most-contacts", "2", "--limit", "2", "--dry-run"],
    )
    .await;
    assert_eq!(dry["plans"], json!([1, 2]));
    assert_eq!(states(&world).await, "proposed proposed proposed");
    let rule = world.ask("select master_rule from merge.plan where plan_id = 1").await;
    run(&world, &["merge", "approve", "--rule", &rule]).await;
    assert_eq!(states(&world).await, "approved approved approved");
    run(&world, &["merge", "hold", "2"]).await;
    let by_reason = run_json(&world, &["merge", "approve", "--held-for", "by_hand"]).await;
    assert_eq!(by_reason["plans"], json!([2]));
    let none = gatekeeper(&world, &["merge", "approve"]).await;
    assert_eq!(none.code, Some(2), "one must say which");
}

#[tokio::test]
async fn a_person_chooses_who_stays() {
    let (world, ids) = planned(1).await;
    let stays = world.ask("select master_crm_id from report.merge_plan").await;
    let other = ids[0].iter().find(|id| **id != stays).unwrap();
    run(&world, &["merge", "approve", "1", "--master", other]).await;
    let plan = world
        .ask("select concat_ws(' ', state, master_crm_id, master_rule) from report.merge_plan")
        .await;
    assert_eq!(plan, format!("approved {other} chosen by a person"));
    let stranger = gatekeeper(&world, &["merge", "approve", "1", "--master", "4711"]).await;
    assert_eq!(stranger.code, Some(2));
    run(&world, &["merge", "run"]).await;
    let loser = world.ask("select loser_crm_id from report.merge_ledger").await;
    assert_eq!(loser, stays);
}

#[tokio::test]
async fn a_rule_of_who_stays_brings_its_property_into_the_mirror() {
    let world = World::new().await;
    let ids = world.seed(json!([
        {"email": "robert.fairweather@acme.example", "firstname": "Robert", "lastname": "Fairweather", "company": "Acme",
         "phone": "+1 415 555 2671", "city": "Oslo", "hs_lead_status": "NEW"},
        {"email": "rfairweather@home.example", "firstname": "Robert", "lastname": "Fairweather", "company": "Acme",
         "phone": "+1 415 555 2671"},
    ]));
    world.mirror().await;
    run(&world, &["duplicates", "scan"]).await;
    world
        .db
        .run("insert into rules.merge_master (place, criterion, field) values (1, 'highest', 'annualrevenue')")
        .await;
    world.edit(&ids[0], json!({"annualrevenue": "900"}));
    world.edit(&ids[1], json!({"annualrevenue": "1000"}));
    let told = run(&world, &["merge", "plan"]).await;
    assert!(
        told.contains("looks at annualrevenue, which the mirror does not hold yet"),
        "{told}"
    );
    world.mirror().await;
    let told = run(&world, &["merge", "plan"]).await;
    assert!(!told.contains("annualrevenue"), "{told}");
    let plan = world
        .ask("select concat_ws(' ', master_crm_id, master_rule) from report.merge_plan")
        .await;
    assert_eq!(plan, format!("{} highest annualrevenue", ids[1]));
}

#[tokio::test]
async fn plans_are_reviewed_in_a_spreadsheet() {
    let (world, ids) = planned(4).await;
    let file = world.directory.path().join("plans.csv");
    let name = file.display().to_string();
    run(&world, &["merge", "export", "--to", &name]).await;
    let mut rows: Vec<csv::StringRecord> = csv::Reader::from_path(&file)
        .unwrap()
        .records()
        .map(Result::unwrap)
        .collect();
    let header = csv::Reader::from_path(&file).unwrap().headers().unwrap().clone();
    assert_eq!(rows.len(), 4);
    let place = |name: &str| header.iter().position(|column| column == name).unwrap();
    assert!(rows[0][place("survives")].contains("city: "), "{:?}", rows[0]);
    let mut write = |row: usize, column: &str, text: &str| {
        let mut cells: Vec<String> = rows[row].iter().map(str::to_owned).collect();
        cells[place(column)] = text.to_owned();
        rows[row] = csv::StringRecord::from(cells);
    };
    write(0, "decision", "approve");
    write(0, "choose_values", "city=Riga");
    write(1, "decision", "Reject");
    write(1, "note", "two people");
    write(2, "decision", "approve");
    let mut target = csv::WriterBuilder::new().delimiter(b';').from_path(&file).unwrap();
    target.write_record(&header).unwrap();
    rows.iter().for_each(|row| target.write_record(row).unwrap());
    drop(target);
    // The third has changed since.
    world.edit(&ids[2][0], json!({"jobtitle": "Seller"}));
    world.mirror().await;
    run(&world, &["merge", "plan"]).await;
    let dry = run_json(&world, &["merge", "import", &name, "--dry-run"]).await;
    assert_eq!((&dry["approved"], &dry["rejected"]), (&json!(1), &json!(1)), "{dry}");
    let report = run_json(&world, &["merge", "import", &name]).await;
    assert_eq!(
        (&report["approved"], &report["rejected"], &report["left_alone"]),
        (&json!(1), &json!(1), &json!([3])),
        "{report}"
    );
    assert_eq!(states(&world).await, "approved rejected proposed proposed");
    assert_eq!(
        world.ask("select note from merge.plan where plan_id = 2").await,
        "two people"
    );
    run(&world, &["merge", "run"]).await;
    let riga = world
        .contacts()
        .iter()
        .filter(|contact: &&Value| contact["city"] == "Riga")
        .count();
    assert_eq!(riga, 1);
    std::fs::write(&file, "plan_id,digest,decision\n1,x,perhaps\n").unwrap();
    let refused = gatekeeper(&world, &["merge", "import", &name]).await;
    assert_eq!(refused.code, Some(2));
    assert!(
        refused.stderr.contains("line 2") && refused.stderr.contains("perhaps"),
        "{}",
        refused.stderr
    );
}

#[tokio::test]
async fn with_four_eyes_the_planner_is_told_that_somebody_else_approves() {
    let (world, _) = planned(1).await;
    world.db.run("update rules.merge_option set four_eyes = true").await;
    let refused = gatekeeper(&world, &["merge", "approve", "--all"]).await;
    assert_eq!(refused.code, Some(1), "{}", refused.stdout);
    for said in ["may not approve it", "four_eyes"] {
        assert!(refused.stderr.contains(said), "{}", refused.stderr);
    }
    assert_eq!(states(&world).await, "proposed");
}
