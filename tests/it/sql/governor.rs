//! The governor's rows: no rolling window ever sees more calls than the limit.

use std::time::{Duration, Instant};

use super::session::Session;
use super::{count, value};
use crate::support::{TestDb, eventually};

const TAKE: &str = "select wait_ms, coalesce(why, '') from gate.take_permit($1, $2, $3, $4, $5)";

/// How long to wait, and why; 0 when leave was given.
async fn take(client: &tokio_postgres::Client, limit: i32, window_ms: i32, daily: i64, share: f32) -> (i64, String) {
    let row = client
        .query_one(TAKE, &[&"general", &limit, &window_ms, &daily, &share])
        .await
        .unwrap();
    (row.get(0), row.get(1))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_rolling_window_sees_more_than_the_limit_whoever_asks() {
    const LIMIT: usize = 10;
    const WINDOW_MS: i32 = 200;
    let db = TestDb::new().await;
    db.run(
        "create table public.granted (at timestamptz);
         create function public.note() returns trigger language plpgsql as $$
         begin
           insert into public.granted values (new.grants[cardinality(new.grants)]);
           return null;
         end $$;
         create trigger note after update of grants on gate.governor for each row execute function public.note();",
    )
    .await;
    let begun = Instant::now();
    let askers = (0..4).map(|_| async {
        let session = Session::open(&db).await;
        while begun.elapsed() < Duration::from_millis(900) {
            let (wait, _) = take(&session.client, LIMIT as i32, WINDOW_MS, 0, 1.0).await;
            tokio::time::sleep(Duration::from_millis(wait as u64)).await;
        }
    });
    futures::future::join_all(askers).await;
    let sql = "select coalesce(array_agg(extract(epoch from at)::float8 order by at), '{}') from public.granted";
    let times: Vec<f64> = value(&db, sql, &[]).await;
    assert!(times.len() >= 3 * LIMIT, "the limit is used: {} grants", times.len());
    for (first, next) in times.iter().zip(times.iter().skip(LIMIT)) {
        assert!(next - first >= 0.2 - 1e-6, "{} calls in {} s", LIMIT + 1, next - first);
    }
}

#[tokio::test]
async fn who_must_wait_is_told_how_long_and_waits_no_longer() {
    let db = TestDb::new().await;
    let client = db.client().await;
    for _ in 0..3 {
        assert_eq!(take(&client, 3, 400, 0, 1.0).await.0, 0);
    }
    let (wait, why) = take(&client, 3, 400, 0, 1.0).await;
    assert!((1..=400).contains(&wait), "{wait}");
    assert_eq!(why, "rolling window");
    eventually(Duration::from_secs(2), "leave is given again", async || {
        match take(&client, 3, 400, 0, 1.0).await {
            (0, _) => Ok(()),
            other => Err(other),
        }
    })
    .await;
}

#[tokio::test]
async fn a_low_priority_leaves_room_for_a_higher_one() {
    let db = TestDb::new().await;
    let client = db.client().await;
    let mut low = 0;
    while take(&client, 10, 60_000, 0, 0.5).await.0 == 0 {
        low += 1;
    }
    assert_eq!(low, 5);
    assert_eq!(take(&client, 10, 60_000, 0, 1.0).await.0, 0);
}

#[tokio::test]
async fn a_limit_whose_row_is_lost_begins_anew_when_what_was_granted_counts_no_more() {
    let db = TestDb::new().await;
    let client = db.client().await;
    assert_eq!(take(&client, 1, 60_000, 0, 1.0).await.0, 0);
    db.run("delete from gate.governor").await;
    let (wait, why) = take(&client, 1, 60_000, 0, 1.0).await;
    assert!((59_000..=60_000).contains(&wait), "{wait}");
    assert_eq!(why, "the row of this limit was lost");
    db.run("update gate.governor set paused_until = now()").await;
    assert_eq!(take(&client, 1, 60_000, 0, 1.0).await.0, 0);
}

#[tokio::test]
async fn a_pause_stops_all_and_is_never_shortened() {
    let db = TestDb::new().await;
    let client = db.client().await;
    client
        .execute("select gate.pause_bucket('general', 60, 'answered 429')", &[])
        .await
        .unwrap();
    client
        .execute("select gate.pause_bucket('general', 1, 'a shorter one')", &[])
        .await
        .unwrap();
    let (wait, _) = take(&client, 100, 1000, 0, 1.0).await;
    assert!((58_000..=60_000).contains(&wait), "{wait}");
    assert_eq!(
        count(&db, "gate.governor where cardinality(grants) > 0").await,
        0,
        "nothing was granted"
    );
    let search = "select wait_ms from gate.take_permit('search', 5, 1000, 0, 1)";
    assert_eq!(value::<i64>(&db, search, &[]).await, 0, "the other limit goes on");
    client
        .execute("select gate.pause_bucket('daily', 120, 'the token is refused')", &[])
        .await
        .unwrap();
    assert!(
        value::<i64>(&db, search, &[]).await > 60_000,
        "a pause of the day is for all"
    );
}

#[tokio::test]
async fn the_daily_limit_holds_until_the_accounts_midnight() {
    let db = TestDb::new().await;
    let client = db.client().await;
    for _ in 0..3 {
        assert_eq!(take(&client, 100, 1000, 3, 1.0).await.0, 0);
    }
    let (wait, why) = take(&client, 100, 1000, 3, 1.0).await;
    assert!(
        (1..=60_000).contains(&wait),
        "asked again at least once a minute: {wait}"
    );
    assert_eq!(why, "daily limit");
    db.run("update gate.governor set day = day - 1 where bucket = 'daily'")
        .await;
    assert_eq!(take(&client, 100, 1000, 3, 1.0).await.0, 0, "a new day");
    assert_eq!(
        value::<i64>(&db, "select day_used from gate.governor where bucket = 'daily'", &[]).await,
        1
    );
    let midnight: f64 = value(&db, "select gate.seconds_to_midnight()", &[]).await;
    assert!((0.0..=86_400.0).contains(&midnight), "{midnight}");
}

#[tokio::test]
async fn what_others_used_of_the_limit_counts_and_what_we_know_better_stays() {
    let db = TestDb::new().await;
    let client = db.client().await;
    let learn = "select gate.learn_usage('general', $1, 60000, $2)";
    assert_eq!(take(&client, 10, 60_000, 100, 1.0).await.0, 0);
    client.execute(learn, &[&8_i32, &40_i64]).await.unwrap();
    client.execute(learn, &[&2_i32, &5_i64]).await.unwrap();
    client.execute(learn, &[&None::<i32>, &None::<i64>]).await.unwrap();
    let mut more = 0;
    while take(&client, 10, 60_000, 100, 1.0).await.0 == 0 {
        more += 1;
    }
    assert_eq!(more, 2, "ten less the eight that were used");
    assert_eq!(
        value::<i64>(&db, "select day_used from gate.governor where bucket = 'daily'", &[]).await,
        42
    );
}

#[tokio::test]
async fn where_much_fails_retries_wait_and_first_tries_go_on() {
    let db = TestDb::new().await;
    let client = db.client().await;
    db.run("update gate.retry_budget set tokens = 12, counted_at = clock_timestamp()")
        .await;
    let retry = async |cost: i32| -> (i64, String) {
        let sql = "select wait_ms, coalesce(why, '') from gate.take_permit('general', 0, 1000, 0, 1, false, $1)";
        let row = client.query_one(sql, &[&cost]).await.unwrap();
        (row.get(0), row.get(1))
    };
    assert_eq!(retry(5).await.0, 0);
    assert_eq!(retry(5).await.0, 0);
    let (wait, why) = retry(5).await;
    assert_eq!(why, "the budget for retries is spent");
    assert!((1..=3000).contains(&wait), "a token comes back each second: {wait}");
    assert!(retry(10).await.0 > 5000, "a call that was not answered was dearer");
    assert_eq!(retry(0).await.0, 0, "a first try costs nothing");
    // What works pays it back, what fails does not.
    let call = |failure: &str| {
        format!(
            "select gate.note_call(jsonb_build_object('called_at', now(), 'operation', 'read', 'priority', 'live',
               'rows_sent', 1, 'duration_ms', 1, 'replica_id', gen_random_uuid(), 'failure', {failure}))"
        )
    };
    db.run(&call("'no_answer'")).await;
    assert_eq!(retry(5).await.1, "the budget for retries is spent");
    for _ in 0..4 {
        db.run(&call("null::text")).await;
    }
    assert_eq!(retry(5).await.0, 0);
    db.run("update gate.retry_budget set tokens = 499.5").await;
    db.run(&call("null::text")).await;
    let tokens: f64 = value(&db, "select tokens from gate.retry_budget", &[]).await;
    assert!((tokens - 500.0).abs() < 1e-9, "never more than full: {tokens}");
}
