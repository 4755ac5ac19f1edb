//! Group: from pairs to groups of contacts that are one person. Pure.
//!
//! A pair says that two contacts are one person; putting the pairs together says so of more than two, and one wrong pair
//! between two right groups makes many wrong ones. So the pairs are taken from the best to the worst, and one that would join
//! groups of `a` and `b` contacts claims `a × b` pairs: it must be so many times as likely, which is log2(a × b) bits above
//! the threshold. What is refused then is looked at again: groups of whose pairs at least half are duplicates are joined.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::domain::ContactId;
use crate::store::duplicates::Link;

/// Contacts that are one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its members, in order.
    pub members: Vec<ContactId>,
    /// Why a person must look at it.
    pub flags: BTreeSet<Flag>,
}

/// Why a person must look at a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Flag {
    /// Some members are tied to the others by one pair alone.
    Chain,
    /// It has more members than the cap.
    Large,
    /// It would hold two contacts of whom somebody has said that they are two people, had they not been kept apart.
    ToldApart,
}

impl Flag {
    /// The word in the database.
    pub fn name(self) -> &'static str {
        match self {
            Flag::Chain => "chain",
            Flag::Large => "large",
            Flag::ToldApart => "told_apart",
        }
    }
}

/// Groups of two or more, in the order of their first members. `links`: pairs that are duplicates, best first.
pub fn groups(
    links: &[Link],
    told_apart: &[(ContactId, ContactId)],
    threshold: f32,
    largest_group: usize,
) -> Vec<Group> {
    let mut forest = Forest::of(links, told_apart);
    let mut refused: Vec<Link> = links
        .iter()
        .copied()
        .filter(|link| !forest.join_if(link, |a, b| link.score >= threshold + ((a * b) as f32).log2()))
        .collect();
    loop {
        let mut between: BTreeMap<(usize, usize), Vec<Link>> = BTreeMap::new();
        for link in &refused {
            if let Some(ends) = forest.apart(link) {
                between.entry(ends).or_default().push(*link);
            }
        }
        let mut joined = false;
        for links in between.values() {
            joined |= forest.join_if(&links[0], |a, b| links.len() * 2 >= a * b);
        }
        refused.retain(|link| forest.apart(link).is_some());
        if !joined {
            break;
        }
    }
    forest.groups(links, largest_group)
}

/// Contacts, joined to trees: two are together when they have one root.
struct Forest {
    place_of: HashMap<ContactId, usize>,
    contacts: Vec<ContactId>,
    parent: Vec<usize>,
    size: Vec<usize>,
    /// By root: contacts that none of its members may be together with.
    enemies: HashMap<usize, Vec<usize>>,
    kept_apart: BTreeSet<usize>,
}

impl Forest {
    fn of(links: &[Link], told_apart: &[(ContactId, ContactId)]) -> Forest {
        let contacts: BTreeSet<ContactId> = links.iter().flat_map(|link| [link.left, link.right]).collect();
        let contacts: Vec<ContactId> = contacts.into_iter().collect();
        let place_of: HashMap<ContactId, usize> = contacts
            .iter()
            .enumerate()
            .map(|(place, contact)| (*contact, place))
            .collect();
        let mut enemies: HashMap<usize, Vec<usize>> = HashMap::new();
        for (one, other) in told_apart {
            if let (Some(&one), Some(&other)) = (place_of.get(one), place_of.get(other)) {
                enemies.entry(one).or_default().push(other);
                enemies.entry(other).or_default().push(one);
            }
        }
        Forest {
            parent: (0..contacts.len()).collect(),
            size: vec![1; contacts.len()],
            place_of,
            contacts,
            enemies,
            kept_apart: BTreeSet::new(),
        }
    }

    fn root(&mut self, mut place: usize) -> usize {
        while self.parent[place] != place {
            self.parent[place] = self.parent[self.parent[place]];
            place = self.parent[place];
        }
        place
    }

    /// The roots of the two, unless they are together.
    fn apart(&mut self, link: &Link) -> Option<(usize, usize)> {
        let one = self.root(self.place_of[&link.left]);
        let other = self.root(self.place_of[&link.right]);
        (one != other).then_some((one.min(other), one.max(other)))
    }

    /// Joins the two when `may` says so of the sizes of their groups. Whether they are together now, or may never be.
    fn join_if(&mut self, link: &Link, may: impl Fn(usize, usize) -> bool) -> bool {
        let Some((one, other)) = self.apart(link) else {
            return true;
        };
        if !may(self.size[one], self.size[other]) {
            return false;
        }
        let foes = self.enemies.get(&one).cloned().unwrap_or_default();
        if foes.into_iter().any(|foe| self.root(foe) == other) {
            self.kept_apart.extend([one, other]);
            return false;
        }
        let (small, large) = match self.size[one] < self.size[other] {
            true => (one, other),
            false => (other, one),
        };
        self.parent[small] = large;
        self.size[large] += self.size[small];
        let foes = self.enemies.remove(&small).unwrap_or_default();
        self.enemies.entry(large).or_default().extend(foes);
        true
    }

    fn groups(mut self, links: &[Link], largest_group: usize) -> Vec<Group> {
        let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for place in 0..self.contacts.len() {
            let root = self.root(place);
            members.entry(root).or_default().push(place);
        }
        let kept_apart: BTreeSet<usize> = std::mem::take(&mut self.kept_apart)
            .into_iter()
            .map(|place| self.root(place))
            .collect();
        let mut within: HashMap<usize, Vec<(usize, usize)>> = HashMap::new();
        for link in links {
            if self.apart(link).is_none() {
                let (left, right) = (self.place_of[&link.left], self.place_of[&link.right]);
                let root = self.root(left);
                within.entry(root).or_default().push((left, right));
            }
        }
        let mut groups: Vec<Group> = members
            .into_iter()
            .filter(|(_, members)| members.len() > 1)
            .map(|(root, members)| {
                let pairs = within.remove(&root).unwrap_or_default();
                let mut flags = BTreeSet::new();
                if members.len() > largest_group {
                    flags.insert(Flag::Large);
                }
                if members.len() > 2 && hangs_by_one(&members, &pairs) {
                    flags.insert(Flag::Chain);
                }
                if kept_apart.contains(&root) {
                    flags.insert(Flag::ToldApart);
                }
                Group {
                    members: members.into_iter().map(|place| self.contacts[place]).collect(),
                    flags,
                }
            })
            .collect();
        groups.sort_by_key(|group| group.members[0]);
        groups
    }
}

/// Whether one pair alone ties some members to the others: a bridge of the graph, as Tarjan (1974) finds it.
fn hangs_by_one(members: &[usize], pairs: &[(usize, usize)]) -> bool {
    let local: HashMap<usize, usize> = members.iter().enumerate().map(|(at, place)| (*place, at)).collect();
    let mut neighbours = vec![Vec::new(); members.len()];
    for (number, (left, right)) in pairs.iter().enumerate() {
        let (left, right) = (local[left], local[right]);
        neighbours[left].push((right, number));
        neighbours[right].push((left, number));
    }
    // Depth first, without recursion: a group may be large.
    let mut found_at = vec![usize::MAX; members.len()];
    let mut low = vec![usize::MAX; members.len()];
    let mut path = vec![(0, usize::MAX, 0)];
    let mut found = 0;
    (found_at[0], low[0]) = (0, 0);
    while let Some(&mut (at, by, ref mut next)) = path.last_mut() {
        if let Some(&(to, pair)) = neighbours[at].get(*next) {
            *next += 1;
            if found_at[to] == usize::MAX {
                found += 1;
                (found_at[to], low[to]) = (found, found);
                path.push((to, pair, 0));
            } else if pair != by {
                low[at] = low[at].min(found_at[to]);
            }
        } else {
            path.pop();
            if let Some(&(before, ..)) = path.last() {
                if low[at] > found_at[before] {
                    return true;
                }
                low[before] = low[before].min(low[at]);
            }
        }
    }
    false
}

/// For each group, the number of the old group that most of its members had, the smaller one of two; each old number goes to
/// one group only, to that which has most of it.
pub fn inherited(groups: &[Group], before: &[(ContactId, i64)]) -> Vec<Option<i64>> {
    let before: HashMap<ContactId, i64> = before.iter().copied().collect();
    let mut claims: Vec<(usize, i64, usize)> = Vec::new();
    for (place, group) in groups.iter().enumerate() {
        let mut counts: BTreeMap<i64, usize> = BTreeMap::new();
        for member in &group.members {
            if let Some(number) = before.get(member) {
                *counts.entry(*number).or_default() += 1;
            }
        }
        claims.extend(counts.into_iter().map(|(number, count)| (count, number, place)));
    }
    claims.sort_by_key(|&(count, number, place)| (std::cmp::Reverse(count), number, place));
    let mut numbers = vec![None; groups.len()];
    let mut taken = BTreeSet::new();
    for (_, number, place) in claims {
        if numbers[place].is_none() && taken.insert(number) {
            numbers[place] = Some(number);
        }
    }
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(left: i64, right: i64, score: f32) -> Link {
        Link {
            left: ContactId(left),
            right: ContactId(right),
            score,
        }
    }

    fn told(links: &[Link], apart: &[(i64, i64)]) -> Vec<(Vec<i64>, Vec<&'static str>)> {
        let mut links = links.to_vec();
        links.sort_by(|one, other| other.score.total_cmp(&one.score));
        let apart: Vec<_> = apart.iter().map(|&(a, b)| (ContactId(a), ContactId(b))).collect();
        groups(&links, &apart, 1.0, 4)
            .into_iter()
            .map(|group| {
                (
                    group.members.iter().map(|member| member.0).collect(),
                    group.flags.iter().map(|flag| flag.name()).collect(),
                )
            })
            .collect()
    }

    #[test]
    fn pairs_that_meet_are_one_group_and_one_that_hangs_by_a_pair_is_a_chain() {
        let triangle = [link(1, 2, 9.0), link(2, 3, 9.0), link(1, 3, 9.0)];
        assert_eq!(told(&triangle, &[]), [(vec![1, 2, 3], vec![])]);
        let path = [link(1, 2, 9.0), link(2, 3, 9.0), link(7, 8, 2.0)];
        assert_eq!(told(&path, &[]), [(vec![1, 2, 3], vec!["chain"]), (vec![7, 8], vec![])]);
    }

    #[test]
    fn a_weak_pair_does_not_join_two_groups_unless_half_of_all_pairs_between_them_agree() {
        let mut links = vec![link(1, 2, 9.0), link(3, 4, 9.0), link(2, 3, 2.5)];
        assert_eq!(told(&links, &[]), [(vec![1, 2], vec![]), (vec![3, 4], vec![])]);
        links.push(link(1, 4, 2.5));
        assert_eq!(told(&links, &[]), [(vec![1, 2, 3, 4], vec![])]);
        let strong = [link(1, 2, 9.0), link(3, 4, 9.0), link(2, 3, 3.0)];
        assert_eq!(told(&strong, &[]), [(vec![1, 2, 3, 4], vec!["chain"])]);
    }

    #[test]
    fn a_group_above_the_cap_is_large() {
        let links: Vec<Link> = (1..6)
            .flat_map(|left| (left + 1..6).map(move |right| link(left, right, 9.0)))
            .collect();
        assert_eq!(told(&links, &[]), [(vec![1, 2, 3, 4, 5], vec!["large"])]);
    }

    #[test]
    fn who_was_told_apart_is_never_in_one_group_and_both_groups_say_so() {
        let links = [link(1, 2, 9.0), link(2, 3, 8.0), link(1, 3, 7.0), link(3, 4, 9.0)];
        assert_eq!(
            told(&links, &[(3, 1)]),
            [(vec![1, 2], vec!["told_apart"]), (vec![3, 4], vec!["told_apart"])]
        );
        assert_eq!(told(&[link(1, 2, 9.0)], &[(1, 2)]), []);
    }

    #[test]
    fn a_group_keeps_its_number_when_it_grows_or_splits() {
        let group = |members: &[i64]| Group {
            members: members.iter().map(|&member| ContactId(member)).collect(),
            flags: BTreeSet::new(),
        };
        let before: Vec<_> = [(1, 10), (2, 10), (3, 10), (4, 11), (5, 11)]
            .map(|(contact, number)| (ContactId(contact), number))
            .to_vec();
        let after = [group(&[1, 9]), group(&[2, 3]), group(&[4, 5, 8]), group(&[6, 7])];
        assert_eq!(inherited(&after, &before), [None, Some(10), Some(11), None]);
        let merged = [group(&[1, 2, 3, 4, 5])];
        assert_eq!(inherited(&merged, &before), [Some(10)]);
    }
}
