//! The timetable: which pass is due when. Pure; all times are the database's.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::PullSettings;
use crate::domain::ReplicaId;
use crate::store::passes::{Pass, PassRow};

/// When each pass is due for `me`, in the order in which those that are due should run: quick ones first, for the gate
/// decides by a mirror that is fresh, not by one that was lately compared. Before the first full load there is nothing else.
pub(super) fn timetable(
    rows: &[PassRow],
    settings: &PullSettings,
    me: ReplicaId,
    fields_complete: bool,
) -> Vec<(Pass, DateTime<Utc>)> {
    let row = |pass: Pass| rows.iter().find(|row| row.pass == pass.name());
    let free = |pass: Pass, at: DateTime<Utc>| match row(pass).and_then(|row| row.lease) {
        Some((holder, until)) if holder != me => at.max(until),
        _ => at,
    };
    let every = |pass: Pass, pause: Duration| match row(pass).and_then(|row| row.finished_at) {
        Some(finished_at) => later(finished_at, pause),
        None => DateTime::UNIX_EPOCH,
    };
    let loaded_until = row(Pass::Full).and_then(|row| row.watermark);
    let full = if fields_complete && loaded_until.is_some() {
        every(Pass::Full, settings.full_every)
    } else {
        DateTime::UNIX_EPOCH
    };
    let full = (Pass::Full, free(Pass::Full, full));
    let Some(loaded_until) = loaded_until else {
        return vec![full];
    };
    let window = |pass: Pass, pause: Duration, lag: Duration| {
        let under_way = row(pass).is_some_and(|row| row.started_at.is_some() && row.finished_at.is_none());
        let known = row(pass)
            .and_then(|row| row.watermark)
            .map_or(loaded_until, |own| own.max(loaded_until));
        let at = if under_way {
            DateTime::UNIX_EPOCH
        } else {
            every(pass, pause).max(later(known, lag))
        };
        (pass, free(pass, at))
    };
    let archived = every(Pass::Archived, settings.archived_every);
    vec![
        window(Pass::Changes, settings.poll_every, settings.lag),
        window(Pass::Slow, settings.slow_every, settings.slow_lag),
        (Pass::Archived, free(Pass::Archived, archived)),
        full,
    ]
}

fn later(time: DateTime<Utc>, wait: Duration) -> DateTime<Utc> {
    TimeDelta::from_std(wait)
        .ok()
        .and_then(|wait| time.checked_add_signed(wait))
        .unwrap_or(DateTime::<Utc>::MAX_UTC)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Mirror;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_000_000 + seconds, 0).unwrap()
    }

    fn row(pass: Pass, finished: i64, watermark: i64) -> PassRow {
        PassRow {
            pass: pass.name().to_owned(),
            started_at: Some(at(finished - 5)),
            finished_at: Some(at(finished)),
            rows_read: 1,
            expected: None,
            watermark: Some(at(watermark)),
            lease: None,
        }
    }

    fn due(rows: &[PassRow], me: ReplicaId, fields_complete: bool) -> Vec<(Pass, i64)> {
        let settings = PullSettings::new(&Mirror::default(), Duration::from_secs(60));
        timetable(rows, &settings, me, fields_complete)
            .into_iter()
            .map(|(pass, due)| {
                (
                    pass,
                    if due == DateTime::UNIX_EPOCH {
                        0
                    } else {
                        (due - at(0)).num_seconds()
                    },
                )
            })
            .collect()
    }

    #[test]
    fn before_the_first_load_nothing_else_is_due() {
        let me = ReplicaId::new();
        assert_eq!(due(&[], me, false), [(Pass::Full, 0)]);
        let under_way = PassRow {
            finished_at: None,
            watermark: None,
            ..row(Pass::Full, 0, 0)
        };
        assert_eq!(due(&[under_way], me, false), [(Pass::Full, 0)]);
    }

    #[test]
    fn after_it_each_pass_has_its_hour() {
        let loaded = row(Pass::Full, 1_000, 880);
        let expected = [
            (Pass::Changes, 880 + 60),
            (Pass::Slow, 880 + 3_600),
            (Pass::Archived, 0),
            (Pass::Full, 1_000 + 86_400),
        ];
        assert_eq!(due(std::slice::from_ref(&loaded), ReplicaId::new(), true), expected);
        let polled = [loaded, row(Pass::Changes, 2_000, 1_940), row(Pass::Archived, 1_500, 0)];
        let expected = [
            (Pass::Changes, 2_000 + 15),
            (Pass::Slow, 880 + 3_600),
            (Pass::Archived, 1_500 + 6 * 3_600),
            (Pass::Full, 1_000 + 86_400),
        ];
        assert_eq!(due(&polled, ReplicaId::new(), true), expected);
    }

    #[test]
    fn a_field_that_the_mirror_lacks_and_a_pass_that_was_stopped_are_due_at_once() {
        let mut stopped = row(Pass::Changes, 2_000, 1_940);
        stopped.finished_at = None;
        let rows = [row(Pass::Full, 1_000, 880), stopped];
        let due = due(&rows, ReplicaId::new(), false);
        assert_eq!(due[0], (Pass::Changes, 0));
        assert_eq!(due[3], (Pass::Full, 0));
    }

    #[test]
    fn what_another_replica_holds_is_due_when_its_lease_lapses() {
        let (me, other) = (ReplicaId::new(), ReplicaId::new());
        let mut held = row(Pass::Full, 1_000, 880);
        held.finished_at = None;
        held.lease = Some((other, at(1_060)));
        assert_eq!(due(&[held.clone()], me, true)[3], (Pass::Full, 1_060));
        assert_eq!(
            due(&[held], other, true)[3],
            (Pass::Full, 0),
            "one's own lease is no hindrance"
        );
    }
}
