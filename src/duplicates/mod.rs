//! Duplicates: finds the contacts in the mirror that are one person already. By the same rules as the gate, in SQL; this room
//! takes the steps, two at a time where that is possible, and puts the pairs together to groups.

pub mod em;
mod error;
pub mod group;
pub mod learn;

pub use error::ScanError;

use std::sync::atomic::{AtomicI32, AtomicI64, Ordering};

use crate::store::duplicates::{
    Begun, GroupRows, analyze_signatures, begin_scan, compare_cards, count_terms, duplicate_threshold, end_full_scan,
    fill_cards, fill_signatures, find_pairs, in_time, links_among, lock_scan, members_among, new_group_ids, put_groups,
    scan_changed, take_time, told_apart,
};
use crate::store::{Client, Store, StoreError, commit};
use group::{groups, inherited};

/// In how many parts the signatures and the cards are made, and the pairs found.
const PARTS: i32 = 4;

/// About how many pairs are compared in one step. Each step reads all cards: many small ones would cost more than the memory.
const STEP_PAIRS: i64 = 400_000;

/// How far a scan of all contacts is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScanProgress {
    /// The pairs to compare are being looked for.
    Finding,
    /// So many of all steps of comparing are done.
    Comparing {
        /// Done.
        steps: u64,
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

/// Finds all pairs that are worth comparing and makes the cards, on two connections; how many pairs, some several times.
async fn find_all(client: &mut Client, other: &mut Client) -> Result<i64, StoreError> {
    let part = AtomicI32::new(0);
    let sign = async |client: &mut Client| {
        each(&part, PARTS, async |part| {
            in_time(client, async |step| fill_signatures(step, part, PARTS).await).await
        })
        .await
    };
    let count_and_sign = async {
        in_time(client, async |step| count_terms(step, true).await).await?;
        sign(client).await
    };
    tokio::try_join!(count_and_sign, sign(other))?;
    in_time(client, async |step| analyze_signatures(step).await).await?;

    let (part, found) = (AtomicI32::new(0), AtomicI64::new(0));
    let find = async |client: &mut Client| {
        each(&part, PARTS, async |part| {
            let pairs = in_time(client, async |step| find_pairs(step, part, PARTS).await).await?;
            found.fetch_add(pairs, Ordering::SeqCst);
            Ok(())
        })
        .await
    };
    tokio::try_join!(find(client), find(other))?;

    // Only those that are in a pair need a card: about the half of all.
    let part = AtomicI32::new(0);
    let fill = async |client: &mut Client| {
        each(&part, PARTS, async |part| {
            in_time(client, async |step| fill_cards(step, part, PARTS).await).await
        })
        .await
    };
    tokio::try_join!(fill(client), fill(other))?;
    Ok(found.into_inner())
}

/// Compares all contacts that share a block or an address, on two connections.
async fn compare_all(
    client: &mut Client,
    other: &mut Client,
    begun: &Begun,
    progress: &(impl Fn(ScanProgress) + Sync),
) -> Result<(), StoreError> {
    progress(ScanProgress::Finding);
    let found = find_all(client, other).await?;
    // Two steps for each connection at least, and as many for both: neither waits long for the other at the end.
    let steps = (i32::try_from(found / STEP_PAIRS).unwrap_or(i32::MAX) & !1).max(4);
    let (step, done, compared) = (AtomicI32::new(0), AtomicI32::new(0), AtomicI64::new(0));
    let compare = async |client: &mut Client| {
        each(&step, steps, async |number| {
            let pairs = in_time(client, async |step| compare_cards(step, number, steps).await).await?;
            compared.fetch_add(pairs, Ordering::SeqCst);
            progress(ScanProgress::Comparing {
                steps: (done.fetch_add(1, Ordering::SeqCst) + 1).unsigned_abs().into(),
                of: steps.unsigned_abs().into(),
            });
            Ok(())
        })
        .await
    };
    tokio::try_join!(compare(client), compare(other))?;
    in_time(client, async |step| {
        end_full_scan(step, begun.scan_id, compared.load(Ordering::SeqCst)).await
    })
    .await
}

/// Takes one piece of work after the other until all are taken, here or by somebody else who counts in `next`.
async fn each(
    next: &AtomicI32,
    all: i32,
    mut work: impl AsyncFnMut(i32) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    loop {
        let piece = next.fetch_add(1, Ordering::SeqCst);
        if piece >= all {
            return Ok(());
        }
        work(piece).await?;
    }
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
