//! The kinds of faults that befall the connections to the database.

use std::time::Duration;

use gatekeeper::config::Config;
use gatekeeper::sandbox::Rule;
use rand::RngExt;
use rand::seq::IndexedRandom;
use rustix::process::Signal;

use super::commits::{LineToCommit, Moment, What};
use super::kinds::{PATIENCE, back_too_late, begun, ends_all_work, in_a_hurry, to_the_end};
use super::line::Line;
use super::people::{deliver, judge, world, world_on};
use super::server::Cluster;
use crate::flow::world::World;
use crate::process::Daemon;
use crate::support::cluster;

pub(super) async fn committing(seed: u64) -> u64 {
    let (world, mut random) = world(seed, |_| ()).await;
    deliver(&world, &mut random).await;
    let mut deaths = 0;
    for _ in 0..random.random_range(1..=3) {
        let what = *[What::Commit, What::Sync].choose(&mut random).unwrap();
        let most = match what {
            What::Commit => 4,
            What::Sync => 60,
        };
        let moment = Moment {
            what,
            nth: random.random_range(1..=most),
            has_it: random.random_bool(0.5),
        };
        let line = LineToCommit::to(&cluster().connection(world.db.name()), moment).await;
        let mut config = world.config.clone();
        config.database.url = through(line.port(), &world);
        let mut daemon = Daemon::start_with(&world, &config, &["--until-idle"]);
        // It is killed, or all is done before the moment comes.
        tokio::select! {
            () = line.reached() => {
                daemon.signal(Signal::KILL);
                deaths += 1;
                assert_eq!(daemon.end(PATIENCE).await, None, "{moment:?} {}", daemon.log());
            }
            end = daemon.end(PATIENCE) => assert_eq!(end, Some(0), "{moment:?} {}", daemon.log()),
        }
    }
    to_the_end(&world).await;
    judge(&world).await;
    deaths
}

pub(super) async fn silent(seed: u64) -> u64 {
    let (world, mut random) = world(seed, in_a_hurry).await;
    let line = Line::to(&cluster().connection(world.db.name())).await;
    deliver(&world, &mut random).await;
    let mut config = world.config.clone();
    config.database.url = through(line.port(), &world);
    world.faults(vec![Rule {
        delay_ms: Some(random.random_range(20..200)),
        ..Rule::default()
    }]);
    let mut replica = Daemon::start_with(&world, &config, &[]);
    begun(&world, &replica).await;
    tokio::time::sleep(Duration::from_millis(random.random_range(0..400))).await;
    line.fall_silent();
    let cut_off = u64::from(world.unfinished().await > 0);
    to_the_end(&world).await;
    line.speak_again();
    back_too_late(&world, &mut replica).await;
    cut_off
}

/// Connections of a server of which few are to be had.
const CONNECTIONS: u32 = 30;

pub(super) async fn crowded(seed: u64) -> u64 {
    let cluster = Cluster::with(
        &format!("crowded-{seed}"),
        &[("max_connections", &CONNECTIONS.to_string())],
    )
    .await;
    let named = |config: &mut Config| config.database.url += "&application_name=to_be_crowded_out";
    let (world, mut random) = world_on(cluster.database().await, seed, named).await;
    // Its connection is there before the others come.
    let watching = world.db.client().await;
    deliver(&world, &mut random).await;
    world.faults(vec![Rule {
        delay_ms: Some(random.random_range(20..200)),
        ..Rule::default()
    }]);
    let crowd = cluster.crowd().await;
    let mut refused = Daemon::start(&world, &[]);
    assert_eq!(refused.end(PATIENCE).await, Some(1), "{}", refused.log());
    assert!(refused.log().contains("too many clients"), "{}", refused.log());
    drop(crowd);
    cluster.has_room().await;
    let mut daemon = Daemon::start(&world, &[]);
    begun(&world, &daemon).await;
    let mut crowds = 1;
    for _ in 0..random.random_range(1..=3) {
        tokio::time::sleep(Duration::from_millis(random.random_range(0..400))).await;
        let out = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'to_be_crowded_out'
             and pid <> pg_backend_pid()";
        watching.batch_execute(out).await.unwrap();
        let crowd = cluster.crowd().await;
        crowds += 1;
        tokio::time::sleep(Duration::from_millis(random.random_range(200..2_000))).await;
        drop(crowd);
        cluster.has_room().await;
    }
    ends_all_work(&world, &mut daemon).await;
    drop(watching);
    to_the_end(&world).await;
    judge(&world).await;
    drop(world);
    cluster.stop().await;
    crowds
}

/// The database by way of a line on loopback.
fn through(port: u16, world: &World) -> String {
    format!("postgresql://postgres@127.0.0.1:{port}/{}", world.db.name())
}
