//! Standing: how strong a claim to a field is. One total order for each field, so that whoever comes first, the same claim
//! wins: the strongest of all that were ever made.

use std::cmp::Ordering;

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};

use super::policy::{FieldPolicy, Policy};

/// Somebody says that a field holds a value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Claim<'a> {
    /// The value, not blank.
    pub(super) value: &'a str,
    /// Whose it is.
    pub(super) source: &'a str,
    /// When the source saw it; absent: longest ago.
    pub(super) seen_at: Option<DateTime<Utc>>,
}

/// What decides first between two claims of one class.
#[derive(Debug, Clone, Copy)]
pub(super) struct Measure(f64);

impl PartialEq for Measure {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Measure {}

impl PartialOrd for Measure {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Measure {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

/// How strong a claim stands. Compared from the first part to the last; the greater one wins.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Standing<'a> {
    /// By policy: sources of one field may follow different ones, and what is to be protected stands above.
    pub(super) class: u8,
    /// By what the policy looks at: rank, time, length, value.
    pub(super) measure: Measure,
    /// The better source.
    pub(super) rank: i32,
    /// The newer value.
    pub(super) seen_at: Option<DateTime<Utc>>,
    /// Where all is equal the greater text wins: the result must not depend on the order of arrival.
    value: &'a str,
    source: &'a str,
}

/// The standing of a claim under a policy.
pub(super) fn standing<'a>(
    claim: Claim<'a>,
    field: &str,
    field_policy: FieldPolicy,
    policy: &Policy,
    now: DateTime<Utc>,
) -> Standing<'a> {
    let rank = policy.rank_at(field, claim.source, claim.seen_at, now);
    let time = micros(claim.seen_at);
    let (class, measure) = match field_policy {
        // The first one filled it.
        FieldPolicy::Never | FieldPolicy::OnlyIfBlank => (0, -time),
        FieldPolicy::Newest => (1, time),
        FieldPolicy::Longest => (2, length(claim.value)),
        FieldPolicy::Min => (3, amount(claim.value).map_or(f64::NEG_INFINITY, |amount| -amount)),
        FieldPolicy::Max => (4, amount(claim.value).unwrap_or(f64::NEG_INFINITY)),
        FieldPolicy::HighestRank | FieldPolicy::Append => (5, f64::from(rank)),
        FieldPolicy::Tighten => (6, tightness(claim.value, policy.scale(field).unwrap_or_default())),
    };
    Standing {
        class,
        measure: Measure(measure),
        rank,
        seen_at: claim.seen_at,
        value: claim.value,
        source: claim.source,
    }
}

/// Microseconds are exact in a double until the year 2255.
#[expect(clippy::cast_precision_loss, reason = "exact until the year 2255")]
fn micros(time: Option<DateTime<Utc>>) -> f64 {
    time.map_or(f64::NEG_INFINITY, |time| time.timestamp_micros() as f64)
}

fn length(value: &str) -> f64 {
    f64::from(u32::try_from(value.trim().chars().count()).unwrap_or(u32::MAX))
}

/// A number, or a date or time as milliseconds since 1970, as CRMs count them.
fn amount(value: &str) -> Option<f64> {
    let value = value.trim();
    if let Ok(number) = value.parse::<f64>() {
        return number.is_finite().then_some(number);
    }
    let at = DateTime::parse_from_rfc3339(value).map(|at| at.with_timezone(&Utc));
    let at = at.or_else(|_| NaiveDateTime::parse_from_str(value, "%Y-%m-%d %H:%M:%S").map(|at| at.and_utc()));
    let at = at.or_else(|_| {
        NaiveDate::parse_from_str(value, "%Y-%m-%d").map(|day| day.and_time(chrono::NaiveTime::MIN).and_utc())
    });
    at.ok().map(|at| micros(Some(at)) / 1000.0)
}

/// The place on a scale, from 1; 0 for what is not on it.
fn tightness(value: &str, scale: &[String]) -> f64 {
    let value = value.trim().to_lowercase();
    let place = scale.iter().position(|step| step.trim().to_lowercase() == value);
    place.map_or(0.0, |place| f64::from(u32::try_from(place + 1).unwrap_or(u32::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_dates_and_times_are_amounts_and_other_texts_are_none() {
        assert_eq!(amount(" 12.5 "), Some(12.5));
        assert_eq!(amount("1970-01-02"), Some(86_400_000.0));
        assert_eq!(amount("1970-01-02T01:00:00+01:00"), Some(86_400_000.0));
        assert_eq!(amount("1970-01-02 00:00:00"), Some(86_400_000.0));
        assert_eq!(amount("soon"), None);
        assert_eq!(amount("NaN"), None);
    }
}
