//! Matching looks people up by index: the plans that the server really uses, with 20,000 contacts.

use serde_json::json;
use tokio_postgres::AsyncMessage;

use super::session::Session;
use crate::support::TestDb;

/// 20,000 people with an address, a number, a name, and six blocks each, of which some are shared.
const PEOPLE: &str = "
    insert into crm.contact (crm_id, email, phone, first_name, last_name, company)
    select n::text, 'p' || n || '@c' || n % 900 || '.example', '+4930' || 1000000 + n, 'f' || n % 400, 'l' || n % 3000, 'c' || n % 900
    from generate_series(1, 20000) as n;

    insert into gate.contact_keys (
      contact_id, emails, loose_emails, phones, first_name, last_name, company, email_domain, email_local, blocks, normalizer
    )
    select
      contact_id, array[email], '{}', array[phone], first_name, last_name, company, 'c' || contact_id % 900 || '.example',
      'p' || contact_id, array(select (contact_id * 31 + k * 1000003) % 40000 from generate_series(1, 6) as k), 'test'
    from crm.contact;

    insert into gate.identifier (kind, value, contact_id)
    select 'email', unnest(emails), contact_id from gate.contact_keys
    union all
    select 'phone', unnest(phones), contact_id from gate.contact_keys;

    insert into gate.block_key (block, contact_id)
    select distinct unnest(blocks), contact_id from gate.contact_keys;

    insert into crm.contact_field (contact_id, field, value, source, occurred_at, rule)
    select contact_id, field, 'x', 'web', now(), 'blank'
    from crm.contact
    cross join unnest(array['email', 'phone']) as field;

    insert into gate.intent (intent_id, contact_id, operation, crm_id, body, origin, replica_id)
    select gen_random_uuid(), contact_id, 'update', crm_id, '{}', '{}', gen_random_uuid()
    from crm.contact
    where contact_id % 2 = 0;

    insert into gate.work (lead_id, state) select n, 'done' from generate_series(1, 20000) as n;
    select gate.count_terms();
    analyze;";

/// Runs a query and returns the plans of it and of all that it called.
pub(super) async fn plans(db: &TestDb, sql: &str) -> String {
    let mut session = Session::open(db).await;
    session
        .run(
            "load 'auto_explain';
             set auto_explain.log_min_duration = 0;
             set auto_explain.log_nested_statements = on;
             set auto_explain.log_analyze = on;
             set auto_explain.log_timing = off;
             set client_min_messages = log;",
        )
        .await;
    session.run(sql).await;
    session.run("set client_min_messages = warning").await;
    let mut plans = String::new();
    while let Ok(message) = session.heard.try_recv() {
        if let AsyncMessage::Notice(notice) = message {
            plans.push_str(notice.message());
            plans.push('\n');
        }
    }
    assert!(plans.contains("Query Text"), "auto_explain said nothing: {plans}");
    plans
}

#[track_caller]
fn uses(plans: &str, wanted: &[&str], never_scanned: &[&str]) {
    for index in wanted {
        assert!(plans.contains(index), "{index} is not used:\n{plans}");
    }
    for table in never_scanned {
        assert!(
            !plans.contains(&format!("Seq Scan on {table}")),
            "{table} is read whole:\n{plans}"
        );
        assert!(
            !plans.contains(&format!("Seq Scan on gate.{table}")),
            "{table} is read whole:\n{plans}"
        );
    }
}

#[tokio::test]
async fn matching_and_its_neighbours_read_by_index() {
    let db = TestDb::new().await;
    db.run(PEOPLE).await;
    // Half of them carry no identifier, so that the fuzzy tier is asked.
    let leads: Vec<_> = (0..200)
        .map(|ord| {
            let carries = ord % 2 == 0;
            json!({
                "contact_id": -1 - ord,
                "emails": carries.then(|| format!("p{}@c{}.example", ord * 7 + 1, (ord * 7 + 1) % 900)).into_iter().collect::<Vec<_>>(),
                "loose_emails": [format!("loose{ord}@example.com")],
                "phones": carries.then(|| format!("+4930{}", 1_000_500 + ord)).into_iter().collect::<Vec<_>>(),
                "first_name": format!("f{ord}"), "last_name": format!("l{ord}"), "company": format!("c{ord}"),
                "email_domain": null, "city": null, "blocks": [ord * 3, ord * 5 + 1, 100_000 + ord],
            })
        })
        .collect();
    let found = plans(&db, &format!("select * from gate.match_leads('{}')", json!(leads))).await;
    uses(
        &found,
        &["identifier_pkey", "block_key_pkey", "contact_keys_pkey", "term_pkey"],
        &["identifier", "block_key"],
    );
    let by_identifier = index_conditions(&found, "identifier_pkey");
    uses(&by_identifier, &["kind = ", "value = "], &[]);
    // How rare a value is: one look into the index for each, however many values there are.
    for line in index_conditions(&found, "term_pkey").lines() {
        assert!(line.contains("term_key = "), "{line}:\n{found}");
    }
    for line in found.lines() {
        let of_a_tier = line.contains("identifier_pkey") || line.contains("block_key_pkey");
        assert!(
            !of_a_tier || !line.contains("never executed"),
            "a tier was not asked:\n{found}"
        );
        // That is for a scan of all contacts.
        let whole = line.contains("Seq Scan on contact_keys") || line.contains("Seq Scan on term");
        assert!(!whole || line.contains("never executed"), "{line}:\n{found}");
    }
    // No step compares all with all.
    for line in found.lines().filter(|line| line.contains("Rows Removed by")) {
        let removed: u64 = line
            .rsplit(' ')
            .next()
            .and_then(|number| number.parse().ok())
            .unwrap_or(0);
        assert!(removed < 2000, "{line}:\n{found}");
    }
    // Some functions are called once, with constants, while a plan is made.
    assert!(
        found.matches("Query Text").count() < 40,
        "a comparison is called for each pair instead of being put in its place:\n{found}"
    );

    let known = plans(&db, "select * from gate.known_contacts(array[1, 2, 3])").await;
    uses(
        &known,
        &["contact_pkey", "contact_field_pkey", "intent_one_open"],
        &["contact", "contact_field"],
    );

    let holders = plans(
        &db,
        "select * from gate.holders_of_emails(array['p1@c1.example', 'nobody@example.com'])",
    )
    .await;
    uses(&holders, &["identifier_pkey"], &["identifier"]);
}

#[tokio::test]
async fn claiming_does_not_read_what_is_done() {
    let db = TestDb::new().await;
    db.run(PEOPLE).await;
    db.run("update gate.work set state = 'ready' where lead_id between 1 and 20; analyze gate.work")
        .await;
    let claim = plans(&db, "select * from gate.claim_leads(gen_random_uuid(), 10, 1000000, 3)").await;
    uses(&claim, &["work_ready"], &["work"]);
}

#[tokio::test]
async fn the_state_of_one_lead_is_found_without_reading_the_others() {
    let db = TestDb::new().await;
    db.run(
        "insert into staging.lead (source) select 'web' from generate_series(1, 20000);
         insert into audit.entry (lead_id, action, evidence, policy_version) select lead_id, 'unchanged', '{}', 0 from staging.lead;
         analyze;",
    )
    .await;
    let status = plans(&db, "select * from staging.lead_status where lead_id = 17").await;
    uses(
        &status,
        &["lead_pkey", "work_pkey", "entry_lead"],
        &["lead", "work", "entry"],
    );
}

/// The lines that say by what an index was searched.
fn index_conditions(plans: &str, index: &str) -> String {
    let lines: Vec<&str> = plans.lines().collect();
    let searched = lines
        .windows(2)
        .filter(|pair| pair[0].contains(index) && pair[1].contains("Index Cond"));
    searched.map(|pair| pair[1]).collect::<Vec<_>>().join("\n")
}
