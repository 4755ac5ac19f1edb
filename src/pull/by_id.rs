//! Reading contacts by their ids: the values that a page could not carry, and the last word on who is gone.

use std::collections::BTreeSet;

use crate::crm::{ReadAnswer, ReadKey, Reader, Writer};
use crate::domain::{CrmId, Record};
use crate::governor::{Bucket, Priority};
use crate::line::{Line, LineError};

/// What the CRM says about some ids.
#[derive(Debug, Default)]
pub(super) struct ById {
    /// What it has.
    pub(super) records: Vec<Record>,
    /// Ids that lead to one of them. All others are not in the CRM.
    pub(super) found: BTreeSet<String>,
}

/// Reads these contacts. One that answers under another id than was asked for has absorbed it, and says so from here on.
pub(super) async fn read_by_id<C: Reader + Writer>(
    line: &Line<C>,
    priority: Priority,
    ids: &[String],
) -> Result<ById, LineError> {
    let mut all = ById::default();
    for some in ids.chunks(line.crm().batch_limit().max(1)) {
        let answer = read(line, priority, some).await?;
        let unexplained = if some.len() > 1 {
            answer.unexplained.clone()
        } else {
            Vec::new()
        };
        all.take(answer);
        // Neither found nor named as missing: only asked alone is the answer certainly about this id.
        for id in unexplained {
            all.take(read(line, priority, &[id]).await?);
        }
    }
    Ok(all)
}

async fn read<C: Reader + Writer>(line: &Line<C>, priority: Priority, ids: &[String]) -> Result<ReadAnswer, LineError> {
    let permit = line.permit(Bucket::General, priority).await?;
    line.read(permit, ReadKey::CrmId, ids).await
}

impl ById {
    fn take(&mut self, mut answer: ReadAnswer) {
        for (id, at) in answer.found {
            if let Some(record) = answer.records.get_mut(at) {
                let asked = CrmId(id.clone());
                if record.crm_id != id && !record.absorbed_ids.contains(&asked) {
                    record.absorbed_ids.push(asked);
                }
                self.found.insert(id);
            }
        }
        self.records.append(&mut answer.records);
    }
}
