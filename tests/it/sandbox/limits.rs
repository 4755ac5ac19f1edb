//! Request limits through real HTTP: exact, with the documented headers and bodies.

use std::time::{Duration, Instant};

use gatekeeper::sandbox::{Limits, Options};
use serde_json::json;

use super::caller::Caller;

async fn limited(limits: Limits) -> Caller {
    Caller::new(Options {
        limits: Some(limits),
        ..Options::default()
    })
    .await
}

#[tokio::test]
async fn the_190th_request_passes_and_the_191st_does_not() {
    let crm = limited(Limits {
        window: Duration::from_secs(60),
        ..Limits::PROFESSIONAL
    })
    .await;
    for n in 1..=190 {
        let answer = crm.get("").await;
        assert_eq!(answer.status, 200, "request {n}");
        assert_eq!(
            answer.header("x-hubspot-ratelimit-remaining"),
            Some((190 - n).to_string().as_str())
        );
    }
    let refused = crm.get("").await;
    assert_eq!(refused.status, 429);
    assert_eq!(
        (&refused.body["policyName"], &refused.body["errorType"]),
        (&json!("TEN_SECONDLY_ROLLING"), &json!("RATE_LIMIT"))
    );
    for (name, value) in [
        ("x-hubspot-ratelimit-max", "190"),
        ("x-hubspot-ratelimit-remaining", "0"),
        ("x-hubspot-ratelimit-interval-milliseconds", "60000"),
        ("x-hubspot-ratelimit-daily", "625000"),
        ("x-hubspot-ratelimit-daily-remaining", "624810"),
    ] {
        assert_eq!(refused.header(name), Some(value), "{name}");
    }
    assert_eq!(
        crm.post("/search", json!({})).await.status,
        200,
        "search has a limit of its own"
    );
    let counts = crm.counts();
    assert_eq!(
        (counts.requests["list"]["200"], counts.requests["list"]["429"]),
        (190, 1)
    );
    assert_eq!((counts.most_in_10s <= 191, counts.most_searches_in_1s), (true, 1));
}

#[tokio::test]
async fn the_window_rolls_and_lets_pass_what_has_left_it() {
    let window = Duration::from_millis(1500);
    let crm = limited(Limits {
        general: 2,
        window,
        ..Limits::PROFESSIONAL
    })
    .await;
    let start = Instant::now();
    assert_eq!(crm.get("").await.status, 200);
    tokio::time::sleep(window / 2).await;
    let second_sent = Instant::now();
    assert_eq!(crm.get("").await.status, 200);
    assert_eq!(crm.get("").await.status, 429);
    // The first leaves the window after its length, the second does not yet.
    while crm.get("").await.status == 429 {
        assert!(start.elapsed() < window * 4);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(start.elapsed() >= window, "not before the first has left");
    if second_sent.elapsed() < window - Duration::from_millis(200) {
        assert_eq!(crm.get("").await.status, 429, "only one place was free");
    }
}

#[tokio::test]
async fn search_is_limited_by_itself_and_carries_daily_headers_alone() {
    let limits = Limits {
        search_window: Duration::from_secs(60),
        daily: 100,
        ..Limits::PROFESSIONAL
    };
    let crm = limited(limits).await;
    for n in 1..=5 {
        let answer = crm.post("/search", json!({})).await;
        assert_eq!(answer.status, 200);
        assert_eq!(
            answer.header("x-hubspot-ratelimit-daily-remaining"),
            Some((100 - n).to_string().as_str())
        );
        assert_eq!(answer.header("x-hubspot-ratelimit-remaining"), None);
    }
    let refused = crm.post("/search", json!({})).await;
    assert_eq!(
        (refused.status, &refused.body["category"]),
        (429, &json!("RATE_LIMITS"))
    );
    assert_eq!(refused.body["message"], "You have reached your secondly limit.");
    assert_eq!(
        crm.get("").await.header("x-hubspot-ratelimit-remaining"),
        Some("189"),
        "exempt from the general window"
    );
}

#[tokio::test]
async fn the_daily_limit_is_shared_by_all_tokens_and_by_search() {
    let limits = Some(Limits {
        daily: 2,
        ..Limits::PROFESSIONAL
    });
    let mut crm = Caller::new(Options {
        limits,
        other_tokens: vec!["other".to_owned()],
        ..Options::default()
    })
    .await;
    assert_eq!(crm.get("").await.status, 200);
    assert_eq!(crm.post("/search", json!({})).await.status, 200);
    crm.token = "other".to_owned();
    let refused = crm.get("").await;
    assert_eq!((refused.status, &refused.body["policyName"]), (429, &json!("DAILY")));
    assert_eq!(refused.body["message"], "You have reached your daily limit.");
    let hashes: std::collections::BTreeSet<_> = crm
        .requests()
        .into_iter()
        .map(|request| request.token.unwrap())
        .collect();
    assert_eq!(hashes.len(), 2);
    assert!(!hashes.contains("other"), "the journal has no tokens");
}

#[tokio::test]
async fn without_limits_there_are_no_limit_headers() {
    let crm = Caller::plain().await;
    let answer = crm.get("").await;
    assert!(!answer.headers.keys().any(|name| name.as_str().contains("ratelimit")));
}
