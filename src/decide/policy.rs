//! The rules in force: ranks of sources, policies of fields, thresholds of the matcher.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// The source that stands for values set in the CRM itself.
pub const CRM_SOURCE: &str = "crm";

/// The source that stands for what other integrations set in the CRM, where it is entered in `rules.source`.
pub(super) const CRM_INTEGRATION_SOURCE: &str = "crm_integration";

/// How a field is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldPolicy {
    /// The better source wins; within one rank the newer value.
    HighestRank,
    /// The newer value wins, whoever brings it.
    Newest,
    /// Fills a blank, never replaces.
    OnlyIfBlank,
    /// This source may not write the field.
    Never,
    /// Added to what a field of several values holds.
    Append,
    /// The longer text wins.
    Longest,
    /// The smaller number or the earlier date wins.
    Min,
    /// The greater number or the later date wins.
    Max,
    /// Only towards the end of the rule's scale.
    Tighten,
}

impl FieldPolicy {
    /// The word in `rules.field` and in the audit.
    pub fn name(self) -> &'static str {
        match self {
            FieldPolicy::HighestRank => "highest_rank",
            FieldPolicy::Newest => "newest",
            FieldPolicy::OnlyIfBlank => "only_if_blank",
            FieldPolicy::Never => "never",
            FieldPolicy::Append => "append",
            FieldPolicy::Longest => "longest",
            FieldPolicy::Min => "min",
            FieldPolicy::Max => "max",
            FieldPolicy::Tighten => "tighten",
        }
    }
}

/// One row of `rules.field`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct FieldRule {
    /// Field name or `*`.
    pub field: String,
    /// Source name or `*`.
    pub source: String,
    /// The policy; absent: as the less exact rows say.
    #[serde(default)]
    pub policy: Option<FieldPolicy>,
    /// Rank of the source in this field.
    #[serde(default)]
    pub rank: Option<i32>,
    /// Days after which the rank is 0.
    #[serde(default)]
    pub expires_days: Option<i32>,
    /// For tighten: the values from the loosest to the tightest.
    #[serde(default)]
    pub scale: Option<Vec<String>>,
}

/// The rows of `rules.match_threshold`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Thresholds {
    /// From here on it is the same person.
    #[serde(rename = "match")]
    pub same: f32,
    /// From here on a person is asked.
    pub review: f32,
    /// A second candidate closer to the best than this makes it a question.
    pub margin: f32,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            same: 12.0,
            review: 9.5,
            margin: 2.0,
        }
    }
}

/// All rules that a decision looks at, of one version.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Policy {
    /// `rules.policy_version.policy_version`.
    pub version: i64,
    /// Rank by source.
    pub sources: BTreeMap<String, i32>,
    /// Days after which the rank of a source is 0, by source.
    pub expires_days: BTreeMap<String, i32>,
    /// Sources whose leads are decided and not written.
    pub shadow: BTreeSet<String>,
    /// Policies by field and source.
    pub fields: Vec<FieldRule>,
    /// Thresholds of the fuzzy tier.
    pub thresholds: Thresholds,
}

fn is_crm(source: &str) -> bool {
    matches!(source, CRM_SOURCE | CRM_INTEGRATION_SOURCE)
}

impl Policy {
    /// Whose a value is that `source` is noted to have set: other integrations count as people in the CRM until they are
    /// entered by themselves.
    pub(super) fn owner<'s>(&self, source: &'s str) -> &'s str {
        match source {
            CRM_INTEGRATION_SOURCE if self.rank(source).is_none() => CRM_SOURCE,
            source => source,
        }
    }

    /// The rank of a source; absent when it is not entered.
    pub fn rank(&self, source: &str) -> Option<i32> {
        self.sources.get(source).copied()
    }

    /// The most exact rule that says something: field and source, field, source, all.
    fn says<'p, T>(&'p self, field: &str, source: &str, what: impl Fn(&'p FieldRule) -> Option<T>) -> Option<T> {
        let of = |field: &str, source: &str| {
            let mut rules = self.fields.iter();
            rules
                .find(|rule| rule.field == field && rule.source == source)
                .and_then(&what)
        };
        of(field, source)
            .or_else(|| of(field, "*"))
            .or_else(|| of("*", source))
            .or_else(|| of("*", "*"))
    }

    /// The policy for a field and a source.
    ///
    /// Where any rule of a field is `append` or `tighten`, the field is one of several values or has a scale, whoever
    /// writes it: all that may write it do so in this way.
    pub fn field_policy(&self, field: &str, source: &str) -> FieldPolicy {
        let policy = self.says(field, source, |rule| rule.policy);
        let policy = policy.unwrap_or(FieldPolicy::HighestRank);
        match policy {
            FieldPolicy::Never => policy,
            _ if self.scale(field).is_some() => FieldPolicy::Tighten,
            FieldPolicy::OnlyIfBlank => policy,
            _ if self.appends(field) => FieldPolicy::Append,
            _ => policy,
        }
    }

    /// The values of a field that may only be tightened, from the loosest to the tightest.
    pub fn scale(&self, field: &str) -> Option<&[String]> {
        let mut rules = self.fields.iter().filter(|rule| rule.field == field);
        rules.find_map(|rule| rule.scale.as_deref())
    }

    fn appends(&self, field: &str) -> bool {
        let mut rules = self.fields.iter().filter(|rule| rule.field == field);
        rules.any(|rule| rule.policy == Some(FieldPolicy::Append))
    }

    /// How a value stands that is there already. What the CRM itself holds is no mere fill, unless a rule for the source
    /// `crm` says so; nor does it matter whether the source may still write.
    pub fn standing_policy(&self, field: &str, owner: &str) -> FieldPolicy {
        let for_all = |policy: FieldPolicy| match policy {
            FieldPolicy::Never | FieldPolicy::OnlyIfBlank => FieldPolicy::HighestRank,
            other => other,
        };
        match self.field_policy(field, owner) {
            FieldPolicy::Never => for_all(self.field_policy(field, "*")),
            FieldPolicy::OnlyIfBlank if is_crm(owner) && !self.fills_by_its_own_rule(field, owner) => {
                for_all(FieldPolicy::OnlyIfBlank)
            }
            policy => policy,
        }
    }

    fn fills_by_its_own_rule(&self, field: &str, source: &str) -> bool {
        let own = |rule: &&FieldRule| rule.source == source && (rule.field == field || rule.field == "*");
        let mut rules = self.fields.iter().filter(own);
        rules.any(|rule| rule.policy == Some(FieldPolicy::OnlyIfBlank))
    }

    /// The rank that a value of a source has in a field at a time: 0 once it has faded. `seen_at` is when the source saw the
    /// value.
    pub fn rank_at(&self, field: &str, source: &str, seen_at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> i32 {
        match self.is_faded(field, source, seen_at, now) {
            true => 0,
            false => self.field_rank(field, source),
        }
    }

    /// Whether the rank of a value that a source saw then has faded.
    pub fn is_faded(&self, field: &str, source: &str, seen_at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> bool {
        self.expires_days(field, source)
            .zip(seen_at)
            .is_some_and(|(days, seen_at)| now - seen_at > TimeDelta::days(i64::from(days)))
    }

    /// The rank of a source in a field, before it fades; 0 for a source that is not entered.
    pub fn field_rank(&self, field: &str, source: &str) -> i32 {
        let own = self.says(field, source, |rule| rule.rank);
        own.or_else(|| self.rank(source)).unwrap_or(0)
    }

    /// After how many days the rank of a source in a field fades.
    pub fn expires_days(&self, field: &str, source: &str) -> Option<i32> {
        let own = self.says(field, source, |rule| rule.expires_days);
        own.or_else(|| self.expires_days.get(source).copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(field: &str, source: &str, policy: FieldPolicy) -> FieldRule {
        FieldRule {
            field: field.into(),
            source: source.into(),
            policy: Some(policy),
            ..FieldRule::default()
        }
    }

    #[test]
    fn the_most_exact_rule_counts() {
        let policy = Policy {
            fields: vec![
                rule("*", "*", FieldPolicy::HighestRank),
                rule("*", "webinar", FieldPolicy::OnlyIfBlank),
                rule("city", "*", FieldPolicy::Newest),
                rule("city", "webinar", FieldPolicy::Never),
            ],
            ..Policy::default()
        };
        assert_eq!(policy.field_policy("city", "webinar"), FieldPolicy::Never);
        assert_eq!(policy.field_policy("city", "sales"), FieldPolicy::Newest);
        assert_eq!(policy.field_policy("phone", "webinar"), FieldPolicy::OnlyIfBlank);
        assert_eq!(policy.field_policy("phone", "sales"), FieldPolicy::HighestRank);
    }

    #[test]
    fn a_row_without_a_policy_sets_a_rank_and_leaves_the_policy_to_the_less_exact_ones() {
        let ranked = FieldRule {
            policy: None,
            rank: Some(950),
            expires_days: Some(30),
            ..rule("street", "payments", FieldPolicy::Never)
        };
        let policy = Policy {
            sources: BTreeMap::from([("payments".into(), 900)]),
            fields: vec![ranked, rule("*", "payments", FieldPolicy::Newest)],
            ..Policy::default()
        };
        assert_eq!(policy.field_policy("street", "payments"), FieldPolicy::Newest);
        let now = DateTime::from_timestamp(1_780_000_000, 0).unwrap();
        let seen = |days: i64| Some(now - TimeDelta::days(days));
        assert_eq!(policy.rank_at("street", "payments", seen(30), now), 950);
        assert_eq!(policy.rank_at("street", "payments", seen(31), now), 0);
        assert_eq!(policy.rank_at("city", "payments", seen(31), now), 900);
    }

    #[test]
    fn a_scale_or_several_values_hold_for_all_that_may_write_the_field() {
        let consent = FieldRule {
            scale: Some(vec!["no".into(), "yes".into()]),
            ..rule("optout", "mailer", FieldPolicy::Tighten)
        };
        let policy = Policy {
            fields: vec![
                consent,
                rule("optout", "fair", FieldPolicy::Never),
                rule("topics", "*", FieldPolicy::Append),
                rule("topics", "fair", FieldPolicy::OnlyIfBlank),
            ],
            ..Policy::default()
        };
        assert_eq!(policy.field_policy("optout", "payments"), FieldPolicy::Tighten);
        assert_eq!(policy.field_policy("optout", "fair"), FieldPolicy::Never);
        assert_eq!(policy.field_policy("topics", "payments"), FieldPolicy::Append);
        assert_eq!(policy.field_policy("topics", "fair"), FieldPolicy::OnlyIfBlank);
    }
}
