//! The second half of a pass: pages and their progress, in one transaction.

use chrono::{DateTime, Utc};

use super::PullError;
use crate::domain::Gone;
use crate::fault::{Classify, Fault, chain};
use crate::rulebook::Rulebook;
use crate::store::gone::bury;
use crate::store::mirror::{MirrorRows, Written};
use crate::store::passes::{Found, Holder, Pass, PassState, step_pass};
use crate::store::{Store, StoreError, Transaction, commit};

/// A pass that is ours.
pub(super) struct Ours<'a> {
    pub(super) store: &'a Store,
    pub(super) rulebook: &'a Rulebook,
    pub(super) pass: Pass,
    pub(super) holder: Holder,
    pub(super) started_at: DateTime<Utc>,
    /// It reads exactly the fields that the mirror holds, so that a difference is one.
    pub(super) same_fields: bool,
}

impl<'a> Ours<'a> {
    pub(super) fn new(store: &'a Store, rulebook: &'a Rulebook, pass: Pass, holder: Holder, state: &PassState) -> Self {
        Self {
            store,
            rulebook,
            pass,
            holder,
            started_at: state.started_at,
            same_fields: state.same_fields,
        }
    }

    /// Writes pages, and that the pass has come so far.
    pub(super) async fn write(&self, rows: &MirrorRows, cursor: Option<&str>, last: bool) -> Result<Found, PullError> {
        self.transact(
            rows,
            &Gone::default(),
            cursor,
            last,
            i64::try_from(rows.len()).unwrap_or(i64::MAX),
        )
        .await
    }

    /// Writes what a look for ghosts found, and buries those who are gone.
    pub(super) async fn write_ghosts(&self, rows: &MirrorRows, gone: &Gone) -> Result<Found, PullError> {
        self.transact(rows, gone, None, true, 0).await
    }

    /// Contacts that the database refuses, though not for what they are together, are left out and named in the log:
    /// one of them must not keep the mirror from the others.
    async fn transact(
        &self,
        rows: &MirrorRows,
        gone: &Gone,
        cursor: Option<&str>,
        listed: bool,
        read: i64,
    ) -> Result<Found, PullError> {
        let mut client = self.store.client().await?;
        let mut transaction = client.transaction().await.map_err(StoreError::from)?;
        let written = match rows.write(&transaction).await {
            Ok(written) => written,
            Err(error) if is_about_a_row(&error) => {
                transaction.rollback().await.map_err(StoreError::from)?;
                transaction = client.transaction().await.map_err(StoreError::from)?;
                write_one_by_one(&mut transaction, rows).await?
            }
            Err(error) => return Err(error.into()),
        };
        let normalizer = self.rulebook.rules().normalizer;
        let ghost = bury(&transaction, gone, &normalizer, self.rulebook.person_keys()).await?;
        let found = Found {
            rows: read,
            missing: written.missing,
            stale: written.stale + if self.same_fields { written.differing } else { 0 },
            ghost,
        };
        let place = (cursor, listed);
        if !step_pass(&transaction, self.pass, self.holder, self.started_at, place, found).await? {
            return Err(PullError::TakenOver { pass: self.pass.name() });
        }
        commit(transaction).await?;
        metrics::counter!("gatekeeper_mirror_contacts_read_total", "pass" => self.pass.name())
            .increment(rows.len() as u64);
        Ok(found)
    }
}

async fn write_one_by_one(transaction: &mut Transaction<'_>, rows: &MirrorRows) -> Result<Written, StoreError> {
    let mut all = Written::default();
    for row in rows.one_by_one() {
        let part = transaction.transaction().await?;
        match row.write(&part).await {
            Ok(written) => {
                part.commit().await?;
                all.missing += written.missing;
                all.stale += written.stale;
                all.differing += written.differing;
            }
            Err(error) if is_about_a_row(&error) => {
                part.rollback().await?;
                metrics::counter!("gatekeeper_mirror_contacts_refused_total").increment(1);
                let (crm_id, error) = (row.first_id(), chain(&error));
                tracing::error!(
                    crm_id,
                    error,
                    "the database cannot hold a contact; it is not in the mirror"
                );
            }
            Err(error) => return Err(error),
        }
    }
    Ok(all)
}

/// Values that the database cannot hold, or that exceed a limit of it such as the size of an index entry.
fn is_about_a_row(error: &StoreError) -> bool {
    error.fault() == Fault::Rejected || error.code().is_some_and(|code| code.code().starts_with("54"))
}
