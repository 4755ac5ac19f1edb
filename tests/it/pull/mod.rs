//! The pull loop: a real CRM on loopback, a real database, and what the mirror makes of the one in the other.

mod changes;
mod drift;
mod full;
mod lease;
mod merges;
mod scene;
mod speed;
mod ticks;
