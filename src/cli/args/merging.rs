//! The arguments of `merge`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `merge …`
#[derive(Debug, Subcommand)]
pub enum MergeAction {
    /// Plan the merge of every group that `duplicates scan` has found: who stays, which values survive, what would be lost
    Plan {
        /// For machines
        #[arg(long)]
        json: bool,
    },
    /// List the plans, or show one field by field, with what has happened to it
    Show {
        /// `merge.plan.plan_id`
        plan: Option<i64>,
        /// Only those in this state: proposed, held, rejected, approved, running, merged, failed, stale, undone
        #[arg(long, conflicts_with = "plan", value_parser = STATES)]
        state: Vec<String>,
        /// Only those that a person must look at first
        #[arg(long, conflicts_with = "plan")]
        held: bool,
        /// Only those that nothing stands against
        #[arg(long, conflicts_with = "plan")]
        proposed: bool,
        /// At most so many
        #[arg(long, default_value_t = 50)]
        limit: i64,
        /// For machines
        #[arg(long)]
        json: bool,
    },
    /// Say that plans are to be carried out
    #[command(
        after_help = "What is approved is exactly what is run: a plan that changes has to be approved anew, and a group whose contacts have changed in the CRM is left alone. With --master and --set the plan is made anew before it is approved.\n\nExamples:\n  gatekeeper merge approve 17 18\n  gatekeeper merge approve 17 --master 512 --set city=Riga --note 'as she told us'\n  gatekeeper merge approve --all --no-losses --most-contacts 2\n  gatekeeper merge approve --held-for chain --limit 20 --dry-run"
    )]
    Approve {
        /// Which
        #[command(flatten)]
        pick: PlanPick,
        /// The contact that is to stay, by its id in the CRM, whatever the rules say; of one plan
        #[arg(long, value_name = "CRM ID")]
        master: Option<String>,
        /// A value that is to survive, whatever the rules say; of one plan
        #[arg(long = "set", value_name = "FIELD=VALUE")]
        values: Vec<String>,
    },
    /// Say that plans are not to be carried out; that is remembered as long as the group has the same contacts
    Reject(PlanPick),
    /// Say that a person must look at plans first
    Hold(PlanPick),
    /// Write the plans to a file, for review in a spreadsheet: a row for each, with an empty column for what you decide
    #[command(
        after_help = "In the column `decision` write approve, reject or hold, in `note` why, and give the file to `gatekeeper merge import`.\n\nExamples:\n  gatekeeper merge export --to plans.csv\n  gatekeeper merge export --state held --to held.csv"
    )]
    Export {
        /// Only those in this state [default: proposed and held]
        #[arg(long, value_parser = STATES)]
        state: Vec<String>,
        /// The file [default: standard output]
        #[arg(long, value_name = "FILE")]
        to: Option<PathBuf>,
    },
    /// Read what was decided in a spreadsheet; a plan that has changed since the export is left alone
    Import {
        /// The file, as `merge export` wrote it, with the column `decision` filled in
        file: PathBuf,
        /// Say what would be done, and do nothing
        #[arg(long)]
        dry_run: bool,
        /// For machines
        #[arg(long)]
        json: bool,
    },
    /// Carry out what is approved: snapshot, merge, write what survives, read it back
    #[command(
        after_help = "Nothing can undo a merge in the CRM; `merge undo` makes of the snapshots what its API allows. Ctrl-C stops in good order. What a run that died had begun is gone on with by the next one, or by the daemon.\n\nExamples:\n  gatekeeper merge run --dry-run\n  gatekeeper merge run --limit 10\n  gatekeeper merge run --plan 17"
    )]
    Run {
        /// Only these plans
        #[arg(long, value_name = "PLAN")]
        plan: Vec<i64>,
        /// At most so many groups
        #[arg(long)]
        limit: Option<u64>,
        /// Say all that would be done, and do nothing
        #[arg(long)]
        dry_run: bool,
        /// For machines
        #[arg(long)]
        json: bool,
    },
    /// Take back what was merged by a plan, as far as the CRM allows, and say what cannot be restored
    #[command(
        after_help = "The contact that stayed gets its former values again, where nobody has changed them since. The others are made anew from their snapshots, under new ids. Their activities, lists and addresses stay with the survivor.\n\nExample:\n  gatekeeper merge undo 17 --note 'father and son'"
    )]
    Undo {
        /// `merge.plan.plan_id`
        plan: i64,
        /// Why, for the audit
        #[arg(long)]
        note: String,
        /// For machines
        #[arg(long)]
        json: bool,
    },
}

const STATES: [&str; 10] = [
    "proposed", "held", "rejected", "approved", "running", "merged", "failed", "stale", "undoing", "undone",
];

/// These plans, or all that a filter lets through.
#[derive(Debug, Clone, Args)]
pub struct PlanPick {
    /// These plans
    #[arg(
        required_unless_present_any = ["all", "rule", "most_contacts", "no_losses", "held_for"],
        conflicts_with_all = ["all", "rule", "most_contacts", "no_losses", "held_for"]
    )]
    pub plans: Vec<i64>,
    /// All that are proposed
    #[arg(long)]
    pub all: bool,
    /// Only where this rule has chosen who stays, such as oldest
    #[arg(long)]
    pub rule: Option<String>,
    /// Only groups of at most so many contacts
    #[arg(long, value_name = "NUMBER")]
    pub most_contacts: Option<i32>,
    /// Only where no value is lost
    #[arg(long)]
    pub no_losses: bool,
    /// Those that are held for this reason, instead of those that are proposed
    #[arg(long, value_name = "REASON")]
    pub held_for: Option<String>,
    /// At most so many
    #[arg(long)]
    pub limit: Option<i64>,
    /// Why, for the audit
    #[arg(long)]
    pub note: Option<String>,
    /// Say which they are, and do nothing
    #[arg(long)]
    pub dry_run: bool,
    /// For machines
    #[arg(long)]
    pub json: bool,
}
