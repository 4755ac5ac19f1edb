//! Text made clean: invisible characters, broken encodings, odd spaces; and folded, for keys.

use std::borrow::Cow;

use deunicode::{deunicode, deunicode_char};
use unicode_normalization::UnicodeNormalization;

/// How a clean text may look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// Compatibility forms resolved too (full-width letters, ligatures): names, addresses, numbers.
    Compatible,
    /// Characters as written, composed: companies, titles, streets.
    Composed,
    /// As `Composed`, and line breaks stay: free text of other properties.
    Lines,
}

/// The text without what nobody sees, with mojibake repaired and white space folded. The same again when applied again.
pub(super) fn clean(text: &str, shape: Shape) -> String {
    let mut text = pass(text, shape).into_owned();
    if text.is_ascii() {
        return text;
    }
    // A pass can lay open something for the next one (a zero-width space inside mojibake). Each pass that changes
    // the text makes it simpler, so this ends; the bound keeps the promise against what nobody thought of.
    for _ in 0..16 {
        let next = pass(&text, shape);
        if next == text {
            break;
        }
        text = next.into_owned();
    }
    text
}

fn pass(text: &str, shape: Shape) -> Cow<'_, str> {
    if text.is_ascii() {
        return fold_spaces(text, shape);
    }
    // The repair comes first: half of a broken character may be a soft hyphen or a no-break space.
    // Text that went wrong twice is repaired twice, before anything else can touch the fragments.
    let mut repaired = Cow::Borrowed(text);
    while let Some(better) = repair_mojibake(&repaired) {
        repaired = Cow::Owned(better);
    }
    let visible = repaired.chars().filter(|c| !is_invisible(*c));
    let normal: String = if shape == Shape::Compatible {
        visible.nfkc().collect()
    } else {
        visible.nfc().collect()
    };
    Cow::Owned(fold_spaces(&normal, shape).into_owned())
}

/// Control characters and runs of white space become one space; none at the ends.
fn fold_spaces(text: &str, shape: Shape) -> Cow<'_, str> {
    let is_break = |c: char| shape == Shape::Lines && (c == '\n' || c == '\t');
    let mut before = ' ';
    let tidy = !text.ends_with(' ')
        && text.chars().all(|c| {
            let good = !(c.is_control() || c.is_whitespace() && c != ' ' || c == ' ' && before == ' ');
            before = c;
            good
        });
    if tidy {
        return Cow::Borrowed(text);
    }
    let mut folded = String::with_capacity(text.len());
    let mut gap = None;
    for c in text.chars() {
        if is_break(c) {
            gap = Some(if gap == Some('\n') { '\n' } else { c });
        } else if c.is_whitespace() {
            gap = gap.or(Some(' '));
        } else if !c.is_control() {
            if let Some(space) = gap.take().filter(|_| !folded.is_empty()) {
                folded.push(space);
            }
            folded.push(c);
        }
    }
    Cow::Owned(folded)
}

/// Zero-width, bidirectional and other characters that have no picture of their own.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{80}'..='\u{84}' | '\u{86}'..='\u{9f}' | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffd}' | '\u{e0000}'..='\u{e0fff}')
}

/// `MÃ¼ller` to `Müller`: UTF-8 that was read as Latin-1 or Windows-1252. None unless all of it reads as UTF-8 then.
fn repair_mojibake(text: &str) -> Option<String> {
    // The first byte of a character of two to four bytes reads as one of these.
    if !text.chars().any(|c| matches!(c, '\u{c2}'..='\u{f4}')) {
        return None;
    }
    let bytes: Option<Vec<u8>> = text.chars().map(byte_of).collect();
    String::from_utf8(bytes?)
        .ok()
        .filter(|repaired| repaired.len() < text.len() && repaired != text)
}

/// The byte that Windows-1252 (or Latin-1, where that has none) shows as this character.
fn byte_of(c: char) -> Option<u8> {
    const HIGH: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}', '‘',
        '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
    ];
    match u32::from(c) {
        code @ 0..=0xff => u8::try_from(code).ok(),
        _ => HIGH
            .iter()
            .position(|high| *high == c)
            .and_then(|index| u8::try_from(index + 0x80).ok()),
    }
}

/// Lower-case ASCII: diacritics folded, other scripts transliterated. White space is left as it comes.
pub(super) fn fold(text: &str) -> String {
    let mut folded = if text.is_ascii() {
        text.to_owned()
    } else {
        deunicode(text)
    };
    folded.make_ascii_lowercase();
    // Signs without an ASCII picture come out as nothing; anything else that is not ASCII cannot be promised away.
    folded.retain(|c| c.is_ascii() && c != '\0');
    folded
}

/// Folded words of letters and digits, with a single space between. Apostrophes join (`o'neil` is `oneil`).
pub(super) fn fold_words(text: &str) -> String {
    let folded = fold(text);
    let mut words = String::with_capacity(folded.len());
    let mut gap = false;
    for byte in folded.bytes() {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' => {
                if gap && !words.is_empty() {
                    words.push(' ');
                }
                gap = false;
                words.push(char::from(byte));
            }
            b'\'' | b'`' => {}
            _ => gap = true,
        }
    }
    words
}

/// The words of a person's name: Chinese characters that stand together are one word, as the name is where it is written in
/// Latin letters. Each of them would be a word of its own otherwise, and any two names that have one in common alike.
pub(super) fn fold_name(text: &str) -> String {
    if text.is_ascii() {
        return fold_words(text);
    }
    let mut joined = String::with_capacity(text.len() * 2);
    for c in text.chars() {
        match deunicode_char(c).filter(|_| is_han(c)) {
            Some(reading) => joined.push_str(reading.trim_end()),
            None => joined.push(c),
        }
    }
    fold_words(&joined)
}

/// Chinese characters, as Chinese, Japanese and Korean write them.
fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}
