//! Undoing: what a person wants to have taken back is written, like any other decision.

use super::{Sweep, SweepError};
use crate::crm::{Reader, Writer};
use crate::store::undo::intend_undo;

/// Contacts restored in one pass.
const UNDO_AT_A_TIME: i32 = 300;

impl<C: Reader + Writer> Sweep<C> {
    /// Makes writes of what is to be restored. How many contacts that were.
    pub(super) async fn undo(&self) -> Result<usize, SweepError> {
        let client = self.store.client().await?;
        let intents = intend_undo(&client, self.replica, UNDO_AT_A_TIME).await?;
        drop(client);
        let contacts = intents.len();
        if contacts > 0 {
            tracing::info!(contacts, "values that our updates had replaced are restored");
            self.sender.send(intents, false);
        }
        Ok(contacts)
    }
}
