//! Survivorship: which value of each field is kept when contacts become one. By the same precedence as at the gate: the strongest
//! of all claims.

use std::collections::{BTreeMap, BTreeSet};

use super::desired::Judge;
use super::known;
use super::policy::{CRM_SOURCE, FieldPolicy};
use super::precedence::{Current, between};
use super::several;
use super::standing::{Claim, Standing, standing};
use crate::domain::{Field, KnownContact};

/// The value that survives in a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survivor {
    /// The value.
    pub value: String,
    /// Whose it is, by place among the contacts.
    pub of: usize,
    /// Who had set it; absent when nobody is known to have.
    pub source: Option<String>,
    /// Why it survives.
    pub rule: String,
    /// The contacts, by place, that hold another value, with who had set that.
    pub lost: Vec<(usize, Option<String>)>,
}

/// What survives of contacts that become one, field by field.
pub fn survivors(contacts: &[&KnownContact], by: Judge<'_>) -> BTreeMap<Field, Survivor> {
    let held: Vec<BTreeMap<Field, Current>> = contacts.iter().map(|contact| known::current(contact, by)).collect();
    let fields: BTreeSet<&Field> = contacts.iter().flat_map(|contact| contact.values.keys()).collect();
    let survived = fields.into_iter().filter_map(|field| {
        let claims: Vec<(usize, &Current, &str)> = held
            .iter()
            .enumerate()
            .filter_map(|(place, held)| {
                let current = held.get(field)?;
                Some((place, current, current.value.as_deref()?))
            })
            .collect();
        Some((field.clone(), survivor(field, &claims, by)?))
    });
    survived.collect()
}

fn survivor(field: &Field, claims: &[(usize, &Current, &str)], by: Judge<'_>) -> Option<Survivor> {
    let owner = |current: &Current| current.source.clone().unwrap_or_else(|| CRM_SOURCE.to_owned());
    let appends = (by.multiple)(field) && by.policy.field_policy(field.name(), CRM_SOURCE) == FieldPolicy::Append;
    if appends {
        let all: BTreeSet<String> = claims.iter().flat_map(|(_, _, value)| several::values(value)).collect();
        let (of, current, _) = claims.first()?;
        return Some(Survivor {
            value: several::text(&all),
            of: *of,
            source: current.source.clone(),
            rule: format!("{}: all of them", FieldPolicy::Append.name()),
            lost: Vec::new(),
        });
    }
    let mut stands: Vec<(usize, &Current, &str, String, FieldPolicy)> = claims
        .iter()
        .map(|(place, current, value)| {
            let owner = owner(current);
            let policy = by.policy.standing_policy(field.name(), &owner);
            (*place, *current, *value, owner, policy)
        })
        .collect();
    // A stable order: of equal claims the first one stays the first.
    stands.sort_by(|left, right| stand(field, right, by).cmp(&stand(field, left, by)));
    let best = stands.first()?;
    let says_other = |other: &&(usize, &Current, &str, String, FieldPolicy)| !(by.same)(field, best.2, other.2);
    let rule = match stands.iter().find(says_other) {
        None => "all that hold it say the same".to_owned(),
        Some(next) => {
            let (mine, theirs) = (stand(field, best, by), stand(field, next, by));
            format!(
                "{}: {}",
                best.4.name(),
                between(&best.3, &mine, best.4, &next.3, &theirs, next.4)
            )
        }
    };
    let lost = stands
        .iter()
        .filter(says_other)
        .map(|other| (other.0, other.1.source.clone()))
        .collect();
    Some(Survivor {
        value: best.2.to_owned(),
        of: best.0,
        source: best.1.source.clone(),
        rule,
        lost,
    })
}

fn stand<'c>(
    field: &Field,
    (_, current, value, owner, policy): &'c (usize, &'c Current, &'c str, String, FieldPolicy),
    by: Judge<'_>,
) -> Standing<'c> {
    let claim = Claim {
        value,
        source: owner,
        seen_at: current.occurred_at,
    };
    standing(claim, field.name(), *policy, by.policy, by.now)
}
