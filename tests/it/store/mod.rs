//! The database: the private cluster, connections, installing.

mod embedded;
mod install;
