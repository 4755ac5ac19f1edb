//! The sweep: finds out what became of writes nobody settled, writes again what a late one has overwritten, takes back what a person wants undone, hands back what dead replicas held, and keeps house.

mod authors;
mod error;
mod reconciliation;
mod recovery;
mod undoing;

pub use error::SweepError;

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use crate::crm::{Reader, Writer};
use crate::domain::{ContactId, LeadId, MatchKeys, ReplicaId};
use crate::failpoint::reach;
use crate::governor::Priority;
use crate::line::Line;
use crate::push::sender::SenderHandle;
use crate::rulebook::Rulebook;
use crate::store::Store;
use crate::store::mirror::{grown_keys, mirrored_record, outdated_keys, rederive_keys};
use crate::store::recover::{OpenIntent, next_recovery, take_recoverable};
use crate::store::replica::{adopt_leads, forget_old, rescue_claims};

/// Intents looked up in one pass.
const RECOVER_AT_A_TIME: i32 = 300;

/// Contacts whose keys are derived anew in one pass.
const REDERIVE_AT_A_TIME: i32 = 1000;

/// How often it is looked whether all keys are of today's normalizer, when they were: a page may have been under way when
/// the lists changed, and another replica may be of another version. The look reads all keys.
const LOOK_AT_KEYS: Duration = Duration::from_secs(60);

/// How often it is looked whether an old request of ours has overwritten something.
const RECONCILE: Duration = Duration::from_secs(5);

/// How often the house is kept: old rows deleted, the CRM's properties read again.
const HOUSEKEEPING: Duration = Duration::from_secs(3600);

/// How often it is looked for leads that have no work row.
const LOOK_FOR_ORPHANS: Duration = Duration::from_secs(30);

/// Leads looked at in one such look.
const ORPHANS_AT_A_TIME: i32 = 50_000;

/// What the sweep is told by the settings.
#[derive(Debug, Clone)]
pub struct SweepSettings {
    /// Seconds after which what a dead replica sent has landed or never will.
    pub settle_seconds: i32,
    /// Times a lead may be decided anew.
    pub max_attempts: i32,
    /// Days that working rows are kept.
    pub retention_days: i32,
}

/// What a pass did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SweepReport {
    /// Claims of dead replicas handed back.
    pub rescued: i64,
    /// Writes looked up.
    pub recovered: usize,
    /// Contacts in which an old request of ours had overwritten a newer value, which is written again.
    pub rewritten: usize,
    /// Contacts in which values were restored that a person wants back.
    pub undone: usize,
    /// Contacts whose keys were derived anew.
    pub rederived: usize,
    /// When to come back.
    pub next: Duration,
}

/// The sweep's state.
pub struct Sweep<C> {
    store: Store,
    line: Arc<Line<C>>,
    rulebook: Rulebook,
    replica: ReplicaId,
    settings: SweepSettings,
    sender: SenderHandle,
    /// Writes that were taken over and not looked up yet: a look-up that fails is made again by the next pass.
    in_hand: Vec<OpenIntent>,
    last_housekeeping: Option<Instant>,
    last_reconciliation: Option<Instant>,
    last_adoption: Option<Instant>,
    /// Up to which lead it was looked for leads without a work row.
    looked_until: LeadId,
    /// The normalizer of which all keys were found to be, and when.
    keys_are_of: Option<(String, Instant)>,
}

impl<C: Reader + Writer> Sweep<C> {
    /// A sweep that gives what must be sent again to `sender`.
    pub fn new(
        store: Store,
        line: Arc<Line<C>>,
        rulebook: Rulebook,
        replica: ReplicaId,
        settings: SweepSettings,
        sender: SenderHandle,
    ) -> Self {
        Self {
            store,
            line,
            rulebook,
            replica,
            settings,
            sender,
            in_hand: Vec::new(),
            last_housekeeping: None,
            last_reconciliation: None,
            last_adoption: None,
            looked_until: LeadId(0),
            keys_are_of: None,
        }
    }

    /// One pass. May be dropped at the end of the process: what it had taken over is taken over by the next one.
    ///
    /// # Errors
    /// The database or the CRM; what was not done is done by a later pass.
    pub async fn pass(&mut self) -> Result<SweepReport, SweepError> {
        let client = self.store.client().await?;
        let rescued = rescue_claims(&client).await?;
        if rescued > 0 {
            tracing::warn!(leads = rescued, "claims of a dead replica are handed back");
        }
        if self.in_hand.is_empty() {
            let held = self.sender.held_intents();
            let settle_seconds = self.settings.settle_seconds;
            self.in_hand = take_recoverable(&client, self.replica, settle_seconds, RECOVER_AT_A_TIME, &held).await?;
        }
        drop(client);
        if !self.in_hand.is_empty() {
            reach("taken_over");
        }
        let recovered = self.in_hand.len();
        self.recover().await?;
        let reconciles = self.last_reconciliation.is_none_or(|last| last.elapsed() >= RECONCILE);
        let rewritten = if reconciles {
            let rewritten = self.reconcile().await?;
            self.last_reconciliation = Some(Instant::now());
            rewritten
        } else {
            0
        };
        let undone = self.undo().await?;
        let rederived = self.rederive().await?;
        if self.last_adoption.is_none_or(|last| last.elapsed() >= LOOK_FOR_ORPHANS) {
            self.adopt().await?;
            self.last_adoption = Some(Instant::now());
        }
        if self.last_housekeeping.is_none_or(|last| last.elapsed() >= HOUSEKEEPING) {
            self.keep_house().await?;
            self.last_housekeeping = Some(Instant::now());
        }
        // Last of all: what the CRM does not answer keeps nothing else waiting.
        if reconciles {
            self.ask_authors().await?;
        }
        let client = self.store.client().await?;
        let next = if rederived > 0 || undone > 0 {
            Duration::ZERO
        } else {
            let due = next_recovery(&client, self.settings.settle_seconds).await?;
            due.unwrap_or(Duration::from_secs(10))
                .clamp(Duration::from_millis(100), Duration::from_secs(10))
        };
        Ok(SweepReport {
            rescued,
            recovered,
            rewritten,
            undone,
            rederived,
            next,
        })
    }

    /// Derives the keys of contacts anew: those to which settled leads had added, and those that an older normalizer, or
    /// other lists, had derived.
    async fn rederive(&mut self) -> Result<usize, SweepError> {
        let normalizer = self.rulebook.rules().normalizer;
        let client = self.store.client().await?;
        let mut to_derive = grown_keys(&client, REDERIVE_AT_A_TIME).await?;
        let is_known = self
            .keys_are_of
            .as_ref()
            .is_some_and(|(version, looked_at)| version == normalizer.version() && looked_at.elapsed() < LOOK_AT_KEYS);
        if !is_known {
            let outdated = outdated_keys(&client, normalizer.version(), REDERIVE_AT_A_TIME).await?;
            if outdated.is_empty() {
                self.keys_are_of = Some((normalizer.version().to_owned(), Instant::now()));
            }
            to_derive.extend(outdated);
        }
        if to_derive.is_empty() {
            return Ok(0);
        }
        let derived: Vec<(ContactId, Value, MatchKeys)> = to_derive
            .into_iter()
            .map(|(contact_id, contact)| {
                let keys = normalizer.record(&mirrored_record(&contact)).keys;
                (contact_id, contact, keys)
            })
            .collect();
        rederive_keys(&client, &derived, normalizer.version()).await?;
        Ok(derived.len())
    }

    /// Looks for leads that have no work row: all in turn, and the newest each time.
    async fn adopt(&mut self) -> Result<(), SweepError> {
        let client = self.store.client().await?;
        let (leads, looked_until) = adopt_leads(&client, self.looked_until, ORPHANS_AT_A_TIME).await?;
        self.looked_until = looked_until;
        if leads > 0 {
            tracing::warn!(
                leads,
                "leads without a work row are adopted: was the trigger on staging.lead off?"
            );
        }
        Ok(())
    }

    async fn keep_house(&self) -> Result<(), SweepError> {
        let client = self.store.client().await?;
        let forgotten = forget_old(&client, self.settings.retention_days, 10_000).await?;
        drop(client);
        if forgotten > 0 {
            tracing::info!(forgotten, "the house is kept");
        }
        if self.last_housekeeping.is_some() {
            let schema = self.line.schema(Priority::Mirror).await?;
            self.rulebook.set_schema(schema);
        }
        Ok(())
    }
}
