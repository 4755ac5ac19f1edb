//! Each kind of blocking key brings those together that share nothing else, and by its index.

use gatekeeper::domain::{Field, Record};
use gatekeeper::normalize::Normalizer;
use gatekeeper::rulebook::{lists_in_force, normalizer_of};
use gatekeeper::store::matching::block_hash;
use gatekeeper::store::mirror::MirrorRows;

use super::plans::plans;
use super::value;
use crate::support::TestDb;

/// A kind, a contact, and a lead that shares a key of this kind alone with it: first name, last name, company, address, phone, town, street,
/// postal code.
const KINDS: [(&str, &[&str], &[&str]); 11] = [
    (
        "lastco",
        &["Anna", "Lindgren", "Fjordbyte Systems", "", "", ""],
        &["Karl", "Lindgren", "Fjordbank", "", "", ""],
    ),
    (
        "cofirst",
        &["Anna", "Lindgren", "Fjordbyte Systems", "", "", ""],
        &["Anna", "Petrov", "Fjordbyte", "", "", ""],
    ),
    (
        "lastinit",
        &["Anna", "Lindgren", "", "", "", ""],
        &["Alba", "Lindgren", "", "", "", ""],
    ),
    (
        "sound",
        &["Jon", "Meyer", "", "", "", ""],
        &["John", "Maier", "", "", "", ""],
    ),
    (
        "lastcity",
        &["Anna", "Lindgren", "", "", "", "Uppsala"],
        &["Karl", "Lindgren", "", "", "", "Uppsala"],
    ),
    (
        "domlast",
        &["Anna", "Lindgren", "", "a1@fjordbyte.com", "", ""],
        &["Karl", "Lindqvist", "", "k2@fjordbyte.com", "", ""],
    ),
    (
        "local",
        &["Anna", "Lindgren", "", "anna.lindgren@fjordbyte.com", "", ""],
        &["Karl", "Lofgren", "", "anna.lindgren@umbra.fr", "", ""],
    ),
    (
        "words",
        &["Nguyen Ngoc", "Chau", "", "", "", ""],
        &["Chau Nguyen", "Ngoc", "", "", "", ""],
    ),
    (
        "tail",
        &["Anna", "Lindgren", "", "", "+46 8 123 456 78", ""],
        &["Astrid", "Berg", "", "", "+46 8 123 456 78", ""],
    ),
    (
        "street",
        &["Anna", "Lindgren", "", "", "", "", "Storgatan 8", "753 20"],
        &["Astrid", "Berg", "", "", "", "", "8, Storgatan", "111 22"],
    ),
    (
        "postal",
        &["Anna", "Lindgren", "", "", "", "", "Storgatan 8", "753 20"],
        &["Lars", "Andersson", "", "", "", "", "Kyrkogatan 3", "75320"],
    ),
];

fn record(id: usize, values: &[&str]) -> Record {
    let fields = [
        "first_name",
        "last_name",
        "company",
        "email",
        "phone",
        "city",
        "street",
        "postal_code",
    ];
    Record {
        crm_id: id.to_string(),
        values: fields
            .into_iter()
            .zip(values.iter().copied())
            .filter(|(_, value)| !value.is_empty())
            .map(|(field, value)| (Field::from_name(field), value.to_owned()))
            .collect(),
        ..Record::default()
    }
}

fn blocks(normalizer: &Normalizer, values: &[&str]) -> Vec<String> {
    normalizer.record(&record(0, values)).keys.blocks
}

#[tokio::test]
async fn each_kind_of_blocking_key_finds_by_its_index_who_shares_nothing_else() {
    let db = TestDb::new().await;
    let client = db.client().await;
    let pool = db.store().client().await.unwrap();
    let normalizer = normalizer_of(None, &lists_in_force(&pool).await.unwrap()).unwrap();
    let contacts: Vec<Record> = KINDS
        .iter()
        .enumerate()
        .map(|(place, (_, contact, _))| record(place + 1, contact))
        .collect();
    MirrorRows::new(&contacts, &normalizer).write(&pool).await.unwrap();
    // So many that nobody would read a table of keys from end to end.
    db.run("insert into gate.block_key (block, contact_id) select n, -n from generate_series(1, 20000) as n")
        .await;
    db.run("vacuum analyze gate.block_key").await;

    for (place, (kind, contact, lead)) in KINDS.iter().enumerate() {
        let theirs = blocks(&normalizer, contact);
        let shared: Vec<String> = blocks(&normalizer, lead)
            .into_iter()
            .filter(|block| theirs.contains(block))
            .collect();
        let kinds: Vec<&str> = shared.iter().filter_map(|block| block.split(':').next()).collect();
        assert_eq!(kinds, [*kind], "{shared:?} of {theirs:?}");

        let asked = format!(
            "select contact_id from gate.sharing_block({}, 0, 0, 0)",
            block_hash(&shared[0])
        );
        let found = client
            .query(
                &format!("select crm_id from crm.contact where contact_id in ({asked}) order by crm_id"),
                &[],
            )
            .await
            .unwrap();
        let found: Vec<String> = found.iter().map(|row| row.get(0)).collect();
        assert!(found.contains(&(place + 1).to_string()), "{kind}: {found:?}");

        let plan = plans(&db, &asked).await;
        assert!(
            plan.contains("Index Only Scan using block_key_pkey") && plan.contains("Index Cond: (block = "),
            "{kind}:\n{plan}"
        );
    }
}

/// Rows of gate.block_key that the stored keys do not ask for, and those that they ask for and that are not there.
const ASTRAY: &str = "with asked as (
        select own.block, own.glance, keys.contact_id
        from gate.contact_keys as keys
        cross join lateral gate.blocks_of(keys) as own
    )
    select (select count(*) from (table gate.block_key except table asked) as extra)
        + (select count(*) from (table asked except table gate.block_key) as absent)";

#[tokio::test]
async fn a_block_of_names_shows_those_of_whom_more_agrees_and_follows_what_changes() {
    let db = TestDb::new().await;
    let pool = db.store().client().await.unwrap();
    let normalizer = normalizer_of(None, &lists_in_force(&pool).await.unwrap()).unwrap();
    let firms = [
        "Acorn", "Birch", "Cedar", "Dogwood", "Elm", "Fir", "Ginkgo", "Hazel", "Ironwood", "Juniper", "Katsura",
        "Lilac",
    ];
    let named = |place: usize, firm: &str, city: &str| record(place, &["Anna", "Lindgren", firm, "", "", city]);
    let mut contacts: Vec<Record> = (1..).zip(firms).map(|(place, firm)| named(place, firm, "")).collect();
    contacts.push(named(13, "", ""));
    MirrorRows::new(&contacts, &normalizer).write(&pool).await.unwrap();

    let block = blocks(&normalizer, &["Anna", "Lindgren", "", "", "", ""])
        .into_iter()
        .find(|block| block.starts_with("lastinit:"))
        .unwrap();
    let shown = async |firm: Option<&str>, city: Option<&str>| -> Vec<String> {
        let asked = "select crm_id from gate.sharing_block($1, gate.glance($2, null, $3, null), 0, 0)
            join crm.contact using (contact_id) order by crm_id::integer";
        let rows = pool.query(asked, &[&block_hash(&block), &firm, &city]).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    };
    assert_eq!(shown(Some("birch"), None).await, ["2", "13"]);
    assert_eq!(shown(Some("birch"), Some("oslo")).await, ["2", "13"]);
    assert_eq!(shown(None, Some("oslo")).await.len(), 13, "whose employer is not known");

    // What is known of two of them changes, and with it where they are seen.
    let moved = [named(1, "Acorn", "Oslo"), named(2, "Maple", "")];
    MirrorRows::new(&moved, &normalizer).write(&pool).await.unwrap();
    assert_eq!(shown(Some("birch"), Some("oslo")).await, ["1", "13"]);
    assert_eq!(shown(Some("maple"), None).await, ["2", "13"]);
    assert_eq!(value::<i64>(&db, ASTRAY, &[]).await, 0);

    // A write brings another town; when it is over, and nothing came of it, the contact stands where it stood.
    let third = "select jsonb_agg(to_jsonb(keys)) from gate.contact_keys as keys join crm.contact using (contact_id) where crm_id = '3'";
    let before: serde_json::Value = value(&db, third, &[]).await;
    let mut brought = before.clone();
    brought[0]["city"] = "bergen".into();
    brought[0]["blocks"].as_array_mut().unwrap().push(4712.into());
    pool.query("select gate.add_keys($1)", &[&brought]).await.unwrap();
    assert_eq!(shown(Some("cedar"), None).await, ["3", "13"]);
    pool.query("select gate.put_keys($1, $2)", &[&before, &normalizer.version()])
        .await
        .unwrap();
    assert_eq!(shown(Some("cedar"), None).await, ["3", "13"]);
    assert_eq!(value::<i64>(&db, ASTRAY, &[]).await, 0);
}

#[tokio::test]
async fn few_who_bear_one_name_are_shown_unless_they_live_in_two_towns() {
    let db = TestDb::new().await;
    let pool = db.store().client().await.unwrap();
    let normalizer = normalizer_of(None, &lists_in_force(&pool).await.unwrap()).unwrap();
    let contacts: Vec<Record> = [("Acorn", "Oslo"), ("Birch", "Bergen"), ("Cedar", ""), ("", "Bergen")]
        .iter()
        .zip(1..)
        .map(|((firm, city), place)| record(place, &["Anna", "Lindgren", firm, "", "", city]))
        .collect();
    MirrorRows::new(&contacts, &normalizer).write(&pool).await.unwrap();
    let block = blocks(&normalizer, &["Anna", "Lindgren", "", "", "", ""])
        .into_iter()
        .find(|block| block.starts_with("lastinit:"))
        .unwrap();
    let shown = async |city: Option<&str>| -> Vec<String> {
        let asked = "select crm_id from gate.sharing_block($1, gate.glance('dogwood', null, $2, null), 0, 0)
            join crm.contact using (contact_id) order by crm_id::integer";
        let rows = pool.query(asked, &[&block_hash(&block), &city]).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    };
    assert_eq!(
        shown(Some("oslo")).await,
        ["1", "3", "4"],
        "one whose employer is not known lives anywhere"
    );
    assert_eq!(shown(None).await, ["1", "2", "3", "4"]);
}

#[tokio::test]
async fn any_other_block_shows_those_who_may_bear_the_given_name() {
    let db = TestDb::new().await;
    let pool = db.store().client().await.unwrap();
    let normalizer = normalizer_of(None, &lists_in_force(&pool).await.unwrap()).unwrap();
    let given = ["Anna", "Karl", "Robert", "Doris", "Ines", "Obin", ""];
    let contacts: Vec<Record> = (1..)
        .zip(given)
        .map(|(place, given)| record(place, &[given, "Lindgren", "", "", "", "Uppsala"]))
        .collect();
    MirrorRows::new(&contacts, &normalizer).write(&pool).await.unwrap();

    let block = blocks(&normalizer, &["Anna", "Lindgren", "", "", "", "Uppsala"])
        .into_iter()
        .find(|block| block.starts_with("lastcity:"))
        .unwrap();
    let shown = async |first_name: Option<&str>| -> Vec<String> {
        let asked =
            "select coalesce(first_name, '') from gate.given_glances_asked(array[$2::text], array[null::text]) as asked
            cross join gate.sharing_block($1, 0, asked.glance, 0)
            join crm.contact using (contact_id) order by contact_id";
        let rows = pool.query(asked, &[&block_hash(&block), &first_name]).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    };
    assert_eq!(shown(None).await, given, "whose given name is not known");
    // The same, a short form, a wrong first letter, one that was left out, a second given name.
    for (asked, found) in [
        ("ines", "Ines"),
        ("bob", "Robert"),
        ("toris", "Doris"),
        ("robin", "Obin"),
        ("eva ines", "Ines"),
    ] {
        let shown = shown(Some(asked)).await;
        assert!(shown.iter().any(|given| given == found), "{asked}: {shown:?}");
        assert!(!shown.iter().any(|given| given == "Karl"), "{asked}: {shown:?}");
    }
}

#[tokio::test]
async fn a_block_of_a_given_name_and_an_employer_shows_those_who_may_bear_the_family_name() {
    let db = TestDb::new().await;
    let pool = db.store().client().await.unwrap();
    let normalizer = normalizer_of(None, &lists_in_force(&pool).await.unwrap()).unwrap();
    let families = ["Lindgren", "Karlsson", "Berg Olsen", "van der Meer", "Nyman", ""];
    let contacts: Vec<Record> = (1..)
        .zip(families)
        .map(|(place, family)| record(place, &["Anna", family, "Fjordbyte", "", "", ""]))
        .collect();
    MirrorRows::new(&contacts, &normalizer).write(&pool).await.unwrap();

    let block = blocks(&normalizer, &["Anna", "Lindgren", "Fjordbyte", "", "", ""])
        .into_iter()
        .find(|block| block.starts_with("cofirst:"))
        .unwrap();
    let shown = async |last_name: Option<&str>| -> Vec<String> {
        let asked = "select coalesce(last_name, '') from gate.sharing_block($1, 0, 0, gate.family_glance($2, null))
            join crm.contact using (contact_id) order by contact_id";
        let rows = pool.query(asked, &[&block_hash(&block), &last_name]).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    };
    assert_eq!(shown(None).await, families, "whose family name is not known");
    // The same, a wrong second letter, the last of two names, one of two that are asked for, another particle.
    for (asked, found) in [
        ("nyman", "Nyman"),
        ("lundgren", "Lindgren"),
        ("olsen", "Berg Olsen"),
        ("karlsson nord", "Karlsson"),
        ("der meer", "van der Meer"),
    ] {
        let shown = shown(Some(asked)).await;
        assert!(shown.iter().any(|family| family == found), "{asked}: {shown:?}");
        assert!(shown.iter().any(|family| family.is_empty()), "{asked}: {shown:?}");
        assert!(shown.len() < families.len() - 1, "{asked}: {shown:?}");
    }
}
