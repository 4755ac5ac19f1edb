//! The settings file: what it says is what holds, and whatever is wrong in it is said at once and clearly.

mod secrets;

use gatekeeper::config::Config;
use gatekeeper::fault::chain;

const SAMPLE: &str = include_str!("../../../config.toml");

/// What a settings file is refused with.
fn refusal(text: &str) -> String {
    match Config::parse(text, "config.toml") {
        Ok(_) => panic!("these settings were accepted:\n{text}"),
        Err(error) => chain(&error),
    }
}

#[test]
fn the_sample_holds_every_key_with_its_default() {
    let sample: toml::Table = SAMPLE.parse().unwrap();
    let defaults = toml::Table::try_from(Config::default()).unwrap();
    assert_eq!(sample, defaults);
    assert_eq!(Config::parse(SAMPLE, "config.toml").unwrap(), Config::default());
}

#[test]
fn the_sample_explains_every_key() {
    let lines: Vec<&str> = SAMPLE.lines().collect();
    for (at, line) in lines.iter().enumerate() {
        let key = line.split(" = ").next().unwrap_or_default();
        if line.contains(" = ") && !line.starts_with('#') {
            // Two keys that are one thing may share a comment.
            let above = lines[..at]
                .iter()
                .rev()
                .find(|line| line.starts_with('#') || line.is_empty());
            assert!(
                above.is_some_and(|line| line.starts_with("# ")),
                "line {} ({key}) has no comment above it",
                at + 1
            );
        }
    }
}

#[test]
fn an_empty_file_means_the_defaults() {
    assert_eq!(Config::parse("", "config.toml").unwrap(), Config::default());
}

#[test]
fn a_broken_file_is_refused_with_the_place_and_the_reason() {
    // The file, and what the message must contain.
    let cases: &[(&str, &[&str])] = &[
        (
            "[gate]\nbatch_lead = 3\n",
            &["line 2, column 1", "unknown field `batch_lead`", "batch_leads"],
        ),
        ("[gat]\n", &["line 1, column 2", "unknown field `gat`"]),
        (
            "[gate]\nbatch_leads = \"many\"\n",
            &["line 2, column 15", "invalid type", "expected usize", "^^^^^^"],
        ),
        (
            "[gate]\nbatch_leads = -1\n",
            &["line 2, column 15", "invalid value", "-1"],
        ),
        (
            "[database]\nssl_mode = \"prefer\"\n",
            &["line 2, column 12", "verify-full"],
        ),
        ("[gate\n", &["line 1, column 6"]),
        (
            "[mirror]\nlag_seconds = 60\nlag_seconds = 61\n",
            &["line 3", "duplicate key"],
        ),
    ];
    for (text, expected) in cases {
        let said = refusal(text);
        for words in *expected {
            assert!(said.contains(words), "{text}is refused without {words:?}:\n{said}");
        }
    }
}

#[test]
fn a_value_that_cannot_be_is_refused_by_its_key() {
    let cases: &[(&str, &str)] = &[
        (
            "[database]\nurl = \"postgresql://gate:hunter2@db.example/crm\"",
            "database.url: has a password in it",
        ),
        (
            "[database]\nurl = \"host=db user=gate password=hunter2 dbname=crm\"",
            "database.url: has a password in it",
        ),
        (
            "[database]\nurl = \"postgresql://db.example/crm?sslmode=prefer\"",
            "database.url: remove sslmode",
        ),
        (
            "[database]\nurl = \"db.example\"",
            "database.url: is not a connection URL",
        ),
        (
            "[database]\nurl = \"postgresql://db.example\"",
            "database.url: names no database",
        ),
        ("[database]\npool_size = 1", "database.pool_size: must be at least 5"),
        (
            "[database]\nlock_timeout_seconds = 15",
            "database.lock_timeout_seconds: must be below",
        ),
        (
            "[database]\nstatement_timeout_seconds = 60",
            "database.statement_timeout_seconds: must be below daemon.lease_seconds",
        ),
        (
            "[database]\nssl_mode = \"disable\"\nssl_root_certificate_file = \"/x.pem\"",
            "database.ssl_root_certificate_file: is of no use",
        ),
        (
            "[embedded]\ndata_directory = \"\"",
            "embedded.data_directory: must name a directory",
        ),
        ("[crm]\nkind = \"salesfarce\"", "crm.kind: only \"hubspot\""),
        (
            "[crm]\nbase_url = \"http://api.hubapi.com\"",
            "crm.base_url: must start with https://",
        ),
        ("[crm]\nversion = \"v4\"", "crm.version: must be"),
        (
            "[crm]\ntoken = \"pat-na1-1234\"",
            "crm.token: a secret never stands in this file",
        ),
        (
            "[crm]\nrequest_deadline_seconds = 45",
            "crm.request_deadline_seconds: must be below 45",
        ),
        (
            "[crm]\nproperties = [\"a b\"]",
            "crm.properties: number 1 is not the name",
        ),
        (
            "[crm]\nproperties = [\"a\", \"a\"]",
            "crm.properties: number 2 stands twice",
        ),
        (
            "[crm]\nproperties = [\"gatekeeper_key\"]",
            "crm.properties: gatekeeper_key is kept by Gatekeeper",
        ),
        (
            "[limits]\ndaily_share_percent = 101",
            "limits.daily_share_percent: must be between 1 and 100",
        ),
        (
            "[mirror]\nmax_age_seconds = 75",
            "mirror.max_age_seconds: must be above 75",
        ),
        (
            "[mirror]\nslow_pass_lag_seconds = 60",
            "mirror.slow_pass_lag_seconds: must be above",
        ),
        ("[limits]\ngeneral_calls = 0", "limits.general_calls: 0 means no limit"),
        ("[gate]\nsettle_seconds = 0", "gate.settle_seconds: must be at least 1"),
        (
            "[gate]\ndefault_country = \"usa\"",
            "gate.default_country: must be two capital letters",
        ),
        (
            "[daemon]\nheartbeat_seconds = 30",
            "daemon.heartbeat_seconds: must be at most a third",
        ),
        (
            "[daemon]\nshutdown_grace_seconds = 20",
            "daemon.shutdown_grace_seconds: must be above",
        ),
        (
            "[daemon]\nmetrics_listen = \"9464\"",
            "daemon.metrics_listen: is not an address",
        ),
    ];
    for (text, expected) in cases {
        let said = refusal(text);
        assert!(
            said.contains(expected),
            "{text}\nis refused without {expected:?}:\n{said}"
        );
        assert!(said.contains("line "), "{text}\nis refused without its line:\n{said}");
        assert!(
            !said.contains("hunter2") && !said.contains("pat-na1"),
            "a secret is in the message:\n{said}"
        );
    }
}

#[test]
fn limits_that_contradict_each_other_are_all_reported_at_once() {
    let said = refusal(
        "[crm]\nrequest_deadline_seconds = 50\ntoken = \"pat-1\"\n\n[mirror]\nlag_seconds = 1000\n\n\
         [gate]\nsettle_seconds = 0\n\n[daemon]\nlease_seconds = 40\n",
    );
    for words in [
        "config.toml has 5 problems",
        "crm.token",
        "line 2, column 28",
        "crm.request_deadline_seconds: must be below 25",
        "mirror.max_age_seconds: must be above 1015",
        "gate.settle_seconds: must be at least 1",
        "daemon.shutdown_grace_seconds: must be above crm.request_deadline_seconds (50)",
    ] {
        assert!(said.contains(words), "without {words:?}:\n{said}");
    }
}

#[test]
fn a_mistyped_key_does_not_print_what_may_be_a_secret() {
    let cases = [
        "[crm]\ntokn = \"pat-na1-1234\"\n",
        "[crm]\ntoken = \"pat-na1-1234\n",
        "[database]\npassword = [\"pat-na1-1234\"]\n",
    ];
    for text in cases {
        let said = refusal(text);
        assert!(said.contains("line 2"), "{said}");
        assert!(!said.contains("pat-na1"), "{said}");
    }
}

#[test]
fn the_file_named_on_the_command_line_must_be_there() {
    let error = Config::load(Some(std::path::Path::new("/nowhere/gatekeeper.toml"))).unwrap_err();
    let said = chain(&error);
    assert!(
        said.contains("/nowhere/gatekeeper.toml") && said.contains("No such file"),
        "{said}"
    );
}

#[test]
fn the_file_named_on_the_command_line_is_read() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("mine.toml");
    std::fs::write(&path, "[gate]\nbatch_leads = 7\n").unwrap();
    let config = Config::load(Some(&path)).unwrap();
    assert_eq!(config.gate.batch_leads, 7);
    assert_eq!(config.source.as_deref(), Some(path.as_path()));
}
