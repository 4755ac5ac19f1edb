//! Prepare: claims a batch and makes it comparable.
//!
//! While one batch is decided the next one of a backlog is prepared, and matched ahead: the database's processes and this one work
//! at the same time.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use serde_json::Value;

use super::ahead::Ahead;
use super::{Push, PushError};
use crate::crm::{Reader, Writer};
use crate::domain::{Field, Lead, LeadId, Normalized, Refusal};
use crate::failpoint::reach;
use crate::line::Line;
use crate::normalize::Normalizer;
use crate::rulebook::Rules;
use crate::store::Client;
use crate::store::claim::{Claimed, claim_leads};

/// A claimed batch, ready to be decided.
pub(super) struct Prepared {
    /// The leads, and what they were normalized to.
    pub(super) leads: Vec<(Claimed, Normalized)>,
    /// By which version of the normalizer.
    normalizer: String,
    /// Who they are, as far as it could be seen before their turn.
    pub(super) ahead: Option<Ahead>,
}

impl Prepared {
    /// The numbers of the leads.
    pub(super) fn lead_ids(&self) -> Vec<LeadId> {
        self.leads.iter().map(|(claimed, _)| claimed.lead.lead_id).collect()
    }
}

impl<C: Reader + Writer + 'static> Push<C> {
    /// The batch after the one that is being decided.
    pub(super) async fn prepare_next(&self, rules: &Rules) -> Result<Prepared, PushError> {
        let mut prepared = self.prepare(self.store.client().await?, &rules.normalizer).await?;
        if prepared.leads.is_empty() {
            return Ok(prepared);
        }
        let leads: Vec<&Normalized> = prepared.leads.iter().map(|(_, normalized)| normalized).collect();
        let client = self.store.client().await?;
        match Ahead::look(&client, &leads, rules.policy.version).await {
            Ok(ahead) => prepared.ahead = Some(ahead),
            Err(error) => {
                let error = crate::fault::chain(&error);
                tracing::debug!(error, "the next batch could not be matched ahead");
            }
        }
        Ok(prepared)
    }

    /// Claims leads that are due and normalizes them, off the async threads.
    pub(super) async fn prepare(&self, client: Client, normalizer: &Arc<Normalizer>) -> Result<Prepared, PushError> {
        let settings = &self.settings;
        let claimed = claim_leads(&client, self.replica, settings.batch_leads, settings.suspect_claims).await?;
        reach("claimed");
        drop(client);
        self.normalized(claimed, normalizer).await
    }

    /// A batch that was prepared before: normalized again if the lists have changed since.
    pub(super) async fn renewed(
        &self,
        prepared: Prepared,
        normalizer: &Arc<Normalizer>,
    ) -> Result<Prepared, PushError> {
        if prepared.normalizer == normalizer.version() {
            return Ok(prepared);
        }
        let claimed = prepared.leads.into_iter().map(|(claimed, _)| claimed).collect();
        self.normalized(claimed, normalizer).await
    }

    async fn normalized(&self, claimed: Vec<Claimed>, normalizer: &Arc<Normalizer>) -> Result<Prepared, PushError> {
        let line = Arc::clone(&self.line);
        let by = Arc::clone(normalizer);
        let leads = tokio::task::spawn_blocking(move || {
            claimed
                .into_iter()
                .map(|claimed| normalize(claimed, &by, &*line))
                .collect::<Vec<_>>()
        })
        .await
        .map_err(|_| PushError::Stopping)?;
        Ok(Prepared {
            leads,
            normalizer: normalizer.version().to_owned(),
            ahead: None,
        })
    }
}

/// A lead made comparable, with what could not be read of it. One on which the normalizer panics, which is a bug, becomes
/// a dead letter, and its batch goes on.
pub(super) fn normalize<C: Reader + Writer>(
    mut claimed: Claimed,
    normalizer: &Normalizer,
    line: &Line<C>,
) -> (Claimed, Normalized) {
    let lead = claimed.lead.clone();
    let normalized = std::panic::catch_unwind(AssertUnwindSafe(|| {
        let lead = canonical(lead, line);
        let mut normalized = normalizer.lead(&lead);
        normalized.refused.extend(claimed.refused.iter().cloned());
        (lead, normalized)
    }));
    match normalized {
        Ok((lead, normalized)) => {
            claimed.lead = lead;
            (claimed, normalized)
        }
        Err(_) => {
            tracing::error!(lead = %claimed.lead.lead_id, "the normalizer panicked over a lead; this is a bug, please report it");
            let refused = vec![Refusal {
                field: Field::ExternalId,
                reason: "normalizer_failed".to_owned(),
            }];
            let normalized = Normalized {
                refused,
                ..Normalized::default()
            };
            (claimed, normalized)
        }
    }
}

/// A property that the CRM knows under a canonical field's name is that field: never two values for one.
/// The column of the field itself counts first.
fn canonical<C: Reader + Writer>(mut lead: Lead, line: &Line<C>) -> Lead {
    let Some(Value::Object(properties)) = &mut lead.properties else {
        return lead;
    };
    let names: Vec<String> = properties.keys().cloned().collect();
    for name in names {
        let field = line.crm().canonical(&name);
        if matches!(field, Field::Property(_)) {
            continue;
        }
        let text = match &properties[&name] {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Null => String::new(),
            // Refused with the other properties.
            Value::Bool(_) | Value::Array(_) | Value::Object(_) => continue,
        };
        properties.remove(&name);
        lead.values.entry(field).or_insert(text);
    }
    lead
}
