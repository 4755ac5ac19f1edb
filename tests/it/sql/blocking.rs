//! Each kind of blocking key brings those together that share nothing else, and by its index.

use gatekeeper::domain::{Field, Record};
use gatekeeper::normalize::Normalizer;
use gatekeeper::rulebook::{lists_in_force, normalizer_of};
use gatekeeper::store::matching::block_hash;
use gatekeeper::store::mirror::MirrorRows;

use super::plans::plans;
use crate::support::TestDb;

/// A kind, a contact, and a lead that shares a key of this kind alone with it: first name, last name, company, address, phone, town.
const KINDS: [(&str, [&str; 6], [&str; 6]); 9] = [
    (
        "lastco",
        ["Anna", "Lindgren", "Fjordbyte Systems", "", "", ""],
        ["Karl", "Lindgren", "Fjordbank", "", "", ""],
    ),
    (
        "cofirst",
        ["Anna", "Lindgren", "Fjordbyte Systems", "", "", ""],
        ["Anna", "Petrov", "Fjordbyte", "", "", ""],
    ),
    (
        "lastinit",
        ["Anna", "Lindgren", "", "", "", ""],
        ["Alba", "Lindgren", "", "", "", ""],
    ),
    (
        "sound",
        ["Jon", "Meyer", "", "", "", ""],
        ["John", "Maier", "", "", "", ""],
    ),
    (
        "lastcity",
        ["Anna", "Lindgren", "", "", "", "Uppsala"],
        ["Karl", "Lindgren", "", "", "", "Uppsala"],
    ),
    (
        "domlast",
        ["Anna", "Lindgren", "", "a1@fjordbyte.com", "", ""],
        ["Karl", "Lindqvist", "", "k2@fjordbyte.com", "", ""],
    ),
    (
        "local",
        ["Anna", "Lindgren", "", "anna.lindgren@fjordbyte.com", "", ""],
        ["Karl", "Lofgren", "", "anna.lindgren@umbra.fr", "", ""],
    ),
    (
        "words",
        ["Nguyen Ngoc", "Chau", "", "", "", ""],
        ["Chau Nguyen", "Ngoc", "", "", "", ""],
    ),
    (
        "tail",
        ["Anna", "Lindgren", "", "", "+46 8 123 456 78", ""],
        ["Astrid", "Berg", "", "", "+46 8 123 456 78", ""],
    ),
];

fn record(id: usize, values: [&str; 6]) -> Record {
    let fields = ["first_name", "last_name", "company", "email", "phone", "city"];
    Record {
        crm_id: id.to_string(),
        values: fields
            .into_iter()
            .zip(values)
            .filter(|(_, value)| !value.is_empty())
            .map(|(field, value)| (Field::from_name(field), value.to_owned()))
            .collect(),
        ..Record::default()
    }
}

fn blocks(normalizer: &Normalizer, values: [&str; 6]) -> Vec<String> {
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
        .map(|(place, (_, contact, _))| record(place + 1, *contact))
        .collect();
    MirrorRows::new(&contacts, &normalizer).write(&pool).await.unwrap();
    // So many that nobody would read a table of keys from end to end.
    db.run("insert into gate.block_key (block, contact_id) select n, -n from generate_series(1, 20000) as n")
        .await;
    db.run("vacuum analyze gate.block_key").await;

    for (place, (kind, contact, lead)) in KINDS.iter().enumerate() {
        let theirs = blocks(&normalizer, *contact);
        let shared: Vec<String> = blocks(&normalizer, *lead)
            .into_iter()
            .filter(|block| theirs.contains(block))
            .collect();
        let kinds: Vec<&str> = shared.iter().filter_map(|block| block.split(':').next()).collect();
        assert_eq!(kinds, [*kind], "{shared:?} of {theirs:?}");

        let asked = format!("select contact_id from gate.sharing_block({})", block_hash(&shared[0]));
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
