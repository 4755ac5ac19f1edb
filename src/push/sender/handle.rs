//! The handle: how the push loop and recovery give the sender work, and how the push loop is held back.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, mpsc};

use crate::domain::IntentId;
use crate::line::LineError;
use crate::store::recover::OpenIntent;

/// What the sender is told.
#[derive(Debug)]
pub(super) enum Message {
    /// Writes to send. `looked_up`: recovery has read what the CRM holds, no probe is needed.
    Intents { intents: Vec<OpenIntent>, looked_up: bool },
    /// Whether more writes are about to come, so that it pays to wait for a full batch.
    MoreToCome(bool),
}

/// Gives the sender work. Cheap to clone.
#[derive(Debug, Clone)]
pub struct SenderHandle {
    messages: mpsc::UnboundedSender<Message>,
    shared: Arc<Shared>,
    limit: usize,
}

#[derive(Debug, Default)]
struct Shared {
    held: Mutex<HashSet<IntentId>>,
    on_wire: AtomicUsize,
    more: AtomicBool,
    freed: Notify,
    doubts: Arc<Notify>,
    broken: Mutex<Option<(Instant, LineError)>>,
}

impl SenderHandle {
    pub(super) fn new(limit: usize) -> (Self, mpsc::UnboundedReceiver<Message>) {
        let (messages, receiver) = mpsc::unbounded_channel();
        (
            Self {
                messages,
                shared: Arc::default(),
                limit,
            },
            receiver,
        )
    }

    /// Takes writes in hand that are about to be committed as intents. Then they are given to [`send`](Self::send), or
    /// [let go](Self::let_go).
    pub fn hold(&self, intents: &[IntentId]) {
        self.shared.held().extend(intents);
    }

    /// Gives writes to send. They are committed as intents; if the sender is gone, recovery finds them.
    pub fn send(&self, intents: Vec<OpenIntent>, looked_up: bool) {
        if intents.is_empty() {
            return;
        }
        self.shared.held().extend(intents.iter().map(|intent| intent.intent_id));
        let _ = self.messages.send(Message::Intents { intents, looked_up });
    }

    /// Says whether more writes are about to come.
    pub fn more_to_come(&self, more: bool) {
        if self.shared.more.swap(more, Ordering::SeqCst) != more {
            let _ = self.messages.send(Message::MoreToCome(more));
        }
    }

    /// Waits until the sender holds fewer writes than its limit.
    pub async fn room(&self) {
        loop {
            let freed = self.shared.freed.notified();
            if self.held() < self.limit {
                return;
            }
            freed.await;
        }
    }

    /// Notified when the outcome of a write is not known: recovery then plans when to look.
    pub fn doubts(&self) -> Arc<Notify> {
        Arc::clone(&self.shared.doubts)
    }

    /// What the sender waits for a person to mend, if it has waited that long: a token that is refused, a scope that is
    /// missing. Said once.
    pub fn broken_for(&self, patience: Duration) -> Option<LineError> {
        let mut broken = self.shared.broken();
        let lasts = broken.as_ref().is_some_and(|(since, _)| since.elapsed() >= patience);
        if lasts {
            broken.take().map(|(_, error)| error)
        } else {
            None
        }
    }

    /// Writes that are not settled yet.
    pub fn held(&self) -> usize {
        self.shared.held().len()
    }

    /// Which these are. An open write of ours that is not among them is in nobody's hands.
    pub fn held_intents(&self) -> Vec<IntentId> {
        self.shared.held().iter().copied().collect()
    }

    /// These are settled, or were never committed.
    pub fn let_go(&self, intents: &[IntentId]) {
        {
            let mut held = self.shared.held();
            for intent_id in intents {
                held.remove(intent_id);
            }
        }
        self.shared.freed.notify_waiters();
        metrics::gauge!("gatekeeper_intents_held").set(self.held() as f64);
    }

    pub(super) fn doubt(&self) {
        self.shared.doubts.notify_one();
    }

    /// Absent: mended. The time of the first refusal counts.
    pub(super) fn set_broken(&self, error: Option<LineError>) {
        let mut broken = self.shared.broken();
        let since = broken.as_ref().map_or_else(Instant::now, |(since, _)| *since);
        *broken = error.map(|error| (since, error));
    }

    pub(super) fn set_on_wire(&self, calls: usize) {
        if self.shared.on_wire.swap(calls, Ordering::SeqCst) != calls {
            metrics::gauge!("gatekeeper_calls_on_wire").set(calls as f64);
        }
    }
}

impl Shared {
    fn held(&self) -> MutexGuard<'_, HashSet<IntentId>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn broken(&self) -> MutexGuard<'_, Option<(Instant, LineError)>> {
        self.broken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
