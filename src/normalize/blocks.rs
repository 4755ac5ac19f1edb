//! Blocking keys: who shares one is compared by the fuzzy tier. The kinds are listed in the room's documentation.

use super::phonetic::sound;

/// What the keys are made of; folded.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parts<'a> {
    pub(super) first: Option<&'a str>,
    pub(super) last: Option<&'a str>,
    /// Other names, which the address says.
    pub(super) other_first: Option<&'a str>,
    pub(super) other_last: Option<&'a str>,
    pub(super) company: Option<&'a str>,
    pub(super) domain: Option<&'a str>,
    /// Only when it names a person.
    pub(super) local: Option<&'a str>,
    pub(super) city: Option<&'a str>,
    pub(super) street: Option<&'a str>,
    pub(super) postal_code: Option<&'a str>,
    pub(super) phone_tails: &'a [String],
}

/// Sorted, each once. `is_particle` knows the words before a family name that do not distinguish it.
pub(super) fn blocks(parts: Parts<'_>, is_particle: impl Fn(&str) -> bool) -> Vec<String> {
    let employers = [
        parts.company.map(|company| company.replace(' ', "")),
        parts.domain.map(site),
    ];
    let mut keys = Vec::with_capacity(12);
    for (first, last) in parts.names() {
        name_keys(&mut keys, &parts, &employers, first, last, &is_particle);
    }
    keys.extend(all_words(parts.first, parts.last));
    if let Some(local) = parts
        .local
        .filter(|local| local.len() >= 6 && local.bytes().any(|byte| byte.is_ascii_lowercase()))
        && let Some(last) = parts.last
    {
        keys.push(format!("local:{local}|{}", head(last, 1)));
    }
    let first = parts.first.and_then(given_word);
    let family = parts
        .last
        .and_then(|last| family_words(last, &is_particle).first().copied());
    for initial in [first, family].into_iter().flatten() {
        for tail in parts.phone_tails.iter().take(4) {
            keys.push(format!("tail:{tail}|{}", head(initial, 1)));
        }
        if let Some(street) = parts.street {
            keys.push(format!("street:{street}|{}", head(initial, 1)));
        }
    }
    if let (Some(code), Some(first), Some(family)) = (parts.postal_code, first, family) {
        let (one, other) = (head(first, 1), head(family, 1));
        keys.push(format!("postal:{code}|{}|{}", one.min(other), one.max(other)));
    }
    keys.sort_unstable();
    keys.dedup();
    keys
}

impl<'a> Parts<'a> {
    /// Given and family name; once more with those that the address says instead; and changed about where the family name is an
    /// initial, for whoever writes `Carter, E.` may mean Eric Carter.
    fn names(&self) -> impl Iterator<Item = (Option<&'a str>, Option<&'a str>)> + use<'a> {
        let says_another = self.other_first.is_some() || self.other_last.is_some();
        let other = (self.other_first.or(self.first), self.other_last.or(self.last));
        let is_initial = self.last.is_some_and(|last| last.len() == 1);
        [(self.first, self.last)]
            .into_iter()
            .chain(says_another.then_some(other))
            .chain(is_initial.then_some((self.last, self.first)))
    }
}

/// What a key is made of. What it is not made of, its rows in `gate.block_key` hold of each contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MadeOf {
    /// Names alone. Many who have only the name in common share it.
    Names,
    /// The given name and the employer: many of a large firm share it.
    GivenName,
    /// The family name or its first letter, and something else.
    FamilyName,
}

/// What a key is made of, by its kind.
pub fn made_of(key: &str) -> MadeOf {
    match key.split_once(':').map_or("", |(kind, _)| kind) {
        "lastinit" | "sound" | "words" => MadeOf::Names,
        "cofirst" => MadeOf::GivenName,
        _ => MadeOf::FamilyName,
    }
}

/// The keys that a given and a family name make, with the employers and with the town.
fn name_keys(
    keys: &mut Vec<String>,
    parts: &Parts<'_>,
    employers: &[Option<String>],
    first: Option<&str>,
    last: Option<&str>,
    is_particle: &impl Fn(&str) -> bool,
) {
    let given = first.and_then(given_word);
    let family: Vec<&str> = last.map(|last| family_words(last, is_particle)).unwrap_or_default();
    for employer in employers.iter().flatten() {
        for word in &family {
            keys.push(format!("lastco:{}|{}", sound(word), head(employer, 3)));
        }
        if let Some(given) = given {
            keys.push(format!("cofirst:{}|{}", head(employer, 6), head(given, 3)));
        }
    }
    if let (Some(given), Some(last)) = (given, last) {
        keys.push(format!("lastinit:{}|{}", last.replace(' ', ""), head(given, 1)));
        let given = sound(given);
        for word in &family {
            let family = sound(word);
            let (a, b) = if given <= family {
                (&given, &family)
            } else {
                (&family, &given)
            };
            keys.push(format!("sound:{a}|{b}"));
        }
    }
    if let (Some(city), Some(word)) = (parts.city, family.first()) {
        keys.push(format!("lastcity:{word}|{}", city.replace(' ', "")));
    }
    if let Some(domain) = parts.domain
        && let Some(word) = family.first()
    {
        keys.push(format!("domlast:{domain}|{}", head(word, 4)));
    }
}

/// All words of a name that has three or more, in alphabetical order.
fn all_words(first: Option<&str>, last: Option<&str>) -> Option<String> {
    let mut words: Vec<&str> = [first?, last?].iter().flat_map(|name| name.split(' ')).collect();
    words.sort_unstable();
    words.dedup();
    (words.len() > 2).then(|| format!("words:{}", words.join("|")))
}

/// The name of an employer's site, which mostly is the employer's: `acme-tools.co.uk` to `acmetools`.
fn site(domain: &str) -> String {
    domain.split('.').next().unwrap_or(domain).replace('-', "")
}

/// The given name by which somebody is called: the first word that is more than an initial.
fn given_word(first: &str) -> Option<&str> {
    first
        .split(' ')
        .find(|word| word.len() > 1)
        .or_else(|| first.split(' ').find(|word| !word.is_empty()))
}

/// The first and the last word of a family name that are no particles: either may be left out by another source.
fn family_words<'a>(last: &'a str, is_particle: &impl Fn(&str) -> bool) -> Vec<&'a str> {
    let mut words: Vec<&str> = last
        .split(' ')
        .filter(|word| !word.is_empty() && !is_particle(word))
        .collect();
    if words.is_empty() {
        words = last.split(' ').filter(|word| !word.is_empty()).collect();
    }
    if words.len() > 2 {
        words.drain(1..words.len() - 1);
    }
    words.dedup();
    words
}

/// The first letters. Keys are ASCII, so bytes are letters.
fn head(text: &str, count: usize) -> &str {
    text.get(..count).unwrap_or(text)
}
