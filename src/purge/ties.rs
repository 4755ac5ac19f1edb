//! Ties: what contacts are tied to, such as companies, kept before a merge, and made again by an undo.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use super::PurgeError;
use super::run::{Merger, patiently};
use crate::crm::{CrmError, Reader, Writer};
use crate::domain::CrmId;
use crate::governor::{Bucket, Priority};
use crate::line::LineError;

/// What a contact is tied to: by kind of object, the objects' ids.
pub(super) type Ties = BTreeMap<String, Vec<String>>;

impl<C: Reader + Writer> Merger<C> {
    /// What contacts are tied to, of the kinds that the settings name and the token may read. Who is tied to nothing has an empty list.
    pub(super) async fn read_ties(&self, ids: &[String]) -> Result<BTreeMap<String, Ties>, PurgeError> {
        let mut ties: BTreeMap<String, Ties> = BTreeMap::new();
        for kind in &self.settings.associations {
            if self
                .unreadable
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .contains(kind)
            {
                continue;
            }
            for some in ids.chunks(self.line.crm().batch_limit().max(1)) {
                let read = patiently!(self, {
                    let permit = self.line.permit(Bucket::General, Priority::Merge).await?;
                    Ok(self.line.associations(permit, kind, some).await?)
                });
                let mut read = match read {
                    Ok(read) => read,
                    // The merge goes on without; what is not known is not taken for nothing.
                    Err(PurgeError::Line(LineError::Crm(
                        error @ (CrmError::Forbidden { .. } | CrmError::Refused { .. }),
                    ))) => {
                        tracing::warn!(
                            kind,
                            error = crate::fault::chain(&error),
                            "what contacts are tied to is not kept"
                        );
                        let mut unreadable = self.unreadable.lock().unwrap_or_else(PoisonError::into_inner);
                        unreadable.insert(kind.clone());
                        break;
                    }
                    Err(error) => return Err(error),
                };
                for id in some {
                    let objects = read.remove(id).unwrap_or_default();
                    ties.entry(id.clone()).or_default().insert(kind.clone(), objects);
                }
            }
        }
        Ok(ties)
    }

    /// Ties a contact again; what failed, by kind.
    pub(super) async fn tie_again(&self, crm_id: &CrmId, ties: &Ties) -> Result<Vec<(String, String)>, PurgeError> {
        let mut failed = Vec::new();
        for (kind, objects) in ties.iter().filter(|(_, objects)| !objects.is_empty()) {
            let tied = patiently!(self, {
                let permit = self.line.permit(Bucket::General, Priority::Merge).await?;
                Ok(self.line.associate(permit, kind, crm_id, objects).await?)
            });
            match tied {
                Ok(()) => {}
                Err(PurgeError::Line(LineError::Crm(
                    error @ (CrmError::Forbidden { .. } | CrmError::Refused { .. }),
                ))) => failed.push((kind.clone(), error.code().to_owned())),
                Err(error) => return Err(error),
            }
        }
        Ok(failed)
    }
}
