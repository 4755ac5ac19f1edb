//! Letters of names that came in capitals or small letters throughout, as one would write them.

/// The text in upper and lower case, when all of it was in one of them and it is no mere initial.
///
/// `is_particle` knows the words that stay small inside a name (`van`, `de`), folded.
pub(super) fn display_case(text: &str, is_particle: impl Fn(&str) -> bool) -> String {
    let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    let upper = text.chars().any(char::is_uppercase);
    let lower = text.chars().any(char::is_lowercase);
    if letters <= 2 || upper == lower {
        return text.to_owned();
    }
    let words: Vec<&str> = text.split(' ').collect();
    let last = words.len().saturating_sub(1);
    let cased: Vec<String> = words
        .iter()
        .enumerate()
        .map(|(index, word)| {
            let small = word.to_lowercase();
            if index < last && is_particle(&small) {
                small
            } else {
                word_case(word)
            }
        })
        .collect();
    cased.join(" ")
}

fn word_case(word: &str) -> String {
    if is_roman(word) || is_initials(word) {
        return word.to_uppercase();
    }
    let mut cased = String::with_capacity(word.len());
    let lower = word.to_lowercase();
    let mut begins = true;
    let mut part = 0;
    for (index, c) in lower.char_indices() {
        if begins && c.is_alphabetic() {
            cased.extend(c.to_uppercase());
            begins = false;
            part = index;
            continue;
        }
        cased.push(c);
        begins = match c {
            '-' | '.' | '/' | '(' | '"' => true,
            // O'Neil and D'Angelo, but not Ma'am: only after one letter, and when more than one follows.
            '\'' | '’' => {
                lower.get(part..index).is_some_and(|before| before.chars().count() == 1)
                    && index + c.len_utf8() + 1 < lower.len()
            }
            // McDonald; names in Mac go both ways (Macy, MacLeod) and are left.
            'c' => lower.get(part..index) == Some("m") && lower.len() > index + 3,
            _ => begins && !c.is_alphabetic(),
        };
    }
    cased
}

/// II, III, IV behind a name.
fn is_roman(word: &str) -> bool {
    ["ii", "iii", "iv"].iter().any(|roman| word.eq_ignore_ascii_case(roman))
}

/// `J`, `J.R.`, `TJ`: single letters with dots, or two consonants.
fn is_initials(word: &str) -> bool {
    let vowel = |c: char| "aeiouyAEIOUY".contains(c);
    let mut letters = word.chars().filter(|c| c.is_alphabetic());
    match (letters.next(), letters.next(), letters.next()) {
        (Some(_), None, _) => true,
        (Some(a), Some(b), None) => word.is_ascii() && (word.contains('.') || !vowel(a) && !vowel(b)),
        _ => word.len() > 3 && word.split('.').all(|part| part.chars().count() <= 1),
    }
}
