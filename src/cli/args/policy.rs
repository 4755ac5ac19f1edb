//! The arguments of the commands about rules: what sources may write, what is shown and what is held before it is written.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `brake …`
#[derive(Debug, Subcommand)]
pub enum BrakeAction {
    /// All sources: what they may write in an hour, what they did, and what is held
    List {
        /// For machines
        #[arg(long)]
        json: bool,
    },
    /// Let the held leads of a source go on
    Release {
        /// The source
        source: String,
        /// Why, for the audit
        #[arg(long)]
        note: String,
    },
    /// Make dead letters of the held leads of a source
    Reject {
        /// The source
        source: String,
        /// Why, for the audit
        #[arg(long)]
        note: String,
    },
}

/// `shadow …`
#[derive(Debug, Subcommand)]
pub enum ShadowAction {
    /// Decide and audit what these sources bring, and write nothing of it
    On {
        /// As in rules.source
        #[arg(required_unless_present = "all")]
        sources: Vec<String>,
        /// All sources
        #[arg(long, conflicts_with = "sources")]
        all: bool,
    },
    /// Write what these sources bring from now on
    Off {
        /// As in rules.source
        #[arg(required_unless_present = "all")]
        sources: Vec<String>,
        /// All sources
        #[arg(long, conflicts_with = "sources")]
        all: bool,
    },
    /// What would have been written
    Show {
        /// Only of this source
        #[arg(long)]
        source: Option<String>,
        /// At most so many fields
        #[arg(long, default_value_t = 50)]
        limit: i64,
        /// For machines
        #[arg(long)]
        json: bool,
    },
    /// Decide anew what was decided in shadow; it is written unless the source is still in shadow
    Replay {
        /// Only of this source
        #[arg(long)]
        source: Option<String>,
        /// At most so many leads, the oldest first
        #[arg(long, default_value_t = 1_000_000)]
        limit: i64,
        /// Why, for the audit
        #[arg(long)]
        note: Option<String>,
        /// Say how many, and do nothing
        #[arg(long)]
        dry_run: bool,
        /// For machines
        #[arg(long)]
        json: bool,
    },
}

/// `rules backtest`
#[derive(Debug, Args)]
pub struct BacktestOptions {
    /// Decisions made since then, as 2026-10-01T00:00:00Z
    #[arg(long, value_name = "TIME")]
    pub since: chrono::DateTime<chrono::Utc>,
    /// And before then
    #[arg(long, value_name = "TIME")]
    pub until: Option<chrono::DateTime<chrono::Utc>>,
    /// Only about leads of this source
    #[arg(long)]
    pub source: Option<String>,
    /// The proposed rules
    #[arg(long, value_name = "FILE")]
    pub rules: Option<PathBuf>,
    /// So many examples of each kind of difference
    #[arg(long, default_value_t = 3)]
    pub examples: usize,
    /// For machines
    #[arg(long)]
    pub json: bool,
}

/// `rules …`
#[derive(Debug, Subcommand)]
pub enum RulesAction {
    /// The policy of each field for each source, as it comes out of all rules
    Show {
        /// For machines
        #[arg(long)]
        json: bool,
    },
    /// Contradictions: unknown or read-only fields, sources without rank, rules that can never apply
    #[command(
        after_help = "With --rules, those of the rules as FILE would make them, before they are used: SQL, as for `rules backtest`.\n\nExamples:\n  gatekeeper rules check\n  gatekeeper rules check --rules proposed.sql"
    )]
    Check {
        /// Proposed rules
        #[arg(long, value_name = "FILE")]
        rules: Option<PathBuf>,
        /// For machines
        #[arg(long)]
        json: bool,
    },
    /// Make old decisions again under proposed rules, and show which would differ; nothing is touched
    #[command(
        after_help = "FILE holds SQL that changes tables of `rules`, as psql would run it; it is tried in a transaction that is taken back.\nWithout it what was decided is compared with what the rules in force would make of it.\nWhat a change of lists (nicknames, suffixes) or of who is compared at all would do is not shown: candidates are those that were found then.\n\nExamples:\n  gatekeeper rules backtest --since 2026-10-01T00:00:00Z --rules proposed.sql\n  gatekeeper rules backtest --since 2026-10-01T00:00:00Z --source webinar --rules proposed.sql --json"
    )]
    Backtest(BacktestOptions),
    /// Learn match weights from the contacts in the mirror, without anybody saying who is who, and show them
    #[command(
        after_help = "Shows each weight beside the one in force, and changes nothing. With --use, those that were shown last come into force.\n\nExamples:\n  gatekeeper rules learn\n  gatekeeper rules learn --use"
    )]
    Learn {
        /// Put into force what was shown last
        #[arg(long = "use")]
        put_into_force: bool,
        /// For machines
        #[arg(long)]
        json: bool,
    },
}
