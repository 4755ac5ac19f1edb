//! Personal names: which part is the given name and which the family name, and their keys.

use std::collections::{BTreeSet, HashSet};

use super::lists::Lists;
use super::text::{fold, fold_name, fold_words};

/// Titles that are a title even when nothing follows them.
const ALWAYS_TITLES: &[&str] = &["mr", "mrs", "ms", "dr", "prof", "herr", "frau", "mme", "mister"];

/// Given names of two consonants, or what is short for one. Others of that length are initials: JC, Mk.
const WORDS_OF_TWO: [&str; 3] = ["wm", "ng", "ch"];

/// What the lists say about names, ready to ask.
#[derive(Debug)]
pub(super) struct NameRules {
    titles: HashSet<String>,
    suffixes: HashSet<String>,
    particles: HashSet<String>,
}

/// A person's name in two parts, as written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct PersonName {
    pub(super) first: Option<String>,
    pub(super) last: Option<String>,
}

impl NameRules {
    pub(super) fn new(lists: &Lists) -> Self {
        let compacted = |list: &BTreeSet<String>| list.iter().map(|entry| compact(entry)).collect();
        Self {
            titles: compacted(&lists.name_titles),
            suffixes: compacted(&lists.name_suffixes),
            particles: compacted(&lists.name_particles),
        }
    }

    /// Puts the parts where they belong. `full` only fills what is missing.
    pub(super) fn arrange(&self, first: Option<String>, last: Option<String>, full: Option<&str>) -> PersonName {
        let mut name = PersonName { first, last };
        if let Some(whole) = full.and_then(|full| self.split_whole(full)) {
            if name.first.is_none() && name.last.is_none() {
                name = whole;
            } else if name.first.is_none() {
                name.first = whole.first.filter(|first| !same_words(first, name.last.as_deref()));
            } else if name.last.is_none() {
                name.last = whole.last.filter(|last| !same_words(last, name.first.as_deref()));
            }
        }
        // One step can make room for another ("Moss, Edgar Moss" in one field); three never were enough to need a fourth.
        for _ in 0..4 {
            match self.step(&name) {
                Some(better) => name = better,
                None => break,
            }
        }
        name
    }

    /// The folded key of a given name, without titles and nicknames in brackets. Two initials that were written as one word are two.
    pub(super) fn first_key(&self, first: &str) -> Option<String> {
        let tokens = tokens(first);
        if let [only] = tokens.as_slice()
            && ALWAYS_TITLES.contains(&compact(only).as_str())
        {
            return None;
        }
        let key = self.key(&tokens)?;
        let is_initials = key.len() == 2 && key.bytes().all(is_consonant) && !WORDS_OF_TWO.contains(&key.as_str());
        Some(if is_initials {
            format!("{} {}", &key[..1], &key[1..])
        } else {
            key
        })
    }

    /// The folded key of a family name, without titles and suffixes.
    pub(super) fn last_key(&self, last: &str) -> Option<String> {
        self.key(&tokens(last))
    }

    /// Which of several people of one name: what stands behind it, `jr` or `II`, in one word for all ways to write it.
    pub(super) fn generation(&self, parts: &[&str]) -> Option<&'static str> {
        let words: Vec<String> = parts.iter().flat_map(|part| tokens(part)).map(compact).collect();
        words.iter().skip(1).find_map(|word| match word.as_str() {
            "jr" | "jnr" | "jun" | "junior" | "ii" | "2nd" | "filho" => Some("junior"),
            "sr" | "snr" | "sen" | "senior" => Some("senior"),
            "iii" | "3rd" => Some("third"),
            "iv" | "4th" => Some("fourth"),
            _ => None,
        })
    }

    /// Is this folded word one that begins a family name?
    pub(super) fn is_particle(&self, word: &str) -> bool {
        // A single letter is an initial, but for the Spanish "y".
        (word.len() > 1 || word == "y") && self.particles.contains(word)
    }

    fn key(&self, tokens: &[&str]) -> Option<String> {
        let words = fold_name(&self.bare(tokens).join(" "));
        words.bytes().any(|byte| byte.is_ascii_lowercase()).then_some(words)
    }

    /// The words without titles before and suffixes after them; never nothing when there was something.
    fn bare<'a, 'b>(&self, tokens: &'b [&'a str]) -> &'b [&'a str] {
        let mut bare = tokens;
        while let [title, rest @ ..] = bare {
            if rest.is_empty() || !self.titles.contains(&compact(title)) {
                break;
            }
            bare = rest;
        }
        while let [rest @ .., suffix] = bare {
            if rest.is_empty() || !self.suffixes.contains(&compact(suffix)) {
                break;
            }
            bare = rest;
        }
        bare
    }

    fn step(&self, name: &PersonName) -> Option<PersonName> {
        match (&name.first, &name.last) {
            (Some(only), None) | (None, Some(only)) => self
                .split_whole(only)
                .filter(|split| split.first.is_some() && split.last.is_some()),
            (Some(first), Some(last)) => {
                if first.len() > 1_000 || last.len() > 1_000 || !(first.contains(' ') || last.contains(' ')) {
                    return None;
                }
                let (first_key, last_key) = (fold_words(first), fold_words(last));
                if first_key == last_key {
                    return self
                        .split_whole(first)
                        .filter(|split| split.first.is_some() && split.last.is_some());
                }
                // "Edgar Moss" and "Moss", or "Edgar" and "Edgar Moss": the whole name stands in one of them.
                if let Some(shorter) = without_words(first, &last_key, true) {
                    return Some(PersonName {
                        first: Some(shorter),
                        last: Some(last.clone()),
                    });
                }
                without_words(last, &first_key, false).map(|shorter| PersonName {
                    first: Some(first.clone()),
                    last: Some(shorter),
                })
            }
            (None, None) => None,
        }
    }

    /// A whole name in one text: `Smith, Robert`, `Dr. Robert van Smith jr.`; one word alone is a family name.
    fn split_whole(&self, text: &str) -> Option<PersonName> {
        // No name has this many letters; what follows would be guessing.
        if text.len() > 300 {
            return None;
        }
        // What stands behind a dash of its own is a remark: "Barker - do not call".
        let text = text.split(" - ").next().unwrap_or(text);
        let pieces: Vec<Vec<&str>> = text
            .split(',')
            .map(|piece| piece.split_whitespace().collect::<Vec<_>>())
            .filter(|piece| !piece.is_empty() && !piece.iter().all(|token| self.suffixes.contains(&compact(token))))
            .collect();
        let join = |tokens: &[&str]| (!tokens.is_empty()).then(|| tokens.join(" "));
        match pieces.as_slice() {
            [last, first] => Some(PersonName {
                first: join(self.bare(first)),
                last: join(self.bare(last)),
            }),
            [whole] => {
                let whole = self.bare(whole);
                let particle = |token: &&str| token.starts_with(['\'', '’']) || self.is_particle(&compact(token));
                let mut cut = whole.len().checked_sub(1)?;
                // A single letter at the end is a middle initial, not a family name.
                if cut == 0
                    || whole.first().is_some_and(particle)
                    || whole.last().is_some_and(|word| compact(word).len() < 2)
                {
                    return Some(PersonName {
                        first: None,
                        last: join(whole),
                    });
                }
                while cut > 1 && whole.get(cut - 1).is_some_and(particle) {
                    cut -= 1;
                }
                let (first, last) = whole.split_at_checked(cut)?;
                Some(PersonName {
                    first: join(first),
                    last: join(last),
                })
            }
            _ => None,
        }
    }
}

/// Words, without those in brackets or quotation marks behind the first one: `William "Bill"`, `Andrzej (Jędruś)`.
fn tokens(text: &str) -> Vec<&str> {
    let mut kept = Vec::new();
    let mut aside = None;
    for token in text.split([' ', ',']).filter(|token| !token.is_empty()) {
        if token == "-" && !kept.is_empty() {
            // "Barker - do not call": a remark.
            break;
        }
        let closing = |open: char| match open {
            '(' => ')',
            '[' => ']',
            '“' => '”',
            other => other,
        };
        let opened = token
            .chars()
            .next()
            .filter(|c| matches!(c, '(' | '[' | '"' | '“'))
            .filter(|_| !kept.is_empty());
        let inside = aside.or(opened);
        match inside {
            Some(open) => {
                aside = (!token.trim_end_matches('.').ends_with(closing(open)) || token.len() == 1).then_some(open)
            }
            None => kept.push(token),
        }
    }
    kept
}

fn is_consonant(byte: u8) -> bool {
    byte.is_ascii_lowercase() && !b"aeiouy".contains(&byte)
}

fn compact(token: &str) -> String {
    let mut folded = fold(token);
    folded.retain(|c| c.is_ascii_alphanumeric());
    folded
}

fn same_words(text: &str, other: Option<&str>) -> bool {
    other.is_some_and(|other| fold_words(text) == fold_words(other))
}

/// The text without these folded words at its end (or its beginning), when something remains.
fn without_words(text: &str, words: &str, at_end: bool) -> Option<String> {
    let tokens: Vec<&str> = text.split_whitespace().collect();
    let count = words.split(' ').filter(|word| !word.is_empty()).count();
    if count == 0 || tokens.len() <= count {
        return None;
    }
    let (head, tail) = tokens.split_at_checked(if at_end { tokens.len() - count } else { count })?;
    let (candidate, rest) = if at_end { (tail, head) } else { (head, tail) };
    (fold_words(&candidate.join(" ")) == words).then(|| rest.join(" "))
}
