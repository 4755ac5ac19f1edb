//! Predict: what would be decided about leads today, without deciding it.

use std::sync::Arc;

use super::gather::{DecidedBy, decide};
use super::prepare::normalize;
use super::{PushError, PushSettings};
use crate::crm::{Reader, Writer};
use crate::decide::LeadInput;
use crate::domain::DecisionRow;
use crate::line::Line;
use crate::rulebook::Rulebook;
use crate::store::Store;
use crate::store::claim::{Claimed, read_leads};

/// What would be decided about these leads, in batches as the loop would take them. Reads only; numbers that it reserves are
/// left out. A person who is new in one batch is not known to the next.
///
/// # Errors
/// As the loop.
pub async fn predict<C: Reader + Writer>(
    store: &Store,
    line: &Arc<Line<C>>,
    rulebook: &Rulebook,
    settings: &PushSettings,
    leads: &[i64],
) -> Result<Vec<DecisionRow>, PushError> {
    let (client, other) = (store.client().await?, store.client().await?);
    let rules = rulebook.in_force(&client).await?;
    let mut predicted = Vec::with_capacity(leads.len());
    for batch in leads.chunks(settings.batch_leads.max(1)) {
        let inputs = read_leads(&client, batch)
            .await?
            .into_iter()
            .map(|claimed| input(claimed, &rules.normalizer, line))
            .collect();
        let by = DecidedBy {
            rules: &rules,
            person_keys: rulebook.person_keys(),
            settings,
        };
        let batch = decide(&client, &other, inputs, by).await?;
        predicted.extend(batch.decisions);
    }
    Ok(predicted)
}

fn input<C: Reader + Writer>(claimed: Claimed, normalizer: &crate::normalize::Normalizer, line: &Line<C>) -> LeadInput {
    let (claimed, normalized) = normalize(claimed, normalizer, line);
    LeadInput {
        lead: claimed.lead,
        is_there: claimed.is_there,
        normalized,
        candidates: Vec::new(),
        repeat_of: None,
        verdict: None,
        shadow: false,
    }
}
