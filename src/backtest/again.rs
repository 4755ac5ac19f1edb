//! Again: one decision of the past, made anew under given rules.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use crate::decide::{Current, FieldPolicy, Identity, Incoming, Policy, identify, rule};
use crate::domain::{Candidate, ContactId, Document, FieldVerdict, MatchKeys, Normalized, Target, Tier};
use crate::store::backtest::{PastCandidate, PastChange, PastDecision, RuleSet};

/// What comes of a decision under some rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Outcome {
    /// create, update, unchanged, coalesced, review, dead, or revived: dead no more, and nobody knows what it becomes.
    pub(super) action: String,
    /// Whom it is about; absent for nobody known.
    pub(super) contact_id: Option<i64>,
    /// What said so.
    pub(super) tier: Option<&'static str>,
    /// Verdict and rule of each field in which the lead differed; empty where it is about somebody else than it was.
    pub(super) fields: BTreeMap<String, (FieldVerdict, String)>,
}

/// What came of a decision when it was made.
pub(super) fn as_decided(past: &PastDecision) -> Outcome {
    let known = matches!(past.action.as_str(), "update" | "unchanged" | "coalesced");
    let tiers = [Tier::ExternalId, Tier::Email, Tier::Phone, Tier::Fuzzy, Tier::Steward];
    let tier = tiers.into_iter().find(|tier| past.tier.as_deref() == Some(tier.name()));
    let fields = past.changes.iter().filter_map(|change| {
        let verdict = recorded(change)?;
        Some((change.field.clone(), (verdict, change.rule.clone())))
    });
    Outcome {
        action: past.action.clone(),
        contact_id: past.contact_id.filter(|_| known && tier.is_some()),
        tier: tier.filter(|_| known).map(Tier::name),
        fields: fields.collect(),
    }
}

/// Nothing for what the CRM would not have taken under any rules.
fn recorded(change: &PastChange) -> Option<FieldVerdict> {
    match change.verdict.as_str() {
        "written" => Some(FieldVerdict::Written),
        "kept" => Some(FieldVerdict::Kept),
        _ => None,
    }
}

/// Decides again by one set of rules.
pub(super) struct Again<'r> {
    policy: &'r Policy,
    /// By field and level: how much more it weighs than in force, how much more each bit of rarity weighs, and the weights in
    /// force, from which the bits are known.
    shifts: HashMap<(&'r str, &'r str), Shift>,
}

#[derive(Debug, Clone, Copy)]
struct Shift {
    weight: f64,
    rarity: f64,
    weight_in_force: f64,
    rarity_in_force: f64,
}

/// Weight and rarity by field and level.
fn by_level(rules: &RuleSet) -> HashMap<(&str, &str), (f64, f64)> {
    let rows = rules.weights.iter();
    rows.map(|row| ((row.field.as_str(), row.level.as_str()), (row.weight, row.rarity)))
        .collect()
}

impl<'r> Again<'r> {
    /// By `rules`; recorded scores are those of `in_force`.
    pub(super) fn under(rules: &'r RuleSet, in_force: &'r RuleSet) -> Self {
        let (former, given) = (by_level(in_force), by_level(rules));
        // A level without a row weighs nothing, on either side.
        let levels = former.keys().chain(given.keys()).copied();
        let shifts = levels.filter_map(|level| {
            let (weight_in_force, rarity_in_force) = former.get(&level).copied().unwrap_or_default();
            let (weight, rarity) = given.get(&level).copied().unwrap_or_default();
            let shift = Shift {
                weight: weight - weight_in_force,
                rarity: rarity - rarity_in_force,
                weight_in_force,
                rarity_in_force,
            };
            (shift.weight != 0.0 || shift.rarity != 0.0).then_some((level, shift))
        });
        Self {
            policy: &rules.policy,
            shifts: shifts.collect(),
        }
    }

    /// Makes the decision again.
    pub(super) fn decide(&self, past: &PastDecision) -> Outcome {
        let as_it_was = || Outcome {
            action: past.action.clone(),
            contact_id: None,
            tier: None,
            fields: BTreeMap::new(),
        };
        let rank = past.source.as_deref().and_then(|source| self.policy.rank(source));
        let reason = past.reason.as_deref().unwrap_or_default();
        match past.action.as_str() {
            "dead" if reason == "unknown_source" && rank.is_some() => {
                return Outcome {
                    action: "revived".to_owned(),
                    ..as_it_was()
                };
            }
            "dead" => return as_it_was(),
            _ if rank.is_none() => {
                return Outcome {
                    action: "dead".to_owned(),
                    ..as_it_was()
                };
            }
            "coalesced" if past.contact_id.is_none() => return as_it_was(),
            // What stands in the CRM's way and not in the scores.
            "review" if matches!(reason, "same_person_key" | "contact_gone") => return as_it_was(),
            _ => {}
        }
        let steward = past.tier.as_deref() == Some(Tier::Steward.name());
        let identity = match (steward, past.contact_id) {
            (true, Some(contact_id)) if past.action != "create" => Identity::Known {
                contact_id: ContactId(contact_id),
                tier: Tier::Steward,
                score: 0.0,
            },
            (true, _) => Identity::New { best_score: None },
            (false, _) => self.identify(past),
        };
        match identity {
            Identity::Review { .. } => Outcome {
                action: "review".to_owned(),
                ..as_it_was()
            },
            Identity::Known { contact_id, tier, .. } => {
                let same_person = past.contact_id == Some(contact_id.0);
                let fields = if same_person {
                    self.fields(past)
                } else {
                    BTreeMap::new()
                };
                let wrote = !same_person || fields.values().any(|(verdict, _)| *verdict == FieldVerdict::Written);
                let action = match past.action.as_str() {
                    "coalesced" | "create" if same_person => past.action.as_str(),
                    _ if wrote => "update",
                    _ => "unchanged",
                };
                Outcome {
                    action: action.to_owned(),
                    contact_id: Some(contact_id.0),
                    tier: Some(tier.name()),
                    fields,
                }
            }
            Identity::New { .. } => {
                let was_new = past.action == "create" || (past.action == "coalesced" && past.tier.is_none());
                let fields = if was_new { self.fields(past) } else { BTreeMap::new() };
                Outcome {
                    action: "create".to_owned(),
                    fields,
                    ..as_it_was()
                }
            }
        }
    }

    fn identify(&self, past: &PastDecision) -> Identity {
        let name = (!past.nameless).then(|| "named".to_owned());
        let lead = Normalized {
            keys: MatchKeys {
                last_name: name,
                ..MatchKeys::default()
            },
            ..Normalized::default()
        };
        let candidates: Vec<Candidate> = past
            .candidates
            .iter()
            .zip(1..)
            .filter_map(|(candidate, place)| self.candidate(candidate, place))
            .collect();
        identify(&lead, &candidates, |_| None, &self.policy.thresholds)
    }

    fn candidate(&self, past: &PastCandidate, place: i32) -> Option<Candidate> {
        let by: Vec<Tier> = past.levels["by"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|tier| serde_json::from_value(tier.clone()).ok())
            .collect();
        Some(Candidate {
            target: Target::Contact(ContactId(past.contact_id?)),
            tier: by.iter().min().copied().unwrap_or(Tier::Fuzzy),
            by,
            names: past.names,
            score: past.score? + self.shift(&past.levels),
            person: past.person.unwrap_or(place),
            evidence: Document::default(),
        })
    }

    /// How much more two weigh that agree so, than under the rules in force.
    #[expect(clippy::cast_possible_truncation, reason = "scores are single precision everywhere")]
    fn shift(&self, levels: &Value) -> f32 {
        if self.shifts.is_empty() {
            return 0.0;
        }
        let both_exact = levels["first_name"] == "exact" && levels["last_name"] == "exact";
        let level_of = |field: &str| match field {
            "base" => "pair",
            "full_name" if both_exact => "exact",
            "full_name" => "other",
            field => levels[field].as_str().unwrap_or("missing"),
        };
        let more: f64 = self
            .shifts
            .iter()
            .filter(|((field, level), _)| level_of(field) == *level)
            .map(|((field, _), shift)| {
                let part = levels["weights"][field].as_f64().unwrap_or_default();
                let bits = match shift.rarity_in_force {
                    0.0 => 0.0,
                    rarity => (part - shift.weight_in_force) / rarity,
                };
                shift.weight + shift.rarity * bits
            })
            .sum();
        more as f32
    }

    fn fields(&self, past: &PastDecision) -> BTreeMap<String, (FieldVerdict, String)> {
        let ruled = past
            .changes
            .iter()
            .filter_map(|change| Some((change.field.clone(), self.field(past, change)?)));
        ruled.collect()
    }

    /// Rules on a field again.
    fn field(&self, past: &PastDecision, change: &PastChange) -> Option<(FieldVerdict, String)> {
        let recorded = recorded(change)?;
        let source = past.source.as_deref()?;
        if self.policy.field_policy(&change.field, source) == FieldPolicy::Append {
            // What was added, and what was taken out before, is not in the audit value by value.
            return Some((recorded, FieldPolicy::Append.name().to_owned()));
        }
        let incoming = Incoming {
            field: &change.field,
            value: change.new_value.as_deref()?,
            source,
            occurred_at: past.seen_at,
        };
        let current = Current {
            value: change.old_value.clone(),
            source: change.old_source.clone(),
            occurred_at: change.old_seen_at,
            edited_at: change.old_edited_at,
            cleared: change.old_cleared,
            ..Current::default()
        };
        let ruling = rule(incoming, &current, self.policy, past.decided_at);
        Some((ruling.verdict, ruling.rule))
    }
}
