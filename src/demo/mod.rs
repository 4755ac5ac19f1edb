//! The demo: the real daemon on messy leads, with nothing installed but this binary and PostgreSQL's programs.
//!
//! A private database, the sandbox CRM in this process, sources and rules as a steward would enter them, four exports
//! delivered as ETL jobs would, and then the daemon as a process of its own. What it says afterwards is read from the
//! same views and commands that everybody else has; nothing here knows more than a user could.

mod error;
mod export;
mod keep;
mod load;
mod place;
mod print;
mod process;
mod purge;
mod report;
mod sample;
mod setting;
mod stage;
mod watch;

pub use error::DemoError;

use std::path::PathBuf;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::sandbox::{self, Limits, Running};
use crate::store::Store;
use place::Place;
use process::Gatekeeper;
use sample::Sample;
use stage::Stage;

/// `demo`
#[derive(Debug, Clone, Default, clap::Args)]
pub struct DemoOptions {
    /// Leave the sandbox, the database and the daemon running, until Ctrl-C
    #[arg(long)]
    pub keep: bool,
    /// Where the demo keeps its database [default: a directory of its own, emptied at each start]
    #[arg(long, value_name = "DIRECTORY")]
    pub directory: Option<PathBuf>,
}

/// Shows it all at work, then stops what it started.
///
/// SIGINT, SIGTERM and SIGHUP end it in good order; a second one ends it at once.
///
/// # Errors
/// What kept it from being shown. Nothing is left running then.
pub async fn demo(options: DemoOptions) -> Result<(), DemoError> {
    let stop = CancellationToken::new();
    let show = show(options, &stop);
    tokio::pin!(show);
    let listen = |kind| signal(kind).map_err(DemoError::Signals);
    let mut interrupt = listen(SignalKind::interrupt())?;
    let mut terminate = listen(SignalKind::terminate())?;
    let mut hang_up = listen(SignalKind::hangup())?;
    loop {
        tokio::select! {
            result = &mut show => return result,
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hang_up.recv() => {}
        }
        if stop.is_cancelled() {
            return Err(DemoError::Interrupted);
        }
        stop.cancel();
    }
}

async fn show(options: DemoOptions, stop: &CancellationToken) -> Result<(), DemoError> {
    let sample = Sample::read()?;
    let place = Place::prepare(options.directory.as_deref(), stop).await?;

    let stage = Stage::begin("sandbox CRM", None);
    let crm = start_crm(&place, &sample).await?;
    let contacts = print::number(report::contacts(&crm));
    stage.done(&format!("{contacts} contacts at {}", crm.base_url()));

    let result = with_crm(&options, &place, &sample, &crm, stop).await;
    // The daemon is gone by now: nobody is cut off in the middle of a call.
    let stopped = crm.stop().await;
    result.and(stopped.map_err(DemoError::from))
}

async fn start_crm(place: &Place, sample: &Sample) -> Result<Running, DemoError> {
    let running = sandbox::start(sandbox::Options {
        token: place.token().to_owned(),
        limits: Some(Limits::PROFESSIONAL),
        journal_file: Some(place.journal()),
        unique: vec![setting::EXTERNAL_ID.to_owned()],
        ..sandbox::Options::default()
    })
    .await?;
    running
        .sandbox()
        .seed(sample.contacts.clone())
        .map_err(|problem| DemoError::Sample {
            file: "contacts.csv",
            problem,
        })?;
    Ok(running)
}

async fn with_crm(
    options: &DemoOptions,
    place: &Place,
    sample: &Sample,
    crm: &Running,
    stop: &CancellationToken,
) -> Result<(), DemoError> {
    let file = setting::write(place, &crm.base_url(), &sample.default_country)?;
    let config = Config::load(Some(&file))?;

    let stage = Stage::begin("database", None);
    let store = Store::open(&config).await?;
    let result = async {
        store.install().await?;
        stage.done(&format!("a private PostgreSQL in {}", place.database().display()));
        go_on(stop)?;
        with_database(options, place, sample, crm, &store, stop).await
    }
    .await;
    store.close().await;
    result
}

async fn with_database(
    options: &DemoOptions,
    place: &Place,
    sample: &Sample,
    crm: &Running,
    store: &Store,
    stop: &CancellationToken,
) -> Result<(), DemoError> {
    let gatekeeper = Gatekeeper::new(place)?;

    let stage = Stage::begin("rules", None);
    load::enter_rules(store, sample).await?;
    stage.done(&format!(
        "{} sources and their ranks, as a steward enters them",
        sample.sources.len()
    ));

    let stage = Stage::begin("setup-crm", None);
    gatekeeper.run(&["setup-crm"], stop).await?;
    stage.done("the unique property gatekeeper_key is made");

    let leads = load::deliver(store, sample, stop).await?;

    let before = report::contacts(crm);
    let daemon = gatekeeper.start(&["run", "--until-idle"])?;
    watch::watch(store, daemon, before, leads, stop).await?;

    report::show(store, crm, before).await?;
    report::stories(&gatekeeper, stop).await?;
    purge::purge(&gatekeeper, store, crm, stop).await?;
    if options.keep {
        keep::keep(&gatekeeper, place, store, crm, stop).await
    } else {
        keep::farewell(&gatekeeper, store)
    }
}

/// Between two steps: is the demo to end?
fn go_on(stop: &CancellationToken) -> Result<(), DemoError> {
    if stop.is_cancelled() {
        Err(DemoError::Interrupted)
    } else {
        Ok(())
    }
}
