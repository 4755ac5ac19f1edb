//! Precedence: may this value of this source replace what is there?
//!
//! A claim that stands higher wins, see [`super::standing`]. Before that, a person may have cleared the field in the CRM:
//! what a source below the CRM's rank brings does not fill it again.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::policy::{CRM_SOURCE, FieldPolicy, Policy};
use super::standing::{Claim, Standing, standing};
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
    /// When a person last set or cleared it in the CRM, as far as that is known. Stands on when a source has written it since.
    pub edited_at: Option<DateTime<Utc>>,
    /// That was clearing it.
    pub cleared: bool,
    /// Of a field of several values, those that somebody took out in the CRM.
    pub removed: BTreeSet<String>,
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

/// Rules on a value that a lead brings. `now` is when it is decided: ranks may have faded by then.
///
/// Blank input is never passed here: it erases nothing. A value that was cleared in the CRM has the CRM as its source
/// and no value, and counts as set.
pub fn rule(incoming: Incoming<'_>, current: &Current, policy: &Policy, now: DateTime<Utc>) -> Ruling {
    let field_policy = policy.field_policy(incoming.field, incoming.source);
    let (written, why) = weigh(incoming, field_policy, current, policy, now);
    Ruling {
        verdict: if written {
            FieldVerdict::Written
        } else {
            FieldVerdict::Kept
        },
        rule: format!("{}: {why}", field_policy.name()),
    }
}

fn weigh(
    incoming: Incoming<'_>,
    field_policy: FieldPolicy,
    current: &Current,
    policy: &Policy,
    now: DateTime<Utc>,
) -> (bool, String) {
    let Incoming { field, source, .. } = incoming;
    if field_policy == FieldPolicy::Never {
        return (false, format!("{source} may not write it"));
    }
    let Some(owner) = current.source.as_deref().or(current.value.as_ref().map(|_| CRM_SOURCE)) else {
        return (true, "blank".to_owned());
    };
    let barred = barred(incoming, field_policy, current, policy, now);
    let Some(value) = current.value.as_deref() else {
        if let Some(why) = barred {
            return (false, why);
        }
        if !current.cleared {
            return (true, "blank".to_owned());
        }
        let rank = policy.rank_at(field, source, Some(incoming.occurred_at), now);
        let theirs = policy.rank_at(field, owner, current.occurred_at, now);
        return (true, above_or_newer(source, rank, owner, theirs));
    };
    let mine = Claim {
        value: incoming.value,
        source,
        seen_at: Some(incoming.occurred_at),
    };
    let mine = standing(mine, field, field_policy, policy, now);
    let (theirs, standing_policy) = standing_there(field, value, owner, current.occurred_at, policy, now);
    match barred {
        Some(why) if mine > theirs => (false, why),
        _ => (
            mine > theirs,
            between(source, &mine, field_policy, owner, &theirs, standing_policy),
        ),
    }
}

/// How a value stands that is there already, and by which policy.
pub(super) fn standing_there<'a>(
    field: &str,
    value: &'a str,
    owner: &'a str,
    seen_at: Option<DateTime<Utc>>,
    policy: &Policy,
    now: DateTime<Utc>,
) -> (Standing<'a>, FieldPolicy) {
    let standing_policy = policy.standing_policy(field, owner);
    let claim = Claim {
        value,
        source: owner,
        seen_at,
    };
    (standing(claim, field, standing_policy, policy, now), standing_policy)
}

/// Why what a person set or cleared in the CRM does not give way, whatever holds the field since: what was seen before does
/// not count any more unless its source ranks above the CRM, and what was cleared is not filled below the CRM's rank at all.
/// A rank that has faded bars nobody.
pub(super) fn barred(
    incoming: Incoming<'_>,
    field_policy: FieldPolicy,
    current: &Current,
    policy: &Policy,
    now: DateTime<Utc>,
) -> Option<String> {
    let Incoming { field, source, .. } = incoming;
    let edited_at = current.edited_at?;
    let faded = policy.is_faded(field, CRM_SOURCE, Some(edited_at), now);
    let rank = policy.rank_at(field, source, Some(incoming.occurred_at), now);
    let theirs = policy.field_rank(field, CRM_SOURCE);
    let newer = incoming.occurred_at > edited_at;
    let did = if current.cleared { "cleared" } else { "set" };
    let before = || format!("seen before {CRM_SOURCE} {did} it");
    let below = || format!("{source} {rank} below {CRM_SOURCE} {theirs}, which cleared it");
    match field_policy {
        _ if faded => None,
        // An opt-out counts, whoever hears of it.
        FieldPolicy::Tighten => (!newer).then(before),
        FieldPolicy::OnlyIfBlank | FieldPolicy::Never => current.cleared.then(|| format!("{CRM_SOURCE} cleared it")),
        _ if current.cleared && rank < theirs => Some(below()),
        // Of several values only those that were taken out are barred.
        FieldPolicy::Append if rank < theirs => Some(below()),
        FieldPolicy::Newest if current.cleared => (!newer).then(before),
        _ => (rank <= theirs && !newer).then(before),
    }
}

fn above_or_newer(source: &str, rank: i32, owner: &str, theirs: i32) -> String {
    match rank > theirs {
        true => format!("{source} {rank} above {owner} {theirs}"),
        false => format!("rank {rank} as {owner}, newer"),
    }
}

/// What decides between two claims, in words. Called by [`super::survive`] too.
pub(super) fn between(
    source: &str,
    mine: &Standing<'_>,
    field_policy: FieldPolicy,
    owner: &str,
    theirs: &Standing<'_>,
    standing_policy: FieldPolicy,
) -> String {
    let won = mine > theirs;
    if mine.class != theirs.class {
        return match (won, standing_policy, field_policy) {
            (true, FieldPolicy::OnlyIfBlank, _) => format!("{owner} only filled it"),
            (false, _, FieldPolicy::OnlyIfBlank) => format!("not blank, {owner} set it"),
            (true, _, _) => format!("above {owner}, which follows {}", standing_policy.name()),
            (false, _, _) => format!("below {owner}, which follows {}", standing_policy.name()),
        };
    }
    let same_measure = mine.measure == theirs.measure;
    let (rank, rank_of_theirs) = (mine.rank, theirs.rank);
    match field_policy {
        FieldPolicy::OnlyIfBlank if won => format!("seen before what {owner} filled in"),
        FieldPolicy::OnlyIfBlank | FieldPolicy::Never => format!("not blank, {owner} set it"),
        FieldPolicy::Newest if won => format!("newer than {owner}"),
        FieldPolicy::Newest => format!("older than {owner}"),
        FieldPolicy::Longest if !same_measure => pick(won, "longer", "shorter", owner),
        FieldPolicy::Min if !same_measure => pick(won, "less", "more", owner),
        FieldPolicy::Max if !same_measure => pick(won, "more", "less", owner),
        FieldPolicy::Tighten if !same_measure => pick(won, "tighter", "looser", owner),
        _ if rank > rank_of_theirs => format!("{source} {rank} above {owner} {rank_of_theirs}"),
        _ if rank < rank_of_theirs => format!("{source} {rank} below {owner} {rank_of_theirs}"),
        _ if won => format!("rank {rank} as {owner}, newer"),
        _ => format!("rank {rank} as {owner}, not newer"),
    }
}

fn pick(won: bool, more: &str, less: &str, owner: &str) -> String {
    let word = if won { more } else { less };
    format!("{word} than {owner}'s")
}

#[cfg(test)]
mod tests;
