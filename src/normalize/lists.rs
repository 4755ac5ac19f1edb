//! The word lists that the normalizer reads by: shipped with the program, replaceable by a steward's rows.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// Word lists. The default is what stands in `src/normalize/data`; a list that is left out when reading keeps its default.
///
/// Entries are folded when a [`super::Normalizer`] is made, so case and diacritics do not matter here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Lists {
    /// Legal forms cut from the end of a company's key: `gmbh`, `sa de cv`.
    pub company_suffixes: BTreeSet<String>,
    /// Short words of company names and their long form: `intl` to `international`.
    pub company_abbreviations: BTreeMap<String, String>,
    /// Domains of mail providers; `yahoo.*` means any ending.
    pub public_mail_domains: BTreeSet<String>,
    /// Local parts of mailboxes that belong to a function: `info`, `sales`.
    pub role_local_parts: BTreeSet<String>,
    /// Whole values that say nothing: `n/a`, `test`.
    pub junk_values: BTreeSet<String>,
    /// Local parts of addresses that nobody reads: `noreply`.
    pub junk_local_parts: BTreeSet<String>,
    /// Words before a name: `dr`, `mrs`.
    pub name_titles: BTreeSet<String>,
    /// Words after a name: `jr`, `phd`.
    pub name_suffixes: BTreeSet<String>,
    /// Words that begin a family name: `van`, `de`.
    pub name_particles: BTreeSet<String>,
}

impl Default for Lists {
    fn default() -> Self {
        Self {
            company_suffixes: lines(include_str!("data/company_suffixes.txt")),
            company_abbreviations: pairs(include_str!("data/company_abbreviations.txt")),
            public_mail_domains: lines(include_str!("data/public_mail_domains.txt")),
            role_local_parts: lines(include_str!("data/role_local_parts.txt")),
            junk_values: lines(include_str!("data/junk_values.txt")),
            junk_local_parts: lines(include_str!("data/junk_local_parts.txt")),
            name_titles: lines(include_str!("data/name_titles.txt")),
            name_suffixes: lines(include_str!("data/name_suffixes.txt")),
            name_particles: lines(include_str!("data/name_particles.txt")),
        }
    }
}

/// The first line of each file says what it is; an entry may itself begin with a hash sign (`#n/a`).
fn entries(file: &str) -> impl Iterator<Item = &str> {
    file.lines().skip(1).map(str::trim).filter(|line| !line.is_empty())
}

fn lines(file: &str) -> BTreeSet<String> {
    entries(file).map(str::to_owned).collect()
}

fn pairs(file: &str) -> BTreeMap<String, String> {
    entries(file)
        .filter_map(|line| line.split_once(" = "))
        .map(|(short, long)| (short.trim().to_owned(), long.trim().to_owned()))
        .collect()
}
