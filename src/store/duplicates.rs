//! Duplicates: the steps of a scan, and what it found.

use deadpool_postgres::GenericClient;

use super::{Client, StoreError, Transaction, call, commit};
use crate::domain::ContactId;

/// A scan that has begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begun {
    /// Its number.
    pub scan_id: i64,
    /// All contacts, or only those that changed since the last scan.
    pub full: bool,
    /// Contacts that it will look at.
    pub contacts: i64,
}

/// Two contacts that are one person.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Link {
    /// The contact with the smaller number.
    pub left: ContactId,
    /// The other one.
    pub right: ContactId,
    /// In bits.
    pub score: f32,
}

/// The groups of a region, as they are to be stored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GroupRows {
    /// Numbers of the groups.
    pub groups: Vec<i64>,
    /// Their flags, apart by commas.
    pub flags: Vec<String>,
    /// Their members.
    pub contacts: Vec<i64>,
    /// The group of each.
    pub memberships: Vec<i64>,
}

/// Gives the transaction that asks the time and memory of a step over all contacts.
///
/// # Errors
/// As every statement.
pub async fn take_time(client: &impl GenericClient) -> Result<(), StoreError> {
    call::rows(client, "select gate.take_time()", &[]).await?;
    Ok(())
}

/// Whether nobody else scans; until the transaction ends, nobody else can.
///
/// # Errors
/// As every statement.
pub async fn lock_scan(client: &impl GenericClient) -> Result<bool, StoreError> {
    Ok(call::row(client, "select gate.lock_scan()", &[]).await?.try_get(0)?)
}

/// Begins a scan. Of all contacts when that is asked for, or when it must be.
///
/// # Errors
/// As every statement.
pub async fn begin_scan(client: &impl GenericClient, full: bool) -> Result<Begun, StoreError> {
    let row = call::row(client, "select * from gate.begin_scan($1)", &[&full]).await?;
    Ok(Begun {
        scan_id: row.try_get("scan_id")?,
        full: row.try_get::<_, &str>("kind")? == "full",
        contacts: row.try_get("contacts")?,
    })
}

/// A step in a transaction of its own, with the time and memory that it needs.
///
/// # Errors
/// As the step; nothing of it is done then.
pub async fn in_time<T>(
    client: &mut Client,
    step: impl AsyncFnOnce(&Transaction<'_>) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let transaction = client.transaction().await?;
    take_time(&transaction).await?;
    let done = step(&transaction).await?;
    commit(transaction).await?;
    Ok(done)
}

/// Counts how many contacts carry each value, in time.
///
/// # Errors
/// As every statement.
pub async fn count_in_time(client: &mut Client) -> Result<(), StoreError> {
    in_time(client, async |step| count_terms(step, false).await).await
}

/// Counts how many contacts carry each value, or not if that was done lately and is asked for `unless_fresh`.
///
/// # Errors
/// As every statement.
pub async fn count_terms(client: &impl GenericClient, unless_fresh: bool) -> Result<(), StoreError> {
    call::rows(client, "select gate.count_terms($1)", &[&unless_fresh]).await?;
    Ok(())
}

/// Fills part `part` of `parts` of what contacts are compared by.
///
/// # Errors
/// As every statement.
pub async fn fill_cards(client: &impl GenericClient, part: i32, parts: i32) -> Result<(), StoreError> {
    call::rows(client, "select gate.fill_cards($1, $2)", &[&part, &parts]).await?;
    Ok(())
}

/// Fills part `part` of `parts` of what tells at a glance that two are not worth comparing.
///
/// # Errors
/// As every statement.
pub async fn fill_signatures(client: &impl GenericClient, part: i32, parts: i32) -> Result<(), StoreError> {
    call::rows(client, "select gate.fill_signatures($1, $2)", &[&part, &parts]).await?;
    Ok(())
}

/// Tells the planner what the signatures are like, once they are all there.
///
/// # Errors
/// As every statement.
pub async fn analyze_signatures(client: &impl GenericClient) -> Result<(), StoreError> {
    call::rows(client, "select gate.analyze_signatures()", &[]).await?;
    Ok(())
}

/// Finds part `part` of `parts` of the pairs to compare; how many, some of them several times.
///
/// # Errors
/// As every statement.
pub async fn find_pairs(client: &impl GenericClient, part: i32, parts: i32) -> Result<i64, StoreError> {
    Ok(call::row(client, "select gate.find_pairs($1, $2)", &[&part, &parts])
        .await?
        .try_get(0)?)
}

/// Compares the pairs of step `step` of `steps`; how many.
///
/// # Errors
/// As every statement.
pub async fn compare_cards(client: &impl GenericClient, step: i32, steps: i32) -> Result<i64, StoreError> {
    Ok(call::row(client, "select gate.compare_cards($1, $2)", &[&step, &steps])
        .await?
        .try_get(0)?)
}

/// Ends a scan of all contacts, which compared so many pairs.
///
/// # Errors
/// As every statement.
pub async fn end_full_scan(client: &impl GenericClient, scan_id: i64, compared: i64) -> Result<(), StoreError> {
    call::rows(client, "select gate.end_full_scan($1, $2)", &[&scan_id, &compared]).await?;
    Ok(())
}

/// Compares the contacts that changed, and ends the scan; the contacts whose groups may have to change by it.
///
/// # Errors
/// As every statement.
pub async fn scan_changed(client: &impl GenericClient, scan_id: i64) -> Result<Vec<i64>, StoreError> {
    let contacts: Vec<i64> = call::row(client, "select gate.scan_changed($1)", &[&scan_id])
        .await?
        .try_get(0)?;
    let rows = call::rows(client, "select * from gate.group_region($1)", &[&contacts]).await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// The pairs of a region (absent: of all) that are one person, best first.
///
/// # Errors
/// As every statement.
pub async fn links_among(client: &impl GenericClient, region: Option<&[i64]>) -> Result<Vec<Link>, StoreError> {
    let rows = call::rows(client, "select * from gate.links_among($1)", &[&region]).await?;
    rows.iter()
        .map(|row| {
            Ok(Link {
                left: ContactId(row.try_get("left_id")?),
                right: ContactId(row.try_get("right_id")?),
                score: row.try_get("score")?,
            })
        })
        .collect()
}

/// From which score on two contacts are one person.
///
/// # Errors
/// As every statement.
pub async fn duplicate_threshold(client: &impl GenericClient) -> Result<f32, StoreError> {
    Ok(call::row(client, "select gate.duplicate_threshold()", &[])
        .await?
        .try_get(0)?)
}

/// Pairs that somebody has told apart.
///
/// # Errors
/// As every statement.
pub async fn told_apart(client: &impl GenericClient) -> Result<Vec<(ContactId, ContactId)>, StoreError> {
    let rows = call::rows(client, "select * from gate.told_apart()", &[]).await?;
    rows.iter()
        .map(|row| Ok((ContactId(row.try_get("left_id")?), ContactId(row.try_get("right_id")?))))
        .collect()
}

/// Who of a region (absent: of all) is in which group.
///
/// # Errors
/// As every statement.
pub async fn members_among(
    client: &impl GenericClient,
    region: Option<&[i64]>,
) -> Result<Vec<(ContactId, i64)>, StoreError> {
    let rows = call::rows(client, "select * from gate.members_among($1)", &[&region]).await?;
    rows.iter()
        .map(|row| Ok((ContactId(row.try_get("contact_id")?), row.try_get("group_id")?)))
        .collect()
}

/// Numbers for so many new groups.
///
/// # Errors
/// As every statement.
pub async fn new_group_ids(client: &impl GenericClient, count: usize) -> Result<Vec<i64>, StoreError> {
    let count = i32::try_from(count).unwrap_or(i32::MAX);
    let rows = call::rows(client, "select * from gate.new_group_ids($1)", &[&count]).await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// Puts groups in the place of those that a region (absent: all) had.
///
/// # Errors
/// As every statement.
pub async fn put_groups(
    client: &impl GenericClient,
    region: Option<&[i64]>,
    rows: &GroupRows,
) -> Result<(), StoreError> {
    call::rows(
        client,
        "select gate.put_groups($1, $2, $3, $4, $5)",
        &[&region, &rows.groups, &rows.flags, &rows.contacts, &rows.memberships],
    )
    .await?;
    Ok(())
}
