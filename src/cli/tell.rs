//! Telling: how values of documents are put into words.

use serde_json::Value;

/// A value as text; nothing for null.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A value as text, or a dash.
pub(super) fn or_dash(value: &Value) -> String {
    let text = text(value);
    if text.is_empty() { "-".to_owned() } else { text }
}

/// A value as the terminal can show it: no control characters, no bidirectional tricks, cut when very long.
pub(super) fn shown(value: &Value) -> String {
    let text = text(value);
    let visible: String = text
        .chars()
        .take(160)
        .map(|letter| {
            if letter.is_control() || is_invisible(letter) {
                '\u{b7}'
            } else {
                letter
            }
        })
        .collect();
    if text.chars().count() > 160 {
        format!("{visible}… ({} characters)", text.chars().count())
    } else {
        visible
    }
}

fn is_invisible(letter: char) -> bool {
    matches!(letter, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// A time without its fractions.
pub(super) fn time(value: &Value) -> String {
    let text = text(value);
    text.get(..19)
        .map_or_else(|| text.clone(), |start| start.replace('T', " "))
}

/// A score with one decimal.
pub(super) fn score(value: &Value) -> String {
    value
        .as_f64()
        .map_or_else(|| "-".to_owned(), |score| format!("{score:.1}"))
}

/// `lead_id`, or SOURCE:SOURCE_KEY.
pub(super) enum LeadName<'a> {
    /// `staging.lead.lead_id`.
    Number(i64),
    /// The source's row.
    Row(&'a str, &'a str),
}

/// Reads how a person names a lead.
pub(super) fn lead_name(name: &str) -> Option<LeadName<'_>> {
    if let Ok(number) = name.parse() {
        return Some(LeadName::Number(number));
    }
    name.split_once(':').map(|(source, key)| LeadName::Row(source, key))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_terminal_is_never_given_control_characters() {
        assert_eq!(shown(&json!("a\u{1b}[31mb\u{202e}c\u{200b}")), "a·[31mb·c·");
    }
}
