//! Resume: goes on with what a run that died had begun. The CRM is asked what became of the merge that may have been on its way.

use super::PurgeError;
use super::run::{MergeReport, Merger, patiently};
use crate::crm::{Reader, Writer};
use crate::store::merge::{read_merges, take_merges};

/// Plans taken over at a time.
const AT_A_TIME: i32 = 50;

impl<C: Reader + Writer> Merger<C> {
    /// Takes over what dead runs had begun, as far as what they sent has settled, and ends it.
    ///
    /// # Errors
    /// As [`Merger::run`].
    pub async fn resume(&self, progress: &(dyn Fn(u64) + Send + Sync)) -> Result<MergeReport, PurgeError> {
        let settle_seconds = i32::try_from(self.settings.settle_seconds).unwrap_or(i32::MAX);
        let mut report = MergeReport::default();
        while !self.stop.is_cancelled() && self.hold().await?.is_none() {
            let taken = patiently!(self, {
                let client = self.store.client().await?;
                Ok(take_merges(&client, self.replica, "running", settle_seconds, AT_A_TIME).await?)
            })?;
            if taken.is_empty() {
                break;
            }
            tracing::warn!(plans = taken.len(), "merges of a run that died are gone on with");

            let groups = patiently!(self, Ok(read_merges(&self.store.client().await?, &taken).await?))?;
            report.resumed += groups.len() as u64;
            report.add(self.carry_out(groups, true, progress).await?);
        }
        Ok(report)
    }
}
