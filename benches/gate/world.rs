//! A world for a figure: a database in a private cluster with production settings, a sandbox CRM, and the daemon.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use gatekeeper::config::Config;
use serde_json::Value;
use tokio_postgres::Client;

use crate::Outcome;
use crate::ground::Ground;
use crate::leads::{SOURCE, write_contacts};
use crate::people::Person;
use crate::process::{Process, Ran, free_port};

/// The token that the sandbox accepts.
pub(crate) const TOKEN: &str = "bench-token";

/// What a world is told.
pub(crate) struct Plot<'a> {
    /// Name of its database, and of its files.
    pub(crate) name: &'a str,
    /// How many people the CRM knows.
    pub(crate) people: u64,
    /// Further arguments of `gatekeeper sandbox`.
    pub(crate) sandbox: &'a [&'a str],
    /// Further lines of the settings.
    pub(crate) settings: &'a str,
}

/// A database, a sandbox that runs, and settings that name both.
pub(crate) struct World {
    pub(crate) client: Client,
    pub(crate) base_url: String,
    pub(crate) http: reqwest::Client,
    settings: PathBuf,
    directory: PathBuf,
    name: String,
    sandbox: Process,
    daemons: u32,
}

impl World {
    /// Makes the database, starts the sandbox with its people, and writes the settings. No daemon runs yet.
    pub(crate) async fn make(ground: &Ground, plot: Plot<'_>) -> Outcome<World> {
        let name = plot.name;
        let admin = ground.connect("postgres").await?;
        admin.batch_execute(&format!("create database {name}")).await?;
        let contacts = ground.directory().join(format!("{name}.csv"));
        write_contacts(&contacts, (0..plot.people).map(Person::new))?;
        let port = free_port()?.to_string();
        let file = contacts.display().to_string();
        let mut arguments = vec![
            "sandbox",
            "--port",
            &port,
            "--token",
            TOKEN,
            "--no-journal",
            "--contacts",
            &file,
        ];
        arguments.extend(["--unique-property", "gatekeeper_key"]);
        arguments.extend(plot.sandbox);
        let mut sandbox = Process::start(&arguments, ground.directory().join(format!("{name}-sandbox.log")))?;
        let token = ground.directory().join("token");
        std::fs::write(&token, TOKEN)?;
        let base_url = format!("http://127.0.0.1:{port}");
        let settings = ground.directory().join(format!("{name}.toml"));
        let text = format!(
            "[database]\nurl = \"{}\"\n[crm]\nbase_url = \"{base_url}\"\ntoken = \"file:{}\"\n{}",
            ground.url(name),
            token.display(),
            plot.settings
        );
        std::fs::write(&settings, text)?;
        let http = reqwest::Client::builder().no_proxy().build()?;
        let begun = Instant::now();
        while http.get(format!("{base_url}/_sandbox/counts")).send().await.is_err() {
            sandbox.still_runs()?;
            if begun.elapsed() > Duration::from_secs(120) {
                return Err("the sandbox does not answer".into());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let world = World {
            client: ground.connect(name).await?,
            base_url,
            http,
            settings,
            directory: ground.directory().to_owned(),
            name: name.to_owned(),
            sandbox,
            daemons: 0,
        };
        let store = gatekeeper::store::Store::open(&world.config()?).await?;
        store.install().await?;
        store.close().await;
        let source = format!("insert into rules.source (source, rank) values ('{SOURCE}', 600)");
        world.client.batch_execute(&source).await?;
        Ok(world)
    }

    /// The settings, as the daemon reads them.
    pub(crate) fn config(&self) -> Outcome<Config> {
        Ok(Config::load(Some(&self.settings))?)
    }

    /// Starts the daemon.
    pub(crate) fn start_daemon(&mut self) -> Outcome<Process> {
        self.daemons += 1;
        let log = self
            .directory
            .join(format!("{}-daemon-{}.log", self.name, self.daemons));
        Process::start(&["--config", &self.settings.display().to_string(), "run"], log)
    }

    /// Runs a command to its end; `limits` stand in the settings instead of those of the world.
    pub(crate) async fn run(&self, words: &[&str], limits: Option<&str>) -> Outcome<Ran> {
        let mut settings = self.settings.clone();
        if let Some(limits) = limits {
            let text = std::fs::read_to_string(&self.settings)?;
            let kept = text.split("[limits]").next().unwrap_or_default();
            settings = self.directory.join(format!("{}-limits.toml", self.name));
            std::fs::write(&settings, format!("{kept}{limits}"))?;
        }
        let log = self
            .directory
            .join(format!("{}-{}.log", self.name, words.join("-").replace('/', "-")));
        let settings = settings.display().to_string();
        Process::start(&[&["--config", &settings], words].concat(), log)?
            .ends()
            .await
    }

    /// Waits until a condition of the database holds; it is a function or a view of ours that says so.
    pub(crate) async fn until(&self, daemon: &mut Process, condition: &str, patience: Duration) -> Outcome<()> {
        let begun = Instant::now();
        let statement = self.client.prepare(condition).await?;
        loop {
            let row = self.client.query_one(&statement, &[]).await?;
            if row.try_get::<_, Option<bool>>(0)?.unwrap_or(false) {
                return Ok(());
            }
            daemon.still_runs()?;
            if begun.elapsed() > patience {
                return Err(format!("after {patience:?} still not: {condition}").into());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until the mirror is loaded.
    pub(crate) async fn until_loaded(&self, daemon: &mut Process) -> Outcome<()> {
        let loaded = "select gate.mirror_age() is not null";
        self.until(daemon, loaded, Duration::from_secs(300)).await
    }

    /// What the sandbox has counted.
    pub(crate) async fn counts(&self) -> Outcome<Value> {
        let url = format!("{}/_sandbox/counts", self.base_url);
        Ok(serde_json::from_str(&self.http.get(url).send().await?.text().await?)?)
    }

    /// Ends the sandbox.
    pub(crate) fn end(self) -> Outcome<()> {
        self.sandbox.stop()
    }
}
