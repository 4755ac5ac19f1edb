//! Quality: how the groups that were found compare with the true people.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::labelled::Labelled;

/// Counts of pairs: of all that are one person, of all that were said to be, and of both.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Pairs {
    pub(crate) right: u64,
    pub(crate) said: u64,
    pub(crate) due: u64,
}

impl Pairs {
    pub(crate) fn precision(self) -> f64 {
        share(self.right, self.said)
    }

    pub(crate) fn recall(self) -> f64 {
        share(self.right, self.due)
    }

    pub(crate) fn f1(self) -> f64 {
        let (precision, recall) = (self.precision(), self.recall());
        2.0 * precision * recall / (precision + recall).max(f64::MIN_POSITIVE)
    }
}

/// What came of a set.
#[derive(Debug, Default)]
pub(crate) struct Quality {
    pub(crate) pairs: Pairs,
    /// True people of two or more contacts that stand as exactly one group, of all, and of all groups.
    pub(crate) clusters: Pairs,
    /// By kind of corruption: true pairs that were missed, and all.
    pub(crate) missed: BTreeMap<String, (u64, u64)>,
    /// By kind of trap: wrong pairs.
    pub(crate) wrong: BTreeMap<String, u64>,
}

/// Compares groups, by the CRM's id, with the truth. Who is in no group is alone.
pub(crate) fn quality(contacts: &[Labelled], group_of: &HashMap<String, i64>) -> Quality {
    let mut people: BTreeMap<&str, Vec<&Labelled>> = BTreeMap::new();
    let mut groups: BTreeMap<i64, Vec<&Labelled>> = BTreeMap::new();
    for contact in contacts {
        people.entry(&contact.entity_id).or_default().push(contact);
        if let Some(group) = group_of.get(&contact.id) {
            groups.entry(*group).or_default().push(contact);
        }
    }
    let mut quality = Quality::default();
    let ids = |members: &[&Labelled]| -> BTreeSet<String> { members.iter().map(|member| member.id.clone()).collect() };
    let true_sets: BTreeSet<BTreeSet<String>> = people
        .values()
        .filter(|all| all.len() > 1)
        .map(|all| ids(all))
        .collect();
    let found_sets: BTreeSet<BTreeSet<String>> = groups
        .values()
        .filter(|all| all.len() > 1)
        .map(|all| ids(all))
        .collect();
    quality.clusters = Pairs {
        right: true_sets.intersection(&found_sets).count() as u64,
        said: found_sets.len() as u64,
        due: true_sets.len() as u64,
    };
    for person in people.values() {
        for (one, other) in pairs_of(person) {
            quality.pairs.due += 1;
            let found = group_of
                .get(&one.id)
                .is_some_and(|group| group_of.get(&other.id) == Some(group));
            quality.pairs.right += u64::from(found);
            let done: BTreeSet<&str> = one.corruptions().into_iter().chain(other.corruptions()).collect();
            for kind in done {
                let (missed, all) = quality.missed.entry(kind.to_owned()).or_default();
                *missed += u64::from(!found);
                *all += 1;
            }
        }
    }
    for group in groups.values() {
        for (one, other) in pairs_of(group) {
            quality.pairs.said += 1;
            if one.entity_id != other.entity_id {
                let traps: BTreeSet<&str> = one.traps().into_iter().chain(other.traps()).collect();
                let traps = traps.into_iter().collect::<Vec<_>>().join(" + ");
                *quality.wrong.entry(traps).or_default() += 1;
            }
        }
    }
    quality
}

fn pairs_of<'a>(members: &'a [&'a Labelled]) -> impl Iterator<Item = (&'a Labelled, &'a Labelled)> {
    members
        .iter()
        .enumerate()
        .flat_map(|(place, one)| members[place + 1..].iter().map(move |other| (*one, *other)))
}

fn share(part: u64, whole: u64) -> f64 {
    match whole {
        0 => 1.0,
        whole => part as f64 / whole as f64,
    }
}
