//! The end of a full pass: contacts that it did not see.
//!
//! A list is fuzzy while people work: a contact that is merged or made while it runs may be on no page of it. Burying one
//! who lives would make room for a duplicate, so each is asked for by its id, which reads the CRM's store.

use std::sync::Arc;

use super::PullError;
use super::by_id::read_by_id;
use super::writing::Ours;
use crate::crm::{Reader, Writer};
use crate::domain::ContactId;
use crate::governor::Priority;
use crate::line::Line;
use crate::normalize::Normalizer;
use crate::store::gone::absent;
use crate::store::mirror::{MirrorRows, ghosts};

/// Asks for all whom the pass did not see; writes those that are there, under whatever id, and buries the others.
pub(super) async fn bury<C: Reader + Writer>(
    line: &Line<C>,
    ours: &Ours<'_>,
    normalizer: &Arc<Normalizer>,
    priority: Priority,
) -> Result<(), PullError> {
    let mut after = ContactId(0);
    loop {
        let unseen = ghosts(
            &ours.store.client().await?,
            ours.started_at,
            after,
            line.crm().batch_limit(),
        )
        .await?;
        let Some((last, _)) = unseen.last() else {
            return Ok(());
        };
        after = *last;
        let ids: Vec<String> = unseen.into_iter().map(|(_, crm_id)| crm_id).collect();
        let there = read_by_id(line, priority, &ids).await?;
        let gone: Vec<String> = ids.into_iter().filter(|id| !there.found.contains(id)).collect();
        let absent = absent(&ours.store.client().await?, &gone).await?;
        let gone = line.gone(priority, &absent).await?;
        let normalizer = Arc::clone(normalizer);
        let mut records = there.records;
        records.extend_from_slice(&gone.holders);
        let rows = tokio::task::spawn_blocking(move || MirrorRows::new(&records, &normalizer))
            .await
            .map_err(|_| PullError::Panicked { pass: ours.pass.name() })?;
        ours.write_ghosts(&rows, &gone).await?;
    }
}
