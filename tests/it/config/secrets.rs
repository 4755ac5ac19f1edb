//! Secrets: read from where the file says, never from the file, and never printed.

use std::path::Path;

use gatekeeper::config::{Environment, Secret, SecretRef};
use gatekeeper::fault::chain;

fn environment(credentials: Option<&Path>) -> Environment {
    Environment {
        credentials_directory: credentials.map(Path::to_owned),
        ..Environment::default()
    }
}

#[test]
fn a_secret_is_read_from_a_file_a_credential_or_a_variable() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("crm-token"), "s3cret\n").unwrap();
    let file = format!("file:{}", directory.path().join("crm-token").display());
    let home = std::env::var("CARGO_MANIFEST_DIR").unwrap();
    let cases = [
        (file.as_str(), "s3cret"),
        ("credential:crm-token", "s3cret"),
        ("env:CARGO_MANIFEST_DIR", home.as_str()),
    ];
    for (reference, expected) in cases {
        let secret = SecretRef::new(reference)
            .read("crm.token", &environment(Some(directory.path())))
            .unwrap();
        assert_eq!(secret.expose(), expected, "{reference}");
    }
}

#[test]
fn a_missing_secret_is_told_with_its_key_its_reference_and_what_to_do() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("empty"), " \n").unwrap();
    let cases: &[(&str, Option<&Path>, &[&str])] = &[
        ("", None, &["crm.token is not set", "file:/path"]),
        ("pat-na1-1234", None, &["never the secret itself"]),
        ("file:relative", None, &["never the secret itself"]),
        ("credential:../up", None, &["never the secret itself"]),
        (
            "credential:crm-token",
            None,
            &["crm.token = \"credential:crm-token\"", "LoadCredential=crm-token"],
        ),
        (
            "credential:other",
            Some(directory.path()),
            &["credential:other", "cannot read", "mode 0400", "No such file"],
        ),
        (
            "credential:empty",
            Some(directory.path()),
            &["credential:empty", "is empty"],
        ),
        (
            "env:GATEKEEPER_NOT_THERE",
            None,
            &["environment variable GATEKEEPER_NOT_THERE is not set"],
        ),
    ];
    for (reference, credentials, expected) in cases {
        let error = SecretRef::new(*reference)
            .read("crm.token", &environment(*credentials))
            .unwrap_err();
        let said = chain(&error);
        for words in *expected {
            assert!(said.contains(words), "{reference:?} without {words:?}: {said}");
        }
        assert!(!said.contains("pat-na1"), "{said}");
    }
}

#[test]
fn debug_output_holds_no_secret() {
    let shown = format!("{:?} {:?}", Secret::new("s3cret"), SecretRef::new("s3cret"));
    assert!(!shown.contains("s3cret"), "{shown}");
    assert!(format!("{:?}", SecretRef::new("env:TOKEN")).contains("env:TOKEN"));
}
