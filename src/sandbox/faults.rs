//! Faults on demand: which requests are hit, and by what.

use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde::{Deserialize, Serialize};

/// One rule: which requests it hits, and what happens to them. Several effects of one rule add up.
///
/// A request that passes the token and the limits is offered to the rules in their order; the first that hits is applied,
/// but every rule for its operation counts it. With no trigger (`nth`, `every`, `probability`) every matching request is hit.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rule {
    /// Only this operation, by its name in the journal, such as `batch_create`; absent means every one.
    pub operation: Option<String>,
    /// Only requests whose body holds this text.
    pub body_contains: Option<String>,
    /// Only the n-th matching request, the first being 1.
    pub nth: Option<u64>,
    /// Only each k-th matching request.
    pub every: Option<u64>,
    /// Only this share of the matching requests, drawn with `seed`.
    pub probability: Option<f64>,
    /// Seed of the draw.
    pub seed: u64,
    /// Leave the first n matching requests alone; they count for `nth` and `every` all the same.
    pub skip: u64,
    /// Hit at most this many requests.
    pub times: Option<u64>,
    /// Be in force only for so long after the rule was set: a storm that passes.
    pub for_ms: Option<u64>,

    /// Wait before applying. The effect comes even if the sender hangs up meanwhile.
    pub delay_ms: Option<u64>,
    /// Wait after applying, before the answer.
    pub answer_delay_ms: Option<u64>,
    /// Answer this status and apply nothing.
    pub status: Option<u16>,
    /// Apply, then answer this status.
    pub status_after_apply: Option<u16>,
    /// Body of those statuses: `json` or `plain`; absent means what is usual for the status.
    pub body: Option<Body>,
    /// `policyName` of a 429: `TEN_SECONDLY_ROLLING` (the default), `DAILY`, or `SECONDLY` for the body of search.
    pub policy: Option<String>,
    /// `Retry-After` in seconds; 477 always has one (60 if not said).
    pub retry_after_s: Option<u64>,
    /// Close the connection and apply nothing.
    pub drop_before_apply: bool,
    /// Apply, then close the connection without an answer.
    pub drop_answer_after_apply: bool,
    /// Apply so much later. The sender gets no answer: the connection is closed at once, or held until then.
    pub apply_late_ms: Option<u64>,
    /// With `apply_late_ms`: hold the connection open until the effect has come, then close it.
    pub hold: bool,
    /// Apply all, but leave this many rows out of `results`.
    pub omit_rows: usize,
    /// Apply, then close the connection in the middle of the body.
    pub truncate_body: bool,
    /// Apply, then answer 200 with something that is not JSON.
    pub not_json: bool,
    /// Apply, then send the body in pieces of 64 bytes, so many milliseconds apart.
    pub slow_drip_ms: Option<u64>,
}

/// Form of the body of an injected status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    /// An error object.
    Json,
    /// Plain text, as a proxy in front of the CRM would send it.
    Plain,
}

/// A rule in force and what it has done.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Active {
    /// Number of the rule, as in [`super::journal::Received::fault`].
    pub number: u64,
    /// The rule.
    pub rule: Rule,
    /// Matching requests so far.
    pub seen: u64,
    /// Requests hit so far.
    pub hit: u64,
}

struct Armed {
    active: Active,
    set_at: Instant,
    rng: StdRng,
}

/// All rules in force.
#[derive(Default)]
pub(super) struct Faults {
    rules: Vec<Armed>,
    next: u64,
}

impl Faults {
    /// Adds rules behind those in force.
    pub(super) fn add(&mut self, rules: Vec<Rule>) {
        for rule in rules {
            self.next += 1;
            let rng = StdRng::seed_from_u64(rule.seed);
            let active = Active {
                number: self.next,
                rule,
                seen: 0,
                hit: 0,
            };
            self.rules.push(Armed {
                active,
                set_at: Instant::now(),
                rng,
            });
        }
    }

    /// Takes all rules out of force.
    pub(super) fn clear(&mut self) {
        self.rules.clear();
    }

    /// The rules in force.
    pub(super) fn all(&self) -> Vec<Active> {
        self.rules.iter().map(|armed| armed.active.clone()).collect()
    }

    /// The rule that hits this request, if any.
    pub(super) fn pick(&mut self, operation: &str, body: &[u8]) -> Option<(u64, Rule)> {
        let mut picked = None;
        for armed in &mut self.rules {
            if armed.matches(operation, body) && armed.fires() && picked.is_none() {
                armed.active.hit += 1;
                picked = Some((armed.active.number, armed.active.rule.clone()));
            }
        }
        picked
    }
}

impl Armed {
    fn matches(&self, operation: &str, body: &[u8]) -> bool {
        let rule = &self.active.rule;
        rule.operation.as_deref().is_none_or(|wanted| wanted == operation)
            && rule
                .body_contains
                .as_ref()
                .is_none_or(|text| String::from_utf8_lossy(body).contains(text))
            && rule
                .for_ms
                .is_none_or(|ms| self.set_at.elapsed() < Duration::from_millis(ms))
    }

    fn fires(&mut self) -> bool {
        let active = &mut self.active;
        active.seen += 1;
        let rule = &active.rule;
        // Drawn for every request, so that a draw depends on the number of the request alone.
        let drawn = rule.probability.is_none_or(|share| self.rng.random::<f64>() < share);
        drawn
            && active.seen > rule.skip
            && rule.times.is_none_or(|times| active.hit < times)
            && rule.nth.is_none_or(|nth| active.seen == nth)
            && rule
                .every
                .is_none_or(|every| every > 0 && active.seen.is_multiple_of(every))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hits(rule: Rule, calls: usize) -> Vec<usize> {
        let mut faults = Faults::default();
        faults.add(vec![rule]);
        (1..=calls)
            .filter(|_| faults.pick("list", b"one {poison} row").is_some())
            .collect()
    }

    #[test]
    fn triggers_hit_the_requests_they_name() {
        let list = || Rule {
            operation: Some("list".to_owned()),
            ..Rule::default()
        };
        let none: Vec<usize> = Vec::new();
        assert_eq!(hits(Rule { nth: Some(3), ..list() }, 9), [3]);
        assert_eq!(
            hits(
                Rule {
                    every: Some(4),
                    ..list()
                },
                9
            ),
            [4, 8]
        );
        assert_eq!(
            hits(
                Rule {
                    times: Some(2),
                    skip: 1,
                    ..list()
                },
                9
            ),
            [2, 3]
        );
        assert_eq!(
            hits(
                Rule {
                    body_contains: Some("poison".to_owned()),
                    ..list()
                },
                2
            ),
            [1, 2]
        );
        assert_eq!(
            hits(
                Rule {
                    body_contains: Some("honey".to_owned()),
                    ..list()
                },
                2
            ),
            none
        );
        assert_eq!(
            hits(
                Rule {
                    operation: Some("get".to_owned()),
                    ..list()
                },
                9
            ),
            none
        );
        let drawn = Rule {
            probability: Some(0.3),
            seed: 7,
            ..list()
        };
        let some = hits(drawn.clone(), 1000);
        assert!((200..400).contains(&some.len()), "{} of 1000", some.len());
        assert_eq!(some, hits(drawn, 1000), "the same seed draws the same requests");
    }
}
