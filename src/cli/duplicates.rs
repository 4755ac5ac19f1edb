//! `duplicates`: finds contacts that are one person already, shows them, and takes a person's word that they are not.

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use serde_json::Value;

use super::args::{DuplicatesAction, ExportFormat};
use super::{CliError, output};
use crate::config::Config;
use crate::daemon::open_store;
use crate::duplicates::{ScanProgress, scan};
use crate::store::duplicates::in_time;
use crate::store::found::{Member, Pair, last_scan, list_members, list_pairs, tell_apart};
use crate::store::{Client, Store};

pub(super) async fn duplicates(config: &Config, action: DuplicatesAction) -> Result<(), CliError> {
    let store = match &action {
        DuplicatesAction::Scan { .. } => open_store(config).await?,
        _ => Store::open(config).await?,
    };
    let done = match action {
        DuplicatesAction::Scan { full, json } => look(&store, config, full, json).await,
        DuplicatesAction::List {
            pairs,
            possible,
            flagged,
            limit,
            json,
        } => {
            let client = scanned(&store).await?;
            match pairs {
                true => {
                    let verdict = if possible { "possible" } else { "duplicate" };
                    show_pairs(&list_pairs(&client, Some(verdict), Some(limit)).await?, json)
                }
                false => show_members(&list_members(&client, flagged, Some(limit)).await?, json),
            }
        }
        DuplicatesAction::Export { pairs, format, to } => {
            let mut client = scanned(&store).await?;
            match pairs {
                true => {
                    let all = in_time(&mut client, async |step| list_pairs(step, None, None).await).await?;
                    write(&all, format, to)
                }
                false => {
                    let all = in_time(&mut client, async |step| list_members(step, false, None).await).await?;
                    write(&all, format, to)
                }
            }
        }
        DuplicatesAction::Apart { one, other, note } => apart(&store, &one, &other, &note).await,
    };
    store.close().await;
    done
}

/// A connection, when there is something to show.
async fn scanned(store: &Store) -> Result<Client, CliError> {
    let client = store.client().await?;
    match last_scan(&client).await? {
        Some(_) => Ok(client),
        None => Err(CliError::NotFound(
            "nobody has looked for duplicates yet; `gatekeeper duplicates scan` does".to_owned(),
        )),
    }
}

async fn look(store: &Store, config: &Config, full: bool, json: bool) -> Result<(), CliError> {
    let bar = ProgressBar::new_spinner();
    bar.enable_steady_tick(Duration::from_millis(200));
    let report = scan(store, full, config.duplicates.largest_group, |progress| {
        show(&bar, progress)
    })
    .await;
    bar.finish_and_clear();
    let report = report?;
    if json {
        return Ok(output::json(&report)?);
    }
    if !report.full && report.contacts == 0 {
        return Ok(output::line(
            "Nothing has changed since the last scan; `gatekeeper duplicates list` shows what it found.",
        )?);
    }
    let looked = usize::try_from(report.contacts).unwrap_or_default();
    output::line(&format!(
        "{} looked at, {}: {} of {}.",
        output::count(looked, "contact"),
        match report.full {
            true => "all against all",
            false => "those that changed since the last scan",
        },
        output::count(report.groups, "group"),
        output::count(report.members, "contact"),
    ))?;
    if report.flagged > 0 {
        output::line(&format!(
            "A person should look at {}: `gatekeeper duplicates list --flagged`.",
            output::count(report.flagged, "group")
        ))?;
    }
    Ok(())
}

fn show(bar: &ProgressBar, progress: ScanProgress) {
    let template = match progress {
        ScanProgress::Finding => "{spinner} finding pairs, {elapsed}",
        ScanProgress::Comparing { steps, of } => {
            bar.set_length(of);
            bar.set_position(steps);
            "{spinner} comparing {bar:30} {percent} %, {elapsed}"
        }
        ScanProgress::Grouping => "{spinner} grouping, {elapsed}",
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
}

fn show_members(members: &[Member], json: bool) -> Result<(), CliError> {
    if json {
        return Ok(output::json(&members)?);
    }
    if members.is_empty() {
        return Ok(output::line("There is no such group.")?);
    }
    let rows = members.iter().map(|member| {
        let name = [&member.first_name, &member.last_name];
        let name: Vec<&str> = name.into_iter().flatten().map(String::as_str).collect();
        vec![
            member.group_id.to_string(),
            member.crm_id.clone(),
            name.join(" "),
            member.company.clone().unwrap_or_default(),
            member.email.clone().unwrap_or_default(),
            member.phone.clone().unwrap_or_default(),
            member.flags.join(" "),
        ]
    });
    Ok(output::table(
        &["group", "CRM id", "name", "company", "e-mail", "phone", "look at it"],
        rows.collect(),
    )?)
}

fn show_pairs(pairs: &[Pair], json: bool) -> Result<(), CliError> {
    if json {
        return Ok(output::json(&pairs)?);
    }
    if pairs.is_empty() {
        return Ok(output::line("There is no such pair.")?);
    }
    let rows = pairs.iter().map(|pair| {
        vec![
            pair.left_crm_id.clone(),
            pair.right_crm_id.clone(),
            pair.tier.clone(),
            format!("{:.1}", pair.score),
            agreement(&pair.evidence),
            pair.group_id.map(|group| group.to_string()).unwrap_or_default(),
        ]
    });
    Ok(output::table(
        &["CRM id", "CRM id", "tier", "score", "agreement", "group"],
        rows.collect(),
    )?)
}

/// `first_name exact, phone slip`.
pub(super) fn agreement(evidence: &Value) -> String {
    let levels = evidence.as_object().into_iter().flatten();
    let levels = levels.filter_map(|(field, level)| Some(format!("{field} {}", level.as_str()?)));
    levels.collect::<Vec<_>>().join(", ")
}

fn write<R: Row>(rows: &[R], format: ExportFormat, to: Option<PathBuf>) -> Result<(), CliError> {
    let refused = |problem: &dyn std::fmt::Display| CliError::File {
        file: to
            .as_ref()
            .map_or("standard output".into(), |file| file.display().to_string()),
        problem: problem.to_string(),
    };
    let mut target: Box<dyn Write> = match &to {
        Some(file) => Box::new(std::fs::File::create(file).map_err(|error| refused(&error))?),
        None => Box::new(std::io::stdout().lock()),
    };
    match format {
        ExportFormat::Json => {
            serde_json::to_writer_pretty(&mut target, rows).map_err(|error| refused(&error))?;
            writeln!(target).map_err(|error| refused(&error))?;
        }
        ExportFormat::Csv => {
            let mut lines = csv::Writer::from_writer(&mut target);
            lines.write_record(R::HEADER).map_err(|error| refused(&error))?;
            for row in rows {
                lines.write_record(row.cells()).map_err(|error| refused(&error))?;
            }
            lines.flush().map_err(|error| refused(&error))?;
        }
    }
    if let Some(file) = &to {
        output::line(&format!(
            "{} written to {}.",
            output::count(rows.len(), "row"),
            file.display()
        ))?;
    }
    Ok(())
}

/// A row of an export.
trait Row: Serialize {
    const HEADER: &[&str];

    fn cells(&self) -> Vec<String>;
}

impl Row for Member {
    const HEADER: &[&str] = &[
        "group_id",
        "flags",
        "crm_id",
        "first_name",
        "last_name",
        "company",
        "email",
        "phone",
        "city",
        "external_id",
        "created_at",
        "updated_at",
        "contact_id",
    ];

    fn cells(&self) -> Vec<String> {
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        let time =
            |value: &Option<chrono::DateTime<chrono::Utc>>| value.map(|time| time.to_rfc3339()).unwrap_or_default();
        vec![
            self.group_id.to_string(),
            self.flags.join(" "),
            self.crm_id.clone(),
            text(&self.first_name),
            text(&self.last_name),
            text(&self.company),
            text(&self.email),
            text(&self.phone),
            text(&self.city),
            text(&self.external_id),
            time(&self.created_at),
            time(&self.updated_at),
            self.contact_id.to_string(),
        ]
    }
}

impl Row for Pair {
    const HEADER: &[&str] = &[
        "left_crm_id",
        "right_crm_id",
        "verdict",
        "tier",
        "score",
        "agreement",
        "group_id",
        "left_contact_id",
        "right_contact_id",
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.left_crm_id.clone(),
            self.right_crm_id.clone(),
            self.verdict.clone(),
            self.tier.clone(),
            self.score.to_string(),
            agreement(&self.evidence),
            self.group_id.map(|group| group.to_string()).unwrap_or_default(),
            self.left_contact_id.to_string(),
            self.right_contact_id.to_string(),
        ]
    }
}

async fn apart(store: &Store, one: &str, other: &str, note: &str) -> Result<(), CliError> {
    match tell_apart(&store.client().await?, one, other, note).await? {
        true => Ok(output::line(
            "They are two people. The next scan takes them out of one group.",
        )?),
        false => Err(CliError::NotFound(format!(
            "the mirror does not hold two contacts {one} and {other}; give the ids that the CRM shows"
        ))),
    }
}
