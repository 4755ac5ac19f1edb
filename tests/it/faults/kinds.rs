//! The kinds of faults: what is done to the daemon, the database or the CRM while leads are on their way.

use std::pin::Pin;
use std::time::Duration;

use chrono::Utc;
use gatekeeper::config::Config;
use gatekeeper::sandbox::{Effect, Entry, Rule};
use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rustix::process::Signal;

use super::connections;
use super::merging;
use super::people::{deliver, judge, judge_after_loss, not_of_the_best_source, world, world_on};
use super::server::Cluster;
use crate::flow::world::World;
use crate::process::Daemon;
use crate::support::eventually;

/// Returns how many faults really happened.
type Run = fn(u64) -> Pin<Box<dyn Future<Output = u64>>>;

/// A kind of fault.
pub(super) struct Kind {
    pub(super) name: &'static str,
    /// What is done, for the report.
    pub(super) what: &'static str,
    pub(super) run: Run,
    /// Seeds that failed once, before what they found was mended: part of `make test` from then on.
    pub(super) failed_once: &'static [u64],
}

pub(super) static KINDS: &[Kind] = &[
    Kind {
        name: "killed",
        what: "`kill -9` up to four times, each at a random step of the write protocol: after the claim, before and after the commit of the intents, before the call, after the effect and before our commit, after it, and in recovery",
        run: |seed| Box::pin(killed(seed)),
        failed_once: &[],
    },
    Kind {
        name: "committing",
        what: "`kill -9` up to three times while a transaction is ending: the COMMIT, or the end of a statement that is a transaction of its own, is on its way to the server, or the server has it and its answer is on its way",
        run: |seed| Box::pin(connections::committing(seed)),
        failed_once: &[],
    },
    Kind {
        name: "late",
        what: "requests that are answered by silence and take effect up to 3 s later, after they were looked up and sent again; answers lost after the effect",
        run: |seed| Box::pin(late(seed)),
        failed_once: &[],
    },
    Kind {
        name: "frozen",
        what: "a replica is frozen (SIGSTOP) at a random step of the write protocol, its lease runs out, another one takes over and ends the work, then it is thawed",
        run: |seed| Box::pin(frozen(seed)),
        failed_once: &[],
    },
    Kind {
        name: "cut",
        what: "every connection to the database is ended by the server again and again, at random moments",
        run: |seed| Box::pin(cut(seed)),
        failed_once: &[],
    },
    Kind {
        name: "locked",
        what: "somebody locks a table that the daemon needs, again and again, each time longer than the daemon waits for a lock",
        run: |seed| Box::pin(locked(seed)),
        failed_once: &[],
    },
    Kind {
        name: "silent",
        what: "the line to the database falls silent, and neither end is told, until the lease has run out, another replica has taken over and ended the work; then it speaks again",
        run: |seed| Box::pin(connections::silent(seed)),
        failed_once: &[],
    },
    Kind {
        name: "crowded",
        what: "every connection that the server has to give is taken by others: before the start, which then says so and ends, and up to three times at work, after the daemon's own were ended",
        run: |seed| Box::pin(connections::crowded(seed)),
        failed_once: &[],
    },
    Kind {
        name: "crashed",
        what: "a process of the database server is killed (`kill -9`) up to six times, whereupon the server ends all connections and recovers from its log",
        run: |seed| Box::pin(crashed(seed)),
        failed_once: &[],
    },
    Kind {
        name: "merging",
        what: "`merge run` is killed (`kill -9`) up to five times, each at a random step: after the plans were begun, before a merge is sent, after it and before our commit, after it, after the values that survive were written, after the end; while merges take effect late or their answers are lost, leads come for the same people, and a daemon works beside it or not",
        run: |seed| Box::pin(merging::merging(seed)),
        failed_once: &[],
    },
    Kind {
        name: "failover",
        what: "the database server dies for good while leads are sent, and a standby goes on that lacks its last commits: intents, settlements and decisions of what the CRM already has",
        run: |seed| Box::pin(failover(seed)),
        failed_once: &[17, 37, 44],
    },
];

/// The steps of the write protocol at which the daemon can be made to fail.
const POINTS: [&str; 6] = ["claimed", "decided", "intended", "sending", "answered", "settled"];

/// How long one daemon may take to end all work.
pub(super) const PATIENCE: Duration = Duration::from_secs(90);

async fn killed(seed: u64) -> u64 {
    let (world, mut random) = world(seed, |_| ()).await;
    deliver(&world, &mut random).await;
    let mut deaths = 0;
    for death in 0..random.random_range(1..=4) {
        let point = match death {
            0 => POINTS.choose(&mut random).unwrap(),
            _ => [&POINTS[..], &["taken_over"]]
                .concat()
                .choose(&mut random)
                .copied()
                .unwrap(),
        };
        let failpoint = format!("{point}:{}:kill", random.random_range(1..=3));
        let mut daemon = Daemon::start_to_fail(&world, &world.config, &["--until-idle"], &failpoint);
        // It dies, or all is done before the point is reached so often.
        let end = daemon.end(PATIENCE).await;
        assert!(matches!(end, None | Some(0)), "{failpoint}: {end:?} {}", daemon.log());
        deaths += u64::from(end.is_none());
    }
    to_the_end(&world).await;
    judge(&world).await;
    deaths
}

async fn late(seed: u64) -> u64 {
    let (world, mut random) = world(seed, |_| ()).await;
    let rule = |random: &mut StdRng| Rule {
        probability: Some(0.35),
        for_ms: Some(4_000),
        seed: random.random(),
        ..Rule::default()
    };
    for operation in ["batch_create", "batch_update"] {
        let late = Rule {
            operation: Some(operation.to_owned()),
            apply_late_ms: Some(random.random_range(200..3_000)),
            ..rule(&mut random)
        };
        let lost = Rule {
            operation: Some(operation.to_owned()),
            drop_answer_after_apply: true,
            ..rule(&mut random)
        };
        world.faults(vec![late, lost]);
    }
    deliver(&world, &mut random).await;
    world.run().await;
    // What is on its way lands within this time; then the time of the reconciler is come.
    tokio::time::sleep(Duration::from_millis(3_100)).await;
    reconciled(&world).await;
    judge(&world).await;
    world.crm.sandbox().faults().iter().map(|active| active.hit).sum()
}

/// A lease as short as the deadlines of its work allow.
pub(super) fn in_a_hurry(config: &mut Config) {
    config.daemon.lease_seconds = 9;
    config.daemon.heartbeat_seconds = 1;
    config.database.statement_timeout_seconds = 5;
    config.database.lock_timeout_seconds = 3;
    config.crm.request_deadline_seconds = 2;
    config.crm.connect_timeout_seconds = 1;
}

async fn frozen(seed: u64) -> u64 {
    let (world, mut random) = world(seed, in_a_hurry).await;
    deliver(&world, &mut random).await;
    let failpoint = format!(
        "{}:{}:stop",
        POINTS.choose(&mut random).unwrap(),
        random.random_range(1..=3)
    );
    let mut replica = Daemon::start_to_fail(&world, &world.config, &[], &failpoint);
    eventually(PATIENCE, "it is frozen or all is done", async || {
        let waiting = world.unfinished().await;
        match replica.is_frozen() || waiting == 0 {
            true => Ok(()),
            false => Err((failpoint.clone(), waiting, replica.log())),
        }
    })
    .await;
    let frozen = u64::from(replica.is_frozen());
    to_the_end(&world).await;
    replica.signal(Signal::CONT);
    back_too_late(&world, &mut replica).await;
    frozen
}

async fn cut(seed: u64) -> u64 {
    // The harness's own connections bear another name.
    let (world, mut random) = world(seed, |config| config.database.url += "&application_name=to_be_cut").await;
    deliver(&world, &mut random).await;
    let mut daemon = Daemon::start(&world, &["--until-idle"]);
    let cut = "select count(pg_terminate_backend(pid)) from pg_stat_activity
         where datname = current_database() and application_name = 'to_be_cut'";
    let mut ended = 0;
    for _ in 0..random.random_range(5..20) {
        tokio::time::sleep(Duration::from_millis(random.random_range(10..150))).await;
        ended += world.count(cut).await.unsigned_abs();
    }
    let end = daemon.end(PATIENCE).await;
    // Cut off at its very start it gives up, as it should; whoever started it starts it again.
    assert!(end.is_some(), "{}", daemon.log());
    to_the_end(&world).await;
    judge(&world).await;
    ended
}

/// Tables of which each batch needs some.
const TABLES: [&str; 5] = [
    "gate.work",
    "gate.intent",
    "gate.identifier",
    "crm.contact",
    "audit.decision",
];

async fn locked(seed: u64) -> u64 {
    let (world, mut random) = world(seed, |config| config.database.lock_timeout_seconds = 1).await;
    deliver(&world, &mut random).await;
    let mut daemon = Daemon::start(&world, &["--until-idle"]);
    let mut locks = 0;
    for _ in 0..random.random_range(1..=3) {
        tokio::time::sleep(Duration::from_millis(random.random_range(0..300))).await;
        let table = TABLES.choose(&mut random).unwrap();
        let seconds = random.random_range(0.2..2.5);
        let lock = format!("begin; lock table {table}; select pg_sleep({seconds}); commit");
        // Who wants what the daemon has, waits for it, as everybody does.
        locks += u64::from(world.db.client().await.batch_execute(&lock).await.is_ok());
    }
    assert_eq!(daemon.end(PATIENCE).await, Some(0), "{}", daemon.log());
    judge(&world).await;
    locks
}

async fn crashed(seed: u64) -> u64 {
    let cluster = Cluster::start(&format!("crashed-{seed}")).await;
    let named = |config: &mut Config| config.database.url += "&application_name=to_be_killed";
    let (mut world, mut random) = world_on(cluster.database().await, seed, named).await;
    deliver(&world, &mut random).await;
    let mut daemon = Daemon::start(&world, &[]);
    begun(&world, &daemon).await;
    let mut crashes = 0;
    for _ in 0..random.random_range(1..=6) {
        tokio::time::sleep(Duration::from_millis(random.random_range(0..400))).await;
        let served =
            "select coalesce(min(pid), 0)::bigint from pg_stat_activity where application_name = 'to_be_killed'";
        let process = world.count(served).await;
        crashes += u64::from(cluster.crash(process).await);
        world.db = cluster.after_recovery().await;
    }
    ends_all_work(&world, &mut daemon).await;
    to_the_end(&world).await;
    reconciled(&world).await;
    judge(&world).await;
    drop(world);
    cluster.stop().await;
    crashes
}

async fn failover(seed: u64) -> u64 {
    let mut cluster = Cluster::start(&format!("failover-{seed}")).await;
    let (mut world, mut random) = world_on(cluster.database().await, seed, |_| ()).await;
    world.faults(vec![Rule {
        delay_ms: Some(random.random_range(20..250)),
        ..Rule::default()
    }]);
    deliver(&world, &mut random).await;
    let mut daemon = Daemon::start(&world, &[]);
    begun(&world, &daemon).await;
    tokio::time::sleep(Duration::from_millis(random.random_range(0..500))).await;
    cluster.make_standby().await;
    tokio::time::sleep(Duration::from_millis(random.random_range(100..1_000))).await;
    world.db = cluster.fail_over().await;
    let failed_over = Utc::now();
    let lost = sent_and_forgotten(&world).await;
    ends_all_work(&world, &mut daemon).await;
    // By a heartbeat, or at the next start.
    to_the_end(&world).await;
    let noticed = "select count(*) from audit.steward_action where command = 'failover'";
    assert_eq!(
        world.count(noticed).await,
        1,
        "the failover is noticed: {}",
        daemon.log()
    );
    reconciled(&world).await;
    judge_after_loss(&world, failed_over).await;
    drop(world);
    cluster.stop().await;
    lost
}

/// Effects in the CRM of which the database does not know that they were, or even that they were meant to be.
async fn sent_and_forgotten(world: &World) -> u64 {
    let mut forgotten = 0;
    for entry in world.crm.sandbox().journal_after(0) {
        if let Entry::Effect(Effect {
            trace_id: Some(trace_id),
            ..
        }) = entry
        {
            let settled =
                format!("select count(*) from gate.intent where state = 'applied' and intent_id::text = '{trace_id}'");
            forgotten += u64::from(world.count(&settled).await == 0);
        }
    }
    forgotten
}

/// At its very start a daemon gives up where the database fails it; whoever started it starts it again. From here on it does not.
pub(super) async fn begun(world: &World, daemon: &Daemon) {
    let intended = "select count(*) from gate.intent";
    eventually(PATIENCE, "the daemon writes", async || {
        match world.count(intended).await {
            0 => Err(daemon.log()),
            _ => Ok(()),
        }
    })
    .await;
}

/// The daemon goes on until nothing waits any more, and ends when it is asked to.
pub(super) async fn ends_all_work(world: &World, daemon: &mut Daemon) {
    eventually(PATIENCE, "the daemon has ended all work", async || {
        match world.unfinished().await {
            0 => Ok(()),
            waiting => Err((waiting, daemon.log())),
        }
    })
    .await;
    daemon.signal(Signal::TERM);
    assert_eq!(daemon.end(PATIENCE).await, Some(0), "{}", daemon.log());
}

/// A replica comes back after others have ended its work. It finds that its lease has run out, ends what it has on the wire,
/// and goes on as a new one or ends.
pub(super) async fn back_too_late(world: &World, replica: &mut Daemon) {
    replica.signal(Signal::TERM);
    let end = replica.end(PATIENCE).await;
    assert!(end.is_some(), "{}", replica.log());
    to_the_end(world).await;
    reconciled(world).await;
    judge(world).await;
}

/// One more daemon, which nothing happens to, ends all work.
pub(super) async fn to_the_end(world: &World) {
    let mut daemon = Daemon::start(world, &["--until-idle"]);
    assert_eq!(daemon.end(PATIENCE).await, Some(0), "{}", daemon.log());
}

/// The time of the reconciler is come: what a late request of ours has overwritten is written again.
pub(super) async fn reconciled(world: &World) {
    world
        .db
        .run("update gate.intent set verify_at = now() where doubted_at is not null")
        .await;
    world.run_until(async || not_of_the_best_source(world).is_empty()).await;
    world.run().await;
}
