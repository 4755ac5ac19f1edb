//! Settings that cannot be used, through the real binary: exit code 2, with the key, the place and what to do.

use crate::process::command;
use crate::support::Directory;

/// What stands in the file, and what must be said about it.
const SETTINGS: [(&str, &[&str]); 14] = [
    // Unknown keys and sections, wrong types, no TOML at all.
    (
        "[gate]\nbatch_lead = 5",
        &["batch_lead", "line 2, column 1", "batch_leads"],
    ),
    ("[gates]\nbatch_leads = 5", &["gates", "line 1"]),
    (
        "[gate]\nbatch_leads = \"many\"",
        &["batch_leads", "line 2, column 15", "expected usize"],
    ),
    ("[gate]\nbatch_leads = -1", &["batch_leads", "line 2"]),
    ("[database]\npool_size = 99999999999999999999", &["line 2"]),
    ("[gate", &["line 1, column 6"]),
    ("[gate]\nbatch_leads = 1\nbatch_leads = 2", &["duplicate key", "line 3"]),
    // Secrets in the file, and secrets that are not where they ought to be.
    (
        "[crm]\ntoken = \"pat-na1-secret\"",
        &["crm.token", "line 2", "file:/path"],
    ),
    (
        "[database]\nurl = \"postgresql://u:secret@h/db\"",
        &["database.url", "line 2", "database.password"],
    ),
    (
        "[crm]\ntoken = \"file:/nowhere/token\"",
        &["crm.token", "/nowhere/token", "mode 0400"],
    ),
    (
        "[crm]\ntoken = \"env:GATEKEEPER_NO_SUCH_VARIABLE\"",
        &["crm.token", "GATEKEEPER_NO_SUCH_VARIABLE"],
    ),
    // Limits that contradict each other.
    (
        "[limits]\ngeneral_calls = 100\ncalls_in_flight = 101",
        &["limits.calls_in_flight", "line 3", "limits.general_calls (100)"],
    ),
    (
        "[limits]\ngeneral_calls = 0",
        &["limits.general_calls", "line 2", "write what the CRM allows"],
    ),
    (
        "[daemon]\nlease_seconds = 20\n[crm]\nrequest_deadline_seconds = 20",
        &["crm.request_deadline_seconds", "daemon.lease_seconds", "line 4"],
    ),
];

#[tokio::test]
async fn settings_that_cannot_be_used_end_with_2_and_say_where_and_what_to_do() {
    let directory = Directory::new("bad-settings");
    for (number, (text, words)) in SETTINGS.iter().enumerate() {
        let file = directory.path().join(format!("{number}.toml"));
        std::fs::write(&file, text).unwrap();
        for command_line in [&["check", "--offline"][..], &["run", "--until-idle"][..]] {
            // `run` opens the database before it needs the token.
            if command_line[0] == "run" && (text.contains("file:/") || text.contains("env:")) {
                continue;
            }
            let done = command(&file, command_line).await;
            let said = format!("{}{}", done.stdout, done.stderr);
            assert_eq!(done.code, Some(2), "{text}: {said}");
            for word in *words {
                assert!(said.contains(word), "{text}: {word} is not in: {said}");
            }
            assert!(!said.contains("pat-na1-secret") && !said.contains("u:secret"), "{said}");
            assert!(!said.contains("panic"), "{said}");
        }
    }
}

#[tokio::test]
async fn a_settings_file_that_is_not_there_or_is_no_text_is_named() {
    let directory = Directory::new("no-settings");
    let missing = directory.path().join("missing.toml");
    let done = command(&missing, &["run"]).await;
    assert_eq!(done.code, Some(2));
    assert!(done.stderr.contains("missing.toml"), "{}", done.stderr);
    let binary = directory.path().join("binary.toml");
    std::fs::write(&binary, [0xff, 0xfe, 0x00]).unwrap();
    let done = command(&binary, &["run"]).await;
    assert_eq!(done.code, Some(2));
    assert!(done.stderr.contains("binary.toml"), "{}", done.stderr);
}
