//! The push loop: from leads that wait to writes that are on their way.
//!
//! One pass claims a batch, makes it comparable, and in one transaction matches, decides and intends it. What is to be
//! written goes to the [`sender`], which works beside this loop. Writing is concurrent, deciding is not.

mod error;
mod gather;
pub mod sender;

pub use error::PushError;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::Value;

use crate::crm::{Reader, Writer};
use crate::domain::{Action, Batch, Field, Lead, LeadId, Normalized, Operation, Refusal, ReplicaId};
use crate::fault::{Classify, Fault};
use crate::line::Line;
use crate::normalize::Normalizer;
use crate::rulebook::{Rulebook, Rules};
use crate::store::claim::{Claimed, claim_leads, next_due, release_claims, release_leads};
use crate::store::mirror::mirror_age;
use crate::store::recover::{OpenIntent, intents_stored};
use crate::store::{Store, StoreError, commit};
use gather::decide_and_intend;
use sender::SenderHandle;

/// What the loop is told by the settings.
#[derive(Debug, Clone)]
pub struct PushSettings {
    /// Leads decided at a time.
    pub batch_leads: usize,
    /// Claims without an end from which on a lead is taken alone; twice this and it is dead.
    pub suspect_claims: i32,
    /// Claims after which a lead is dead.
    pub max_claims: i32,
    /// The mirror may be this old; older, and nothing is decided.
    pub max_mirror_age: Duration,
}

/// The push loop's state.
pub struct Push<C> {
    store: Store,
    line: Arc<Line<C>>,
    rulebook: Rulebook,
    replica: ReplicaId,
    settings: PushSettings,
    sender: SenderHandle,
    /// Something may be claimed that no pass works on: an answer was lost, or it could not be handed back.
    claims_left: AtomicBool,
}

/// What a pass did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PushReport {
    /// Leads claimed.
    pub claimed: usize,
    /// Leads decided.
    pub decided: usize,
    /// Writes intended.
    pub intents: usize,
    /// Why nothing was claimed although something may wait.
    pub held: Option<Held>,
    /// When the next lead is due; absent when none waits.
    pub next_due: Option<Duration>,
}

/// Why the gate holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// The mirror has never been loaded: everybody would look new.
    MirrorNotLoaded,
    /// The mirror is too old to decide on.
    MirrorTooOld(Duration),
}

impl<C: Reader + Writer + 'static> Push<C> {
    /// A loop that hands its writes to `sender`.
    pub fn new(
        store: Store,
        line: Arc<Line<C>>,
        rulebook: Rulebook,
        replica: ReplicaId,
        settings: PushSettings,
        sender: SenderHandle,
    ) -> Self {
        Self {
            store,
            line,
            rulebook,
            replica,
            settings,
            sender,
            claims_left: AtomicBool::new(false),
        }
    }

    /// One pass. Not to be dropped half-way: the caller lets it end. Wait for [`SenderHandle::room`] before it, so that a
    /// backlog stays in the database and not in memory.
    ///
    /// # Errors
    /// Nothing is sent for what it had claimed; the leads are handed back, now or by the next pass.
    pub async fn pass(&self) -> Result<PushReport, PushError> {
        let client = self.store.client().await?;
        if let Some(held) = self.held(mirror_age(&client).await?) {
            return Ok(PushReport {
                held: Some(held),
                ..PushReport::default()
            });
        }
        // After the age of the mirror: which fields it holds is known from the end of its first load on, and a value of
        // any other field is refused.
        self.rulebook.in_force(&client).await?;
        self.rulebook.reread_mirrored(&client).await?;
        let rules = self.rulebook.rules();
        if self.claims_left.swap(true, Ordering::SeqCst) {
            let leads = release_claims(&client, self.replica).await?;
            tracing::info!(leads, "claims that an earlier pass left are handed back");
        }
        let claimed = claim_leads(
            &client,
            self.replica,
            self.settings.batch_leads,
            self.settings.suspect_claims,
        )
        .await?;
        if claimed.is_empty() {
            self.claims_left.store(false, Ordering::SeqCst);
            self.sender.more_to_come(false);
            let next_due = next_due(&client).await?;
            return Ok(PushReport {
                next_due,
                ..PushReport::default()
            });
        }
        drop(client);
        let leads: Vec<LeadId> = claimed.iter().map(|claimed| claimed.lead.lead_id).collect();
        let full = claimed.len() == self.settings.batch_leads;
        self.sender.more_to_come(full);
        match self.decide(claimed, &rules).await {
            Ok(batch) => {
                self.claims_left.store(false, Ordering::SeqCst);
                let report = self.report(leads.len(), &batch);
                self.hand_over(batch);
                Ok(report)
            }
            Err(error) => {
                self.give_back(&leads, &error).await;
                Err(error)
            }
        }
    }

    fn held(&self, age: Option<Duration>) -> Option<Held> {
        match age {
            None => Some(Held::MirrorNotLoaded),
            Some(age) if age > self.settings.max_mirror_age => Some(Held::MirrorTooOld(age)),
            Some(_) => None,
        }
    }

    async fn decide(&self, claimed: Vec<Claimed>, rules: &Rules) -> Result<Batch, PushError> {
        let crm = Arc::clone(&self.line);
        let normalizer = Arc::clone(&rules.normalizer);
        let leads = tokio::task::spawn_blocking(move || {
            claimed
                .into_iter()
                .map(|claimed| normalize(claimed, &normalizer, &*crm))
                .collect::<Vec<_>>()
        })
        .await
        .map_err(|_| PushError::Stopping)?;
        let mut client = self.store.client().await?;
        let transaction = client.transaction().await.map_err(StoreError::from)?;
        let batch = decide_and_intend(
            &transaction,
            self.replica,
            leads,
            rules,
            self.rulebook.person_keys(),
            self.settings.max_claims,
        )
        .await?;
        match commit(transaction).await {
            Ok(()) => Ok(batch),
            Err(unknown @ StoreError::CommitUnknown(_)) => self.confirm(batch, unknown).await,
            Err(error) => Err(error.into()),
        }
    }

    /// The answer to COMMIT was lost. What is found on a fresh connection was stored; not found, or nobody to ask: not
    /// sent. Recovery finds it later if it was stored after all.
    async fn confirm(&self, batch: Batch, unknown: StoreError) -> Result<Batch, PushError> {
        let Some(first) = batch.intents.first().map(|intent| intent.intent_id) else {
            return Err(unknown.into());
        };
        let client = self.store.client().await?;
        if intents_stored(&client, &[first]).await? == 1 {
            Ok(batch)
        } else {
            Err(unknown.into())
        }
    }

    fn hand_over(&self, batch: Batch) {
        let intents: Vec<OpenIntent> = batch
            .intents
            .into_iter()
            .map(|intent| OpenIntent {
                intent_id: intent.intent_id,
                epoch: 1,
                contact_id: intent.contact_id,
                operation: intent.operation,
                crm_id: intent.crm_id,
                gatekeeper_key: intent.gatekeeper_key,
                body: intent.body,
            })
            .collect();
        self.sender.send(intents, false);
    }

    fn report(&self, claimed: usize, batch: &Batch) -> PushReport {
        let mut counts = std::collections::BTreeMap::new();
        for decision in &batch.decisions {
            *counts.entry(decision.action).or_insert(0_u64) += 1;
        }
        for (action, count) in counts {
            metrics::counter!("gatekeeper_decisions_total", "action" => action_name(action)).increment(count);
        }
        let creates = batch
            .intents
            .iter()
            .filter(|intent| intent.operation == Operation::Create)
            .count();
        tracing::info!(
            leads = claimed,
            decided = batch.decisions.len(),
            waiting = batch.waiting.len(),
            creates,
            updates = batch.intents.len() - creates,
            "a batch is decided"
        );
        PushReport {
            claimed,
            decided: batch.decisions.len(),
            intents: batch.intents.len(),
            held: None,
            next_due: Some(Duration::ZERO),
        }
    }

    async fn give_back(&self, leads: &[LeadId], error: &PushError) {
        let delay = match error.fault() {
            Fault::Transient | Fault::Unknown | Fault::Rejected => Duration::from_millis(200),
            Fault::Throttled(wait) => wait,
            Fault::Broken => Duration::from_secs(5),
        };
        // What one lead brought cannot be stored, and nobody can say whose it is: alone each will show.
        let charged = error.fault() == Fault::Rejected;
        let given_back = async {
            let client = self.store.client().await?;
            release_leads(&client, self.replica, leads, delay, charged).await
        };
        match given_back.await {
            Ok(()) => self.claims_left.store(false, Ordering::SeqCst),
            Err(error) => {
                let error = crate::fault::chain(&error);
                tracing::warn!(
                    leads = leads.len(),
                    error,
                    "claims could not be handed back; the next pass does it"
                );
            }
        }
    }
}

/// The word in `audit.entry.action`.
fn action_name(action: Action) -> &'static str {
    match action {
        Action::Create => "create",
        Action::Update => "update",
        Action::Unchanged => "unchanged",
        Action::Coalesced => "coalesced",
        Action::Review => "review",
        Action::Dead => "dead",
    }
}

/// A lead made comparable, with what could not be read of it. One on which the normalizer panics, which is a bug, becomes
/// a dead letter, and its batch goes on.
fn normalize<C: Reader + Writer>(
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
