//! Master: which contact of a group stays.

use std::cmp::Ordering;

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};

use crate::domain::{Criterion, KnownContact};

/// A contact that may stay.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate<'a> {
    pub(super) known: &'a KnownContact,
    pub(super) created_at: Option<DateTime<Utc>>,
}

fn name(criterion: &Criterion) -> String {
    match criterion {
        Criterion::Has(field) => format!("has {field}"),
        Criterion::MostComplete => "most_complete".to_owned(),
        Criterion::Oldest => "oldest".to_owned(),
        Criterion::Newest => "newest".to_owned(),
        Criterion::RecentlyChanged => "recently_changed".to_owned(),
        Criterion::Highest(field) => format!("highest {field}"),
    }
}

/// The one that stands before the other is the greater one.
fn compare(criterion: &Criterion, one: Candidate<'_>, other: Candidate<'_>) -> Ordering {
    match criterion {
        Criterion::Has(field) => one
            .known
            .values
            .contains_key(field)
            .cmp(&other.known.values.contains_key(field)),
        Criterion::MostComplete => one.known.values.len().cmp(&other.known.values.len()),
        // Of whom it is not known when it was made, it counts as made last.
        Criterion::Oldest => made(other).cmp(&made(one)),
        Criterion::Newest => made(one).cmp(&made(other)),
        Criterion::RecentlyChanged => one.known.updated_at.cmp(&other.known.updated_at),
        Criterion::Highest(field) => {
            let held = |candidate: Candidate<'_>| candidate.known.values.get(field).map(|value| height(value));
            held(one).partial_cmp(&held(other)).unwrap_or(Ordering::Equal)
        }
    }
}

/// A number by its value, a time by its seconds; of anything else that there is something.
fn height(value: &str) -> f64 {
    let value = value.trim();
    let time = DateTime::parse_from_rfc3339(value).map(|time| time.timestamp_millis());
    let day = || {
        value
            .parse::<NaiveDate>()
            .map(|day| day.and_time(NaiveTime::MIN).and_utc().timestamp_millis())
    };
    let time = time.ok().or_else(|| day().ok()).map(|milliseconds| milliseconds as f64);
    value
        .parse()
        .ok()
        .or(time)
        .filter(|height: &f64| !height.is_nan())
        .unwrap_or(f64::NEG_INFINITY)
}

fn made(candidate: Candidate<'_>) -> DateTime<Utc> {
    candidate.created_at.unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// Puts the candidates into order, the one that stays first, and says by what it stands before the next one. Where no criterion
/// tells two apart, the lower number.
pub(super) fn in_order<'a>(candidates: &[Candidate<'a>], criteria: &[Criterion]) -> (Vec<Candidate<'a>>, String) {
    let mut ordered = candidates.to_vec();
    ordered.sort_by(|one, other| {
        let by_criteria = criteria.iter().map(|criterion| compare(criterion, *other, *one));
        let decided = by_criteria.into_iter().find(|ordering| ordering.is_ne());
        decided.unwrap_or_else(|| one.known.contact_id.cmp(&other.known.contact_id))
    });
    let rule = match ordered.as_slice() {
        [first, second, ..] => criteria
            .iter()
            .find(|criterion| compare(criterion, *first, *second).is_ne())
            .map_or_else(|| "lowest contact_id".to_owned(), name),
        _ => "alone".to_owned(),
    };
    (ordered, rule)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use chrono::TimeDelta;

    use super::*;
    use crate::domain::{ContactId, Field};

    fn contact(number: i64, fields: &[Field]) -> KnownContact {
        KnownContact {
            contact_id: ContactId(number),
            crm_id: None,
            values: fields.iter().map(|field| (field.clone(), "x".to_owned())).collect(),
            provenance: BTreeMap::new(),
            doubted: Vec::new(),
            additional_emails: Vec::new(),
            updated_at: Some(DateTime::UNIX_EPOCH + TimeDelta::days(number)),
            noted_since: None,
            has_open_intent: false,
        }
    }

    #[track_caller]
    fn check(criteria: &[Criterion], expected: i64, rule: &str) {
        let contacts = [
            contact(1, &[Field::Email]),
            contact(2, &[Field::Email, Field::ExternalId]),
            contact(3, &[Field::Email, Field::City, Field::Street]),
        ];
        let candidates: Vec<Candidate<'_>> = contacts
            .iter()
            .zip([5, 9, 2])
            .map(|(known, day)| Candidate {
                known,
                created_at: Some(DateTime::UNIX_EPOCH + TimeDelta::days(day)),
            })
            .collect();
        let (ordered, by) = in_order(&candidates, criteria);
        assert_eq!((ordered[0].known.contact_id.0, by.as_str()), (expected, rule));
    }

    #[test]
    fn numbers_and_times_have_a_height_and_other_texts_are_below_all() {
        let mut heights = ["2026-01-31", "12", "9.5", "-3", "n/a", "2026-02-01T10:00:00Z"];
        heights.sort_by(|one, other| height(one).total_cmp(&height(other)));
        assert_eq!(
            heights,
            ["n/a", "-3", "9.5", "12", "2026-01-31", "2026-02-01T10:00:00Z"]
        );
    }

    #[test]
    fn the_first_criterion_that_tells_them_apart_decides() {
        check(
            &[Criterion::Has(Field::ExternalId), Criterion::Oldest],
            2,
            "has external_id",
        );
        check(
            &[Criterion::Has(Field::Email), Criterion::MostComplete],
            3,
            "most_complete",
        );
        check(&[Criterion::Oldest], 3, "oldest");
        check(&[Criterion::Newest], 2, "newest");
        check(&[Criterion::RecentlyChanged], 3, "recently_changed");
        check(&[Criterion::Has(Field::Email)], 1, "lowest contact_id");
        check(&[], 1, "lowest contact_id");
    }
}
