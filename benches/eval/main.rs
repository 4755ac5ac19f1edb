//! How well the matcher finds out who is who, on labelled contacts.
//!
//! ```text
//! cargo bench --bench eval                       the sets of the project, and those in ../shared/data, where they are
//! cargo bench --bench eval -- contacts.csv.gz    these files
//! cargo bench --bench eval -- --gate             the leads at the gate alone
//! cargo bench --bench eval -- --write            writes the figures into docs/MATCHING.md as well
//! cargo bench --bench eval -- --learn            as well with the weights that `rules learn` makes of each set
//! cargo bench --bench eval -- --keep             leaves the databases behind, to look into
//! ```

// An evaluation waits and looks at the machine as it needs. The homes in clippy.toml are for the program.
#![allow(clippy::disallowed_methods)]

#[path = "../gate/ground.rs"]
mod ground;
mod labelled;
mod leads;
mod quality;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use gatekeeper::config::Config;
use gatekeeper::duplicates::learn::learn_weights;
use gatekeeper::duplicates::scan;
use gatekeeper::rulebook::{lists_in_force, normalizer_of};
use gatekeeper::store::Store;
use gatekeeper::store::duplicates::count_in_time;
use gatekeeper::store::learn::use_learned;
use ground::Ground;
use labelled::{Labelled, read, write_mirror};
use quality::{Quality, quality};

/// Any failure ends the run; it is told whole.
pub(crate) type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Above the figures of the sets of contacts.
const HEADER: &str = "| set | contacts | pairs: precision / recall / F1 | groups: F1 | scanned in | flagged |\n|---|---|---|---|---|---|";

/// Before and after the figures in docs/MATCHING.md.
const BEGIN: &str = "<!-- figures of `make eval` -->\n";
const END: &str = "<!-- end of the figures -->\n";

/// Kinds that are told.
const MOST: usize = 16;

#[tokio::main(worker_threads = 2)]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let keep = arguments.iter().any(|argument| argument == "--keep");
    let files: Vec<PathBuf> = arguments
        .iter()
        .filter(|name| !name.starts_with("--"))
        .map(PathBuf::from)
        .collect();
    let learned = arguments.iter().any(|argument| argument == "--learn");
    let only_gate = arguments.iter().any(|argument| argument == "--gate");
    let gate = only_gate || files.is_empty();
    let files = if files.is_empty() && !only_gate {
        known_files()
    } else {
        files
    };
    let write = arguments.iter().any(|argument| argument == "--write");
    match run(&files, Asked { gate, learned, keep }).await {
        Ok(figures) => match write.then(|| write_figures(&figures)) {
            Some(Err(error)) => {
                eprintln!("the figures cannot be written: {error}");
                ExitCode::FAILURE
            }
            _ => ExitCode::SUCCESS,
        },
        Err(error) => {
            eprintln!("the evaluation failed: {}", gatekeeper::fault::chain(&*error));
            ExitCode::FAILURE
        }
    }
}

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data")
}

/// The labelled contacts that are part of the project, and those beside it, where they are.
fn known_files() -> Vec<PathBuf> {
    let own = ["labelled", "private"]
        .map(|name| Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("benches/eval/{name}.csv")));
    let beside =
        ["contacts_10k", "contacts_hard_10k", "contacts_100k"].map(|name| data().join(format!("{name}.csv.gz")));
    own.into_iter()
        .chain(beside.into_iter().filter(|file| file.exists()))
        .collect()
}

/// What is asked for.
#[derive(Debug, Clone, Copy)]
struct Asked {
    /// The leads at the gate as well.
    gate: bool,
    /// Learned weights as well.
    learned: bool,
    /// Leave the databases behind.
    keep: bool,
}

async fn run(files: &[PathBuf], asked: Asked) -> Outcome<Vec<String>> {
    let Asked { gate, learned, keep } = asked;
    let mut figures = Vec::new();
    let ground = Ground::prepare().await?;
    for file in files {
        let contacts = read(file)?;
        let store = loaded(&ground, file, &contacts).await?;
        let group_of = judge(&store, &contacts, &name_of(file), &mut figures).await?;
        if keep {
            write_groups(&ground, file, &group_of)?;
        }
        if learned {
            learn_weights(&store).await?;
            use_learned(&store.client().await?).await?;
            judge(
                &store,
                &contacts,
                &format!("{}, weights learned", name_of(file)),
                &mut figures,
            )
            .await?;
        }
        store.close().await;
    }
    let (contacts, leads) = (data().join("gate_contacts.csv.gz"), data().join("gate_leads.csv.gz"));
    if gate && leads.exists() {
        figures.extend(leads::judge(&ground, &contacts, &leads).await?);
    }
    ground.clear(keep).await;
    Ok(figures)
}

/// Scans and tells how well; the group of each contact that is in one.
async fn judge(
    store: &Store,
    contacts: &[Labelled],
    name: &str,
    figures: &mut Vec<String>,
) -> Outcome<HashMap<String, i64>> {
    let begun = Instant::now();
    let report = scan(store, false, 10, |_| ()).await?;
    let scanned = begun.elapsed();
    let client = store.client().await?;
    let rows = client
        .query("select crm_id, group_id from report.duplicate_member", &[])
        .await?;
    let group_of: HashMap<String, i64> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    let quality = quality(contacts, &group_of);
    let figure = format!(
        "| {name} | {} | {:.4} / {:.4} / {:.4} | {:.4} | {:.1} s | {} of {} |",
        contacts.len(),
        quality.pairs.precision(),
        quality.pairs.recall(),
        quality.pairs.f1(),
        quality.clusters.f1(),
        scanned.as_secs_f64(),
        report.flagged,
        report.groups,
    );
    println!("{HEADER}\n{figure}");
    tell_confusion(&quality);
    figures.push(figure);
    Ok(group_of)
}

/// Writes the groups as `id,cluster_id`, for another scorer.
fn write_groups(ground: &Ground, file: &Path, group_of: &HashMap<String, i64>) -> Outcome<()> {
    let written = ground.directory().join(format!("{}.csv", name_of(file)));
    let mut lines = csv::Writer::from_path(&written)?;
    lines.write_record(["id", "cluster_id"])?;
    for (id, group) in group_of {
        lines.write_record([id, &group.to_string()])?;
    }
    lines.flush()?;
    println!("  written: {}", written.display());
    Ok(())
}

/// Which corruptions hide a person best, and which traps mix two.
fn tell_confusion(quality: &Quality) {
    let mut missed: Vec<_> = quality.missed.iter().filter(|(_, (missed, _))| *missed > 0).collect();
    missed.sort_by_key(|(_, (missed, _))| std::cmp::Reverse(*missed));
    let missed = missed
        .iter()
        .take(MOST)
        .map(|(kind, (missed, all))| format!("{kind} {missed} of {all}"));
    println!("  missed by corruption: {}", missed.collect::<Vec<_>>().join(", "));
    let mut wrong: Vec<_> = quality.wrong.iter().collect();
    wrong.sort_by_key(|(_, pairs)| std::cmp::Reverse(**pairs));
    let wrong = wrong.iter().take(MOST).map(|(trap, pairs)| match trap.as_str() {
        "" => format!("no trap {pairs}"),
        trap => format!("{trap} {pairs}"),
    });
    println!("  wrong by trap: {}", wrong.collect::<Vec<_>>().join(", "));
}

/// A database whose mirror holds the contacts of a file.
async fn loaded(ground: &Ground, file: &Path, contacts: &[Labelled]) -> Outcome<Store> {
    let name = name_of(file);
    let admin = ground.connect("postgres").await?;
    admin.batch_execute(&format!("create database {name}")).await?;
    let mut config = Config::default();
    config.database.url = ground.url(&name);
    let store = Store::open(&config).await?;
    store.install().await?;
    let mut client = store.client().await?;
    let normalizer = normalizer_of(None, &lists_in_force(&client).await?)?;
    write_mirror(&client, contacts, &normalizer).await?;
    // As a pass over the CRM does at its end, and PostgreSQL a minute later.
    count_in_time(&mut client).await?;
    client.batch_execute("vacuum analyze").await?;
    drop(client);
    Ok(store)
}

/// Puts the figures in the place of those that docs/MATCHING.md has.
fn write_figures(figures: &[String]) -> Outcome<()> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/MATCHING.md");
    let text = std::fs::read_to_string(&file)?;
    let (before, rest) = text
        .split_once(BEGIN)
        .ok_or("docs/MATCHING.md has no place for figures")?;
    let (_, after) = rest
        .split_once(END)
        .ok_or("docs/MATCHING.md has no end of the figures")?;
    let day = chrono::Utc::now().format("%Y-%m-%d");
    let (contacts, gate): (Vec<&String>, Vec<&String>) = figures
        .iter()
        .partition(|line| line.starts_with("| contacts") || line.starts_with("| labelled"));
    let contacts = contacts.into_iter().cloned().collect::<Vec<_>>().join("\n");
    let gate = gate.into_iter().cloned().collect::<Vec<_>>().join("\n");
    let told = format!("Measured on {day}, on 2 cores.\n\n{HEADER}\n{contacts}\n\n{gate}\n");
    Ok(std::fs::write(file, format!("{before}{BEGIN}{told}{END}{after}"))?)
}

/// The name of a file without its endings.
fn name_of(file: &Path) -> String {
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = name.unwrap_or_default();
    name.split('.').next().unwrap_or_default().to_owned()
}
