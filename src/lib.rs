//! Gatekeeper stands between lead sources and a CRM.
//!
//! ETL jobs insert leads into `staging.lead`. The daemon keeps a mirror of the CRM's contacts in Postgres,
//! finds out who each lead is, decides which of its values may be written, writes them under governance, and
//! records every decision where an analyst can read it. ARCHITECTURE.md is the map; this is the same map in code.
//!
//! Layers, each may use only those below it (a test keeps this):
//!
//! | layer | rooms |
//! |---|---|
//! | 5 | [`cli`] |
//! | 4 | [`daemon`], [`demo`] |
//! | 3 | [`pull`], [`push`], [`sweep`] |
//! | 2 | [`store`], [`crm`], [`sandbox`]: they never see each other |
//! | 1 | [`config`], [`normalize`], [`decide`], [`governor`], [`observe`] |
//! | 0 | [`domain`], [`fault`] |

pub mod domain;
pub mod fault;

pub mod config;
pub mod decide;
pub mod governor;
pub mod normalize;

pub mod crm;
pub mod line;
pub mod pull;
pub mod push;
pub mod rulebook;
pub mod sandbox;
pub mod store;
