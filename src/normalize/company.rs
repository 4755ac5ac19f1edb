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

/// Legal forms in scripts that write no space between words, before or behind the name. The longer ones first.
const ATTACHED_FORMS: &[&str] = &[
    "一般社団法人",
    "股份有限公司",
    "有限责任公司",
    "有限責任公司",
    "有限公司",
    "株式会社",
    "株式會社",
    "有限会社",
    "合同会社",
    "주식회사",
    "유한회사",
    "(주)",
    "(株)",
    "(有)",
    "（株）",
    "（有）",
    "㈜",
    "㈱",
    "㈲",
];

/// Legal forms in other scripts that stand as a word of their own, before or behind the name.
const FOREIGN_FORMS: &[&str] = &[
    "ООО", "ОАО", "ЗАО", "ПАО", "АО", "ИП", "ТОВ", "ПрАТ", "ПАТ", "شركة", "בע\"מ", "בע״מ",
];

/// Legal forms that stand before the name, as the folded words that they are. The longer ones first.
const LEADING_FORMS: &[&[&str]] = &[
    &["cong", "ty", "trach", "nhiem", "huu", "han", "mot", "thanh", "vien"],
    &["cong", "ty", "trach", "nhiem", "huu", "han"],
    &["cong", "ty", "tnhh", "mot", "thanh", "vien"],
    &["cong", "ty", "tnhh", "mtv"],
    &["doanh", "nghiep", "tu", "nhan"],
    &["cong", "ty", "tnhh"],
    &["cong", "ty", "co", "phan"],
    &["cong", "ty", "cp"],
    &["cong", "ty"],
    &["tap", "doan"],
    &["ooo"],
    &["oao"],
    &["pt"],
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
        let company = without_office(without_form(company.get(..end)?));
        let site = site_name(company);
        let mut words = words(site.as_deref().unwrap_or(company));
        if words.len() > 1 && words.first().is_some_and(|word| word == "the") {
            words.remove(0);
        }
        if let Some(form) = LEADING_FORMS
            .iter()
            .find(|form| words.len() > form.len() && words.iter().zip(form.iter()).all(|(word, part)| word == part))
        {
            words.drain(..form.len());
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

/// Without a legal form in another script at either end, unless nothing else is there.
fn without_form(company: &str) -> &str {
    let is_edge = |c: char| c.is_whitespace() || matches!(c, ',' | '.' | '«' | '»' | '"' | '“' | '”' | '\'');
    let mut name = company;
    while !name.is_ascii() {
        let whole = name.trim_matches(is_edge);
        let attached = ATTACHED_FORMS
            .iter()
            .find_map(|form| whole.strip_prefix(form).or_else(|| whole.strip_suffix(form)));
        let apart = || {
            FOREIGN_FORMS.iter().find_map(|form| {
                let behind = whole.strip_prefix(form).filter(|rest| rest.starts_with(is_edge));
                behind.or_else(|| whole.strip_suffix(form).filter(|rest| rest.ends_with(is_edge)))
            })
        };
        match attached.or_else(apart).map(|rest| rest.trim_matches(is_edge)) {
            Some(rest) if !rest.is_empty() => name = rest,
            _ => break,
        }
    }
    name
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
