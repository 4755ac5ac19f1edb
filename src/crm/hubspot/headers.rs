//! What HubSpot's headers say: its limits, how long to wait, and the name of the request at its support desk.

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::{HeaderMap, RETRY_AFTER};

use crate::crm::RateHeaders;

/// A portal may be away for a day (477); a longer wait is a mistake or an attack.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 60 * 60);

/// The limits. Search answers carry none of them; OAuth tokens get no daily ones.
pub(super) fn rate(headers: &HeaderMap) -> RateHeaders {
    RateHeaders {
        window_max: number(headers, "x-hubspot-ratelimit-max"),
        window_remaining: number(headers, "x-hubspot-ratelimit-remaining"),
        window: number(headers, "x-hubspot-ratelimit-interval-milliseconds")
            .map(|millis| Duration::from_millis(u64::from(millis))),
        daily_max: number(headers, "x-hubspot-ratelimit-daily"),
        daily_remaining: number(headers, "x-hubspot-ratelimit-daily-remaining"),
    }
}

/// HubSpot's id of the request.
pub(super) fn correlation_id(headers: &HeaderMap) -> Option<String> {
    text(headers, "x-hubspot-correlation-id").map(|id| id.chars().take(100).collect())
}

/// How long to wait: seconds, or a date (RFC 9110).
pub(super) fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let text = text(headers, RETRY_AFTER.as_str())?;
    let wait = match text.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let then = DateTime::parse_from_rfc2822(text).ok()?;
            (then.to_utc() - now).to_std().unwrap_or(Duration::ZERO)
        }
    };
    Some(wait.min(LONGEST_WAIT))
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get(name)?
        .to_str()
        .ok()
        .map(str::trim)
        .filter(|text| !text.is_empty())
}

fn number(headers: &HeaderMap, name: &str) -> Option<u32> {
    text(headers, name)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderName, HeaderValue};

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn limits_are_read_where_they_are_given() {
        let all = headers(&[
            ("x-hubspot-ratelimit-max", "190"),
            ("x-hubspot-ratelimit-remaining", "189"),
            ("x-hubspot-ratelimit-interval-milliseconds", "10000"),
            ("x-hubspot-ratelimit-daily", "625000"),
            ("x-hubspot-ratelimit-daily-remaining", "none"),
            ("x-hubspot-correlation-id", "c-1"),
        ]);
        let expected = RateHeaders {
            window_max: Some(190),
            window_remaining: Some(189),
            window: Some(Duration::from_secs(10)),
            daily_max: Some(625_000),
            daily_remaining: None,
        };
        assert_eq!(rate(&all), expected);
        assert_eq!(correlation_id(&all).as_deref(), Some("c-1"));
        assert_eq!(rate(&headers(&[])), RateHeaders::default());
    }

    #[test]
    fn a_wait_is_seconds_or_a_date_and_never_more_than_a_day() {
        let now = DateTime::parse_from_rfc3339("2026-11-23T10:00:00Z").unwrap().to_utc();
        let cases = [
            ("30", Some(30)),
            ("0", Some(0)),
            ("999999999", Some(86_400)),
            ("Mon, 23 Nov 2026 10:00:05 GMT", Some(5)),
            ("Mon, 23 Nov 2026 09:00:00 GMT", Some(0)),
            ("soon", None),
            ("-1", None),
        ];
        for (text, seconds) in cases {
            let wait = retry_after(&headers(&[("retry-after", text)]), now);
            assert_eq!(wait, seconds.map(Duration::from_secs), "{text}");
        }
        assert_eq!(retry_after(&headers(&[]), now), None);
    }
}
