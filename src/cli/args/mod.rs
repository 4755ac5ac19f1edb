//! The arguments, with their help texts.

mod actions;
mod merging;
mod policy;

pub(super) use actions::{
    DeadAction, DuplicatesAction, ExportFormat, Filter, InDoubtAction, InDoubtVerdict, PickOptions, ReplicaAction,
    ReviewAction,
};
pub(super) use merging::{MergeAction, PlanPick};
pub(super) use policy::{BacktestOptions, BrakeAction, RulesAction, ShadowAction};

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::demo::DemoOptions;

/// Stands between lead sources and a CRM: no duplicate contact, no good value overwritten by a worse one, no lead lost.
#[derive(Debug, Parser)]
#[command(name = "gatekeeper", version, propagate_version = true, max_term_width = 110)]
#[command(
    after_help = "Exit codes: 0 done; 1 failed, try again; 2 wrong settings or arguments; 3 the CRM refuses the \
token or lacks the unique property; 4 the database is newer than this program.\n\n\
A newcomer begins with: gatekeeper demo"
)]
pub struct Arguments {
    /// Settings file [default: ./config.toml, then /etc/gatekeeper/config.toml, then the built-in defaults]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the daemon
    #[command(after_help = "Examples:\n  gatekeeper run\n  gatekeeper run --until-idle   # for cron and after a load")]
    Run {
        /// Process all that waits, then exit
        #[arg(long)]
        until_idle: bool,
    },
    /// Show it all at work: a private PostgreSQL, the sandbox CRM, the daemon, and 660 messy leads
    Demo(DemoOptions),
    /// Check settings, database, roles, clock, CRM token, scopes and unique property
    Check {
        /// Only what needs no network: settings and secrets
        #[arg(long)]
        offline: bool,
        /// For machines
        #[arg(long)]
        json: bool,
    },
    /// Bring tables, functions and views of the database up to date
    Migrate,
    /// Make the unique property `gatekeeper_key` in the CRM
    SetupCrm {
        /// Say what would be done, and do nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Bring the mirror up to date now
    #[command(
        after_help = "Examples:\n  gatekeeper mirror          # what is due by the timetable\n  gatekeeper mirror --full   # read and compare everything"
    )]
    Mirror {
        /// Read all contacts, compare, repair, and report the drift
        #[arg(long)]
        full: bool,
    },
    /// Show what waits, how old the mirror is, which replicas run, and what is left of the CRM's limits
    Status {
        /// For machines
        #[arg(long)]
        json: bool,
    },
    /// Tell the whole story of a lead
    #[command(
        after_help = "Examples:\n  gatekeeper explain 4711\n  gatekeeper explain webinar:W9002   # by source and source_key"
    )]
    Explain {
        /// `staging.lead.lead_id`, or SOURCE:SOURCE_KEY
        lead: String,
        /// For machines
        #[arg(long)]
        json: bool,
    },
    /// Say why a lead is not a certain contact
    WhyNot {
        /// `staging.lead.lead_id`, or SOURCE:SOURCE_KEY
        lead: String,
        /// `crm.contact.contact_id`, or the CRM's id written as crm:ID
        contact: String,
        /// For machines
        #[arg(long)]
        json: bool,
    },
    /// Leads that could not be processed
    Dead {
        /// What to do with them.
        #[command(subcommand)]
        action: DeadAction,
    },
    /// Leads about which a person must decide
    Review {
        /// What to do with them.
        #[command(subcommand)]
        action: ReviewAction,
    },
    /// Hold the gate: decide nothing and write nothing, until `resume`; leads are taken in, and the mirror is kept
    #[command(after_help = "Example:\n  gatekeeper pause --note 'the CRM is being migrated'")]
    Pause {
        /// Why, for the audit
        #[arg(long)]
        note: String,
    },
    /// Let the gate go on
    #[command(
        after_help = "Examples:\n  gatekeeper resume --note 'migration done'\n  gatekeeper resume --after-restore --note 'restored to 8:00, looked at'\n\nAfter a restored backup look first which leads wait that were perhaps written before (`status`):\nthey are decided anew against today's CRM, and what it holds already is not written again."
    )]
    Resume {
        /// The database was restored from a backup or copied, and may go on as it is
        #[arg(long)]
        after_restore: bool,
        /// Why, for the audit
        #[arg(long)]
        note: String,
    },
    /// The running daemons
    Replica {
        /// What to do.
        #[command(subcommand)]
        action: ReplicaAction,
    },
    /// Writes whose outcome could not be found out for a day; a person says how they ended
    #[command(name = "in-doubt")]
    InDoubt {
        /// What to do.
        #[command(subcommand)]
        action: InDoubtAction,
    },
    /// Read again what was written lately, and write again what an older request of ours has overwritten
    #[command(
        after_help = "After an incident in which requests may have been held back for long, in a proxy for example.\nA running daemon does it; `status` and audit.decision (action rewrite) show what it found.\n\nExamples:\n  gatekeeper reconcile --note 'proxy restarted'                             # the last 24 hours\n  gatekeeper reconcile --since 2026-11-25T08:00:00Z --note 'proxy restarted'"
    )]
    Reconcile {
        /// All writes since then, as 2026-11-25T08:00:00Z [default: 24 hours ago]
        #[arg(long, value_name = "TIME")]
        since: Option<chrono::DateTime<chrono::Utc>>,
        /// Why, for the audit
        #[arg(long)]
        note: String,
        /// For machines
        #[arg(long)]
        json: bool,
    },
    /// Contacts in the mirror that are one person already
    #[command(
        after_help = "Analysts read the same in SQL: report.duplicate_group, report.duplicate_member, report.duplicate_pair.\nNothing is merged by any of these.\n\nExamples:\n  gatekeeper duplicates scan\n  gatekeeper duplicates list --flagged\n  gatekeeper duplicates export --to duplicates.csv\n  gatekeeper duplicates apart 512 513 --note 'father and son'"
    )]
    Duplicates {
        /// What to do.
        #[command(subcommand)]
        action: DuplicatesAction,
    },
    /// Contacts that are one person already become one: planned, approved, carried out, and taken back
    #[command(
        after_help = "Who stays is said by rules.merge_master, which value survives by the rules of precedence.\nNothing is merged that nobody has approved. Analysts read all of it in SQL: report.merge_plan, report.merge_ledger, report.merge_summary.\n\nExamples:\n  gatekeeper duplicates scan\n  gatekeeper merge plan\n  gatekeeper merge show 17\n  gatekeeper merge approve --all --no-losses\n  gatekeeper merge run\n  gatekeeper merge undo 17 --note 'father and son'"
    )]
    Merge {
        /// What to do.
        #[command(subcommand)]
        action: MergeAction,
    },
    /// Sources whose leads are decided for show: audited, and not written
    #[command(
        after_help = "Analysts read the same in SQL: report.shadow_diff, report.shadow_summary. `gate.shadow = true` in the settings does it for all sources.\n\nExamples:\n  gatekeeper shadow on webinar\n  gatekeeper shadow show --source webinar\n  gatekeeper shadow off webinar\n  gatekeeper shadow replay --source webinar --note 'looked at'"
    )]
    Shadow {
        /// What to do.
        #[command(subcommand)]
        action: ShadowAction,
    },
    /// Runs that would create or change more than is set, and are held before their first write
    #[command(
        after_help = "The limits stand in rules.brake, per source and hour. Analysts read report.brake.\n\nExamples:\n  gatekeeper brake list\n  gatekeeper shadow show --source trade_fair      # what the held leads would write\n  gatekeeper brake release trade_fair --note 'a large fair'\n  gatekeeper brake reject trade_fair --note 'a wrong file'"
    )]
    Brake {
        /// What to do.
        #[command(subcommand)]
        action: BrakeAction,
    },
    /// Restore the values that our updates replaced, where the CRM still holds what we wrote
    #[command(
        after_help = "Contacts that were made stay; a value that anybody has changed since stays. A running daemon writes it, audited like any write (action undo).\nMend the rule first, or the next lead writes it again.\n\nExamples:\n  gatekeeper undo --decision 4711 --dry-run\n  gatekeeper undo --source webinar --since 2026-11-25T08:00:00Z --note 'wrong file'\n  gatekeeper undo --run 0198… --note 'run before the rules were mended'"
    )]
    Undo(UndoOptions),
    /// The rules in force
    Rules {
        /// What to see.
        #[command(subcommand)]
        action: RulesAction,
    },
    /// Run the HubSpot-compatible CRM for trial and tests, on loopback only
    #[command(after_help = "Example:\n  gatekeeper sandbox --contacts demo/contacts.csv --unique-property external_id")]
    Sandbox(SandboxOptions),
}

/// `undo`
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("which").required(true).multiple(true).args(["decision", "run", "source", "since"]))]
pub struct UndoOptions {
    /// These decisions, as audit.decision numbers them
    #[arg(long, value_name = "DECISION", num_args = 1..)]
    pub decision: Vec<i64>,
    /// All that one run of a daemon decided: audit.decision.replica_id
    #[arg(long, value_name = "REPLICA")]
    pub run: Option<uuid::Uuid>,
    /// Only about leads of this source
    #[arg(long)]
    pub source: Option<String>,
    /// Only what was decided since then, as 2026-11-25T08:00:00Z
    #[arg(long, value_name = "TIME")]
    pub since: Option<chrono::DateTime<chrono::Utc>>,
    /// Why, for the audit
    #[arg(long, required_unless_present = "dry_run")]
    pub note: Option<String>,
    /// Show what would be restored, and do nothing
    #[arg(long)]
    pub dry_run: bool,
    /// For machines
    #[arg(long)]
    pub json: bool,
}

/// `sandbox`
#[derive(Debug, Args)]
pub struct SandboxOptions {
    /// Port on 127.0.0.1; 0 for any that is free
    #[arg(long, default_value_t = 8400)]
    pub port: u16,
    /// The token that is accepted [default: sandbox-token]
    #[arg(long, value_name = "TOKEN")]
    pub token: Option<String>,
    /// No rate limits
    #[arg(long)]
    pub unlimited: bool,
    /// Calls allowed in 10 seconds
    #[arg(long, default_value_t = 190, conflicts_with = "unlimited")]
    pub general_calls: u32,
    /// Milliseconds that every answer takes at least
    #[arg(long, default_value_t = 0)]
    pub delay_milliseconds: u64,
    /// Milliseconds that the search index runs late
    #[arg(long, default_value_t = 0)]
    pub search_lag_milliseconds: u64,
    /// Contacts to begin with: CSV with HubSpot's property names as columns
    #[arg(long, value_name = "FILE")]
    pub contacts: Option<PathBuf>,
    /// A unique text property that the account has from the start, such as external_id; may be repeated
    #[arg(long, value_name = "PROPERTY")]
    pub unique_property: Vec<String>,
    /// Append every request and every effect to this file, as JSON lines
    #[arg(long, value_name = "FILE")]
    pub journal: Option<PathBuf>,
    /// Count only, keep no journal in memory
    #[arg(long)]
    pub no_journal: bool,
}
