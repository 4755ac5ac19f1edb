//! The push loop alone: leads are decided, from claim to commit of the intents, and nothing is sent.

use std::sync::Arc;
use std::time::{Duration, Instant};

use gatekeeper::crm::hubspot::HubSpot;
use gatekeeper::daemon::connect_crm;
use gatekeeper::domain::ReplicaId;
use gatekeeper::push::sender::{Sender, SenderSettings};
use gatekeeper::push::{Push, PushSettings};
use gatekeeper::store::Store;
use gatekeeper::store::replica::{ReplicaIdentity, start_replica, stop_replica};
use tokio_util::sync::CancellationToken;

use crate::Outcome;
use crate::world::World;

/// A push loop in this process. Its sender is there and does not run.
pub(crate) struct Decider {
    push: Push<HubSpot>,
    store: Store,
    replica: ReplicaId,
    _sender: Sender<HubSpot>,
}

impl Decider {
    /// A push loop on the database of a world.
    pub(crate) async fn start(world: &World) -> Outcome<Decider> {
        let config = world.config()?;
        let store = Store::open(&config).await?;
        let replica = ReplicaId::new();
        let me = ReplicaIdentity {
            replica_id: replica,
            host_id: "bench".to_owned(),
            process_id: 1,
            process_started: String::new(),
        };
        start_replica(&store.client().await?, &me, Duration::from_secs(3_600), &[]).await?;
        let stop = CancellationToken::new();
        let (line, rulebook) = connect_crm(&config, &store, replica, &stop).await?;
        let sender = SenderSettings {
            calls_in_flight: 8,
            linger: Duration::ZERO,
            queue_limit: usize::MAX,
            settle_seconds: 10,
            max_attempts: 8,
        };
        let (sender, handle) = Sender::new(Arc::clone(&line), store.clone(), rulebook.clone(), sender, || false);
        let settings = PushSettings {
            batch_leads: config.gate.batch_leads,
            suspect_claims: 3,
            max_claims: 5,
            max_mirror_age: Duration::from_secs(7_200),
            shadow: false,
        };
        Ok(Decider {
            push: Push::new(store.clone(), line, rulebook, replica, settings, handle),
            store,
            replica,
            _sender: sender,
        })
    }

    /// Decides all that waits; how many leads that was.
    pub(crate) async fn decide_all(&self) -> Outcome<usize> {
        let mut decided = 0;
        loop {
            let report = self.push.pass().await?;
            if let Some(held) = report.held {
                return Err(format!("the gate holds: {held:?}").into());
            }
            if report.claimed == 0 {
                return Ok(decided);
            }
            decided += report.decided;
        }
    }

    /// Decides the one lead that is there; how long that took. Absent: it waits for the write of another lead to end, or one that
    /// had waited came along.
    pub(crate) async fn decide_one(&self) -> Outcome<Option<Duration>> {
        let begun = Instant::now();
        let report = self.push.pass().await?;
        let took = begun.elapsed();
        match report.claimed {
            0 => Err(format!("no lead was claimed: {report:?}").into()),
            1 => Ok((report.decided == 1).then_some(took)),
            _ => Ok(None),
        }
    }

    /// Says goodbye to the database.
    pub(crate) async fn end(self) -> Outcome<()> {
        stop_replica(&self.store.client().await?, self.replica).await?;
        self.store.close().await;
        Ok(())
    }
}
