//! The policies, one by one.

use std::collections::BTreeMap;

use super::*;
use crate::decide::policy::FieldRule;

fn at(day: u32) -> DateTime<Utc> {
    DateTime::from_timestamp(86_400 * i64::from(day), 0).unwrap()
}

fn policy(field_policy: FieldPolicy) -> Policy {
    Policy {
        sources: BTreeMap::from([
            ("payments".into(), 90),
            ("crm".into(), 50),
            ("webinar".into(), 20),
            ("fair".into(), 20),
        ]),
        fields: vec![FieldRule {
            field: "*".into(),
            source: "*".into(),
            policy: Some(field_policy),
            ..FieldRule::default()
        }],
        ..Policy::default()
    }
}

fn held(value: Option<&str>, source: Option<&str>, day: u32) -> Current {
    Current {
        value: value.map(Into::into),
        source: source.map(Into::into),
        occurred_at: Some(at(day)),
        ..Current::default()
    }
}

#[track_caller]
fn check(field_policy: FieldPolicy, source: &str, day: u32, current: &Current, verdict: FieldVerdict, words: &str) {
    let incoming = Incoming {
        field: "street",
        value: "Main St 1",
        source,
        occurred_at: at(day),
    };
    let ruling = rule(incoming, current, &policy(field_policy), at(100));
    assert_eq!(ruling.verdict, verdict, "{}", ruling.rule);
    assert!(ruling.rule.contains(words), "{:?} should say {words:?}", ruling.rule);
}

#[test]
fn highest_rank_keeps_the_better_source_however_old() {
    use FieldPolicy::HighestRank;
    let billing = held(Some("Old Rd 9"), Some("payments"), 1);
    check(
        HighestRank,
        "webinar",
        9,
        &billing,
        FieldVerdict::Kept,
        "webinar 20 below payments 90",
    );
    check(HighestRank, "payments", 9, &billing, FieldVerdict::Written, "newer");
    check(HighestRank, "payments", 0, &billing, FieldVerdict::Kept, "not newer");
    let other = held(Some("Old Rd 9"), Some("webinar"), 5);
    check(
        HighestRank,
        "payments",
        1,
        &other,
        FieldVerdict::Written,
        "payments 90 above webinar 20",
    );
    check(HighestRank, "fair", 6, &other, FieldVerdict::Written, "newer");
    check(HighestRank, "fair", 4, &other, FieldVerdict::Kept, "not newer");
}

#[test]
fn a_value_nobody_is_known_to_have_set_is_the_crms() {
    let unknown = Current {
        value: Some("Old Rd 9".into()),
        source: None,
        occurred_at: Some(at(1)),
        ..Current::default()
    };
    check(
        FieldPolicy::HighestRank,
        "webinar",
        9,
        &unknown,
        FieldVerdict::Kept,
        "below crm 50",
    );
    check(
        FieldPolicy::HighestRank,
        "payments",
        0,
        &unknown,
        FieldVerdict::Written,
        "above crm 50",
    );
}

#[test]
fn a_value_cleared_in_the_crm_is_not_a_value_never_filled() {
    let cleared = Current {
        edited_at: Some(at(3)),
        cleared: true,
        ..held(None, Some("crm"), 3)
    };
    check(
        FieldPolicy::HighestRank,
        "webinar",
        9,
        &cleared,
        FieldVerdict::Kept,
        "cleared",
    );
    check(
        FieldPolicy::OnlyIfBlank,
        "payments",
        9,
        &cleared,
        FieldVerdict::Kept,
        "cleared",
    );
    check(
        FieldPolicy::HighestRank,
        "webinar",
        9,
        &Current::default(),
        FieldVerdict::Written,
        "blank",
    );
}

#[test]
fn newest_asks_for_the_time_alone_and_the_rank_breaks_ties() {
    use FieldPolicy::Newest;
    let billing = held(Some("Old Rd 9"), Some("payments"), 5);
    check(
        Newest,
        "webinar",
        6,
        &billing,
        FieldVerdict::Written,
        "newer than payments",
    );
    check(
        Newest,
        "webinar",
        4,
        &billing,
        FieldVerdict::Kept,
        "older than payments",
    );
    check(Newest, "webinar", 5, &billing, FieldVerdict::Kept, "older");
}

#[test]
fn only_if_blank_fills_and_never_replaces_and_never_means_never() {
    let billing = held(Some("Old Rd 9"), Some("webinar"), 1);
    check(
        FieldPolicy::OnlyIfBlank,
        "payments",
        9,
        &billing,
        FieldVerdict::Kept,
        "not blank",
    );
    check(
        FieldPolicy::OnlyIfBlank,
        "webinar",
        9,
        &Current::default(),
        FieldVerdict::Written,
        "blank",
    );
    check(
        FieldPolicy::Never,
        "payments",
        9,
        &Current::default(),
        FieldVerdict::Kept,
        "may not",
    );
}
