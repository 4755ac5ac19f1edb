//! Expectation maximization: learns match weights from pairs of which nobody knows who is who. Pure.
//!
//! After Winkler (1988), for the model of Fellegi and Sunter (1969). In turn: how likely each pair is one person by the weights
//! so far; then, for each level, how much more often pairs of one person agree so than pairs of two: `log2(m / u)`. It
//! begins with the weights in force and keeps to them by half, so it adjusts these to the data rather than finding any other
//! two kinds of pairs.

use std::collections::BTreeMap;

use crate::store::learn::MatchWeight;

/// How much the counts of this mirror count beside the weights in force. These know what counting each field for itself cannot:
/// which fields go together. On counts alone the rounds drift, and take colleagues for one person.
const TRUST: f64 = 0.5;

/// A level of which there are so many pairs has half of that trust; one with many more has nearly all of it.
const FAMILIAR_PAIRS: f64 = 200.0;

/// Rounds after which it ends in any case.
const ROUNDS: u32 = 60;

/// Added to each count, so that a level that was never seen among pairs of one kind has no endless weight.
const HALF: f64 = 0.5;

/// The weights have settled when no round changes one by more, in bits.
const SETTLED_BITS: f64 = 0.01;

/// Pairs that agree in the same way.
#[derive(Debug, Clone, PartialEq)]
pub struct Pattern {
    /// Which weights count, by their places in the list, and how rare the value is that both have.
    pub terms: Vec<(usize, f64)>,
    /// How many such pairs.
    pub pairs: f64,
}

/// What was learned of one level.
#[derive(Debug, Clone, PartialEq)]
pub struct Learned {
    /// In bits.
    pub weight: f64,
    /// Pairs that agree so.
    pub pairs: f64,
    /// Of them, those of one person, as far as the weights know.
    pub same: f64,
}

/// What the rounds came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Lesson {
    /// For each weight, in the order of the list.
    pub learned: Vec<Learned>,
    /// Rounds that it took.
    pub rounds: u32,
    /// Whether the weights settled before the rounds were over.
    pub settled: bool,
}

/// Learns weights for the levels in `weights` from `patterns`, whose terms name them by place.
pub fn learn(weights: &[MatchWeight], patterns: &[Pattern]) -> Lesson {
    let fields = fields_of(weights);
    let names = Names::among(weights);
    let mut now: Vec<f64> = weights.iter().map(|weight| weight.weight).collect();
    let mut rounds = 0;
    loop {
        let counts = Counts::of(weights, &now, &names, patterns);
        let next = counts.weigh(weights, &fields, &names);
        let change = now.iter().zip(&next).map(|(old, new)| (old - new).abs());
        let settled = change.fold(0.0, f64::max) <= SETTLED_BITS;
        now = next;
        rounds += 1;
        if settled || rounds == ROUNDS {
            let learned = (0..weights.len()).map(|place| Learned {
                weight: now[place],
                pairs: counts.same[place] + counts.other[place],
                same: counts.same[place],
            });
            return Lesson {
                learned: learned.collect(),
                rounds,
                settled,
            };
        }
    }
}

/// The places of the levels of each field.
fn fields_of(weights: &[MatchWeight]) -> BTreeMap<&str, Vec<usize>> {
    let mut fields: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (place, weight) in weights.iter().enumerate() {
        fields.entry(&weight.field).or_default().push(place);
    }
    fields
}

/// The places of what `full_name` stands for: that both names are exact is more, or less, than one and the other.
struct Names {
    first: Vec<usize>,
    last: Vec<usize>,
    first_exact: Option<usize>,
    last_exact: Option<usize>,
    both_exact: Option<usize>,
}

impl Names {
    fn among(weights: &[MatchWeight]) -> Names {
        let of = |field: &str| -> Vec<usize> {
            (0..weights.len())
                .filter(|place| weights[*place].field == field)
                .collect()
        };
        let exact = |field: &str| {
            weights
                .iter()
                .position(|weight| weight.field == field && weight.level == "exact")
        };
        Names {
            first: of("first_name"),
            last: of("last_name"),
            first_exact: exact("first_name"),
            last_exact: exact("last_name"),
            both_exact: exact("full_name"),
        }
    }
}

/// Of the pairs of one kind: how many have both names, and of them, how many have the one exact, the other, and both.
#[derive(Debug, Clone, Copy, Default)]
struct Both {
    pairs: f64,
    first: f64,
    last: f64,
    both: f64,
}

impl Both {
    fn add(&mut self, pairs: f64, first: bool, last: bool) {
        self.pairs += pairs;
        self.first += if first { pairs } else { 0.0 };
        self.last += if last { pairs } else { 0.0 };
        self.both += if first && last { pairs } else { 0.0 };
    }

    /// How many times as often both are exact as if the one had nothing to do with the other.
    fn lift(self) -> Option<f64> {
        let lift = self.both * self.pairs / (self.first * self.last);
        (lift.is_finite() && lift > 0.0).then_some(lift)
    }
}

/// What one round counts.
struct Counts {
    /// Pairs of one person for each level.
    same: Vec<f64>,
    /// Pairs of two people.
    other: Vec<f64>,
    /// The same, each times what its rarity is worth: the share of the weight that rarity has already.
    other_by_rarity: Vec<f64>,
    names_of_same: Both,
    names_of_other: Both,
}

impl Counts {
    fn of(weights: &[MatchWeight], now: &[f64], names: &Names, patterns: &[Pattern]) -> Counts {
        let mut counts = Counts {
            same: vec![0.0; weights.len()],
            other: vec![0.0; weights.len()],
            other_by_rarity: vec![0.0; weights.len()],
            names_of_same: Both::default(),
            names_of_other: Both::default(),
        };
        for pattern in patterns {
            let score: f64 = pattern
                .terms
                .iter()
                .map(|(place, bits)| now[*place] + weights[*place].rarity * bits)
                .sum();
            let same = pattern.pairs / (1.0 + (-score).exp2());
            let other = pattern.pairs - same;
            let has = |places: &[usize]| pattern.terms.iter().any(|(place, _)| places.contains(place));
            let is = |exact: Option<usize>| exact.is_some_and(|exact| has(&[exact]));
            if has(&names.first) && has(&names.last) {
                let (first, last) = (is(names.first_exact), is(names.last_exact));
                counts.names_of_same.add(same, first, last);
                counts.names_of_other.add(other, first, last);
            }
            for (place, bits) in &pattern.terms {
                counts.same[*place] += same;
                counts.other[*place] += other;
                counts.other_by_rarity[*place] += other * (weights[*place].rarity * bits).exp2();
            }
        }
        counts
    }

    /// The weights of the next round.
    fn weigh(&self, weights: &[MatchWeight], fields: &BTreeMap<&str, Vec<usize>>, names: &Names) -> Vec<f64> {
        let mut next: Vec<f64> = weights.iter().map(|weight| weight.weight).collect();
        for (field, places) in fields {
            let seen: Vec<usize> = places
                .iter()
                .copied()
                .filter(|place| self.same[*place] + self.other[*place] > 0.0)
                .collect();
            let all = |pairs: &[f64]| seen.iter().map(|place| pairs[*place] + HALF).sum::<f64>();
            let (all_same, all_other) = (all(&self.same), all(&self.other));
            for place in seen {
                let by_chance = (self.other_by_rarity[place] / self.other[place]).log2();
                let ratio = match *field {
                    // Stands in every pair: the odds before anything is compared.
                    "base" => Some(self.same[place] / self.other[place]),
                    "full_name" if Some(place) == names.both_exact => self
                        .names_of_same
                        .lift()
                        .zip(self.names_of_other.lift())
                        .map(|(same, other)| same / other),
                    _ => Some(((self.same[place] + HALF) / all_same) / ((self.other[place] + HALF) / all_other)),
                };
                let learned = ratio
                    .map(|ratio| ratio.log2() - by_chance)
                    .filter(|weight| weight.is_finite());
                if let Some(learned) = learned {
                    let pairs = self.same[place] + self.other[place];
                    let trust = TRUST * pairs / (pairs + FAMILIAR_PAIRS);
                    next[place] = trust * learned + (1.0 - trust) * weights[place].weight;
                }
            }
        }
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weight(field: &str, level: &str, weight: f64) -> MatchWeight {
        MatchWeight {
            field: field.to_owned(),
            level: level.to_owned(),
            weight,
            rarity: 0.0,
        }
    }

    /// Base, names alike and different, numbers alike and different.
    fn weights() -> Vec<MatchWeight> {
        vec![
            weight("base", "pair", 0.0),
            weight("last_name", "exact", 3.0),
            weight("last_name", "different", -3.0),
            weight("phone", "exact", 3.0),
            weight("phone", "different", -1.0),
        ]
    }

    fn pattern(places: &[usize], pairs: f64) -> Pattern {
        Pattern {
            terms: places.iter().map(|place| (*place, 0.0)).collect(),
            pairs,
        }
    }

    #[test]
    fn a_number_that_strangers_share_loses_its_weight() {
        // People of one name share a number as often as strangers do: it says nothing here.
        let mut weights = weights();
        weights.push(weight("company", "exact", 2.0));
        weights.push(weight("company", "different", -2.0));
        let patterns = [
            pattern(&[0, 1, 3, 5], 5_000.0),
            pattern(&[0, 1, 4, 5], 5_000.0),
            pattern(&[0, 2, 3, 6], 20_000.0),
            pattern(&[0, 2, 4, 6], 20_000.0),
        ];
        let lesson = learn(&weights, &patterns);
        assert!(lesson.settled, "after {} rounds", lesson.rounds);
        let phone = &lesson.learned[3];
        assert!(phone.weight < 2.0, "{phone:?}");
        assert!((phone.pairs - 25_000.0).abs() < 1e-6);
        // What holds for all pairs is the odds, and a quarter of them are of one name.
        assert!(lesson.learned[0].weight < 0.0, "{:?}", lesson.learned[0]);
    }

    #[test]
    fn a_number_that_only_one_person_has_gains() {
        let patterns = [pattern(&[0, 1, 3], 9_000.0), pattern(&[0, 2, 4], 90_000.0)];
        let lesson = learn(&weights(), &patterns);
        assert!(lesson.learned[3].weight > 3.0, "{:?}", lesson.learned[3]);
        assert!(lesson.learned[4].weight < -1.0, "{:?}", lesson.learned[4]);
    }

    #[test]
    fn what_the_mirror_does_not_have_keeps_its_weight() {
        let lesson = learn(&weights(), &[pattern(&[0, 1], 10.0), pattern(&[0, 2], 10.0)]);
        assert_eq!(lesson.learned[3].weight, 3.0);
        assert_eq!(lesson.learned[3].pairs, 0.0);
        // Ten pairs say little: next to nothing of the weight in force is given up for them.
        assert!((lesson.learned[1].weight - 3.0).abs() < 0.2, "{:?}", lesson.learned[1]);
    }

    #[test]
    fn names_that_go_together_are_not_counted_twice() {
        let mut weights = weights();
        weights.push(weight("first_name", "exact", 2.0));
        weights.push(weight("full_name", "exact", 4.0));
        // Whoever has the one name has the other: both together say no more than one of them.
        let patterns = [
            pattern(&[0, 1, 5, 6, 3], 9_000.0),
            pattern(&[0, 1, 5, 6, 4], 1_000.0),
            pattern(&[0, 2, 5, 4], 40_000.0),
            pattern(&[0, 1, 4], 20.0),
        ];
        let lesson = learn(&weights, &patterns);
        assert!(lesson.learned[6].weight.is_finite());
        assert!(lesson.learned[5].weight < 2.0, "{:?}", lesson.learned[5]);
    }
}
