//! The push loop: from leads that wait to writes that are on their way.
//!
//! One pass claims a batch, makes it comparable, and in one transaction matches, decides and intends it. What is to be
//! written goes to the [`sender`], which works beside this loop. Writing is concurrent, deciding is not.

mod ahead;
mod error;
mod gather;
mod predict;
mod prepare;
pub mod sender;

pub use error::PushError;
pub use predict::predict;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::config::Config;
use crate::crm::{Reader, Writer};
use crate::domain::{Action, Batch, IntentId, LeadId, Operation, ReplicaId};
use crate::failpoint::reach;
use crate::fault::{Classify, Fault};
use crate::line::Line;
use crate::rulebook::{Rulebook, Rules};
use crate::store::brake::mind_brakes;
use crate::store::claim::{next_due, release_claims, release_leads};
use crate::store::hold::{Hold, HoldKind, current_hold};
use crate::store::mirror::mirror_age;
use crate::store::recover::{OpenIntent, intents_stored};
use crate::store::{Store, StoreError, commit};
use gather::{DecidedBy, decide_and_intend};
use prepare::Prepared;
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
    /// Nothing is written, whatever the source.
    pub shadow: bool,
}

/// The push loop's state.
pub struct Push<C> {
    store: Store,
    line: Arc<Line<C>>,
    rulebook: Rulebook,
    replica: ReplicaId,
    settings: PushSettings,
    sender: SenderHandle,
    /// Something may be claimed that is in nobody's hands: an answer was lost, or it could not be handed back.
    claims_left: AtomicBool,
    /// The next batch, claimed and normalized while the last one was decided.
    prepared: Mutex<Option<Prepared>>,
}

impl PushSettings {
    /// By the settings file.
    pub fn of(config: &Config) -> Self {
        let gate = &config.gate;
        let max_claims = i32::try_from(gate.max_claims).unwrap_or(i32::MAX);
        Self {
            batch_leads: gate.batch_leads,
            suspect_claims: (max_claims + 1) / 2,
            max_claims,
            max_mirror_age: Duration::from_secs(config.mirror.max_age_seconds),
            shadow: gate.shadow,
        }
    }
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
    /// A person, or what the database has been through.
    On(HoldKind),
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
            prepared: Mutex::new(None),
        }
    }

    /// One pass. Not to be dropped half-way: the caller lets it end. Wait for [`SenderHandle::room`] before it, so that a
    /// backlog stays in the database and not in memory.
    ///
    /// # Errors
    /// Nothing is sent for what it had claimed; the leads are handed back, now or by the next pass.
    pub async fn pass(&self) -> Result<PushReport, PushError> {
        let client = self.store.client().await?;
        // Asked together, here and below: a lead that comes alone waits for each answer.
        let (age, hold) = tokio::try_join!(mirror_age(&client), current_hold(&client))?;
        if let Some(held) = self.held(age, hold) {
            let prepared = self.prepared().take();
            if let Some(prepared) = prepared {
                release_leads(&client, self.replica, &prepared.lead_ids(), Duration::ZERO, false).await?;
            }
            return Ok(PushReport {
                held: Some(held),
                ..PushReport::default()
            });
        }
        let brakes = async { Ok::<_, PushError>(mind_brakes(&client).await?) };
        let in_force = async { Ok(self.rulebook.in_force(&client).await?) };
        // The rules after the age of the mirror: which fields it holds is known from the end of its first load on, and a value of
        // any other field is refused.
        let (tripped, _) = tokio::try_join!(brakes, in_force)?;
        for tripped in tripped {
            metrics::counter!("gatekeeper_brakes_tripped_total").increment(1);
            tracing::error!(
                source = tripped.source,
                reason = tripped.reason,
                "a brake has tripped: nothing of this run is written before somebody says so; see `gatekeeper brake list`"
            );
        }
        self.rulebook.reread_mirrored(&client).await?;
        let rules = self.rulebook.rules();
        if self.claims_left.swap(true, Ordering::SeqCst) {
            self.prepared().take();
            let leads = release_claims(&client, self.replica).await?;
            tracing::info!(leads, "claims that an earlier pass left are handed back");
        }
        let before = self.prepared().take();
        let batch = match before {
            Some(prepared) => {
                drop(client);
                self.renewed(prepared, &rules.normalizer).await?
            }
            None => self.prepare(client, &rules.normalizer).await?,
        };
        if batch.leads.is_empty() {
            let client = self.store.client().await?;
            // Nothing is in hand now: a claim that still bears our name lost its decision, in a failover that lost commits.
            let lost = release_claims(&client, self.replica).await?;
            if lost > 0 {
                tracing::warn!(
                    leads = lost,
                    "claims whose decision the database has lost are handed back"
                );
            }
            self.claims_left.store(false, Ordering::SeqCst);
            self.sender.more_to_come(false);
            let next_due = next_due(&client).await?;
            return Ok(PushReport {
                next_due,
                ..PushReport::default()
            });
        }
        let leads = batch.lead_ids();
        let full = leads.len() == self.settings.batch_leads;
        self.sender.more_to_come(full);
        let next = async {
            match full {
                true => Some(self.prepare_next(&rules).await),
                false => None,
            }
        };
        let (decided, next) = tokio::join!(self.decide(batch, &rules), next);
        let left = match next {
            Some(Ok(next)) => {
                *self.prepared() = (!next.leads.is_empty()).then_some(next);
                false
            }
            Some(Err(error)) => {
                let error = crate::fault::chain(&error);
                tracing::warn!(error, "the next batch could not be prepared");
                true
            }
            None => false,
        };
        match decided {
            Ok(batch) => {
                self.claims_left.store(left, Ordering::SeqCst);
                let report = self.report(leads.len(), &batch);
                self.hand_over(batch);
                Ok(report)
            }
            Err(error) => {
                self.give_back(&leads, &error, left).await;
                Err(error)
            }
        }
    }

    fn prepared(&self) -> MutexGuard<'_, Option<Prepared>> {
        self.prepared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn held(&self, age: Option<Duration>, hold: Option<Hold>) -> Option<Held> {
        match age {
            _ if hold.is_some() => hold.map(|hold| Held::On(hold.kind)),
            None => Some(Held::MirrorNotLoaded),
            Some(age) if age > self.settings.max_mirror_age => Some(Held::MirrorTooOld(age)),
            Some(_) => None,
        }
    }

    async fn decide(&self, prepared: Prepared, rules: &Rules) -> Result<Batch, PushError> {
        let (other, mut client) = tokio::try_join!(self.store.client(), self.store.client())?;
        let transaction = client.transaction().await.map_err(StoreError::from)?;
        let batch = decide_and_intend(
            &transaction,
            &other,
            self.replica,
            prepared,
            DecidedBy {
                rules,
                person_keys: self.rulebook.person_keys(),
                settings: &self.settings,
            },
        )
        .await?;
        drop(other);
        reach("decided");
        // In hand before anybody can see them: the sweep takes over what is open and in nobody's hands.
        let intents: Vec<IntentId> = batch.intents.iter().map(|intent| intent.intent_id).collect();
        self.sender.hold(&intents);
        let committed = match commit(transaction).await {
            Ok(()) => {
                reach("intended");
                Ok(batch)
            }
            Err(unknown @ StoreError::CommitUnknown(_)) => self.confirm(batch, unknown).await,
            Err(error) => Err(error.into()),
        };
        if committed.is_err() {
            self.sender.let_go(&intents);
        }
        committed
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

    async fn give_back(&self, leads: &[LeadId], error: &PushError, left: bool) {
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
            Ok(()) => self.claims_left.store(left, Ordering::SeqCst),
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
pub fn action_name(action: Action) -> &'static str {
    match action {
        Action::Create => "create",
        Action::Update => "update",
        Action::Unchanged => "unchanged",
        Action::Coalesced => "coalesced",
        Action::Review => "review",
        Action::Dead => "dead",
    }
}
