//! Companies: the key of a name, whatever its legal form, punctuation and abbreviations.

use std::collections::{HashMap, HashSet};

use super::lists::Lists;
use super::text::fold;

/// Words behind a dash that name an office, not the company.
const OFFICE_WORDS: &[&str] = &[
    "hq",
    "headquarters",
    "headquarter",
    "head office",
    "main office",
    "zentrale",
    "branch",
    "siege",
];

/// A name longer than this is prose; its first letters are enough for a key.
const LONGEST: usize = 300;

/// What the lists say about companies, ready to ask.
#[derive(Debug)]
pub(super) struct CompanyRules {
    suffixes: HashSet<String>,
    longest_suffix: usize,
    abbreviations: HashMap<String, String>,
}

impl CompanyRules {
    pub(super) fn new(lists: &Lists) -> Self {
        let suffixes: HashSet<String> = lists
            .company_suffixes
            .iter()
            .map(|entry| words(entry).join(" "))
            .collect();
        Self {
            longest_suffix: suffixes
                .iter()
                .map(|suffix| suffix.split(' ').count())
                .max()
                .unwrap_or(0),
            suffixes,
            abbreviations: lists
                .company_abbreviations
                .iter()
                .map(|(short, long)| (words(short).join(" "), words(long).join(" ")))
                .collect(),
        }
    }

    /// The folded key: `The ACME Mfg. Co., Ltd.` to `acme manufacturing`. None when no letter or digit is in it.
    pub(super) fn key(&self, company: &str) -> Option<String> {
        let mut end = company.len().min(LONGEST);
        while !company.is_char_boundary(end) {
            end -= 1;
        }
        let company = without_office(company.get(..end)?);
        let site = site_name(company);
        let mut words = words(site.as_deref().unwrap_or(company));
        if words.len() > 1 && words.first().is_some_and(|word| word == "the") {
            words.remove(0);
        }
        // "and" in its many languages, only between two words: "Silva e Costa", not "E Corp". Legal forms hold it too.
        let last = words.len().saturating_sub(1);
        for word in words.iter_mut().take(last).skip(1) {
            if self.abbreviations.get(word.as_str()).is_some_and(|long| long == "and") {
                "and".clone_into(word);
            }
        }
        self.cut_suffixes(&mut words);
        for word in &mut words {
            if let Some(long) = self.abbreviations.get(word.as_str()).filter(|long| *long != "and") {
                word.clone_from(long);
            }
        }
        (!words.is_empty()).then(|| words.join(" "))
    }

    fn cut_suffixes(&self, words: &mut Vec<String>) {
        'again: loop {
            while words.len() > 1 && words.last().is_some_and(|word| word == "and") {
                words.pop();
            }
            for count in (1..=self.longest_suffix.min(words.len().saturating_sub(1))).rev() {
                let keep = words.len() - count;
                if words
                    .get(keep..)
                    .is_some_and(|tail| self.suffixes.contains(&tail.join(" ")))
                {
                    words.truncate(keep);
                    continue 'again;
                }
            }
            return;
        }
    }
}

/// Without `(HQ)` and ` - Headquarters`.
fn without_office(company: &str) -> &str {
    let head = match company.find(['(', '[']) {
        Some(at) if at > 0 => company.get(..at).unwrap_or(company),
        _ => company,
    };
    for dash in [" - ", " – ", " — ", " | "] {
        if let Some((name, office)) = head.split_once(dash) {
            let office = fold(office);
            if OFFICE_WORDS.iter().any(|word| office.starts_with(word)) {
                return name;
            }
        }
    }
    if head.trim().is_empty() { company } else { head }
}

/// `www.acme-tools.co.uk` to `acme-tools`, when the whole name is a host name.
fn site_name(company: &str) -> Option<String> {
    let host = company.trim();
    if host.contains(' ') || !host.contains('.') || !host.is_ascii() {
        return None;
    }
    let lower = host.to_ascii_lowercase();
    let lower = lower
        .trim_start_matches("https://")
        .trim_start_matches("http://")
        .trim_start_matches("www.")
        .trim_end_matches('/');
    let (name, ending) = lower.split_once('.')?;
    let label = |label: &str| (2..=6).contains(&label.len()) && label.bytes().all(|byte| byte.is_ascii_lowercase());
    (name.len() > 2 && ending.split('.').all(label)).then(|| name.to_owned())
}

/// Folded words; letters of an abbreviation joined (`S.A.` is `sa`), `&` and `+` written out.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    let folded = fold(text);
    let mut bytes = folded.bytes().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' => word.push(char::from(byte)),
            b'\'' | b'`' => {}
            // A dot inside an abbreviation: "l.l.c.", not "dr.miller".
            b'.' if word.len() == 1
                || word.len() < 6
                    && bytes.peek().is_some_and(u8::is_ascii_lowercase)
                    && is_lettered(&folded, &word) => {}
            _ => {
                end_word(&mut words, &mut word);
                if byte == b'&' || byte == b'+' {
                    words.push("and".to_owned());
                }
            }
        }
    }
    end_word(&mut words, &mut word);
    words
}

/// Was this word put together from single letters with dots?
fn is_lettered(folded: &str, word: &str) -> bool {
    let dotted: String = word.chars().flat_map(|c| [c, '.']).collect();
    folded.contains(&dotted)
}

/// `s a` is written `sa` too, but only behind the first word of the name.
fn end_word(words: &mut Vec<String>, word: &mut String) {
    if word.is_empty() {
        return;
    }
    let single = word.len() == 1 && word.bytes().all(|byte| byte.is_ascii_lowercase());
    let joins = single
        && words.len() > 1
        && words
            .last()
            .is_some_and(|last| last.len() == 1 && last.bytes().all(|byte| byte.is_ascii_lowercase()));
    match words.last_mut().filter(|_| joins) {
        Some(last) => last.push_str(word),
        None => words.push(std::mem::take(word)),
    }
    word.clear();
}
