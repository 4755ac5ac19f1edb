//! Duplicates: finds the contacts in the mirror that are one person already. By the same rules as the gate, in SQL; this room
//! takes the steps, two at a time where that is possible, and puts the pairs together to groups.

mod error;
pub mod group;

pub use error::ScanError;

use std::sync::atomic::{AtomicI32, AtomicI64, Ordering};

use crate::store::duplicates::{
    Begun, GroupRows, begin_scan, candidate_pages, compare_cards, count_terms, duplicate_threshold, end_full_scan,
    fill_cards, find_pairs, in_time, links_among, lock_scan, members_among, new_group_ids, put_groups, scan_changed,
    take_time, told_apart,
};
use crate::store::{Client, Store, StoreError, commit};
use group::{groups, inherited};

/// Most pages of pairs that are compared in one step: some 700,000 pairs.
const PAGES: i64 = 4_000;

/// In how many steps the cards are made.
const CARD_PARTS: i32 = 4;

/// How far a scan of all contacts is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScanProgress {
    /// The pairs to compare are being looked for.
    Finding,
    /// So many of all pages of pairs are compared.
    Comparing {
        /// Done.
        pages: u64,
        /// All.
        of: u64,
    },
    /// The pairs are being put together to groups.
    Grouping,
}

/// What a scan did.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ScanReport {
    /// All contacts, or only those that changed since the last scan.
    pub full: bool,
    /// Contacts that it looked at.
    pub contacts: i64,
    /// Groups in the whole mirror after a scan of all contacts; otherwise those that it looked at.
    pub groups: usize,
    /// Of them, those that a person must look at.
    pub flagged: usize,
    /// Contacts in these groups.
    pub members: usize,
}

/// Scans for duplicates: what changed since the last scan, or all contacts when that is asked for or must be.
///
/// # Errors
/// [`ScanError::Running`], and as every statement; what the last scan found stays then.
pub async fn scan(
    store: &Store,
    full: bool,
    largest_group: usize,
    progress: impl Fn(ScanProgress) + Sync,
) -> Result<ScanReport, ScanError> {
    let mut holder = store.client().await?;
    let lock = holder.transaction().await.map_err(StoreError::from)?;
    take_time(&lock).await?;
    if !lock_scan(&lock).await? {
        return Err(ScanError::Running);
    }
    let mut client = store.client().await?;
    let begun = in_time(&mut client, async |step| begin_scan(step, full).await).await?;
    let region = match begun.full {
        true => {
            let mut other = store.client().await?;
            compare_all(&mut client, &mut other, &begun, &progress).await?;
            None
        }
        false => Some(in_time(&mut client, async |step| scan_changed(step, begun.scan_id).await).await?),
    };
    progress(ScanProgress::Grouping);
    let report = regroup(&mut client, &begun, region.as_deref(), largest_group).await?;
    commit(lock).await?;
    Ok(report)
}

/// Compares all contacts that share a block or an address, on two connections.
async fn compare_all(
    client: &mut Client,
    other: &mut Client,
    begun: &Begun,
    progress: &(impl Fn(ScanProgress) + Sync),
) -> Result<(), StoreError> {
    progress(ScanProgress::Finding);
    // The cards need the counts; whoever is done first makes one part of the cards after the other.
    let (counted, is_counted) = tokio::sync::oneshot::channel();
    let next_part = AtomicI32::new(0);
    let fill = async |client: &mut Client| loop {
        let part = next_part.fetch_add(1, Ordering::SeqCst);
        if part >= CARD_PARTS {
            return Ok::<(), StoreError>(());
        }
        in_time(client, async |step| fill_cards(step, part, CARD_PARTS).await).await?;
    };
    let counting = async {
        in_time(client, async |step| count_terms(step, true).await).await?;
        let _ = counted.send(());
        fill(client).await
    };
    let finding = async {
        let pairs = in_time(other, async |step| find_pairs(step).await).await?;
        // When the counting has failed, that ends both.
        let _ = is_counted.await;
        fill(other).await?;
        Ok(pairs)
    };
    let ((), pairs) = tokio::try_join!(counting, finding)?;
    let pages = in_time(client, async |step| candidate_pages(step).await).await?;
    // Two steps for each connection at least, so that neither waits long for the other at the end. Each step hashes all cards
    // once more: many small ones would cost more than the waiting.
    let step_pages = ((pages + 3) / 4).clamp(1, PAGES);
    let (next, done) = (AtomicI64::new(0), AtomicI64::new(0));
    let work = async |client: &mut Client| loop {
        let first = next.fetch_add(step_pages, Ordering::SeqCst);
        if first >= pages {
            return Ok::<(), StoreError>(());
        }
        let last = (first + step_pages).min(pages);
        in_time(client, async |step| compare_cards(step, first, last).await).await?;
        let done = done.fetch_add(last - first, Ordering::SeqCst) + last - first;
        progress(ScanProgress::Comparing {
            pages: done.unsigned_abs(),
            of: pages.unsigned_abs(),
        });
    };
    tokio::try_join!(work(client), work(other))?;
    in_time(client, async |step| end_full_scan(step, begun.scan_id, pairs).await).await
}

/// Puts the pairs of a region (absent: all) together to groups.
async fn regroup(
    client: &mut Client,
    begun: &Begun,
    region: Option<&[i64]>,
    largest_group: usize,
) -> Result<ScanReport, StoreError> {
    in_time(client, async |step| {
        let links = links_among(step, region).await?;
        let apart = told_apart(step).await?;
        let before = members_among(step, region).await?;
        let threshold = duplicate_threshold(step).await?;
        let found = groups(&links, &apart, threshold, largest_group);
        let numbers = inherited(&found, &before);
        let fresh = numbers.iter().filter(|number| number.is_none()).count();
        let mut fresh = new_group_ids(step, fresh).await?.into_iter();
        let mut rows = GroupRows::default();
        for (group, number) in found.iter().zip(numbers) {
            let Some(number) = number.or_else(|| fresh.next()) else {
                continue;
            };
            let flags: Vec<&str> = group.flags.iter().map(|flag| flag.name()).collect();
            rows.groups.push(number);
            rows.flags.push(flags.join(","));
            for member in &group.members {
                rows.contacts.push(member.0);
                rows.memberships.push(number);
            }
        }
        put_groups(step, region, &rows).await?;
        Ok(ScanReport {
            full: begun.full,
            contacts: begun.contacts,
            groups: found.len(),
            flagged: found.iter().filter(|group| !group.flags.is_empty()).count(),
            members: rows.contacts.len(),
        })
    })
    .await
}
