//! The sender: committed intents become calls to the CRM, full batches first, and each answer is settled.
//!
//! A new person goes through a probe (a batch read by address or key: the CRM may know what the mirror does not know
//! yet) and then through a batch create; a known one through a batch update. A permit is taken first and the batch is
//! filled then, so that what arrives while one waits still goes along.
//!
//! Nothing here is needed to survive a crash: what was intended and not settled is found by recovery.

mod answered;
mod carry;
mod handle;
mod queue;

pub use handle::SenderHandle;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::crm::{Reader, Writer};
use crate::governor::{Backoff, Bucket, Permit, Priority};
use crate::line::{Line, LineError};
use crate::rulebook::Rulebook;
use crate::store::Store;
use carry::{Carried, Carrier};
use handle::Message;
use queue::{PROBES_LINGER, Queues};

/// How often is looked whether the lease is long enough again.
const LEASE_LOOK: Duration = Duration::from_secs(1);

/// What the sender is told by the settings.
#[derive(Debug, Clone)]
pub struct SenderSettings {
    /// Calls on the wire at the same time.
    pub calls_in_flight: usize,
    /// How long a batch that is not full waits for company while more leads are being decided.
    pub linger: Duration,
    /// Intents held in memory before the push loop waits.
    pub queue_limit: usize,
    /// Seconds after which an unknown outcome is looked up.
    pub settle_seconds: i32,
    /// Times a lead may be decided anew.
    pub max_attempts: i32,
}

/// Works until `stop`, then ends what is on the wire and withdraws what was never sent.
pub struct Sender<C> {
    line: Arc<Line<C>>,
    carrier: Arc<Carrier<C>>,
    settings: SenderSettings,
    messages: mpsc::UnboundedReceiver<Message>,
    handle: SenderHandle,
    queues: Queues,
    more_to_come: bool,
    backoff: Backoff,
    resume_at: Option<Instant>,
    may_begin: Box<dyn Fn() -> bool + Send + Sync>,
}

impl<C: Reader + Writer + 'static> Sender<C> {
    /// A sender, and the handle by which it is given work. `may_begin` says whether the replica's lease is long enough for
    /// a call.
    pub fn new(
        line: Arc<Line<C>>,
        store: Store,
        rulebook: Rulebook,
        settings: SenderSettings,
        may_begin: impl Fn() -> bool + Send + Sync + 'static,
    ) -> (Self, SenderHandle) {
        let (handle, messages) = SenderHandle::new(settings.queue_limit);
        let queues = Queues::new(line.crm().batch_limit());
        let carrier = Arc::new(Carrier::new(Arc::clone(&line), store, rulebook, &settings));
        let sender = Self {
            line,
            carrier,
            settings,
            messages,
            handle: handle.clone(),
            queues,
            more_to_come: false,
            backoff: Backoff::new(Duration::from_millis(500), Duration::from_secs(60)),
            resume_at: None,
            may_begin: Box::new(may_begin),
        };
        (sender, handle)
    }

    /// Runs until `stop` is cancelled and the wire is quiet.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut wire: JoinSet<Carried> = JoinSet::new();
        let mut permit: Option<Waiting> = None;
        loop {
            let wake = self.next_wake();
            if permit.is_none() && !stop.is_cancelled() && wire.len() < self.settings.calls_in_flight && self.may_send()
            {
                permit = Some(self.ask());
            }
            tokio::select! {
                Some(message) = self.messages.recv() => self.take_in(message),
                Some(done) = wire.join_next() => self.came_back(done),
                granted = granted(&mut permit) => {
                    permit = None;
                    self.go(granted, &mut wire);
                }
                () = wake_at(wake) => {}
                () = stop.cancelled(), if wire.is_empty() || permit.is_some() => {
                    permit = None;
                    if wire.is_empty() {
                        break;
                    }
                }
            }
            self.handle.set_on_wire(wire.len());
        }
        while let Ok(message) = self.messages.try_recv() {
            self.take_in(message);
        }
        let unsent = self.queues.drain();
        self.carrier.withdraw(unsent).await;
    }

    fn take_in(&mut self, message: Message) {
        match message {
            Message::Intents { intents, looked_up } => self.queues.add(intents, looked_up, Instant::now()),
            Message::MoreToCome(more) => self.more_to_come = more,
        }
    }

    fn may_send(&self) -> bool {
        let now = Instant::now();
        (self.may_begin)()
            && self.resume_at.is_none_or(|resume_at| resume_at <= now)
            && self.queues.ready(self.more_to_come, self.settings.linger, now)
    }

    /// When to look again although nothing arrives: a batch has lingered long enough, a pause is over, or the lease, which
    /// tells nobody, may have been prolonged.
    fn next_wake(&self) -> Option<Instant> {
        if self.queues.is_empty() {
            return None;
        }
        if !(self.may_begin)() {
            return Some(Instant::now() + LEASE_LOOK);
        }
        let now = Instant::now();
        let oldest = self.queues.oldest();
        let lingered = [PROBES_LINGER, self.settings.linger].map(|linger| oldest.map(|oldest| oldest + linger));
        let paused = self.resume_at.filter(|resume_at| *resume_at > now);
        // What has lingered already waits for the wire or a permit, which wake by themselves.
        paused.or_else(|| lingered.into_iter().flatten().filter(|lingered| *lingered > now).min())
    }

    fn ask(&self) -> Waiting {
        let line = Arc::clone(&self.line);
        Box::pin(async move { line.permit(Bucket::General, Priority::Live).await })
    }

    fn go(&mut self, granted: Result<Permit, LineError>, wire: &mut JoinSet<Carried>) {
        match granted {
            // While it waited for the permit the lease became too short for a call.
            Ok(_) if !(self.may_begin)() => {}
            Ok(permit) => {
                let now = Instant::now();
                if let Some(work) = self.queues.take(self.more_to_come, self.settings.linger, now) {
                    let carrier = Arc::clone(&self.carrier);
                    self.queues.on_wire(&work);
                    wire.spawn(async move { carrier.carry(permit, work).await });
                }
            }
            Err(error) => self.pause(error),
        }
    }

    fn came_back(&mut self, done: Result<Carried, tokio::task::JoinError>) {
        let carried = match done {
            Ok(carried) => carried,
            // A bug in a call's task: what it carried is found by recovery.
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        };
        let now = Instant::now();
        self.handle.let_go(&carried.settled);
        if carried.in_doubt {
            self.handle.doubt();
        }
        self.queues.back_from_wire(carried.was_probe);
        self.queues.add_creates(carried.to_create, now);
        for half in carried.halves {
            self.queues.add_alone(half);
        }
        self.queues.put_back(carried.not_sent, now);
        match carried.trouble {
            Some(error) => self.pause(error),
            None => {
                self.handle.set_broken(None);
                self.backoff.reset();
                self.resume_at = None;
            }
        }
    }

    /// Something is wrong with the CRM or the database, not with a row: wait, longer each time. No lead is charged.
    fn pause(&mut self, error: LineError) {
        use crate::fault::{Classify, Fault};
        let wait = match error.fault() {
            // The governor has paused already, for all replicas.
            Fault::Throttled(_) => Duration::ZERO,
            Fault::Broken => Duration::from_secs(5) + self.backoff.next_wait(),
            Fault::Transient | Fault::Unknown | Fault::Rejected => self.backoff.next_wait(),
        };
        tracing::warn!(
            error = crate::fault::chain(&error),
            wait_ms = wait.as_millis() as u64,
            waiting = self.queues.len(),
            "writes to the CRM wait"
        );
        if error.fault() == Fault::Broken {
            self.handle.set_broken(Some(error));
        }
        self.resume_at = Some(Instant::now() + wait);
    }
}

type Waiting = std::pin::Pin<Box<dyn Future<Output = Result<Permit, LineError>> + Send>>;

async fn granted(permit: &mut Option<Waiting>) -> Result<Permit, LineError> {
    match permit {
        Some(waiting) => waiting.await,
        None => std::future::pending().await,
    }
}

async fn wake_at(when: Option<Instant>) {
    match when {
        Some(when) => tokio::time::sleep_until(when).await,
        None => std::future::pending().await,
    }
}
