//! Phone numbers: what a person typed into a cell, as E.164 numbers with their extensions apart.

#[cfg(test)]
mod against_the_crate;
mod pattern;
mod plan;

use super::text::fold;
use plan::PLANS;

/// A cell longer than this holds no phone number.
const LONGEST_CELL: usize = 200;

/// Digits of a tail: enough to tell people apart, few enough to stand in every way of writing a number.
const TAIL: usize = 8;

/// Words that stand before an extension. Folded.
const EXTENSION_WORDS: &[&str] = &[
    "x",
    "ex",
    "ext",
    "extn",
    "extension",
    "durchwahl",
    "dw",
    "poste",
    "anexo",
    "interno",
    "int",
    "ramal",
    "wew",
    "linka",
    "tst",
    "toestel",
    "#",
];

/// A valid number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Phone {
    /// With its plus sign.
    pub(super) e164: String,
    /// Digits of the extension.
    pub(super) extension: Option<String>,
}

impl Phone {
    /// The last eight digits, as [`tail`] has them.
    pub(super) fn tail(&self) -> &str {
        self.e164
            .get(self.e164.len().saturating_sub(TAIL)..)
            .unwrap_or(&self.e164)
    }

    /// The clean value: `+4930123456 ext. 12`.
    pub(super) fn display(&self) -> String {
        match &self.extension {
            Some(extension) => format!("{} ext. {extension}", self.e164),
            None => self.e164.clone(),
        }
    }
}

/// Does a numbering plan exist for this alpha-2 code?
pub(super) fn knows(country: &str) -> bool {
    PLANS.region(country).is_some()
}

/// The numbers in a cell, at least one, in their order.
///
/// `country` (alpha-2) says how to read numbers without a country code.
///
/// # Errors
/// The reason code: `invalid_phone`, or `junk_value` for 0000000 and 1234567.
pub(super) fn read_cell(cell: &str, country: Option<&str>) -> Result<Vec<Phone>, &'static str> {
    if cell.len() > LONGEST_CELL {
        return Err("invalid_phone");
    }
    let text = if cell.is_ascii() {
        cell.to_ascii_lowercase()
    } else {
        fold(cell)
    };
    if is_junk(&text.bytes().filter(u8::is_ascii_digit).collect::<Vec<_>>()) {
        return Err("junk_value");
    }
    if let Some(phone) = read_one(&text, country) {
        return Ok(vec![phone]);
    }
    let spaced = text
        .replace(" or ", ";")
        .replace(" oder ", ";")
        .replace(" ou ", ";")
        .replace(" and ", ";");
    let parts: Vec<&str> = spaced
        .split(['/', ';', ',', '|', '\\'])
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect();
    let phones: Option<Vec<Phone>> = parts.iter().map(|part| read_one(part, country)).collect();
    match phones {
        Some(phones) if phones.len() > 1 => Ok(phones),
        _ => Err("invalid_phone"),
    }
}

/// The last eight digits of a number, and its extension: also of one that is not valid as it stands, or whose country is
/// not known. Seven digits are the least; junk has no tail.
pub(super) fn tail(cell: &str) -> Option<(String, Option<String>)> {
    if cell.len() > LONGEST_CELL {
        return None;
    }
    let text = fold(cell);
    let (body, extension) = split_extension(&text);
    let body = without_decimal_tail(body);
    // 4.91711E+11: a spreadsheet has thrown the digits away.
    if body.contains("e+") {
        return None;
    }
    let digits: String = body.chars().filter(char::is_ascii_digit).collect();
    let cut = digits.len().saturating_sub(TAIL);
    let tail = digits.get(cut..)?;
    (tail.len() >= 7 && digits.len() <= 20 && !is_junk(tail.as_bytes()))
        .then(|| (tail.to_owned(), extension.map(str::to_owned)))
}

/// One number with its extension. The text is lower-case ASCII.
fn read_one(text: &str, country: Option<&str>) -> Option<Phone> {
    let (body, extension) = split_extension(text);
    let body = body.split_once(";phone-context=").map_or(body, |(number, _)| number);
    let start = body.find(|c: char| c.is_ascii_digit() || c == '+' || c == '(')?;
    let label = body.get(..start)?;
    // A label is a word or two ("tel.:", "phone"); anything longer is prose with digits in it.
    if label.len() > 24 || label.contains('@') {
        return None;
    }
    let body = body.get(start..)?;
    let (number, words) = match body.find(|c: char| c.is_ascii_alphabetic()) {
        Some(at) => (body.get(..at)?, body.get(at..)?),
        None => (body, ""),
    };
    let number = without_decimal_tail(number);
    if words.starts_with('e')
        && words
            .get(1..)
            .is_some_and(|rest| rest.starts_with(['+', '-']) || rest.starts_with(|c: char| c.is_ascii_digit()))
    {
        // 4.91711E+11: a spreadsheet has thrown the digits away.
        return None;
    }
    let read = |digits_of: &str| read_digits(digits_of, country);
    let is_remark = words.bytes().filter(u8::is_ascii_digit).count() < 4;
    // Words behind a number are a remark ("privat"); when the number is not complete without them, it is 1-800-FLOWERS.
    let e164 = if words.is_empty() {
        read(number)?
    } else {
        Some(number)
            .filter(|_| is_remark)
            .and_then(read)
            .or_else(|| read(&keypad(body)?))?
    };
    if is_junk(e164.as_bytes().get(1..)?) {
        return None;
    }
    Some(Phone {
        e164,
        extension: extension.map(str::to_owned),
    })
}

fn read_digits(text: &str, country: Option<&str>) -> Option<String> {
    let text = text.trim_start_matches(|c: char| !c.is_ascii_digit() && c != '+');
    let plus = text.starts_with('+');
    let zeros = text.starts_with("00");
    // +44 (0)20: the zero in brackets is dialled only within the country.
    let without = if plus || zeros {
        text.replace("(0)", "")
    } else {
        text.to_owned()
    };
    let digits: String = without.chars().filter(char::is_ascii_digit).collect();
    if !(4..=20).contains(&digits.len()) {
        return None;
    }
    if plus {
        return PLANS.international(digits.trim_start_matches('0'));
    }
    let national = country
        .and_then(|country| PLANS.region(country))
        .and_then(|plan| PLANS.national(&digits, plan));
    if national.is_some() {
        return national;
    }
    if zeros {
        return PLANS.international(digits.trim_start_matches('0'));
    }
    // 491711234567: somebody dropped the plus sign. Shorter ones could as well be numbers of another country.
    if digits.len() >= 11 && !digits.starts_with('0') {
        PLANS.international(&digits)
    } else {
        None
    }
}

/// `030 123456 ext. 12` to `030 123456` and `12`.
fn split_extension(text: &str) -> (&str, Option<&str>) {
    let bytes = text.as_bytes();
    let mut end = bytes.len();
    while end > 0 && matches!(bytes[end - 1], b' ' | b'.' | b')' | b']') {
        end -= 1;
    }
    let mut from = end;
    while from > 0 && bytes[from - 1].is_ascii_digit() {
        from -= 1;
    }
    if from == end || end - from > 7 {
        return (text, None);
    }
    let mut word_end = from;
    while word_end > 0 && matches!(bytes[word_end - 1], b' ' | b'.' | b':' | b'=' | b'-') {
        word_end -= 1;
    }
    let mut word = word_end;
    while word > 0 && (bytes[word - 1].is_ascii_alphabetic() || bytes[word - 1] == b'#') {
        word -= 1;
    }
    let (Some(head), Some(name), Some(extension)) = (text.get(..word), text.get(word..word_end), text.get(from..end))
    else {
        return (text, None);
    };
    let digits_before = head.bytes().filter(u8::is_ascii_digit).count();
    if EXTENSION_WORDS.contains(&name) && digits_before >= 5 {
        (
            head.trim_end_matches([' ', ',', ';', '.', '(', '[', '-']),
            Some(extension),
        )
    } else {
        (text, None)
    }
}

/// `4915112345678.0` is a number that went through a spreadsheet.
fn without_decimal_tail(number: &str) -> &str {
    match number.trim_end().strip_suffix(".0") {
        Some(whole) if whole.len() >= 7 && whole.bytes().all(|byte| byte.is_ascii_digit()) => whole,
        _ => number,
    }
}

/// Letters as on a telephone's keys, when three digits stand before the first of them.
fn keypad(text: &str) -> Option<String> {
    let digits = |c: char| match c {
        'a'..='c' => '2',
        'd'..='f' => '3',
        'g'..='i' => '4',
        'j'..='l' => '5',
        'm'..='o' => '6',
        'p'..='s' => '7',
        't'..='v' => '8',
        'w'..='z' => '9',
        other => other,
    };
    let first = text.find(|c: char| c.is_ascii_alphabetic())?;
    let before = text.bytes().take(first).filter(u8::is_ascii_digit).count();
    (before >= 3).then(|| text.chars().map(digits).collect())
}

/// One digit repeated, or digits counted up or down from the first to the last.
fn is_junk(digits: &[u8]) -> bool {
    if digits.len() < 5 {
        return false;
    }
    let runs = |step: u8| {
        digits
            .windows(2)
            .all(|pair| (pair[0] - b'0' + step) % 10 == pair[1] - b'0')
    };
    runs(0) || runs(1) || runs(9)
}
