//! Merges in the CRM: the person goes on under the new id.

use gatekeeper::sandbox::Options;
use serde_json::json;

use super::scene::{Scene, person};

const ALIASES: &str =
    "select coalesce(string_agg(absorbed_crm_id || '>' || crm_id, ' ' order by absorbed_crm_id::bigint), '')
                       from crm.contact_alias";

#[tokio::test]
async fn a_merge_with_a_new_id_moves_the_person_with_its_provenance() {
    let scene = Scene::new(Options::default()).await;
    let ids = scene.seed((0..4).map(person));
    scene.load().await;
    let number = scene.person(&ids[0]).await;
    let provenance = format!(
        "insert into crm.contact_field (contact_id, field, value, source, occurred_at, rule)
         values ({number}, 'city', 'Riga', 'erp', now(), 'rank')"
    );
    scene.db.run(&provenance).await;
    let survivor = scene.merge(&ids[0], &ids[1]);
    assert!(!ids.contains(&survivor), "the CRM makes a third id");
    scene.pull.changes().await.unwrap();
    assert_eq!(scene.person(&survivor).await, number);
    let kept = format!("select source from crm.contact_field where contact_id = {number}");
    assert_eq!(scene.ask(&kept).await, "erp");
    assert_eq!(
        scene.ask(ALIASES).await,
        format!("{}>{survivor} {}>{survivor}", ids[0], ids[1])
    );
    assert_eq!(scene.row(&ids[1]).await, "First1 Riga merged");
    assert_eq!(scene.alive().await, [ids[2].clone(), ids[3].clone(), survivor.clone()]);
    // Merged once more: the first ids lead to the last survivor in one step.
    let last = scene.merge(&survivor, &ids[2]);
    scene.pull.changes().await.unwrap();
    assert_eq!(scene.person(&last).await, number);
    let aliases = scene.ask(ALIASES).await;
    assert!(
        aliases.split(' ').all(|alias| alias.ends_with(&format!(">{last}"))),
        "{aliases}"
    );
    assert_eq!(aliases.split(' ').count(), 4);
}

#[tokio::test]
async fn a_person_that_was_thought_gone_before_the_merge_was_heard_of_goes_on() {
    let scene = Scene::new(Options::default()).await;
    let ids = scene.seed((0..2).map(person));
    scene.load().await;
    let number = scene.person(&ids[0]).await;
    let gone = "update crm.contact set archived_at = now(), gone_reason = 'missing'";
    scene.db.run(gone).await;
    let survivor = scene.merge(&ids[0], &ids[1]);
    scene.pull.changes().await.unwrap();
    assert_eq!(scene.person(&survivor).await, number);
    assert_eq!(scene.alive().await, [survivor]);
}

#[tokio::test]
async fn a_merge_that_keeps_the_primary_id_makes_the_other_a_tombstone() {
    let scene = Scene::new(Options {
        preserve_primary_id: true,
        ..Options::default()
    })
    .await;
    let ids = scene.seed((0..2).map(person));
    scene.load().await;
    assert_eq!(scene.merge(&ids[0], &ids[1]), ids[0]);
    scene.edit(&ids[0], json!({"city": "Bonn"}));
    scene.load().await;
    assert_eq!(scene.alive().await, [ids[0].clone()]);
    assert_eq!(scene.row(&ids[1]).await, "First1 Riga merged");
    assert_eq!(scene.ask(ALIASES).await, format!("{}>{}", ids[1], ids[0]));
}
