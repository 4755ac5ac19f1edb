//! The rules that settings must keep, alone and together. Nothing stops at the first problem.

use std::net::SocketAddr;
use std::str::FromStr;

use url::Url;

use super::{Config, GATEKEEPER_KEY_PROPERTY, Problem, SecretRef, SslMode};

/// Seconds that must remain of a lease when the longest request ends: for the answer to be settled.
const SETTLE_MARGIN_SECONDS: u64 = 5;

/// Connections that the loops, the heartbeat and a command need at the same time.
const SMALLEST_POOL: usize = 5;

/// All problems of these settings.
pub(super) fn check(config: &Config) -> Vec<Problem> {
    let mut report = Report(Vec::new());
    database(config, &mut report);
    crm(config, &mut report);
    limits(config, &mut report);
    mirror(config, &mut report);
    gate(config, &mut report);
    duplicates(config, &mut report);
    daemon(config, &mut report);
    report.0
}

struct Report(Vec<Problem>);

impl Report {
    fn add(&mut self, key: &str, message: impl Into<String>) {
        self.0.push(Problem {
            key: key.to_owned(),
            message: message.into(),
            excerpt: None,
        });
    }

    fn refuse(&mut self, wrong: bool, key: &str, message: impl Into<String>) {
        if wrong {
            self.add(key, message);
        }
    }

    fn not_zero(&mut self, values: &[(&str, u64)]) {
        for (key, value) in values {
            self.refuse(*value == 0, key, "must be at least 1; nothing could happen with 0");
        }
    }

    fn reference(&mut self, key: &str, secret: &SecretRef) {
        self.refuse(
            !secret.is_reference(),
            key,
            "a secret never stands in this file; say where it is: \"file:/path\", \"credential:name\" or \"env:NAME\"",
        );
    }
}

fn database(config: &Config, report: &mut Report) {
    let database = &config.database;
    if !database.url.is_empty() {
        url(&database.url, report);
    }
    report.reference("database.password", &database.password);
    report.refuse(
        !database.ssl_root_certificate_file.is_empty() && database.ssl_mode == SslMode::Disable,
        "database.ssl_root_certificate_file",
        "is of no use with ssl_mode = \"disable\"; remove one of them",
    );
    report.refuse(
        database.pool_size < SMALLEST_POOL,
        "database.pool_size",
        format!("must be at least {SMALLEST_POOL}: each loop, the heartbeat and a command need a connection"),
    );
    report.not_zero(&[
        ("database.connect_timeout_seconds", database.connect_timeout_seconds),
        ("database.statement_timeout_seconds", database.statement_timeout_seconds),
        ("database.lock_timeout_seconds", database.lock_timeout_seconds),
        (
            "database.idle_in_transaction_timeout_seconds",
            database.idle_in_transaction_timeout_seconds,
        ),
    ]);
    report.refuse(
        database.lock_timeout_seconds >= database.statement_timeout_seconds,
        "database.lock_timeout_seconds",
        format!(
            "must be below database.statement_timeout_seconds ({})",
            database.statement_timeout_seconds
        ),
    );
    report.refuse(
        config.embedded.data_directory.is_empty() && database.url.is_empty(),
        "embedded.data_directory",
        "must name a directory while database.url is empty",
    );
}

fn url(url: &str, report: &mut Report) {
    let key = "database.url";
    if url.contains("sslmode") {
        return report.add(key, "remove sslmode from it and set database.ssl_mode instead");
    }
    match tokio_postgres::Config::from_str(url) {
        Err(_) => report.add(
            key,
            "is not a connection URL; it looks like \"postgresql://user@host:5432/dbname\"",
        ),
        Ok(parsed) => {
            report.refuse(
                parsed.get_password().is_some(),
                key,
                "has a password in it; remove it and say in database.password where it is: \"file:/path\"",
            );
            report.refuse(
                parsed.get_hosts().is_empty(),
                key,
                "names no host; for a unix socket add ?host=/run/postgresql",
            );
            report.refuse(parsed.get_dbname().is_none(), key, "names no database");
        }
    }
}

fn crm(config: &Config, report: &mut Report) {
    let crm = &config.crm;
    report.refuse(crm.kind != "hubspot", "crm.kind", "only \"hubspot\" is known");
    match Url::parse(&crm.base_url) {
        Ok(url) if url.scheme() == "https" && url.host().is_some() => {}
        Ok(url) if url.scheme() == "http" && is_loopback(&url) => {}
        Ok(_) => report.add(
            "crm.base_url",
            "must start with https:// (http:// only for a sandbox on loopback)",
        ),
        Err(_) => report.add("crm.base_url", "is not a URL; HubSpot's is \"https://api.hubapi.com\""),
    }
    report.refuse(
        !["2026-09", "2026-03", "v3"].contains(&crm.version.as_str()),
        "crm.version",
        "must be \"2026-09\", \"2026-03\" or \"v3\"",
    );
    report.reference("crm.token", &crm.token);
    report.not_zero(&[
        ("crm.request_deadline_seconds", crm.request_deadline_seconds),
        ("crm.connect_timeout_seconds", crm.connect_timeout_seconds),
    ]);
    report.refuse(
        crm.connect_timeout_seconds >= crm.request_deadline_seconds,
        "crm.connect_timeout_seconds",
        format!(
            "must be below crm.request_deadline_seconds ({})",
            crm.request_deadline_seconds
        ),
    );
    let longest = config
        .daemon
        .lease_seconds
        .saturating_sub(config.daemon.heartbeat_seconds + SETTLE_MARGIN_SECONDS);
    report.refuse(
        crm.request_deadline_seconds >= longest,
        "crm.request_deadline_seconds",
        format!(
            "must be below {longest} (daemon.lease_seconds - daemon.heartbeat_seconds - {SETTLE_MARGIN_SECONDS}), \
             or another replica takes over what is still on the wire"
        ),
    );
    for (at, name) in crm.properties.iter().enumerate() {
        report.refuse(
            !is_property(name),
            "crm.properties",
            format!("number {} is not the name of a property", at + 1),
        );
        report.refuse(
            name == GATEKEEPER_KEY_PROPERTY,
            "crm.properties",
            format!("{GATEKEEPER_KEY_PROPERTY} is kept by Gatekeeper itself; remove it"),
        );
        report.refuse(
            crm.properties[..at].contains(name),
            "crm.properties",
            format!("number {} stands twice", at + 1),
        );
    }
    for (at, kind) in crm.associations.iter().enumerate() {
        report.refuse(
            !is_property(kind),
            "crm.associations",
            format!(
                "number {} is not the name of a kind of objects, such as companies",
                at + 1
            ),
        );
    }
    report.refuse(
        !crm.external_id_property.is_empty() && !is_property(&crm.external_id_property),
        "crm.external_id_property",
        "is not the name of a property",
    );
}

fn limits(config: &Config, report: &mut Report) {
    let limits = &config.limits;
    report.not_zero(&[
        ("limits.general_window_seconds", limits.general_window_seconds),
        ("limits.search_window_seconds", limits.search_window_seconds),
        ("limits.calls_in_flight", limits.calls_in_flight as u64),
    ]);
    let on_this_machine = Url::parse(&config.crm.base_url).is_ok_and(|url| is_loopback(&url));
    for (key, calls) in [
        ("limits.general_calls", limits.general_calls),
        ("limits.search_calls", limits.search_calls),
        ("limits.daily_calls", limits.daily_calls),
    ] {
        report.refuse(
            calls == 0 && !on_this_machine,
            key,
            "0 means no limit, which only a sandbox on this machine may have; write what the CRM allows",
        );
    }
    report.refuse(
        !(1..=100).contains(&limits.daily_share_percent),
        "limits.daily_share_percent",
        "must be between 1 and 100",
    );
    report.refuse(
        limits.general_calls > 0 && limits.calls_in_flight > limits.general_calls as usize,
        "limits.calls_in_flight",
        format!("must not be above limits.general_calls ({})", limits.general_calls),
    );
    report.refuse(
        limits.daily_calls > 0 && limits.general_calls > limits.daily_calls,
        "limits.general_calls",
        format!("must not be above limits.daily_calls ({})", limits.daily_calls),
    );
}

fn mirror(config: &Config, report: &mut Report) {
    let mirror = &config.mirror;
    report.not_zero(&[
        ("mirror.poll_seconds", mirror.poll_seconds),
        ("mirror.slow_pass_seconds", mirror.slow_pass_seconds),
        ("mirror.full_comparison_hours", mirror.full_comparison_hours),
        ("mirror.archived_scan_hours", mirror.archived_scan_hours),
        ("mirror.max_age_seconds", mirror.max_age_seconds),
    ]);
    let youngest = mirror.lag_seconds.saturating_add(mirror.poll_seconds);
    report.refuse(
        mirror.max_age_seconds <= youngest,
        "mirror.max_age_seconds",
        format!(
            "must be above {youngest} (mirror.lag_seconds + mirror.poll_seconds), or the mirror is always too old to decide"
        ),
    );
    report.refuse(
        mirror.slow_pass_lag_seconds <= mirror.lag_seconds,
        "mirror.slow_pass_lag_seconds",
        format!(
            "must be above mirror.lag_seconds ({}), or it finds nothing new",
            mirror.lag_seconds
        ),
    );
}

fn gate(config: &Config, report: &mut Report) {
    let gate = &config.gate;
    report.refuse(
        !(1..=10_000).contains(&gate.batch_leads),
        "gate.batch_leads",
        "must be between 1 and 10000",
    );
    let country = gate.default_country.as_bytes();
    report.refuse(
        country.len() != 2 || !country.iter().all(u8::is_ascii_uppercase),
        "gate.default_country",
        "must be two capital letters of ISO 3166, such as \"US\" or \"DE\"",
    );
    report.not_zero(&[
        ("gate.poll_milliseconds", gate.poll_milliseconds),
        ("gate.max_claims", gate.max_claims.into()),
        ("gate.max_attempts", gate.max_attempts.into()),
        ("gate.settle_seconds", gate.settle_seconds.into()),
        ("gate.retention_days", gate.retention_days.into()),
    ]);
}

fn duplicates(config: &Config, report: &mut Report) {
    report.refuse(
        config.duplicates.largest_group < 2,
        "duplicates.largest_group",
        "must be 2 or more: a group has two contacts at least",
    );
}

fn daemon(config: &Config, report: &mut Report) {
    let daemon = &config.daemon;
    report.not_zero(&[
        ("daemon.lease_seconds", daemon.lease_seconds),
        ("daemon.heartbeat_seconds", daemon.heartbeat_seconds),
    ]);
    report.refuse(
        daemon.heartbeat_seconds.saturating_mul(3) > daemon.lease_seconds,
        "daemon.heartbeat_seconds",
        format!(
            "must be at most a third of daemon.lease_seconds ({}), so that one may be lost",
            daemon.lease_seconds
        ),
    );
    report.refuse(
        config.database.statement_timeout_seconds >= daemon.lease_seconds,
        "database.statement_timeout_seconds",
        format!("must be below daemon.lease_seconds ({})", daemon.lease_seconds),
    );
    report.refuse(
        daemon.shutdown_grace_seconds <= config.crm.request_deadline_seconds,
        "daemon.shutdown_grace_seconds",
        format!(
            "must be above crm.request_deadline_seconds ({}), or a call in hand is cut off",
            config.crm.request_deadline_seconds
        ),
    );
    report.refuse(
        !daemon.metrics_listen.is_empty() && daemon.metrics_listen.parse::<SocketAddr>().is_err(),
        "daemon.metrics_listen",
        "is not an address; it looks like \"127.0.0.1:9464\"",
    );
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn is_property(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}
