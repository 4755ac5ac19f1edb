//! What is known of a person before a lead is looked at: each field with whoever set it.

use std::collections::{BTreeMap, BTreeSet};

use super::desired::Judge;
use super::policy::CRM_SOURCE;
use super::precedence::Current;
use super::several;
use crate::domain::{Field, KnownContact, Provenance};

/// The fields of a contact of the mirror. A value that differs from what a source is known to have set was changed in the
/// CRM since, and is the CRM's, unless an old request of ours brought it back: then it is still its source's.
pub(super) fn current(known: &KnownContact, by: Judge<'_>) -> BTreeMap<Field, Current> {
    let held = known
        .values
        .iter()
        .map(|(field, value)| (field.clone(), held(known, field, value, by)));
    let blank = known
        .provenance
        .iter()
        .filter(|(field, _)| !known.values.contains_key(field));
    let blank = blank.map(|(field, origin)| (field.clone(), cleared(known, origin, by)));
    held.chain(blank).collect()
}

fn held(known: &KnownContact, field: &Field, value: &str, by: Judge<'_>) -> Current {
    let is_shown = |origin: &&Provenance| {
        origin
            .value
            .as_deref()
            .is_some_and(|set| by.says_same(field, set, value))
    };
    let noted = known.provenance.get(field);
    let set_by = noted.filter(is_shown).or_else(|| {
        let mut doubted = known
            .doubted
            .iter()
            .filter(|(of, _)| of == field)
            .map(|(_, origin)| origin);
        doubted.find(is_shown)
    });
    let by_hand = |at| (Some(CRM_SOURCE.to_owned()), at, at, false);
    let (source, occurred_at, edited_at, cleared) = match (set_by, noted) {
        (Some(origin), _) if by.policy.owner(&origin.source) == CRM_SOURCE => by_hand(Some(origin.occurred_at)),
        (Some(origin), _) => (
            Some(origin.source.clone()),
            Some(origin.occurred_at),
            origin.edited_at,
            origin.cleared,
        ),
        (None, Some(_)) => by_hand(known.updated_at),
        (None, None) => (None, known.noted_since, None, false),
    };
    let mut removed = BTreeSet::new();
    if let Some(noted) = noted.filter(|_| (by.multiple)(field)) {
        let shown = several::values(value);
        removed.extend(noted.removed.iter().flatten().cloned());
        removed.extend(noted.value.as_deref().map(several::values).unwrap_or_default());
        removed.retain(|value| !shown.contains(value));
    }
    Current {
        value: Some(value.to_owned()),
        source,
        occurred_at,
        edited_at,
        cleared,
        removed,
    }
}

/// A field that is blank although somebody has set it once: cleared since, or noted as cleared.
fn cleared(known: &KnownContact, noted: &Provenance, by: Judge<'_>) -> Current {
    let is_noted = noted.value.as_deref().unwrap_or_default().is_empty();
    let (source, occurred_at) = match is_noted {
        true => (by.policy.owner(&noted.source).to_owned(), Some(noted.occurred_at)),
        false => (CRM_SOURCE.to_owned(), known.updated_at),
    };
    let by_hand = source == CRM_SOURCE;
    Current {
        value: None,
        source: Some(source),
        occurred_at,
        edited_at: occurred_at.filter(|_| by_hand),
        cleared: by_hand && occurred_at.is_some(),
        removed: BTreeSet::new(),
    }
}
