//! Streets: the key of an address line, whatever the order of its parts and however its words are shortened.

use super::text::fold_words;

/// Words that mean the same, each with the one that stands for all of them. Folded, as [`fold_words`] leaves them.
const WORDS: &[(&str, &str)] = &[
    ("street", "st"),
    ("avenue", "ave"),
    ("av", "ave"),
    ("avenida", "ave"),
    ("avda", "ave"),
    ("avd", "ave"),
    ("road", "rd"),
    ("drive", "dr"),
    ("lane", "ln"),
    ("court", "ct"),
    ("place", "pl"),
    ("plaza", "pl"),
    ("plaats", "pl"),
    ("piazza", "pl"),
    ("square", "sq"),
    ("boulevard", "blvd"),
    ("boul", "blvd"),
    ("bld", "blvd"),
    ("bd", "blvd"),
    ("crescent", "cres"),
    ("terrace", "ter"),
    ("tce", "ter"),
    ("highway", "hwy"),
    ("parkway", "pkwy"),
    ("circuit", "cct"),
    ("circle", "cir"),
    ("close", "cl"),
    ("parade", "pde"),
    ("grove", "gr"),
    ("gardens", "gdns"),
    ("mount", "mt"),
    ("saint", "st"),
    ("viale", "vle"),
    ("chemin", "ch"),
    ("calle", "c"),
    ("rua", "r"),
    ("rue", "r"),
    ("route", "rte"),
    ("north", "n"),
    ("south", "s"),
    ("east", "e"),
    ("west", "w"),
];

/// Words that stand alone or end another one, and are written short in both places: Haupt Strasse, Hauptstrasse, Hauptstr.
const ENDINGS: &[(&str, &str)] = &[("strasse", "str"), ("straat", "str"), ("platz", "pl")];

/// Words that only announce a number.
const ANNOUNCE: &[&str] = &[
    "apartment",
    "apt",
    "appartement",
    "appartamento",
    "flat",
    "suite",
    "ste",
    "unit",
    "no",
    "nr",
];

/// The key: the words of the street and its numbers, shortened and in alphabetical order. None when nothing is left.
pub(super) fn key(street: &str) -> Option<String> {
    let folded = fold_words(street);
    let mut words: Vec<String> = Vec::new();
    for word in folded
        .split(' ')
        .filter(|word| !word.is_empty() && !ANNOUNCE.contains(word))
    {
        let short = shortened(word);
        match words.last_mut() {
            // "Berliner Strasse" and "Berlinerstr." are one street.
            Some(before) if short == "str" && before.bytes().all(|byte| byte.is_ascii_alphabetic()) => {
                before.push_str("str");
            }
            _ => words.push(short),
        }
    }
    words.sort_unstable();
    Some(words.join(" ")).filter(|key| !key.is_empty())
}

fn shortened(word: &str) -> String {
    if let Some((_, short)) = WORDS.iter().find(|(long, _)| *long == word) {
        return (*short).to_owned();
    }
    ENDINGS
        .iter()
        .find_map(|(long, short)| Some(format!("{}{short}", word.strip_suffix(long)?)))
        .unwrap_or_else(|| word.to_owned())
}

#[cfg(test)]
mod tests {
    use super::key;

    #[test]
    fn one_street_has_one_key_however_it_is_written() {
        for (one, other) in [
            ("8 Stanley Street", "8 Stanley St."),
            ("Hauptstraße 5", "Hauptstr. 5"),
            ("Berliner Straße 12", "Berlinerstr. 12"),
            ("12, Berliner Str.", "Berliner Straße 12"),
            ("71, avenue de Blanc", "71 Av. de Blanc"),
            ("28312 Natalie Coves Suite 511", "28312 NATALIE COVES #511"),
            ("Avenida de América 3", "Avda. de America, 3"),
        ] {
            assert_eq!(key(one), key(other), "{one} and {other}");
        }
    }

    #[test]
    fn another_number_is_another_key() {
        assert_ne!(key("8 Stanley Street"), key("18 Stanley Street"));
        assert_ne!(key("Hauptstr. 5"), key("Hauptstr. 5a"));
    }

    #[test]
    fn what_only_announces_a_number_is_none() {
        assert_eq!(key("Apt."), None);
        assert_eq!(key(" - "), None);
    }
}
