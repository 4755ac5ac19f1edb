//! Blocking keys: who shares one is compared by the fuzzy tier. The kinds are listed in the room's documentation.

use super::phonetic::sound;

/// What the keys are made of; folded.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parts<'a> {
    pub(super) first: Option<&'a str>,
    pub(super) last: Option<&'a str>,
    pub(super) company: Option<&'a str>,
    pub(super) domain: Option<&'a str>,
    /// Only when it names a person.
    pub(super) local: Option<&'a str>,
    pub(super) city: Option<&'a str>,
    pub(super) phone_tails: &'a [String],
}

/// Sorted, each once. `is_particle` knows the words before a family name that do not distinguish it.
pub(super) fn blocks(parts: Parts<'_>, is_particle: impl Fn(&str) -> bool) -> Vec<String> {
    let first = parts.first.and_then(given_word);
    let family: Vec<&str> = parts
        .last
        .map(|last| family_words(last, &is_particle))
        .unwrap_or_default();
    let employers = [
        parts.company.map(|company| company.replace(' ', "")),
        parts.domain.map(site),
    ];
    let mut keys = Vec::with_capacity(12);
    for employer in employers.iter().flatten() {
        for word in &family {
            keys.push(format!("lastco:{}|{}", sound(word), head(employer, 3)));
        }
        if let Some(first) = first {
            keys.push(format!("cofirst:{}|{}", head(employer, 6), head(first, 3)));
        }
    }
    if let (Some(first), Some(last)) = (first, parts.last) {
        keys.push(format!("lastinit:{}|{}", last.replace(' ', ""), head(first, 1)));
        let given = sound(first);
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
    if let Some(local) = parts
        .local
        .filter(|local| local.len() >= 6 && local.bytes().any(|byte| byte.is_ascii_lowercase()))
        && let Some(last) = parts.last
    {
        keys.push(format!("local:{local}|{}", head(last, 1)));
    }
    for tail in parts.phone_tails.iter().take(4) {
        for initial in [first, family.first().copied()].into_iter().flatten() {
            keys.push(format!("tail:{tail}|{}", head(initial, 1)));
        }
    }
    keys.sort_unstable();
    keys.dedup();
    keys
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
