//! Merging two contacts.

use gatekeeper::sandbox::{Kind, Options};
use serde_json::json;

use super::caller::Caller;

const SEEN: &str = "properties=email,firstname,lastname,city,lifecyclestage,ext_id,hs_additional_emails,hs_merged_object_ids,hs_calculated_merged_vids";

fn options() -> Options {
    Options {
        unique: vec!["ext_id".to_owned()],
        ..Options::default()
    }
}

#[tokio::test]
async fn a_merge_makes_a_third_contact_to_which_both_old_ids_lead() {
    let crm = Caller::new(options()).await;
    let ids = crm.seed(vec![
        json!({"email": "a@x.com", "firstname": "Ann", "ext_id": "E1", "lifecyclestage": "lead"}),
        json!({"email": "b@x.com", "hs_additional_emails": "b2@x.com", "firstname": "Anna", "lastname": "Lee", "ext_id": "E2",
               "lifecyclestage": "customer"}),
    ]);
    let survivor = crm.merge(&ids[0], &ids[1]).await;
    assert!(!ids.contains(&survivor));
    for id in [&survivor, &ids[0], &ids[1]] {
        let read = crm.get(&format!("/{id}?{SEEN}")).await;
        let properties = &read.body["properties"];
        assert_eq!(read.id(), survivor, "asked for {id}");
        assert_eq!(
            (&properties["firstname"], &properties["lastname"]),
            (&json!("Ann"), &json!("Lee"))
        );
        assert_eq!(properties["lifecyclestage"], "customer", "the furthest stage");
        assert_eq!(properties["ext_id"], "E1", "the other key is lost");
        assert_eq!(
            (&properties["email"], &properties["hs_additional_emails"]),
            (&json!("a@x.com"), &json!("b@x.com;b2@x.com"))
        );
        assert_eq!(properties["hs_merged_object_ids"], ids.join(";"));
        assert!(
            properties["hs_calculated_merged_vids"]
                .as_str()
                .unwrap()
                .starts_with(&format!("{}:", ids[0]))
        );
    }
    assert_eq!(crm.get("/E2?idProperty=ext_id").await.status, 404);
    assert_eq!(
        crm.get("").await.ids(),
        std::slice::from_ref(&survivor),
        "absorbed ids stop appearing"
    );
    assert!(crm.get("?archived=true").await.results().is_empty());
    let both = json!({"inputs": [{"id": ids[0]}, {"id": ids[1]}]});
    assert_eq!(
        crm.post("/batch/read", both).await.ids(),
        std::slice::from_ref(&survivor)
    );
    let effect = crm.effects().pop().unwrap();
    assert_eq!((effect.kind, effect.id, effect.absorbed), (Kind::Merge, survivor, ids));
}

#[tokio::test]
async fn an_account_that_preserves_primary_ids_keeps_the_id() {
    let crm = Caller::new(Options {
        preserve_primary_id: true,
        ..options()
    })
    .await;
    let ids = crm.seed(
        ["a", "b", "c"]
            .map(|name| json!({"email": format!("{name}@x.com")}))
            .to_vec(),
    );
    assert_eq!(crm.merge(&ids[0], &ids[1]).await, ids[0]);
    assert_eq!(crm.merge(&ids[0], &ids[2]).await, ids[0]);
    let read = crm.get(&format!("/{}?{SEEN}", ids[1])).await;
    assert_eq!(read.id(), ids[0]);
    assert_eq!(read.body["properties"]["hs_merged_object_ids"], ids[1..].join(";"));
    assert_eq!(
        read.body["properties"]["hs_calculated_merged_vids"]
            .as_str()
            .unwrap()
            .split(';')
            .count(),
        2
    );
}

#[tokio::test]
async fn a_chain_of_merges_leads_every_id_to_the_last_survivor() {
    let crm = Caller::new(options()).await;
    let ids = crm.seed(
        ["a", "b", "c"]
            .map(|name| json!({"email": format!("{name}@x.com")}))
            .to_vec(),
    );
    let first = crm.merge(&ids[0], &ids[1]).await;
    let again = crm
        .post("/merge", json!({"primaryObjectId": ids[0], "objectIdToMerge": ids[2]}))
        .await;
    assert_eq!(again.status, 400, "the id that was merged away is refused as primary");
    let last = crm.merge(&first, &ids[2]).await;
    for id in ids.iter().chain([&first]) {
        assert_eq!(crm.get(&format!("/{id}")).await.id(), last);
    }
    let read = crm.get(&format!("/{last}?{SEEN}")).await;
    let all = [ids[0].clone(), ids[1].clone(), first.clone(), ids[2].clone()].join(";");
    assert_eq!(read.body["properties"]["hs_merged_object_ids"], all);
    let direct = read.body["properties"]["hs_calculated_merged_vids"].as_str().unwrap();
    assert!(!direct.contains(&ids[0]), "the pairs miss chained merges: {direct}");
}

#[tokio::test]
async fn a_merge_that_cannot_be_is_refused() {
    let crm = Caller::new(options()).await;
    let ids = crm.seed(vec![json!({"email": "a@x.com"}), json!({"email": "b@x.com"})]);
    let merge = |primary: &str, other: &str| json!({"primaryObjectId": primary, "objectIdToMerge": other});
    assert_eq!(crm.post("/merge", merge(&ids[0], &ids[0])).await.status, 400);
    assert_eq!(crm.post("/merge", merge(&ids[0], "1")).await.status, 404);
    crm.delete(&ids[1]).await;
    assert_eq!(crm.post("/merge", merge(&ids[0], &ids[1])).await.status, 404);
}

#[tokio::test]
async fn after_250_merges_a_record_merges_no_more() {
    let crm = Caller::new(options()).await;
    let ids = crm.seed((0..252).map(|n| json!({"email": format!("p{n}@x.com")})).collect());
    let mut survivor = ids[0].clone();
    for id in &ids[1..251] {
        survivor = crm.merge(&survivor, id).await;
    }
    let answer = crm
        .post(
            "/merge",
            json!({"primaryObjectId": survivor, "objectIdToMerge": ids[251]}),
        )
        .await;
    assert_eq!(
        (answer.status, &answer.body["message"]),
        (414, &json!("Cannot have more than 250 identities on a profile"))
    );
}
