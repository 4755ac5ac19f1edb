//! The figures that Gatekeeper promises, each beside the client that searches and then creates, one lead at a time.
//!
//! ```text
//! cargo bench --bench gate                     all figures; exit code 1 when a goal is missed
//! cargo bench --bench gate -- large            only one of: burst latency large purge scale
//! cargo bench --bench gate -- scale 100000     only with so many contacts
//! cargo bench --bench gate -- --write          writes docs/BENCHMARKS.md as well
//! cargo bench --bench gate -- --keep           leaves the databases and logs behind, to look into
//! GATEKEEPER_BENCH_LOG=debug cargo bench --bench gate -- large     says where the time of each batch went
//! ```
//!
//! All parts are real: a private PostgreSQL with production settings, the release binary as daemon and as sandbox, HTTP
//! between them. Only the decisions alone are driven in this process, for a daemon would send what it has decided.

// A benchmark waits, starts tasks and looks at the machine as it needs. The homes in clippy.toml are for the program.
#![allow(clippy::disallowed_methods)]

mod burst;
mod decider;
mod figures;
mod ground;
mod large;
mod latency;
mod leads;
mod machine;
mod naive;
mod people;
mod process;
mod purge;
mod scale;
mod words;
mod world;

use std::path::Path;
use std::process::ExitCode;

use figures::Figures;
use ground::Ground;

/// Any failure ends the run; it is told whole.
pub(crate) type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

#[tokio::main(worker_threads = 2)]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |flag: &str| arguments.iter().any(|argument| argument == flag);
    let (write, keep) = (has("--write"), has("--keep"));
    let words = arguments
        .iter()
        .map(String::as_str)
        .filter(|word| !word.starts_with("--"));
    let sizes: Vec<u64> = words.clone().filter_map(|word| word.parse().ok()).collect();
    let named: Vec<&str> = words.filter(|word| word.parse::<u64>().is_err()).collect();
    if write && !(named.is_empty() && sizes.is_empty()) {
        eprintln!("docs/BENCHMARKS.md is written with all figures or not at all");
        return ExitCode::from(2);
    }
    match run(&named, &sizes, write, keep).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("the benchmark failed: {}", gatekeeper::fault::chain(&*error));
            ExitCode::FAILURE
        }
    }
}

async fn run(named: &[&str], sizes: &[u64], write: bool, keep: bool) -> Outcome<bool> {
    if let Ok(log_filter) = std::env::var("GATEKEEPER_BENCH_LOG") {
        gatekeeper::observe::start(&gatekeeper::config::Daemon {
            log_filter,
            ..gatekeeper::config::Config::default().daemon
        });
    }
    // Fails when somebody was first, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let is_asked = |name: &str| named.is_empty() || named.contains(&name);
    let load = machine::load();
    let ground = Ground::prepare().await?;
    let mut figures = Figures::default();
    if is_asked("burst") {
        burst::measure(&ground, &mut figures).await?;
    }
    if is_asked("latency") {
        latency::measure(&ground, &mut figures).await?;
    }
    if is_asked("large") {
        large::measure(&ground, &mut figures).await?;
    }
    if is_asked("purge") {
        purge::measure(&ground, &mut figures).await?;
    }
    if is_asked("scale") {
        scale::measure(&ground, &mut figures, sizes, keep).await?;
    }
    figures.conclude_memory();
    ground.clear(keep).await;

    let mut place = machine::describe();
    place.push(format!("load of the machine: {load} before, {} after", machine::load()));
    let place: String = place.iter().map(|line| format!("- {line}\n")).collect();
    let text = format!("{place}\n{}", figures.text());
    println!("\n{text}");
    if write {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/BENCHMARKS.md");
        std::fs::write(&file, format!("{}{text}", include_str!("preface.md")))?;
    }
    Ok(figures.all_met())
}
