//! The database: the private cluster, connections, installing.

mod connect;
mod embedded;
mod history;
mod install;
mod listen;
mod schema;
mod tls;
