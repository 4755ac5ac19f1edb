//! A page of a search made a page of changes: what of it is true now, and where the next one begins.

use super::wire::{Listed, SEARCH_LIMIT};
use crate::crm::{ChangedPage, CrmError, Window};
use crate::domain::{CrmId, Record};

/// Makes a page of changes of a page of a search.
///
/// The match is as old as the index, the row is fresh: a row may have left the window since, or answer under the id of
/// the contact that it was merged into. Such rows are dropped, and found again in the window to which they now belong.
/// The cursor is the id of the last row, dropped or not; that the rows stand in the order of their ids is what makes it
/// one, so an id that does not lead on is an error and not an end.
pub(super) fn changed_page(listed: Listed, window: Window, after_id: Option<&CrmId>) -> Result<ChangedPage, CrmError> {
    let above = after_id
        .map_or(Some(0), |id| number(&id.0))
        .ok_or_else(|| no_answer("cursor_not_a_number"))?;
    let rows = listed.records.len();
    let more = listed.after.is_some() || listed.total.map_or(rows >= SEARCH_LIMIT, |total| total > rows as u64);
    let last = listed.records.last().map(|record| record.crm_id.clone());
    let next_after_id = match last {
        _ if !more => None,
        Some(last) if number(&last).is_some_and(|last| last > above) => Some(CrmId(last)),
        _ => return Err(no_answer("no_progress")),
    };
    let inside = |record: &Record| {
        let (lo, hi) = (window.lo.timestamp_millis(), window.hi.timestamp_millis());
        let timely = record
            .updated_at
            .is_some_and(|time| (lo..=hi).contains(&time.timestamp_millis()));
        timely && number(&record.crm_id).is_some_and(|id| id > above)
    };
    let records = listed.records.into_iter().filter(inside).collect();
    Ok(ChangedPage {
        records,
        next_after_id,
        total: listed.total,
    })
}

/// HubSpot's ids are numbers and are sorted as such: `9` comes before `10`.
fn number(id: &str) -> Option<u128> {
    id.parse().ok()
}

fn no_answer(reason: &str) -> CrmError {
    CrmError::NoAnswer {
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    fn window() -> Window {
        let at = |millis| DateTime::from_timestamp_millis(millis).unwrap();
        Window {
            lo: at(1_000),
            hi: at(2_000),
        }
    }

    fn row(id: &str, millis: i64) -> Record {
        Record {
            crm_id: id.to_owned(),
            updated_at: DateTime::from_timestamp_millis(millis),
            ..Record::default()
        }
    }

    fn page(rows: &[(&str, i64)], total: Option<u64>) -> Listed {
        Listed {
            records: rows.iter().map(|(id, millis)| row(id, *millis)).collect(),
            after: None,
            total,
        }
    }

    fn ids(page: &ChangedPage) -> Vec<&str> {
        page.records.iter().map(|record| record.crm_id.as_str()).collect()
    }

    #[test]
    fn rows_outside_the_window_are_dropped_but_the_cursor_passes_them() {
        let listed = page(&[("9", 1_000), ("10", 2_001), ("11", 2_000), ("100", 999)], Some(500));
        let page = changed_page(listed, window(), Some(&CrmId("8".to_owned()))).unwrap();
        assert_eq!(ids(&page), ["9", "11"], "both ends belong to the window");
        assert_eq!(page.next_after_id, Some(CrmId("100".to_owned())));
        assert_eq!(page.total, Some(500));
    }

    #[test]
    fn rows_at_or_below_the_cursor_or_without_a_time_are_dropped() {
        let mut listed = page(&[("7", 1_500), ("8", 1_500), ("9", 1_500), ("10", 1_500)], Some(4));
        listed.records[3].updated_at = None;
        let page = changed_page(listed, window(), Some(&CrmId("8".to_owned()))).unwrap();
        assert_eq!(ids(&page), ["9"]);
        assert_eq!(page.next_after_id, None);
    }

    #[test]
    fn the_end_is_told_by_the_total_by_the_cursor_or_by_a_short_page() {
        let full: Vec<(String, i64)> = (1..=SEARCH_LIMIT).map(|id| (id.to_string(), 1_500)).collect();
        let full: Vec<(&str, i64)> = full.iter().map(|(id, millis)| (id.as_str(), *millis)).collect();
        let next = |listed: Listed| {
            changed_page(listed, window(), None)
                .unwrap()
                .next_after_id
                .map(|id| id.0)
        };
        assert_eq!(next(page(&full, Some(200))), None);
        assert_eq!(next(page(&full, Some(201))).as_deref(), Some("200"));
        assert_eq!(next(page(&full, None)).as_deref(), Some("200"));
        assert_eq!(next(page(&full[..3], None)), None);
        let with_cursor = Listed {
            after: Some("200".to_owned()),
            ..page(&full[..3], None)
        };
        assert_eq!(next(with_cursor).as_deref(), Some("3"));
        assert_eq!(next(page(&[], Some(0))), None);
    }

    #[test]
    fn a_page_that_leads_nowhere_is_an_error_and_not_an_end() {
        let after = CrmId("9".to_owned());
        for listed in [
            page(&[("9", 1_500)], Some(7)),
            page(&[], Some(7)),
            page(&[("10", 1_500), ("3", 1_500)], Some(7)),
        ] {
            assert!(matches!(
                changed_page(listed, window(), Some(&after)),
                Err(CrmError::NoAnswer { .. })
            ));
        }
    }
}
