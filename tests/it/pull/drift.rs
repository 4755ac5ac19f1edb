//! The full comparison: how far the mirror had drifted, told exactly and repaired.

use gatekeeper::domain::Field;
use gatekeeper::sandbox::Options;
use serde_json::json;

use super::scene::{Scene, person, post, sharp};

const DRIFT: &str = "select concat_ws(' ', contacts, missing, stale, ghost) from gate.mirror_drift
                     order by compared_at desc limit 1";

#[tokio::test]
async fn drift_is_reported_exactly_and_repaired() {
    let scene = Scene::new(Options::default()).await;
    let ids = scene.seed((0..320).map(person));
    scene.load().await;
    scene.pull.changes().await.unwrap();
    // Three that were never read, two that are older here, one that is of the right version and wrong, four that the CRM
    // has not.
    let spoil = format!(
        "delete from crm.contact where crm_id in ('{}', '{}', '{}');
         update crm.contact set city = 'Oslo', updated_at = '2023-01-01' where crm_id in ('{}', '{}');
         update crm.contact set city = 'Oslo' where crm_id = '{}';
         insert into crm.contact (crm_id, first_name, seen_at) select '99' || n, 'Ghost', '2024-01-01' from generate_series(1, 4) as n",
        ids[0], ids[150], ids[319], ids[7], ids[8], ids[200]
    );
    scene.db.run(&spoil).await;
    // What people change meanwhile is no drift: the next poll would have brought it.
    scene.edit(&ids[50], json!({"city": "Bonn"}));
    scene.seed([json!({"email": "new@example.org"})]);
    let report = scene.pull.full_load(|_| ()).await.unwrap();
    assert_eq!(scene.ask(DRIFT).await, "321 3 3 4", "{:?}", report.found);
    assert_eq!(scene.alive().await.len(), 321);
    assert_eq!(scene.row(&ids[7]).await, "First7 Riga");
    assert_eq!(scene.row(&ids[200]).await, "First200 Riga");
    assert_eq!(scene.row("991").await, "erased");
    scene.load().await;
    assert_eq!(
        scene.ask(DRIFT).await,
        "321 0 0 0",
        "what is repaired is not found again"
    );
}

#[tokio::test]
async fn an_erased_contact_is_a_ghost() {
    let scene = Scene::new(Options::default()).await;
    let ids = scene.seed((0..5).map(person));
    scene.load().await;
    let erased = post(
        &scene,
        "/crm/objects/2026-09/contacts/gdpr-delete",
        &json!({"objectId": ids[2]}),
    )
    .await;
    assert_eq!(erased, 204);
    scene.pull.changes().await.unwrap();
    scene.pull.archived().await.unwrap();
    assert_eq!(
        scene.row(&ids[2]).await,
        "First2 Riga",
        "neither a poll nor the bin shows it"
    );
    assert_eq!(scene.pull.full_load(|_| ()).await.unwrap().found.ghost, 1);
    assert_eq!(scene.row(&ids[2]).await, "erased", "nothing of it stays");
    assert_eq!(scene.ask(DRIFT).await, "4 0 0 1");
}

#[tokio::test]
async fn a_contact_that_the_list_left_out_is_asked_for_and_not_buried() {
    let scene = Scene::new(Options::default()).await;
    let ids = scene.seed((0..90).map(person));
    scene.load().await;
    let number = scene.person(&ids[3]).await;
    // One that the list does not show although it is there, and two that are merged into a third while the list runs:
    // its id is behind the cursor, so the list never shows it.
    scene.faults(vec![gatekeeper::sandbox::Rule {
        operation: Some("list".to_owned()),
        omit_rows: 90,
        ..Default::default()
    }]);
    let survivor = scene.merge(&ids[3], &ids[4]);
    let report = scene.pull.full_load(|_| ()).await.unwrap();
    assert_eq!((report.found.rows, report.found.ghost), (0, 0));
    let mut alive: Vec<String> = ids
        .iter()
        .filter(|id| **id != ids[3] && **id != ids[4])
        .cloned()
        .collect();
    alive.push(survivor.clone());
    assert_eq!(scene.alive().await, alive);
    assert_eq!(scene.person(&survivor).await, number, "the person goes on");
}

#[tokio::test]
async fn a_new_wanted_field_is_no_drift() {
    let scene = Scene::new(Options::default()).await;
    let ids = scene.seed((0..3).map(|number| {
        let mut person = person(number);
        person["numemployees"] = "12".into();
        person
    }));
    scene.load().await;
    let wider = scene.another(sharp(), vec![Field::from_name("numemployees")]).await;
    wider.full_load(|_| ()).await.unwrap();
    assert_eq!(scene.ask(DRIFT).await, "3 0 0 0");
    let value = format!(
        "select properties ->> 'numemployees' from crm.contact where crm_id = '{}'",
        ids[0]
    );
    assert_eq!(scene.ask(&value).await, "12");
    // A replica that does not want it reads it all the same, or its page would blank the value.
    scene.edit(&ids[0], json!({"city": "Bonn"}));
    assert_eq!(scene.pull.changes().await.unwrap().found.rows, 1);
    assert_eq!(scene.ask(&value).await, "12");
}
