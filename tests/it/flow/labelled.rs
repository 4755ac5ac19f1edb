//! The matcher finds out who is who among the labelled contacts of the project, as well as it did before.

use std::collections::{BTreeMap, HashMap};

use gatekeeper::domain::{Field, Record};
use gatekeeper::duplicates::scan;
use gatekeeper::rulebook::{lists_in_force, normalizer_of};
use gatekeeper::store::mirror::MirrorRows;

use crate::support::TestDb;

/// Columns of the file, and the fields that they are.
const FIELDS: [(&str, &str); 12] = [
    ("first_name", "first_name"),
    ("last_name", "last_name"),
    ("company", "company"),
    ("email", "email"),
    ("phone", "phone"),
    ("mobile", "mobile_phone"),
    ("title", "job_title"),
    ("street", "street"),
    ("city", "city"),
    ("state", "state"),
    ("postal_code", "postal_code"),
    ("country", "country"),
];

/// Pairs of those that have one label.
fn pairs<K: Ord>(labels: impl Iterator<Item = K>) -> u64 {
    let mut sizes: BTreeMap<K, u64> = BTreeMap::new();
    for label in labels {
        *sizes.entry(label).or_default() += 1;
    }
    sizes.into_values().map(|size| size * (size - 1) / 2).sum()
}

/// Precision and recall of the pairs that a scan of these contacts finds.
async fn scanned(labelled: &[u8]) -> (f64, f64) {
    let rows: Vec<HashMap<String, String>> = csv::Reader::from_reader(labelled)
        .deserialize()
        .collect::<Result<_, _>>()
        .unwrap();
    let records: Vec<Record> = rows
        .iter()
        .map(|row| Record {
            crm_id: row["id"].clone(),
            values: FIELDS
                .iter()
                .filter(|(column, _)| !row[*column].is_empty())
                .map(|(column, field)| (Field::from_name(field), row[*column].clone()))
                .collect(),
            ..Record::default()
        })
        .collect();
    let db = TestDb::new().await;
    let client = db.store().client().await.unwrap();
    let normalizer = normalizer_of(None, &lists_in_force(&client).await.unwrap()).unwrap();
    MirrorRows::new(&records, &normalizer).write(&client).await.unwrap();
    scan(db.store(), false, 10, |_| ()).await.unwrap();

    let found = client
        .query("select crm_id, group_id from report.duplicate_member", &[])
        .await
        .unwrap();
    let group_of: HashMap<String, i64> = found.iter().map(|row| (row.get(0), row.get(1))).collect();
    let person = |id: &str| {
        rows.iter()
            .find(|row| row["id"] == id)
            .map(|row| row["entity_id"].clone())
    };
    let due = pairs(rows.iter().map(|row| &row["entity_id"]));
    let said = pairs(group_of.values());
    let right = pairs(group_of.iter().map(|(id, group)| (*group, person(id))));
    let (precision, recall) = (right as f64 / said as f64, right as f64 / due as f64);
    println!("precision {precision:.4}, recall {recall:.4} of {due} pairs");
    (precision, recall)
}

#[tokio::test]
async fn of_the_labelled_contacts_few_are_missed_and_fewer_mixed() {
    let (precision, recall) = scanned(include_bytes!("../../../benches/eval/labelled.csv")).await;
    assert!(precision >= 0.98, "precision {precision}");
    assert!(recall >= 0.98, "recall {recall}");
}

#[tokio::test]
async fn of_private_people_few_are_missed_and_fewer_mixed() {
    let (precision, recall) = scanned(include_bytes!("../../../benches/eval/private.csv")).await;
    assert!(precision >= 0.96, "precision {precision}");
    assert!(recall >= 0.92, "recall {recall}");
}
