//! Survivorship: which value of each field is kept when contacts become one. By the same precedence as at the gate: the strongest
//! of all claims.

use std::collections::{BTreeMap, BTreeSet};

use super::desired::Judge;
use super::known;
use super::policy::{CRM_SOURCE, FieldPolicy};
use super::precedence::{Current, between, standing_there};
use super::several;
use super::standing::Standing;
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

/// A contact that holds a value in a field.
struct Holder<'c> {
    place: usize,
    current: &'c Current,
    value: &'c str,
    owner: &'c str,
    policy: FieldPolicy,
    standing: Standing<'c>,
}

/// Whether a text that people read, a name, a company or a place, is written in capitals alone, or in small letters alone.
pub fn is_flat(field: &Field, text: &str) -> bool {
    let is_read = matches!(
        field,
        Field::FirstName | Field::LastName | Field::Company | Field::JobTitle | Field::Street | Field::City
    );
    let letters = || text.chars().filter(|letter| letter.is_alphabetic());
    is_read && letters().count() > 2 && (letters().all(char::is_uppercase) || letters().all(char::is_lowercase))
}

fn survivor(field: &Field, claims: &[(usize, &Current, &str)], by: Judge<'_>) -> Option<Survivor> {
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
    let mut holders: Vec<Holder<'_>> = claims
        .iter()
        .map(|&(place, current, value)| {
            let owner = current.source.as_deref().unwrap_or(CRM_SOURCE);
            let (standing, policy) = standing_there(field.name(), value, owner, current.occurred_at, by.policy, by.now);
            Holder {
                place,
                current,
                value,
                owner,
                policy,
                standing,
            }
        })
        .collect();
    holders.sort_by(|left, right| right.standing.cmp(&left.standing));
    let (best, others) = holders.split_first()?;
    let losers: Vec<&Holder<'_>> = others
        .iter()
        .filter(|other| !by.says_same(field, best.value, other.value))
        .collect();
    let rule = match losers.first() {
        None => "all that hold it say the same".to_owned(),
        Some(next) => {
            let why = between(
                best.owner,
                &best.standing,
                best.policy,
                next.owner,
                &next.standing,
                next.policy,
            );
            format!("{}: {why}", best.policy.name())
        }
    };
    // Of those that write the same letters, one that is not in capitals alone.
    let letters = best.value.trim().to_lowercase();
    let better = others
        .iter()
        .find(|other| !is_flat(field, other.value) && other.value.trim().to_lowercase() == letters);
    let best = better.filter(|_| is_flat(field, best.value)).unwrap_or(best);
    Some(Survivor {
        value: best.value.to_owned(),
        of: best.place,
        source: best.current.source.clone(),
        rule,
        lost: losers
            .iter()
            .map(|other| (other.place, other.current.source.clone()))
            .collect(),
    })
}
