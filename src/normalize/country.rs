//! Countries by code or by name, in English, in their own language and as people write them.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::text::fold;

/// Compact folded names and codes to alpha-2.
static NAMES: LazyLock<HashMap<String, &'static str>> = LazyLock::new(|| {
    let mut names = HashMap::new();
    for line in include_str!("data/countries.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
    {
        let mut parts = line.splitn(3, ' ');
        let (Some(alpha2), Some(alpha3), Some(rest)) = (parts.next(), parts.next(), parts.next()) else {
            continue;
        };
        // Codes win over names of other countries, whatever their order in the file.
        names.insert(compact(alpha2), alpha2);
        names.insert(compact(alpha3), alpha2);
        for name in rest.split('|') {
            names.entry(compact(name)).or_insert(alpha2);
        }
    }
    names
});

/// ISO 3166 alpha-2, upper case, when the text names a country.
pub(super) fn alpha2(text: &str) -> Option<&'static str> {
    // The longest name has some sixty letters; nothing longer is worth folding.
    if text.len() > 200 {
        return None;
    }
    NAMES.get(&compact(text)).copied()
}

/// Folded letters only: `U.S.A.` and `usa` are the same.
fn compact(text: &str) -> String {
    let mut folded = fold(text);
    folded.retain(|c| c.is_ascii_lowercase());
    folded
}
