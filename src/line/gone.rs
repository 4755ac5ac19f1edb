//! What became of contacts that a read by id did not find: in the recycle bin, erased, or somebody else by now.

use std::collections::BTreeSet;

use super::{Line, LineError};
use crate::crm::{CrmError, ReadAnswer, ReadKey, Reader, Writer};
use crate::domain::{Absent, Gone};
use crate::governor::{Bucket, Priority};

impl<C: Reader + Writer> Line<C> {
    /// Looks for contacts that are not among the living: first in the recycle bin, then for whoever holds their addresses
    /// now. That a merged-away id leads to the survivor is documented for a read of one contact and not for a batch, and
    /// who is taken for erased is never made anew: so nobody is on the word of an id alone who has an address.
    ///
    /// # Errors
    /// As the calls. Nothing is known then about any of them.
    pub async fn gone(&self, priority: Priority, absent: &[Absent]) -> Result<Gone, LineError> {
        let mut gone = Gone::default();
        for some in absent.chunks(self.crm().batch_limit().max(1)) {
            let ids: Vec<String> = some.iter().map(|one| one.crm_id.clone()).collect();
            let binned = self.found(priority, ReadKey::ArchivedCrmId, &ids, &mut gone).await?;
            let nowhere: Vec<&Absent> = some.iter().filter(|one| !binned.contains(&one.crm_id)).collect();
            let emails: BTreeSet<String> = nowhere.iter().flat_map(|one| addresses(one)).collect();
            let emails: Vec<String> = emails.into_iter().collect();
            let mut held = BTreeSet::new();
            for some in emails.chunks(self.crm().batch_limit().max(1)) {
                held.extend(self.found(priority, ReadKey::Email, some, &mut gone).await?);
            }
            for one in nowhere {
                let is_held = addresses(one).any(|email| held.contains(&email));
                let kind = if is_held { &mut gone.missing } else { &mut gone.erased };
                kind.push(one.crm_id.clone());
            }
            gone.archived.extend(binned);
        }
        Ok(gone)
    }

    /// Which of these values the CRM knows. One that a batch leaves without a word, or that spoils it, is asked for alone:
    /// only then is the answer certainly about it.
    async fn found(
        &self,
        priority: Priority,
        key: ReadKey,
        values: &[String],
        gone: &mut Gone,
    ) -> Result<BTreeSet<String>, LineError> {
        if values.is_empty() {
            return Ok(BTreeSet::new());
        }
        let mut answer = self.look(priority, key, values).await?;
        let mut found: BTreeSet<String> = answer.found.keys().cloned().collect();
        for value in std::mem::take(&mut answer.unexplained)
            .into_iter()
            .filter(|_| values.len() > 1)
        {
            let alone = self.look(priority, key, std::slice::from_ref(&value)).await?;
            if !alone.records.is_empty() {
                found.insert(value);
                gone.holders
                    .extend(alone.records.into_iter().filter(|record| !record.archived));
            }
        }
        gone.holders
            .extend(answer.records.into_iter().filter(|record| !record.archived));
        Ok(found)
    }

    async fn look(&self, priority: Priority, key: ReadKey, values: &[String]) -> Result<ReadAnswer, LineError> {
        let permit = self.permit(Bucket::General, priority).await?;
        match self.read(permit, key, values).await {
            // One of them cannot be asked for, such as an address without an at sign. Alone it is simply not there.
            Err(LineError::Crm(CrmError::BatchRefused { .. })) => Ok(ReadAnswer {
                unexplained: values.to_vec(),
                ..ReadAnswer::default()
            }),
            answer => answer,
        }
    }
}

fn addresses(absent: &Absent) -> impl Iterator<Item = String> {
    absent.emails.iter().map(|email| email.trim().to_lowercase())
}
