//! Reconciliation: an old request of ours may land late, over a newer value. It is found in what the CRM shows, and undone.
//!
//! Where it has landed, the mirror hears of it as of every change. That a doubted contact is read by its id as well, after
//! a while and once more after a day, does not hang on the CRM's search.

use std::collections::BTreeSet;

use super::{Sweep, SweepError};
use crate::crm::{ReadKey, Reader, Writer};
use crate::governor::{Bucket, Priority};
use crate::store::mirror::mirror_write;
use crate::store::reconcile::{end_verifications, rewrite_overwritten, take_verifications};

/// Contacts written again in one pass.
const REWRITE_AT_A_TIME: i32 = 300;

impl<C: Reader + Writer> Sweep<C> {
    /// Reads the contacts of doubted writes that are due, and writes again what is older than it should be. How many
    /// contacts that were.
    pub(super) async fn reconcile(&self) -> Result<usize, SweepError> {
        self.verify().await?;
        let client = self.store.client().await?;
        let rewritten = rewrite_overwritten(&client, self.replica, REWRITE_AT_A_TIME).await?;
        drop(client);
        let contacts = rewritten.len();
        if contacts > 0 {
            tracing::warn!(
                contacts,
                "an earlier request of ours landed late over a newer value, which is written again"
            );
            self.sender.send(rewritten, false);
        }
        Ok(contacts)
    }

    async fn verify(&self) -> Result<(), SweepError> {
        let limit = self.line.crm().batch_limit();
        let client = self.store.client().await?;
        let due = take_verifications(&client, i32::try_from(limit).unwrap_or(i32::MAX)).await?;
        drop(client);
        if due.is_empty() {
            return Ok(());
        }
        let ids: BTreeSet<&str> = due
            .iter()
            .filter_map(|verification| verification.crm_id.as_ref())
            .map(|crm_id| crm_id.0.as_str())
            .collect();
        let ids: Vec<String> = ids.into_iter().map(str::to_owned).collect();
        let records = if ids.is_empty() {
            Vec::new()
        } else {
            let permit = self.line.permit(Bucket::General, Priority::Mirror).await?;
            self.line.read(permit, ReadKey::CrmId, &ids).await?.records
        };
        let client = self.store.client().await?;
        mirror_write(&client, &records, &self.rulebook.rules().normalizer).await?;
        let done: Vec<_> = due.iter().map(|verification| verification.intent_id).collect();
        end_verifications(&client, &done).await?;
        tracing::info!(contacts = ids.len(), "contacts of doubted writes were read again");
        Ok(())
    }
}
