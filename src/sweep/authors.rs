//! Authors: the CRM is asked who made the changes that the mirror has seen there, a person or another integration.

use super::{Sweep, SweepError};
use crate::crm::{FieldSet, Reader, Writer};
use crate::governor::{Bucket, Priority};
use crate::store::authors::{Authored, note_authors, unasked_changes};

impl<C: Reader + Writer> Sweep<C> {
    /// Asks about the changes of as many contacts as one call takes. How many contacts that were.
    pub(super) async fn ask_authors(&self) -> Result<usize, SweepError> {
        let limit = self.line.crm().history_limit();
        let client = self.store.client().await?;
        let unasked = unasked_changes(&client, limit).await?;
        drop(client);
        if unasked.is_empty() {
            return Ok(0);
        }
        let fields: FieldSet = unasked
            .iter()
            .flat_map(|contact| contact.fields.iter().cloned())
            .collect();
        let ids: Vec<String> = unasked.iter().map(|contact| contact.crm_id.clone()).collect();
        let permit = self.line.permit(Bucket::General, Priority::Mirror).await?;
        let told: Vec<Authored> = self
            .line
            .last_changes(permit, &fields, &ids)
            .await?
            .into_iter()
            .map(|change| Authored {
                crm_id: change.crm_id,
                field: change.field,
                value: change.value,
                changed_at: change.changed_at,
                by_person: change.by_person,
            })
            .collect();
        let client = self.store.client().await?;
        note_authors(&client, &unasked, &told).await?;
        tracing::debug!(
            contacts = unasked.len(),
            "the CRM was asked who made the changes seen there"
        );
        Ok(unasked.len())
    }
}
