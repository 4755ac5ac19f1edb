//! Precedence: may this value of this source replace what is there?

use chrono::{DateTime, Utc};

use super::policy::{CRM_SOURCE, FieldPolicy, Policy};
use crate::domain::FieldVerdict;

/// What a contact holds in a field.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Current {
    /// The value; absent when blank.
    pub value: Option<String>,
    /// Who set it; absent when nobody ever did.
    pub source: Option<String>,
    /// When that source saw it.
    pub occurred_at: Option<DateTime<Utc>>,
}

/// What a lead brings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Incoming<'a> {
    /// The field's name.
    pub field: &'a str,
    /// The value, not blank.
    pub value: &'a str,
    /// The lead's source, entered in `rules.source`.
    pub source: &'a str,
    /// When the source saw it.
    pub occurred_at: DateTime<Utc>,
}

/// The ruling on one field, with the rule in words for the audit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruling {
    /// Written or kept.
    pub verdict: FieldVerdict,
    /// Why, such as `highest_rank: webinar 20 below payments 90`.
    pub rule: String,
}

/// Rules on a value that differs from the one that is there.
///
/// Blank input is never passed here: it erases nothing. A value that was cleared in the CRM has the CRM as its source
/// and no value, and counts as set.
///
/// Where ranks and times are equal, the greater text wins: the result must not depend on the order of arrival.
pub fn rule(incoming: Incoming<'_>, current: &Current, policy: &Policy) -> Ruling {
    let field_policy = policy.field_policy(incoming.field, incoming.source);
    let written = |why: String| Ruling {
        verdict: FieldVerdict::Written,
        rule: format!("{}: {why}", field_policy.name()),
    };
    let kept = |why: String| Ruling {
        verdict: FieldVerdict::Kept,
        rule: format!("{}: {why}", field_policy.name()),
    };

    if field_policy == FieldPolicy::Never {
        return kept(format!("{} may not write it", incoming.source));
    }
    let Some(owner) = current.source.as_deref() else {
        return match &current.value {
            None => written("blank".to_owned()),
            Some(_) => against(incoming, current, CRM_SOURCE, field_policy, policy, &written, &kept),
        };
    };
    against(incoming, current, owner, field_policy, policy, &written, &kept)
}

fn against(
    incoming: Incoming<'_>,
    current: &Current,
    owner: &str,
    field_policy: FieldPolicy,
    policy: &Policy,
    written: &dyn Fn(String) -> Ruling,
    kept: &dyn Fn(String) -> Ruling,
) -> Ruling {
    let cleared = if current.value.is_none() {
        ", which cleared it"
    } else {
        ""
    };
    let mine = policy.rank(incoming.source).unwrap_or(0);
    let theirs = policy.rank(owner).unwrap_or(0);
    let newer = match current.occurred_at {
        None => true,
        Some(then) if incoming.occurred_at != then => incoming.occurred_at > then,
        Some(_) => match field_policy {
            // The rank breaks the tie of two times, then the text.
            FieldPolicy::Newest if mine != theirs => mine > theirs,
            _ => Some(incoming.value) > current.value.as_deref(),
        },
    };
    match field_policy {
        FieldPolicy::Never => kept(format!("{} may not write it", incoming.source)),
        FieldPolicy::OnlyIfBlank => match &current.value {
            Some(_) => kept(format!("not blank, {owner} set it")),
            None => kept(format!("{owner} cleared it")),
        },
        FieldPolicy::Newest if newer => written(format!("newer than {owner}")),
        FieldPolicy::Newest => kept(format!("older than {owner}{cleared}")),
        FieldPolicy::HighestRank if mine > theirs => {
            written(format!("{} {mine} above {owner} {theirs}", incoming.source))
        }
        FieldPolicy::HighestRank if mine < theirs => {
            kept(format!("{} {mine} below {owner} {theirs}{cleared}", incoming.source))
        }
        FieldPolicy::HighestRank if newer => written(format!("rank {mine} as {owner}, newer")),
        FieldPolicy::HighestRank => kept(format!("rank {mine} as {owner}, not newer{cleared}")),
    }
}

#[cfg(test)]
mod tests {
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
                policy: field_policy,
            }],
            ..Policy::default()
        }
    }

    fn held(value: Option<&str>, source: Option<&str>, day: u32) -> Current {
        Current {
            value: value.map(Into::into),
            source: source.map(Into::into),
            occurred_at: Some(at(day)),
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
        let ruling = rule(incoming, current, &policy(field_policy));
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
        let cleared = held(None, Some("crm"), 3);
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
}
