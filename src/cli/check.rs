//! `check`: is everything as it should be, and what to do where it is not.

use std::path::Path;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{CliError, output, tell};
use crate::config::Config;
use crate::crm::{FieldSet, Reader};
use crate::daemon::{connector, governor_limits};
use crate::domain::ReplicaId;
use crate::fault::chain;
use crate::governor::{Governor, Priority};
use crate::line::Line;
use crate::store::{Store, StoreError, ask};

/// One thing that was looked at.
struct Finding {
    what: &'static str,
    good: Option<bool>,
    says: String,
    code: u8,
}

#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn good(&mut self, what: &'static str, says: impl Into<String>) {
        self.0.push(Finding {
            what,
            good: Some(true),
            says: says.into(),
            code: 0,
        });
    }

    /// Something to know, that stops nothing.
    fn note(&mut self, what: &'static str, says: impl Into<String>) {
        self.0.push(Finding {
            what,
            good: None,
            says: says.into(),
            code: 0,
        });
    }

    fn bad(&mut self, what: &'static str, says: impl Into<String>, code: u8) {
        self.0.push(Finding {
            what,
            good: Some(false),
            says: says.into(),
            code,
        });
    }
}

pub(super) async fn check(config: Config, offline: bool, json: bool) -> Result<(), CliError> {
    let mut findings = Findings::default();
    let place = config
        .source
        .as_deref()
        .map_or("built-in defaults".into(), |path: &Path| path.display().to_string());
    findings.good("settings", place);
    secrets(&config, &mut findings);
    if !offline {
        online(&config, &mut findings).await;
    }
    print(&findings, json)?;
    let worst = findings.0.iter().map(|finding| finding.code).max().unwrap_or(0);
    let failed = findings.0.iter().any(|finding| finding.good == Some(false));
    if failed {
        Err(CliError::ChecksFailed { code: worst.max(1) })
    } else {
        Ok(())
    }
}

fn secrets(config: &Config, findings: &mut Findings) {
    match config.crm.token.read("crm.token", &config.environment) {
        Ok(_) => findings.good("crm.token", "is there"),
        Err(error) => findings.bad("crm.token", chain(&error), 2),
    }
    if !config.database.password.is_unset() {
        match config.database.password.read("database.password", &config.environment) {
            Ok(_) => findings.good("database.password", "is there"),
            Err(error) => findings.bad("database.password", chain(&error), 2),
        }
    }
}

async fn online(config: &Config, findings: &mut Findings) {
    let store = match Store::open(config).await {
        Ok(store) => store,
        Err(error) => return findings.bad("database", chain(&error), 1),
    };
    findings.good("database", store.place());
    match database(&store, findings).await {
        Ok(true) => crm(config, &store, findings).await,
        Ok(false) => {}
        Err(error) => findings.bad("database", chain(&error), 1),
    }
    store.close().await;
}

/// What the database says. `false`: it is not installed, so the CRM cannot be called either: calls are counted there.
async fn database(store: &Store, findings: &mut Findings) -> Result<bool, StoreError> {
    let client = store.client().await?;
    let checkup = match ask::checkup(&client).await {
        Ok(checkup) => checkup,
        Err(StoreError::Missing(_)) => {
            findings.bad(
                "schema",
                "is not installed; run `gatekeeper migrate` as the owner of the database",
                1,
            );
            return Ok(false);
        }
        Err(error) => return Err(error),
    };
    findings.good(
        "schema",
        format!("is installed, on PostgreSQL {}", tell::text(&checkup["version"])),
    );
    for setting in ["fsync", "full_page_writes"] {
        if checkup[setting] == "off" {
            findings.bad(
                "durability",
                format!("{setting} is off: a crash of the server can lose leads; switch it on"),
                1,
            );
        }
    }
    if checkup["synchronous_commit"] == "off" {
        findings.bad(
            "durability",
            "synchronous_commit is off for this role: an intent may be lost after it was sent; switch it on",
            1,
        );
    }
    clock(&checkup, findings);
    roles(&checkup, findings);
    if checkup["sources"] == 0 {
        findings.note("rules", "no source is entered: every lead becomes a dead letter; insert into rules.source (source, rank) values ('webinar', 200);");
    }
    if checkup["mirror_loaded"] != true {
        findings.note(
            "mirror",
            "was never loaded; `gatekeeper run` does it first, or `gatekeeper mirror --full`",
        );
    }
    Ok(true)
}

fn clock(checkup: &Value, findings: &mut Findings) {
    let Ok(theirs) = tell::text(&checkup["now"]).parse::<DateTime<Utc>>() else {
        return;
    };
    let apart = (Utc::now() - theirs).num_seconds().abs();
    if apart > 60 {
        findings.note(
            "clock",
            format!("this machine and the database are {apart} s apart; all deadlines go by the database's"),
        );
    } else {
        findings.good("clock", format!("{apart} s from the database's"));
    }
}

fn roles(checkup: &Value, findings: &mut Findings) {
    let there: Vec<&str> = checkup["roles"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let missing: Vec<String> = [
        "gatekeeper_daemon",
        "gatekeeper_etl",
        "gatekeeper_analyst",
        "gatekeeper_steward",
    ]
    .into_iter()
    .filter(|role| !there.contains(role))
    .map(|role| format!("create role {role} nologin;"))
    .collect();
    if missing.is_empty() {
        findings.good("roles", there.join(", "));
    } else {
        let advice = format!(
            "are missing; as a superuser run: {} then `gatekeeper migrate`",
            missing.join(" ")
        );
        findings.note("roles", advice);
    }
    let user = tell::text(&checkup["user"]);
    if checkup["superuser"] == true || checkup["owned_tables"].as_i64().unwrap_or(0) > 0 {
        findings.note(
            "database user",
            format!("{user} owns the tables; for production let the daemon log in as a member of gatekeeper_daemon (docs/OPERATIONS.md)"),
        );
    } else {
        findings.good("database user", format!("{user} owns nothing"));
    }
}

async fn crm(config: &Config, store: &Store, findings: &mut Findings) {
    let connector = match connector(config) {
        Ok(connector) => connector,
        Err(error) => return findings.bad("CRM", chain(&error), 2),
    };
    let governor = Governor::new(store.clone(), governor_limits(&config.limits));
    let line = Line::new(connector, governor, store.clone(), ReplicaId::new(), FieldSet::new());
    match line.account(Priority::Mirror).await {
        Ok(account) => {
            let zone = account.time_zone.unwrap_or_else(|| "unknown".into());
            findings.good("CRM", format!("account {}, time zone {zone}", account.account_id));
        }
        Err(error) => return findings.bad("CRM", chain(&error), 3),
    }
    let schema = match line.schema(Priority::Mirror).await {
        Ok(schema) => schema,
        Err(error) => return findings.bad("CRM properties", chain(&error), 3),
    };
    findings.good("CRM properties", format!("{} properties", schema.properties.len()));
    match schema.require_unique_key() {
        Ok(()) => findings.good(
            "guarantee",
            "class A: the CRM refuses a second contact with the same person key",
        ),
        Err(error) => findings.bad("guarantee", chain(&error), 3),
    }
    let unknown: Vec<&String> = config
        .crm
        .properties
        .iter()
        .filter(|property| !schema.properties.contains_key(&line.crm().canonical(property)))
        .collect();
    if !unknown.is_empty() {
        findings.bad(
            "crm.properties",
            format!("the CRM has no property {unknown:?}; correct the names"),
            2,
        );
    }
    match line.list(Priority::Mirror, None, false).await {
        Ok(_) => findings.good("CRM scope", "contacts can be read"),
        Err(error) => findings.bad("CRM scope", chain(&error), 3),
    }
}

fn print(findings: &Findings, json: bool) -> Result<(), CliError> {
    if json {
        let rows: Vec<Value> = findings
            .0
            .iter()
            .map(|finding| json!({"what": finding.what, "good": finding.good, "says": finding.says}))
            .collect();
        return Ok(output::json(&rows)?);
    }
    for finding in &findings.0 {
        let mark = match finding.good {
            Some(true) => "ok  ",
            Some(false) => "BAD ",
            None => "note",
        };
        output::line(&format!("{mark}  {:<18} {}", finding.what, finding.says))?;
    }
    Ok(())
}
