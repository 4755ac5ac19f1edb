//! Claims: who works on which lead, and how leads come back.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::session::Session;
use super::{count, value};
use crate::support::TestDb;

/// A budget that is never reached.
const PLENTY: i64 = 1 << 40;
/// Claims from which on a lead is taken alone.
const SUSPECT: i32 = 3;

async fn replica(db: &TestDb) -> Uuid {
    let replica = Uuid::new_v4();
    db.client()
        .await
        .execute(
            "select gate.start_replica($1, 'host', 1, 'now', '0', 60, '{}')",
            &[&replica],
        )
        .await
        .unwrap();
    replica
}

async fn leads(db: &TestDb, number: i32) {
    let sql = "insert into staging.lead (source, email) select 'web', 'p' || n || '@example.com' from generate_series(1, $1) as n";
    db.client().await.execute(sql, &[&number]).await.unwrap();
}

async fn claim(client: &tokio_postgres::Client, replica: Uuid, limit: i32, bytes: i64) -> Vec<i64> {
    let sql = "select lead_id from gate.claim_leads($1, $2, $3, $4)";
    let rows = client.query(sql, &[&replica, &limit, &bytes, &SUSPECT]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn claimers_at_the_same_time_share_no_lead_and_keep_their_limit() {
    let db = TestDb::new().await;
    leads(&db, 1000).await;
    let claimers = (0..6).map(|_| async {
        let (session, replica) = (Session::open(&db).await, replica(&db).await);
        let mut mine = Vec::new();
        loop {
            let claimed = claim(&session.client, replica, 37, PLENTY).await;
            assert!(claimed.len() <= 37, "{}", claimed.len());
            if claimed.is_empty() {
                return mine;
            }
            mine.extend(claimed);
        }
    });
    let all: Vec<i64> = futures::future::join_all(claimers).await.concat();
    assert_eq!(all.len(), 1000);
    assert_eq!(
        all.iter().collect::<BTreeSet<_>>().len(),
        1000,
        "a lead was claimed twice"
    );
    assert_eq!(
        count(&db, "gate.work where state = 'claimed' and epoch = 1 and claims = 1").await,
        1000
    );
}

#[tokio::test]
async fn leads_that_another_transaction_holds_are_skipped_not_waited_for() {
    let db = TestDb::new().await;
    leads(&db, 10).await;
    let (slow, quick) = (Session::open(&db).await, Session::open(&db).await);
    let (first, second) = (replica(&db).await, replica(&db).await);
    slow.run("begin").await;
    let held = claim(&slow.client, first, 4, PLENTY).await;
    quick.run("set lock_timeout = 1").await;
    let others = claim(&quick.client, second, 100, PLENTY).await;
    assert_eq!((held.len(), others.len()), (4, 6));
    slow.run("rollback").await;
    assert_eq!(claim(&quick.client, second, 100, PLENTY).await, held);
}

#[tokio::test]
async fn a_claim_stays_below_its_budget_of_bytes_but_takes_one_lead_at_least() {
    let db = TestDb::new().await;
    db.run("insert into staging.lead (source, company) select 'web', repeat('x', 10000) from generate_series(1, 5)")
        .await;
    let (session, replica) = (Session::open(&db).await, replica(&db).await);
    assert_eq!(claim(&session.client, replica, 100, 25_000).await.len(), 2);
    assert_eq!(claim(&session.client, replica, 100, 10).await.len(), 1);
    assert_eq!(claim(&session.client, replica, 100, PLENTY).await.len(), 2);
}

#[tokio::test]
async fn a_lead_that_was_claimed_often_is_taken_alone() {
    let db = TestDb::new().await;
    leads(&db, 5).await;
    let ids: Vec<i64> = value(&db, "select array_agg(lead_id order by lead_id) from gate.work", &[]).await;
    db.client()
        .await
        .execute("update gate.work set claims = 3 where lead_id = $1", &[&ids[2]])
        .await
        .unwrap();
    let (session, replica) = (Session::open(&db).await, replica(&db).await);
    let mut claims = Vec::new();
    for _ in 0..3 {
        claims.push(claim(&session.client, replica, 100, PLENTY).await);
    }
    assert_eq!(claims, [ids[..2].to_vec(), vec![ids[2]], ids[3..].to_vec()]);
}

#[tokio::test]
async fn a_lead_that_is_not_due_yet_is_not_claimed() {
    let db = TestDb::new().await;
    leads(&db, 2).await;
    db.run(
        "update gate.work set next_at = now() + interval '1 hour' where lead_id = (select min(lead_id) from gate.work)",
    )
    .await;
    let (session, replica) = (Session::open(&db).await, replica(&db).await);
    assert_eq!(claim(&session.client, replica, 100, PLENTY).await.len(), 1);
    let due: f64 = value(&db, "select gate.next_due()", &[]).await;
    assert!((3500.0..=3600.0).contains(&due), "{due}");
}

#[tokio::test]
async fn claims_of_a_dead_replica_come_back_with_their_count() {
    let db = TestDb::new().await;
    leads(&db, 3).await;
    let (session, dead) = (Session::open(&db).await, replica(&db).await);
    claim(&session.client, dead, 100, PLENTY).await;
    assert_eq!(
        value::<i64>(&db, "select gate.rescue_claims()", &[]).await,
        0,
        "its lease holds"
    );
    db.run("update gate.replica set lease_until = now() - interval '1 second'")
        .await;
    assert!(
        !value::<bool>(&db, "select gate.beat($1, 60)", &[&dead]).await,
        "a lease that ran out is not prolonged"
    );
    assert_eq!(value::<i64>(&db, "select gate.rescue_claims()", &[]).await, 3);
    assert_eq!(count(&db, "gate.work where state = 'ready' and claims = 1").await, 3);
}

#[tokio::test]
async fn a_start_on_the_same_machine_ends_the_leases_of_processes_that_are_gone() {
    let db = TestDb::new().await;
    let client = db.client().await;
    let start = "select gate.start_replica(gen_random_uuid(), $1, $2, 'then', '0', 60, $3)";
    for (host, process) in [("here", 1), ("here", 2), ("there", 2)] {
        client
            .execute(start, &[&host, &process, &Vec::<String>::new()])
            .await
            .unwrap();
    }
    // Another one started since the daemon looked: it is not among those that are gone.
    let gone = vec!["2:then".to_owned()];
    client.execute(start, &[&"here", &3, &gone]).await.unwrap();
    let rows = client
        .query(
            "select host_id || ' ' || process_id from gate.replica where lease_until <= clock_timestamp()",
            &[],
        )
        .await
        .unwrap();
    assert_eq!(rows.iter().map(|row| row.get(0)).collect::<Vec<String>>(), ["here 2"]);
}

#[tokio::test]
async fn leads_that_are_handed_back_or_left_at_a_clean_stop_are_not_charged() {
    let db = TestDb::new().await;
    leads(&db, 4).await;
    let (session, replica) = (Session::open(&db).await, replica(&db).await);
    let mine = claim(&session.client, replica, 2, PLENTY).await;
    claim(&session.client, replica, 2, PLENTY).await;
    let client = db.client().await;
    client
        .execute("select gate.release_leads($1, $2, 60)", &[&replica, &mine])
        .await
        .unwrap();
    assert_eq!(
        count(
            &db,
            "gate.work where state = 'ready' and claims = 0 and next_at > now() + interval '50 s'"
        )
        .await,
        2
    );
    client
        .execute("select gate.stop_replica($1)", &[&replica])
        .await
        .unwrap();
    assert_eq!(
        count(
            &db,
            "gate.work where state = 'ready' and claims = 0 and replica_id is null"
        )
        .await,
        4
    );
    assert_eq!(value::<i64>(&db, "select gate.rescue_claims()", &[]).await, 0);
}

#[tokio::test]
async fn another_replica_cannot_hand_back_what_is_not_its_own() {
    let db = TestDb::new().await;
    leads(&db, 1).await;
    let (session, mine, other) = (Session::open(&db).await, replica(&db).await, replica(&db).await);
    let leads = claim(&session.client, mine, 1, PLENTY).await;
    db.client()
        .await
        .execute("select gate.release_leads($1, $2, 0)", &[&other, &leads])
        .await
        .unwrap();
    assert_eq!(count(&db, "gate.work where state = 'claimed'").await, 1);
}

#[tokio::test]
async fn a_lead_whose_row_was_deleted_is_claimed_as_such() {
    let db = TestDb::new().await;
    leads(&db, 1).await;
    db.run("delete from staging.lead").await;
    let replica = replica(&db).await;
    let there: bool = value(
        &db,
        "select is_there from gate.claim_leads($1, 1, 1000, 3)",
        &[&replica],
    )
    .await;
    assert!(!there);
}

#[tokio::test]
async fn a_time_that_cannot_be_counts_as_the_time_of_arrival() {
    let db = TestDb::new().await;
    db.run(
        "insert into staging.lead (source, occurred_at)
         values ('web', null), ('web', 'infinity'), ('web', '-infinity'), ('web', now() + interval '1 day'), ('web', '1066-10-14'),
           ('web', '2020-02-29 12:00+00')",
    )
    .await;
    let replica = replica(&db).await;
    let sql = "select array_agg(case when claimed.occurred_at = lead.received_at then 'arrival' else claimed.occurred_at::date::text end
                 order by lead_id)
               from gate.claim_leads($1, 100, 1000000, 3) as claimed
               join staging.lead using (lead_id)";
    let times: Vec<String> = value(&db, sql, &[&replica]).await;
    assert_eq!(
        times,
        ["arrival", "arrival", "arrival", "arrival", "arrival", "2020-02-29"]
    );
}
