//! Report: which decisions would differ, counted by kind, with examples.

use std::collections::BTreeMap;

use serde::Serialize;

use super::again::Outcome;
use crate::domain::FieldVerdict;
use crate::store::backtest::PastDecision;

/// Which decisions would differ.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Report {
    /// Decisions that were made again.
    pub decisions: u64,
    /// Of them, those that come out otherwise.
    pub differ: u64,
    /// By action, from and to: how many.
    pub actions: Vec<Count>,
    /// By what identified the person.
    pub tiers: Vec<Count>,
    /// By source: how many of how many differ.
    pub sources: BTreeMap<String, Share>,
    /// By field: how many values would be written that were kept, and the other way round.
    pub fields: Vec<Count>,
    /// Some of each kind.
    pub examples: Vec<Difference>,
    #[serde(skip)]
    most_examples: usize,
    #[serde(skip)]
    shown: BTreeMap<String, usize>,
}

/// How many went from one to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Count {
    /// The field, where fields are counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Under the rules in force.
    pub from: String,
    /// Under the proposed ones.
    pub to: String,
    /// How many.
    pub count: u64,
}

/// A part of a whole.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Share {
    /// The whole.
    pub decisions: u64,
    /// The part.
    pub differ: u64,
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The decision.
    pub decision_id: i64,
    /// The lead.
    pub lead_id: i64,
    /// Its source.
    pub source: String,
    /// In what it differs: action, contact, or the name of a field.
    pub what: String,
    /// Under the rules in force.
    pub from: String,
    /// Under the proposed ones.
    pub to: String,
}

impl Report {
    pub(super) fn new(most_examples: usize) -> Self {
        Self {
            most_examples,
            ..Self::default()
        }
    }

    /// Counts one decision, made under both sets of rules.
    pub(super) fn compare(&mut self, past: &PastDecision, before: Outcome, after: Outcome) {
        let source = past.source.clone().unwrap_or_else(|| "none".to_owned());
        self.decisions += 1;
        let share = self.sources.entry(source.clone()).or_default();
        share.decisions += 1;
        if before.action == after.action
            && before.contact_id == after.contact_id
            && before.tier == after.tier
            && verdicts(&before).eq(verdicts(&after))
        {
            return;
        }
        share.differ += 1;
        self.differ += 1;
        if before.action != after.action {
            count(&mut self.actions, None, &before.action, &after.action);
            self.example(past, &source, "action", before.action.clone(), after.action.clone());
        } else if before.contact_id != after.contact_id {
            let named =
                |contact: Option<i64>| contact.map_or_else(|| "nobody".to_owned(), |id| format!("contact {id}"));
            self.example(
                past,
                &source,
                "contact",
                named(before.contact_id),
                named(after.contact_id),
            );
        }
        if before.tier != after.tier {
            let named = |tier: Option<&'static str>| tier.unwrap_or("none");
            count(&mut self.tiers, None, named(before.tier), named(after.tier));
        }
        for (field, (verdict, rule)) in &before.fields {
            let Some((then, other_rule)) = after.fields.get(field).filter(|(then, _)| then != verdict) else {
                continue;
            };
            count(&mut self.fields, Some(field), word(*verdict), word(*then));
            let told = |verdict: FieldVerdict, rule: &str| format!("{}, {rule}", word(verdict));
            self.example(past, &source, field, told(*verdict, rule), told(*then, other_rule));
        }
    }

    fn example(&mut self, past: &PastDecision, source: &str, what: &str, from: String, to: String) {
        let kind = match what {
            "action" => format!("{from} {to}"),
            what => what.to_owned(),
        };
        let shown = self.shown.entry(kind).or_default();
        if *shown < self.most_examples {
            *shown += 1;
            self.examples.push(Difference {
                decision_id: past.decision_id,
                lead_id: past.lead_id,
                source: source.to_owned(),
                what: what.to_owned(),
                from,
                to,
            });
        }
    }
}

fn verdicts(outcome: &Outcome) -> impl Iterator<Item = (&String, FieldVerdict)> {
    outcome.fields.iter().map(|(field, (verdict, _))| (field, *verdict))
}

fn word(verdict: FieldVerdict) -> &'static str {
    match verdict {
        FieldVerdict::Written => "written",
        FieldVerdict::Kept => "kept",
        FieldVerdict::Refused => "refused",
    }
}

fn count(counts: &mut Vec<Count>, field: Option<&str>, from: &str, to: &str) {
    let same = |count: &&mut Count| count.field.as_deref() == field && count.from == from && count.to == to;
    match counts.iter_mut().find(same) {
        Some(known) => known.count += 1,
        None => counts.push(Count {
            field: field.map(str::to_owned),
            from: from.to_owned(),
            to: to.to_owned(),
            count: 1,
        }),
    }
}
