//! The rules in force: ranks of sources, policies of fields, thresholds of the matcher.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The source that stands for values set in the CRM itself.
pub(super) const CRM_SOURCE: &str = "crm";

/// How a field is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
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
}

impl FieldPolicy {
    /// The word in `rules.field` and in the audit.
    pub fn name(self) -> &'static str {
        match self {
            FieldPolicy::HighestRank => "highest_rank",
            FieldPolicy::Newest => "newest",
            FieldPolicy::OnlyIfBlank => "only_if_blank",
            FieldPolicy::Never => "never",
        }
    }
}

/// One row of `rules.field`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct FieldRule {
    /// Field name or `*`.
    pub field: String,
    /// Source name or `*`.
    pub source: String,
    /// The policy.
    pub policy: FieldPolicy,
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
pub struct Policy {
    /// `rules.policy_version.policy_version`.
    pub version: i64,
    /// Rank by source.
    pub sources: BTreeMap<String, i32>,
    /// Policies by field and source.
    pub fields: Vec<FieldRule>,
    /// Thresholds of the fuzzy tier.
    pub thresholds: Thresholds,
}

impl Policy {
    /// The rank of a source; absent when it is not entered.
    pub fn rank(&self, source: &str) -> Option<i32> {
        self.sources.get(source).copied()
    }

    /// The policy for a field and a source. The most exact rule counts: field and source, field, source, all.
    pub fn field_policy(&self, field: &str, source: &str) -> FieldPolicy {
        let rule_for = |field: &str, source: &str| {
            self.fields
                .iter()
                .find(|rule| rule.field == field && rule.source == source)
                .map(|rule| rule.policy)
        };
        rule_for(field, source)
            .or_else(|| rule_for(field, "*"))
            .or_else(|| rule_for("*", source))
            .or_else(|| rule_for("*", "*"))
            .unwrap_or(FieldPolicy::HighestRank)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(field: &str, source: &str, policy: FieldPolicy) -> FieldRule {
        FieldRule {
            field: field.into(),
            source: source.into(),
            policy,
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
}
