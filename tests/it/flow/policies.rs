//! The policies beside rank and time, ranks of a field, ranks that fade, and what people set, clear and merge in the CRM.

use serde_json::{Value, json};

use super::world::World;
use gatekeeper::sandbox::Options;

/// A world whose mirror holds some more properties.
async fn world() -> World {
    World::with(Options::default(), |config| {
        let more = ["industry", "numemployees", "date_of_birth", "message", "hs_buying_role"];
        config.crm.properties = more.map(str::to_owned).into();
    })
    .await
}

/// A lead of Ann's with properties, seen on a day of January 2025.
fn ann(source: &str, day: u32, properties: Value) -> Value {
    json!({
        "source": source, "email": "ann@example.com", "properties": properties,
        "occurred_at": format!("2025-01-{day:02}T12:00:00Z"),
    })
}

async fn field_rule(world: &World, columns: &str, values: &str) {
    let sql = format!("insert into rules.field (field, source, {columns}) values ({values})");
    world.db.run(&sql).await;
}

#[tokio::test]
async fn longest_min_and_max_look_at_the_value_and_not_at_the_source() {
    let world = world().await;
    world.rule("industry", "*", "longest").await;
    world.rule("numemployees", "*", "max").await;
    world.rule("date_of_birth", "*", "min").await;
    let first = json!({"industry": "Tool making", "numemployees": "50", "date_of_birth": "1980-05-05"});
    world.settled(ann("payments", 10, first)).await;
    let second = json!({"industry": "Tool and die making", "numemployees": 9, "date_of_birth": "1979-12-31"});
    let second = world.settled(ann("fair", 5, second)).await;
    let contact = world.only_contact();
    assert_eq!(
        (
            &contact["industry"],
            &contact["numemployees"],
            &contact["date_of_birth"]
        ),
        (&json!("Tool and die making"), &json!("50"), &json!("1979-12-31"))
    );
    assert_eq!(
        world.ruling(second, "industry").await,
        "written longest: longer than payments's"
    );
    assert_eq!(
        world.ruling(second, "numemployees").await,
        "kept max: less than payments's"
    );
    assert_eq!(
        world.ruling(second, "date_of_birth").await,
        "written min: less than payments's"
    );
}

#[tokio::test]
async fn consent_is_only_tightened_by_whomever() {
    let world = world().await;
    field_rule(&world, "policy, scale", "'message', '*', 'tighten', '{no,yes}'").await;
    world.settled(ann("payments", 10, json!({"message": "no"}))).await;
    let tighter = world.settled(ann("fair", 5, json!({"message": "Yes"}))).await;
    assert_eq!(
        world.ruling(tighter, "message").await,
        "written tighten: tighter than payments's"
    );
    let looser = world.settled(ann("payments", 20, json!({"message": "no"}))).await;
    assert_eq!(
        world.ruling(looser, "message").await,
        "kept tighten: looser than fair's"
    );
    // A person loosens it: what was heard before counts no more, what is heard after does.
    let id = world.only_contact()["hs_object_id"].as_str().unwrap().to_owned();
    world.edit(&id, json!({"message": "no"}));
    world.mirror().await;
    let before = world.settled(ann("fair", 6, json!({"message": "yes"}))).await;
    assert_eq!(
        world.ruling(before, "message").await,
        "kept tighten: seen before crm set it"
    );
    let mut after = ann("fair", 6, json!({"message": "yes"}));
    after["occurred_at"] = json!(null);
    let after = world.settled(after).await;
    assert_eq!(
        world.ruling(after, "message").await,
        "written tighten: tighter than crm's"
    );
}

#[tokio::test]
async fn append_adds_to_what_is_there_but_not_what_a_person_took_out() {
    let world = world().await;
    world.rule("hs_buying_role", "*", "append").await;
    world
        .settled(ann("fair", 10, json!({"hs_buying_role": "CHAMPION;BLOCKER"})))
        .await;
    let added = world
        .settled(ann("webinar", 5, json!({"hs_buying_role": "END_USER;CHAMPION"})))
        .await;
    assert_eq!(world.only_contact()["hs_buying_role"], "BLOCKER;CHAMPION;END_USER");
    assert_eq!(world.ruling(added, "hs_buying_role").await, "written append: 1 added");
    let id = world.only_contact()["hs_object_id"].as_str().unwrap().to_owned();
    world.edit(&id, json!({"hs_buying_role": "CHAMPION;END_USER"}));
    world.mirror().await;
    let again = world
        .settled(ann("fair", 11, json!({"hs_buying_role": "BLOCKER;OTHER"})))
        .await;
    assert_eq!(world.only_contact()["hs_buying_role"], "CHAMPION;END_USER;OTHER");
    assert_eq!(world.ruling(again, "hs_buying_role").await, "written append: 1 added");
    let again = world
        .settled(ann("fair", 12, json!({"hs_buying_role": "BLOCKER"})))
        .await;
    assert_eq!(
        world.ruling(again, "hs_buying_role").await,
        "kept append: fair 20 below crm 50, which cleared it"
    );
    world
        .settled(ann("payments", 12, json!({"hs_buying_role": "BLOCKER"})))
        .await;
    assert_eq!(
        world.only_contact()["hs_buying_role"],
        "BLOCKER;CHAMPION;END_USER;OTHER"
    );
}

#[tokio::test]
async fn a_rank_may_be_set_for_a_field_and_may_fade() {
    let world = world().await;
    field_rule(&world, "rank", "'city', 'fair', 95").await;
    field_rule(&world, "expires_days", "'state', 'payments', 30").await;
    let of = |source: &str, place: &str, day: u32| {
        json!({
            "source": source, "email": "ann@example.com", "city": place, "state": place, "street": place,
            "occurred_at": format!("2025-01-{day:02}T12:00:00Z"),
        })
    };
    world.settled(of("payments", "Riga", 10)).await;
    let fair = world.settled(of("fair", "Kiel", 5)).await;
    let contact = world.only_contact();
    assert_eq!(
        (&contact["city"], &contact["state"], &contact["address"]),
        (&json!("Kiel"), &json!("Kiel"), &json!("Riga"))
    );
    assert_eq!(
        world.ruling(fair, "city").await,
        "written highest_rank: fair 95 above payments 90"
    );
    assert_eq!(
        world.ruling(fair, "state").await,
        "written highest_rank: fair 20 above payments 0"
    );
    assert_eq!(
        world.ruling(fair, "street").await,
        "kept highest_rank: fair 20 below payments 90"
    );
}

#[tokio::test]
async fn a_value_that_only_the_crm_ever_held_is_remembered_as_cleared() {
    let world = World::new().await;
    let ids = world.seed(json!([{"email": "ann@example.com", "city": "Oslo", "address": "Main St 1"}]));
    world.mirror().await;
    world.edit(&ids[0], json!({"city": "", "address": "Side St 2"}));
    world.mirror().await;
    let noted = "select string_agg(concat_ws(' ', field, value, source, rule, cleared), '; ' order by field) from crm.contact_field";
    assert_eq!(
        world.ask(noted).await,
        "city crm cleared in the CRM t; street Side St 2 crm changed in the CRM f"
    );
    world.rule("city", "*", "newest").await;
    let mut lead = json!({"source": "webinar", "email": "ann@example.com", "city": "Kiel"});
    let worse = world.settled(lead.clone()).await;
    assert_eq!(
        world.ruling(worse, "city").await,
        "kept newest: webinar 20 below crm 50, which cleared it"
    );
    lead["source"] = json!("payments");
    world.settled(lead.clone()).await;
    assert_eq!(world.only_contact()["city"], "Kiel");
    // Filled by one who may: one who may not does not come in behind it.
    lead["source"] = json!("webinar");
    lead["city"] = json!("Bonn");
    let behind = world.settled(lead).await;
    assert_eq!(
        world.ruling(behind, "city").await,
        "kept newest: webinar 20 below crm 50, which cleared it"
    );
    assert_eq!(world.only_contact()["city"], "Kiel");
}

#[tokio::test]
async fn what_the_crm_does_to_the_spelling_of_our_own_values_is_no_edit() {
    let world = World::new().await;
    let lead = json!({"source": "webinar", "email": "ann@example.com", "city": "Kiel", "phone": "+1 415 555 2671"});
    world.settled(lead).await;
    let id = world.only_contact()["hs_object_id"].as_str().unwrap().to_owned();
    world.edit(&id, json!({"city": "KIEL", "phone": "(415) 555-2671"}));
    world.mirror().await;
    let edited = "select count(*) from crm.contact_field where source = 'crm'";
    assert_eq!(world.count(edited).await, 0);
    // Another number is one, and so is none.
    world.edit(&id, json!({"phone": "(415) 555-2672", "mobilephone": "(415) 555-2673"}));
    world.mirror().await;
    assert_eq!(world.count(edited).await, 2);
    world.edit(&id, json!({"phone": ""}));
    world.mirror().await;
    let cleared = "select count(*) from crm.contact_field where field = 'phone' and cleared";
    assert_eq!(world.count(cleared).await, 1);
}

#[tokio::test]
async fn provenance_follows_a_merge() {
    let world = World::new().await;
    let of = |email: &str, city: &str, source: &str| json!({"source": source, "email": email, "city": city, "occurred_at": "2025-01-10T12:00:00Z"});
    world.settled(of("ann@example.com", "", "webinar")).await;
    world.settled(of("ann@example.org", "Riga", "payments")).await;
    let ids: Vec<String> = world
        .contacts()
        .iter()
        .map(|contact| contact["hs_object_id"].as_str().unwrap().to_owned())
        .collect();
    let merge = json!({"primaryObjectId": ids[0], "objectIdToMerge": ids[1]});
    world.crm.sandbox().human_merge(&merge).unwrap();
    world.mirror().await;
    assert_eq!(world.only_contact()["city"], "Riga");
    let origin = "select string_agg(concat_ws(' ', value, contact_field.source), '; ')
        from crm.contact_field join crm.contact using (contact_id)
        where field = 'city' and archived_at is null";
    assert_eq!(world.ask(origin).await, "Riga payments");
    let worse = world.settled(of("ann@example.com", "Kiel", "sales")).await;
    assert_eq!(
        world.ruling(worse, "city").await,
        "kept highest_rank: sales 60 below payments 90"
    );
}

/// The authors of what is noted, once the daemon has asked the CRM about all of it.
async fn authors(world: &World) -> String {
    let asked = "select count(*) from crm.contact_field where source = 'crm' and author is null";
    world.run_until(async || world.count(asked).await == 0).await;
    let noted = "select coalesce(string_agg(concat_ws(' ', field, source, author), '; ' order by field), '')
        from crm.contact_field where author is not null";
    world.ask(noted).await
}

#[tokio::test]
async fn what_other_integrations_set_in_the_crm_is_told_from_what_people_set() {
    let world = World::new().await;
    let ids =
        world.seed(json!([{"email": "ann@example.com", "city": "Oslo", "address": "Main St 1", "state": "Ohio"}]));
    world.mirror().await;
    world.edit(&ids[0], json!({"city": "Bergen"}));
    world.edit_by_app(&ids[0], json!({"address": "Side St 2", "state": ""}));
    world.mirror().await;
    assert_eq!(
        authors(&world).await,
        "city crm person; state crm_integration integration; street crm_integration integration"
    );
    // Not entered by themselves, other integrations count as people.
    let lead =
        json!({"source": "webinar", "email": "ann@example.com", "city": "Kiel", "street": "Elm St 3", "state": "Utah"});
    let before = world.settled(lead.clone()).await;
    assert_eq!(
        world.ruling(before, "street").await,
        "kept highest_rank: webinar 20 below crm 50"
    );
    assert_eq!(
        world.ruling(before, "state").await,
        "kept highest_rank: webinar 20 below crm 50, which cleared it"
    );
    world
        .db
        .run("insert into rules.source (source, rank) values ('crm_integration', 10)")
        .await;
    let after = world.settled(lead).await;
    assert_eq!(
        world.ruling(after, "city").await,
        "kept highest_rank: webinar 20 below crm 50"
    );
    assert_eq!(
        world.ruling(after, "street").await,
        "written highest_rank: webinar 20 above crm_integration 10"
    );
    assert_eq!(world.ruling(after, "state").await, "written highest_rank: blank");
    let as_feed = world
        .settled(json!({"source": "crm_integration", "email": "bob@example.com"}))
        .await;
    assert_eq!(world.state(as_feed).await, "dead source_reserved");
}
