//! The arguments of commands that have commands of their own: what a steward does.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `dead …`
#[derive(Debug, Subcommand)]
pub enum DeadAction {
    /// List them
    List {
        /// Which
        #[command(flatten)]
        filter: Filter,
        /// At most so many
        #[arg(long, default_value_t = 50)]
        limit: i64,
        /// Those replayed and discarded as well
        #[arg(long)]
        all: bool,
        /// For machines
        #[arg(long)]
        json: bool,
    },
    /// Show one, with the lead as it was delivered
    Show {
        /// `staging.lead.lead_id`
        lead: i64,
        /// For machines
        #[arg(long)]
        json: bool,
    },
    /// Decide them anew, against today's mirror and rules
    #[command(
        after_help = "With --dry-run it shows what would be decided today, and does nothing.\n\nExamples:\n  gatekeeper dead replay 4711 4712\n  gatekeeper dead replay --reason unknown_source --source webinar --dry-run\n  gatekeeper dead replay --since 2026-11-25T08:00:00Z --limit 100 --note 'property is there now'"
    )]
    Replay(PickOptions),
    /// Close them for good; the leads stay in staging
    Discard(PickOptions),
}

/// Which of them; what is not given does not narrow the choice.
#[derive(Debug, Clone, Args)]
pub struct Filter {
    /// Only of this reason code
    #[arg(long)]
    pub reason: Option<String>,
    /// Only of this source
    #[arg(long)]
    pub source: Option<String>,
    /// Only since then, as 2026-11-25T08:00:00Z
    #[arg(long, value_name = "TIME")]
    pub since: Option<chrono::DateTime<chrono::Utc>>,
    /// Only before then
    #[arg(long, value_name = "TIME")]
    pub until: Option<chrono::DateTime<chrono::Utc>>,
}

/// These leads, or all that a filter lets through.
#[derive(Debug, Args)]
pub struct PickOptions {
    /// These leads
    #[arg(
        required_unless_present_any = ["reason", "source", "since", "until"],
        conflicts_with_all = ["reason", "source", "since", "until"]
    )]
    pub leads: Vec<i64>,
    /// Or those
    #[command(flatten)]
    pub filter: Filter,
    /// At most so many
    #[arg(long, default_value_t = 1000)]
    pub limit: i64,
    /// Why, for the audit
    #[arg(long)]
    pub note: Option<String>,
    /// Say what would be done, and do nothing
    #[arg(long)]
    pub dry_run: bool,
    /// For machines
    #[arg(long)]
    pub json: bool,
}

/// `review …`
#[derive(Debug, Subcommand)]
pub enum ReviewAction {
    /// List them
    List {
        /// Which
        #[command(flatten)]
        filter: Filter,
        /// At most so many
        #[arg(long, default_value_t = 50)]
        limit: i64,
        /// Those resolved as well
        #[arg(long)]
        all: bool,
        /// For machines
        #[arg(long)]
        json: bool,
    },
    /// Show one: the lead beside the contacts in question
    Show {
        /// `staging.lead.lead_id`
        lead: i64,
        /// For machines
        #[arg(long)]
        json: bool,
    },
    /// Decide them anew, against today's mirror and rules
    #[command(
        after_help = "With --dry-run it shows what would be decided today, and does nothing.\n\nExamples:\n  gatekeeper review replay --reason fuzzy_uncertain --dry-run\n  gatekeeper review replay --source webinar --limit 100 --note 'thresholds changed'"
    )]
    Replay(PickOptions),
    /// It is this contact
    Accept {
        /// `staging.lead.lead_id`
        lead: i64,
        /// `crm.contact.contact_id`
        contact: i64,
        /// Why, for the audit
        #[arg(long)]
        note: Option<String>,
        /// Say what would be done, and do nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// It is a new person
    Create {
        /// `staging.lead.lead_id`
        lead: i64,
        /// Why, for the audit
        #[arg(long)]
        note: Option<String>,
        /// Say what would be done, and do nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// The lead is not wanted
    Reject {
        /// `staging.lead.lead_id`
        lead: i64,
        /// Why, for the audit
        #[arg(long)]
        note: Option<String>,
        /// Say what would be done, and do nothing
        #[arg(long)]
        dry_run: bool,
    },
}

/// `replica …`
#[derive(Debug, Subcommand)]
pub enum ReplicaAction {
    /// List those that have not said goodbye, with what is in their hands
    List {
        /// For machines
        #[arg(long)]
        json: bool,
    },
    /// End the lease of one at once, so that others take over; one that lives ends by itself
    Release {
        /// `replica_id`
        replica: uuid::Uuid,
        /// Why, for the audit
        #[arg(long)]
        note: String,
    },
}

/// `in-doubt …`
#[derive(Debug, Subcommand)]
pub enum InDoubtAction {
    /// List them, with the leads that they are for and how many more wait
    List {
        /// For machines
        #[arg(long)]
        json: bool,
    },
    /// Say how one ended
    #[command(
        after_help = "Look into the CRM first: its contact, by the id or by the address that `gatekeeper explain LEAD` shows.\n\nExamples:\n  gatekeeper in-doubt resolve 0198… --as applied --note 'the CRM holds it'\n  gatekeeper in-doubt resolve 0198… --as applied --crm-id 512 --note 'made at 8:02'\n  gatekeeper in-doubt resolve 0198… --as lost --note 'no such contact'\n  gatekeeper in-doubt resolve 0198… --as again --note 'the CRM is well again'"
    )]
    Resolve {
        /// The write, as `in-doubt list` shows it
        #[arg(value_name = "WRITE")]
        intent: uuid::Uuid,
        /// How it ended
        #[arg(long = "as", value_name = "END")]
        verdict: InDoubtVerdict,
        /// The contact that a creation made
        #[arg(long, value_name = "ID")]
        crm_id: Option<String>,
        /// Why, for the audit
        #[arg(long)]
        note: String,
    },
}

/// How a write in doubt ended.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub enum InDoubtVerdict {
    /// The CRM holds it
    Applied,
    /// It never happened: its leads are decided anew
    Lost,
    /// Nobody knows: the daemon is to ask and try once more
    Again,
}

/// `duplicates …`
#[derive(Debug, Subcommand)]
pub enum DuplicatesAction {
    /// Look for them: all contacts the first time and when the rules have changed, afterwards those that changed
    Scan {
        /// All contacts, whatever has changed
        #[arg(long)]
        full: bool,
        /// For machines
        #[arg(long)]
        json: bool,
    },
    /// Show what the last scan found: groups, or pairs
    List {
        /// Pairs instead of groups, the surest first
        #[arg(long)]
        pairs: bool,
        /// Pairs that are possible, but not sure enough for a group
        #[arg(long, requires = "pairs")]
        possible: bool,
        /// Only groups that a person must look at
        #[arg(long, conflicts_with = "pairs")]
        flagged: bool,
        /// At most so many contacts or pairs
        #[arg(long, default_value_t = 100)]
        limit: i64,
        /// For machines
        #[arg(long)]
        json: bool,
    },
    /// Write all groups, or all pairs, to a file or to standard output
    #[command(
        after_help = "Groups: one row for each contact. Pairs: one row each, possible ones too.\n\nExamples:\n  gatekeeper duplicates export --to duplicates.csv\n  gatekeeper duplicates export --pairs --format json | jq '.[0]'"
    )]
    Export {
        /// Pairs instead of groups
        #[arg(long)]
        pairs: bool,
        /// How it is written
        #[arg(long, value_enum, default_value_t = ExportFormat::Csv)]
        format: ExportFormat,
        /// The file [default: standard output]
        #[arg(long, value_name = "FILE")]
        to: Option<PathBuf>,
    },
    /// Say that two contacts are two people; no scan puts them together again
    Apart {
        /// The id of the one in the CRM
        one: String,
        /// The id of the other
        other: String,
        /// Why
        #[arg(long)]
        note: String,
    },
}

/// How an export is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum ExportFormat {
    /// A header and a line for each row
    Csv,
    /// One document
    Json,
}
