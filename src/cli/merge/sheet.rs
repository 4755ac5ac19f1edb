//! `merge export`, `merge import`: plans reviewed in a spreadsheet.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::super::{CliError, output, tell};
use super::decide::{choose, chosen_values};
use super::show::joined;
use crate::config::Config;
use crate::store::Store;
use crate::store::merge::{Pick, decide_plans, export_plans};

const HEADER: [&str; 14] = [
    "plan_id",
    "state",
    "held_for",
    "contacts",
    "stays",
    "because",
    "merged_into_it",
    "who",
    "survives",
    "digest",
    "choose_master",
    "choose_values",
    "decision",
    "note",
];

pub(super) async fn export(store: &Store, states: &[String], to: Option<PathBuf>) -> Result<(), CliError> {
    let mut states: Vec<&str> = states.iter().map(String::as_str).collect();
    if states.is_empty() {
        states = vec!["proposed", "held"];
    }
    let plans = export_plans(&store.client().await?, Some(&states)).await?;
    let name = to
        .as_ref()
        .map_or("standard output".into(), |file| file.display().to_string());
    let refused = |problem: &dyn std::fmt::Display| CliError::File {
        file: name.clone(),
        problem: problem.to_string(),
    };
    let mut target: Box<dyn Write> = match &to {
        Some(file) => Box::new(std::fs::File::create(file).map_err(|error| refused(&error))?),
        None => Box::new(std::io::stdout().lock()),
    };
    let mut lines = csv::Writer::from_writer(&mut target);
    lines.write_record(HEADER).map_err(|error| refused(&error))?;
    for (plan, who, survives) in &plans {
        let row = [
            tell::text(&plan["plan_id"]),
            tell::text(&plan["state"]),
            joined(&plan["held_for"]),
            tell::text(&plan["contacts"]),
            tell::text(&plan["master_crm_id"]),
            tell::text(&plan["master_rule"]),
            joined(&plan["merged_crm_ids"]),
            who.clone(),
            survives.clone(),
            tell::text(&plan["digest"]),
            String::new(),
            String::new(),
            String::new(),
            String::new(),
        ];
        lines.write_record(row).map_err(|error| refused(&error))?;
    }
    lines.flush().map_err(|error| refused(&error))?;
    drop(lines);
    match to {
        Some(file) => Ok(output::line(&format!(
            "{} written to {}. Fill in `decision` (approve, reject, hold), then `gatekeeper merge import {}`.",
            output::count(plans.len(), "plan"),
            file.display(),
            file.display()
        ))?),
        None => Ok(()),
    }
}

/// A row in which something was decided.
struct Decided {
    plan: i64,
    digest: String,
    state: &'static str,
    note: Option<String>,
    master: Option<String>,
    values: Vec<String>,
}

/// What came of an import.
#[derive(Debug, Default, Serialize)]
struct Imported {
    approved: usize,
    rejected: usize,
    held: usize,
    /// Plans that are other ones by now, or begun: nothing was done.
    left_alone: Vec<i64>,
    dry_run: bool,
}

pub(super) async fn import(
    config: &Config,
    store: &Store,
    file: &Path,
    dry_run: bool,
    json: bool,
) -> Result<(), CliError> {
    let rows = read(file)?;
    let mut imported = Imported {
        dry_run,
        ..Imported::default()
    };
    for state in ["rejected", "held", "approved"] {
        // What nobody has chosen anything of goes in one statement for each note.
        let mut alike: BTreeMap<Option<&str>, Vec<&Decided>> = BTreeMap::new();
        for row in rows.iter().filter(|row| row.state == state) {
            alike.entry(row.note.as_deref()).or_default().push(row);
        }
        for (note, rows) in alike {
            let asked: Vec<i64> = rows.iter().map(|row| row.plan).collect();
            let mut pick = Pick {
                digests: rows.iter().map(|row| Some(row.digest.clone())).collect(),
                plans: asked.clone(),
                ..Pick::default()
            };
            let client = store.client().await?;
            let fitting = decide_plans(&client, state, &pick, note, true).await?;
            drop(client);
            for (place, row) in rows.iter().enumerate() {
                let chooses = row.master.is_some() || !row.values.is_empty();
                if state == "approved" && chooses && fitting.contains(&row.plan) && !dry_run {
                    let values = chosen_values(&row.values)?;
                    choose(config, store, row.plan, row.master.as_deref(), &values).await?;
                    // It is another plan now, and the one that was asked for.
                    pick.digests[place] = None;
                }
            }
            let set = match dry_run {
                true => fitting,
                false => decide_plans(&store.client().await?, state, &pick, note, false).await?,
            };
            *match state {
                "approved" => &mut imported.approved,
                "rejected" => &mut imported.rejected,
                _ => &mut imported.held,
            } += set.len();
            imported
                .left_alone
                .extend(asked.into_iter().filter(|plan| !set.contains(plan)));
        }
    }
    if json {
        return Ok(output::json(&imported)?);
    }
    let verb = if dry_run { "would be " } else { "" };
    output::line(&format!(
        "{} {verb}approved, {} rejected, {} held.",
        imported.approved, imported.rejected, imported.held
    ))?;
    if !imported.left_alone.is_empty() {
        let plans: Vec<String> = imported.left_alone.iter().map(i64::to_string).collect();
        output::line(&format!(
            "Left alone, because they have changed since the export, are that already, or are begun: {}.",
            plans.join(", ")
        ))?;
    }
    Ok(())
}

fn read(file: &Path) -> Result<Vec<Decided>, CliError> {
    let refused = |problem: String| CliError::File {
        file: file.display().to_string(),
        problem,
    };
    // A spreadsheet may put a mark before the first letter, and semicolons between the cells.
    let mut text = String::new();
    let read = std::fs::File::open(file).and_then(|mut file| file.read_to_string(&mut text));
    read.map_err(|error| refused(error.to_string()))?;
    let text = text.trim_start_matches('\u{feff}');
    let header = text.lines().next().unwrap_or_default();
    let delimiter = if header.contains(';') && !header.contains(',') {
        b';'
    } else {
        b','
    };
    let mut lines = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .flexible(true)
        .from_reader(text.as_bytes());
    let columns: BTreeMap<String, usize> = lines
        .headers()
        .map_err(|error| refused(error.to_string()))?
        .iter()
        .enumerate()
        .map(|(place, name)| (name.trim().to_lowercase(), place))
        .collect();
    for needed in ["plan_id", "digest", "decision"] {
        if !columns.contains_key(needed) {
            return Err(refused(format!(
                "it has no column {needed}; begin with a file that `gatekeeper merge export` wrote"
            )));
        }
    }
    let mut rows = Vec::new();
    for (line, record) in lines.records().enumerate() {
        let at = line + 2;
        let record = record.map_err(|error| refused(error.to_string()))?;
        let cell = |name: &str| {
            columns
                .get(name)
                .and_then(|place| record.get(*place))
                .unwrap_or_default()
                .trim()
        };
        let state = match cell("decision").to_lowercase().as_str() {
            "" => continue,
            "approve" | "approved" => "approved",
            "reject" | "rejected" => "rejected",
            "hold" | "held" => "held",
            other => {
                return Err(refused(format!(
                    "line {at}: {other:?} is no decision; write approve, reject or hold, or leave it empty"
                )));
            }
        };
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let plan = cell("plan_id").parse();
        rows.push(Decided {
            plan: plan.map_err(|_| refused(format!("line {at}: {:?} is no plan", cell("plan_id"))))?,
            digest: cell("digest").to_owned(),
            state,
            note: some(cell("note")),
            master: some(cell("choose_master")),
            values: cell("choose_values")
                .split(';')
                .filter_map(|text| some(text.trim()))
                .collect(),
        });
    }
    for row in &rows {
        chosen_values(&row.values)?;
    }
    Ok(rows)
}
