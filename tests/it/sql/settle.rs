//! Merges that are taken back, and reports that come too late.

use super::{count, value};
use crate::support::TestDb;

fn returned(crm_id: &str, absorbed: &str) -> String {
    format!(
        "select * from gate.mirror_write('[{{\"crm_id\": \"{crm_id}\", \"email\": \"a{crm_id}@example.com\", \"updated_at\": \"2026-01-01\",
           \"absorbed_ids\": [{absorbed}], \"keys\": {{\"emails\": [], \"loose_emails\": [], \"phones\": [], \"blocks\": []}}}}]', 'test')"
    )
}

#[tokio::test]
async fn two_contacts_that_are_said_to_have_absorbed_each_other_are_no_loop_the_last_word_counts() {
    let db = TestDb::new().await;
    for page in [returned("1", ""), returned("3", "\"1\""), returned("1", "\"3\"")] {
        db.run(&page).await;
    }
    assert_eq!(count(&db, "crm.contact_alias").await, 1);
    let alive: String = value(
        &db,
        "select string_agg(crm_id, ' ') from crm.contact where archived_at is null",
        &[],
    )
    .await;
    assert_eq!(alive, "1");
    for asked in ["1", "3"] {
        let found: String = value(&db, "select gate.find_contact(null, $1) ->> 'crm_id'", &[&asked]).await;
        assert_eq!(found, "1", "asked for {asked}");
    }
}

#[tokio::test]
async fn what_is_reported_too_late_changes_nothing_and_is_kept() {
    let db = TestDb::new().await;
    db.run(
        "insert into crm.contact (gatekeeper_key, email) values ('v1.x', 'a@example.com');
         insert into gate.intent (intent_id, contact_id, operation, gatekeeper_key, body, origin, replica_id, epoch)
         select '00000000-0000-0000-0000-000000000002', contact_id, 'create', 'v1.x', '{}', '{}', gen_random_uuid(), 2
         from crm.contact",
    )
    .await;
    let fenced: i32 = value(
        &db,
        r#"select gate.settle('[{"intent_id": "00000000-0000-0000-0000-000000000002", "epoch": 1, "outcome": "applied",
             "crm_id": "8"}]', null, 30, 8, 'test')"#,
        &[],
    )
    .await;
    assert_eq!(fenced, 1);
    assert_eq!(count(&db, "gate.intent where state = 'open'").await, 1);
    let kept: String = value(
        &db,
        "select concat_ws(' ', epoch::text, outcome, crm_id) from audit.late_report",
        &[],
    )
    .await;
    assert_eq!(kept, "1 applied 8");
}
