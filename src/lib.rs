//! Gatekeeper stands between lead sources and a CRM.
//!
//! ETL jobs insert leads into `staging.lead`. The daemon keeps a mirror of the CRM's contacts in Postgres,
//! finds out who each lead is, decides which of its values may be written, writes them under governance, and
//! records every decision where an analyst can read it. ARCHITECTURE.md is the map; this is the same map in code.
//!
//! Layers. A room uses rooms of the layers below, never one of its own layer (`tests/it/tidy/layers.rs` keeps this):
//!
//! | layer | rooms | may use |
//! |---|---|---|
//! | 7 | `cli` | all below |
//! | 6 | `demo` | all below, and `cli` for its arguments |
//! | 5 | `daemon` | all below |
//! | 4 | `pull`, `push`, `duplicates`, `backtest`, `purge` | all below |
//! | 4 | `sweep` | all below, and `push` for its sender |
//! | 3 | `line`, `rulebook` | all below |
//! | 2 | `store`, `crm` | all below |
//! | 2 | `sandbox` | only `fault` |
//! | 2 | `observe` | all below |
//! | 1 | `config`, `normalize`, `decide`, `governor` | all below |
//! | 0 | `domain`, `fault`, `failpoint`, `progress` | nothing |
//!
//! So the database and a CRM never see each other below the line, the sandbox shares nothing with what is tried on it,
//! and the loops meet only in the database, in the rooms they share, and in the one sender.

pub mod domain;
pub mod failpoint;
pub mod fault;

pub mod config;
pub mod decide;
pub mod governor;
pub mod normalize;
pub mod observe;

pub mod crm;
pub mod sandbox;
pub mod store;

pub mod line;
pub mod rulebook;

pub mod backtest;
pub mod duplicates;
pub mod progress;
pub mod pull;
pub mod purge;
pub mod push;
pub mod sweep;

pub mod daemon;
pub mod demo;

pub mod cli;
