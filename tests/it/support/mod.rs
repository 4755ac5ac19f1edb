//! What tests stand on: a real database for each of them, and waiting for a condition instead of for the clock.

mod cluster;
mod database;
mod directory;
mod eventually;
mod proxy;

pub(crate) use cluster::{cluster, gatekeeper, plan, plan_of_a_standby, write_in_cluster};
pub(crate) use database::{TestDb, config_for};
pub(crate) use directory::Directory;
pub(crate) use eventually::eventually;
pub(crate) use proxy::Proxy;
