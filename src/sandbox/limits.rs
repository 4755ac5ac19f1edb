//! Request limits: exact rolling windows, and the daily sum that begins anew at the account's midnight.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::options::Limits;

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

/// Which limit was hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The day's sum of the account.
    Daily,
    /// The general window of the token.
    TenSecondly,
    /// The search window of the account.
    Secondly,
}

/// What the headers of an answer say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    /// Maximum and remainder of the general window, and its length; absent for search.
    pub(super) general: Option<(u32, u32, Duration)>,
    /// Maximum and remainder of the day.
    pub(super) daily: (u32, u32),
}

/// Counts requests against the limits. Refused ones do not count.
pub(super) struct Gate {
    limits: Option<Limits>,
    general: Vec<VecDeque<Instant>>,
    search: VecDeque<Instant>,
    offset_ms: i64,
    day: i64,
    today: u32,
}

impl Gate {
    /// A gate for this many tokens. `utc_offset` in seconds sets the account's midnight.
    pub(super) fn new(limits: Option<Limits>, tokens: usize, utc_offset: i32) -> Gate {
        let general = vec![VecDeque::new(); tokens];
        Gate {
            limits,
            general,
            search: VecDeque::new(),
            offset_ms: i64::from(utc_offset) * 1000,
            day: 0,
            today: 0,
        }
    }

    /// Lets a request pass, or says which limit it hits. `None` inside is "no limits".
    pub(super) fn admit(
        &mut self,
        token: usize,
        is_search: bool,
        now: Instant,
        wall_ms: i64,
    ) -> Result<Option<Standing>, (Refusal, Standing)> {
        let Some(limits) = self.limits else { return Ok(None) };
        let day = (wall_ms + self.offset_ms).div_euclid(DAY_MS);
        if day != self.day {
            (self.day, self.today) = (day, 0);
        }
        let (window, most, length, refusal) = if is_search {
            (&mut self.search, limits.search, limits.search_window, Refusal::Secondly)
        } else {
            (
                &mut self.general[token],
                limits.general,
                limits.window,
                Refusal::TenSecondly,
            )
        };
        while window
            .front()
            .is_some_and(|&first| now.saturating_duration_since(first) >= length)
        {
            window.pop_front();
        }
        let used = u32::try_from(window.len()).unwrap_or(u32::MAX);
        let refused = if self.today >= limits.daily {
            Some(Refusal::Daily)
        } else {
            (used >= most).then_some(refusal)
        };
        let mut left = most.saturating_sub(used);
        if refused.is_none() {
            window.push_back(now);
            self.today += 1;
            left -= 1;
        }
        let standing = Standing {
            general: (!is_search).then_some((most, left, length)),
            daily: (limits.daily, limits.daily.saturating_sub(self.today)),
        };
        refused.map_or(Ok(Some(standing)), |refusal| Err((refusal, standing)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(daily: u32) -> Gate {
        Gate::new(
            Some(Limits {
                daily,
                ..Limits::PROFESSIONAL
            }),
            2,
            3600,
        )
    }

    #[test]
    fn a_window_holds_exactly_its_maximum_and_rolls_by_single_requests() {
        let (mut gate, start) = (gate(1_000_000), Instant::now());
        let at = |ms: u64| start + Duration::from_millis(ms);
        for n in 0..190 {
            assert!(gate.admit(0, false, at(n * 10), 0).is_ok(), "request {n}");
        }
        assert_eq!(
            gate.admit(0, false, at(9_999), 0).map_err(|refused| refused.0),
            Err(Refusal::TenSecondly)
        );
        assert!(
            gate.admit(1, false, at(9_999), 0).is_ok(),
            "another token has a window of its own"
        );
        assert!(gate.admit(0, false, at(10_000), 0).is_ok(), "the first one is 10 s old");
        assert_eq!(
            gate.admit(0, false, at(10_009), 0).map_err(|refused| refused.0),
            Err(Refusal::TenSecondly)
        );
        assert!(gate.admit(0, false, at(10_010), 0).is_ok());
    }

    #[test]
    fn search_is_shared_by_tokens_and_exempt_from_the_general_window() {
        let (mut gate, now) = (gate(1_000_000), Instant::now());
        for n in 0..5 {
            assert!(gate.admit(n % 2, true, now, 0).is_ok());
        }
        assert_eq!(
            gate.admit(0, true, now, 0).map_err(|refused| refused.0),
            Err(Refusal::Secondly)
        );
        assert!((0..190).all(|_| gate.admit(0, false, now, 0).is_ok()));
    }

    #[test]
    fn the_day_begins_anew_at_the_midnight_of_the_account() {
        let (mut gate, now) = (gate(2), Instant::now());
        let midnight = 23 * 3_600_000;
        assert!(gate.admit(0, false, now, midnight - 2).is_ok());
        assert!(gate.admit(0, true, now, midnight - 2).is_ok());
        assert_eq!(
            gate.admit(0, false, now, midnight - 1).map_err(|refused| refused.0),
            Err(Refusal::Daily)
        );
        assert!(gate.admit(0, false, now, midnight).is_ok());
    }
}
