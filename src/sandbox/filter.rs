//! One filter of a search: its operator, its values, and whether what the index knows of a contact fits.

use std::borrow::Cow;

use serde_json::Value;

use super::contact::{Contact, as_number};
use super::properties::{Catalog, Computed, Kind};
use super::values::PropId;
use super::wire::Problem;

/// A filter, ready to be asked.
#[derive(Debug)]
pub(super) struct Filter {
    pub(super) property: PropId,
    kind: Kind,
    /// The property holds several values, of which any one counts.
    several: bool,
    pub(super) test: Test,
}

/// What is asked of a value.
#[derive(Debug)]
pub(super) enum Test {
    /// There is one.
    Known,
    /// There is none.
    Unknown,
    /// It is one of these, as text (already folded) or as numbers.
    OneOf {
        texts: Vec<String>,
        numbers: Vec<f64>,
        not: bool,
    },
    /// It lies between these numbers; `true` means that the bound belongs to it.
    Numbers { from: (f64, bool), to: (f64, bool) },
    /// It lies between these texts, folded.
    Texts {
        from: Option<(String, bool)>,
        to: Option<(String, bool)>,
    },
    /// It has all these words in a row, or fits the pattern with `*`.
    Words { pattern: String, not: bool },
}

impl Filter {
    /// Reads one filter of the request.
    ///
    /// # Errors
    /// 400 for an unknown property or operator and for missing or unfit values.
    pub(super) fn read(catalog: &Catalog, filter: &Value) -> Result<Filter, Problem> {
        let field = |name: &str| super::write::text(filter, name);
        let name = field("propertyName").ok_or_else(|| Problem::missing_field("propertyName"))?;
        let operator = field("operator").ok_or_else(|| Problem::missing_field("operator"))?;
        let Some((property, definition)) = catalog.find(&name) else {
            return Err(Problem::validation(format!(
                "There was a problem with the request: property {name} not found"
            )));
        };
        let kind = definition.kind;
        let value = || field("value").ok_or_else(|| Problem::missing_field("value"));
        let values = || -> Result<Vec<String>, Problem> {
            let list = filter
                .get("values")
                .and_then(Value::as_array)
                .ok_or_else(|| Problem::missing_field("values"))?;
            Ok(list
                .iter()
                .filter_map(|one| one.as_str().map(str::to_owned).or_else(|| Some(one.to_string())))
                .collect())
        };
        let number = |text: &str| {
            as_number(text).ok_or_else(|| Problem::validation(format!("Invalid value for a filter on {name}")))
        };
        let one_of = |texts: Vec<String>, not: bool| -> Result<Test, Problem> {
            let numeric = kind.is_numeric();
            let numbers = if numeric {
                texts.iter().map(|text| number(text)).collect::<Result<_, _>>()?
            } else {
                vec![]
            };
            Ok(Test::OneOf { texts, numbers, not })
        };
        let between = |from: Option<(String, bool)>, to: Option<(String, bool)>| -> Result<Test, Problem> {
            if !kind.is_numeric() {
                let fold = |bound: Option<(String, bool)>| bound.map(|(text, with)| (text.to_lowercase(), with));
                return Ok(Test::Texts {
                    from: fold(from),
                    to: fold(to),
                });
            }
            let bound = |bound: Option<(String, bool)>, none: f64| match bound {
                Some((text, with)) => number(&text).map(|number| (number, with)),
                None => Ok((none, true)),
            };
            Ok(Test::Numbers {
                from: bound(from, f64::NEG_INFINITY)?,
                to: bound(to, f64::INFINITY)?,
            })
        };
        let test = match operator.as_str() {
            "HAS_PROPERTY" => Test::Known,
            "NOT_HAS_PROPERTY" => Test::Unknown,
            "EQ" => one_of(vec![folded(kind, &value()?).into_owned()], false)?,
            "NEQ" => one_of(vec![folded(kind, &value()?).into_owned()], true)?,
            // The values of these are not folded: on texts they must be lower case already.
            "IN" => one_of(values()?, false)?,
            "NOT_IN" => one_of(values()?, true)?,
            "LT" => between(None, Some((value()?, false)))?,
            "LTE" => between(None, Some((value()?, true)))?,
            "GT" => between(Some((value()?, false)), None)?,
            "GTE" => between(Some((value()?, true)), None)?,
            "BETWEEN" => {
                let high = field("highValue").ok_or_else(|| Problem::missing_field("highValue"))?;
                between(Some((value()?, true)), Some((high, true)))?
            }
            "CONTAINS_TOKEN" => Test::Words {
                pattern: value()?.to_lowercase(),
                not: false,
            },
            "NOT_CONTAINS_TOKEN" => Test::Words {
                pattern: value()?.to_lowercase(),
                not: true,
            },
            _ => {
                return Err(Problem::validation(format!(
                    "Invalid input JSON: unknown operator {operator}"
                )));
            }
        };
        let several = kind == Kind::Choices || definition.computed == Some(Computed::AdditionalEmails);
        Ok(Filter {
            property,
            kind,
            several,
            test,
        })
    }

    /// Whether a contact fits.
    pub(super) fn fits(&self, contact: &Contact, catalog: &Catalog) -> bool {
        if self.kind.is_numeric() {
            match &self.test {
                Test::Numbers { from, to } => {
                    let Some(value) = contact.number(catalog, self.property) else {
                        return false;
                    };
                    let above = if from.1 { value >= from.0 } else { value > from.0 };
                    let below = if to.1 { value <= to.0 } else { value < to.0 };
                    return above && below;
                }
                Test::OneOf { numbers, not, .. } => {
                    let Some(value) = contact.number(catalog, self.property) else {
                        return false;
                    };
                    return numbers.contains(&value) != *not;
                }
                _ => {}
            }
        }
        let value = contact.value(catalog, self.property);
        match &self.test {
            Test::Known => return value.is_some(),
            Test::Unknown => return value.is_none(),
            _ => {}
        }
        let Some(value) = value else { return false };
        let value = folded(self.kind, &value);
        match &self.test {
            Test::OneOf { texts, not, .. } => {
                let fits = |one: &str| texts.iter().any(|text| text == one);
                (if self.several {
                    value.split(';').any(fits)
                } else {
                    fits(&value)
                }) != *not
            }
            Test::Texts { from, to } => {
                let value = value.as_ref();
                let above = from
                    .as_ref()
                    .is_none_or(|(bound, with)| value > bound.as_str() || (*with && value == bound));
                let below = to
                    .as_ref()
                    .is_none_or(|(bound, with)| value < bound.as_str() || (*with && value == bound));
                above && below
            }
            Test::Words { pattern, not } => has_words(&value.to_lowercase(), pattern) != *not,
            Test::Known | Test::Unknown | Test::Numbers { .. } => false,
        }
    }

    /// The one text that is asked for, if it is a plain `EQ` or `IN` of texts.
    pub(super) fn wanted(&self) -> Option<&[String]> {
        match &self.test {
            Test::OneOf { texts, not: false, .. } => Some(texts),
            _ => None,
        }
    }
}

/// Texts are compared without regard to case; options of an enumeration are not.
pub(super) fn folded(kind: Kind, text: &str) -> Cow<'_, str> {
    if matches!(kind, Kind::Choice | Kind::Choices) || !text.chars().any(char::is_uppercase) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.to_lowercase())
}

/// Whether a text has the words of the pattern in a row, or fits the pattern when it has a `*`. Both lower case.
pub(super) fn has_words(text: &str, pattern: &str) -> bool {
    if pattern.contains('*') {
        return fits_pattern(text, pattern) || words(text).any(|word| fits_pattern(word, pattern));
    }
    let (have, want): (Vec<&str>, Vec<&str>) = (words(text).collect(), words(pattern).collect());
    !want.is_empty() && have.windows(want.len()).any(|row| row == want.as_slice())
}

/// The words of a text.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|one: char| !one.is_alphanumeric())
        .filter(|word| !word.is_empty())
}

fn fits_pattern(text: &str, pattern: &str) -> bool {
    let parts: Vec<&str> = pattern.split('*').collect();
    let (first, last) = (parts[0], parts[parts.len() - 1]);
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    for part in &parts[1..parts.len() - 1] {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_whole_and_patterns_by_their_stars() {
        for (text, pattern, fits) in [
            ("anna-maria smith", "maria smith", true),
            ("anna-maria smith", "mari", false),
            ("anna-maria smith", "mari*", true),
            ("a@hubspot.com", "*@hubspot.com", true),
            ("a@hubspot.com", "hubspot.com", true),
            ("a@hubspot.de", "*@hubspot.com", false),
            ("anything", "*", true),
            ("aba", "ab*ba", false),
        ] {
            assert_eq!(has_words(text, pattern), fits, "{text} {pattern}");
        }
    }
}
