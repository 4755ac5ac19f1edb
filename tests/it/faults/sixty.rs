//! The sixty faults that a gate of this kind meets, each with the test that brings it about, or why there is none yet.

use std::fmt::Write;
use std::path::Path;

use serde::Deserialize;

use super::kinds::KINDS;

#[derive(Deserialize)]
struct Fault {
    number: usize,
    fault: String,
    /// Paths of tests below `tests/it`, apart by spaces; `faults::KIND` is a kind of this harness.
    tests: String,
    why_not: String,
}

fn sixty() -> Vec<Fault> {
    let mut rows = csv::Reader::from_reader(&include_bytes!("sixty.csv")[..]);
    rows.deserialize().collect::<Result<_, _>>().unwrap()
}

/// The chapter of the report.
pub(super) fn chapter() -> String {
    let faults = sixty();
    let (covered, open): (Vec<&Fault>, Vec<&Fault>) = faults.iter().partition(|fault| fault.why_not.is_empty());
    let mut text = format!(
        "\n## Sixty faults\n\n{} of {} are brought about by a test of `make test`. These are not:\n\n| fault | why |\n|---|---|\n",
        covered.len(),
        faults.len()
    );
    for fault in open {
        let _ = writeln!(text, "| {}. {} | {} |", fault.number, fault.fault, fault.why_not);
    }
    text.push_str("\nThese are:\n\n| fault | test |\n|---|---|\n");
    for fault in covered {
        let tests: Vec<String> = fault.tests.split(' ').map(|test| format!("`{test}`")).collect();
        let _ = writeln!(text, "| {}. {} | {} |", fault.number, fault.fault, tests.join(", "));
    }
    text
}

#[test]
fn each_of_the_sixty_faults_has_a_test_that_is_there_or_says_why_not() {
    let faults = sixty();
    let numbers: Vec<usize> = faults.iter().map(|fault| fault.number).collect();
    assert_eq!(numbers, (1..=60).collect::<Vec<_>>());
    for fault in &faults {
        assert_ne!(
            fault.tests.is_empty(),
            fault.why_not.is_empty(),
            "{}: either or",
            fault.number
        );
        for test in fault.tests.split_whitespace() {
            assert!(is_there(test), "{}: there is no test {test}", fault.number);
        }
    }
    let covered = faults.iter().filter(|fault| fault.why_not.is_empty()).count();
    assert!(covered >= 45, "{covered} of sixty");
}

fn is_there(test: &str) -> bool {
    if let Some(kind) = test.strip_prefix("faults::") {
        return KINDS.iter().any(|known| known.name == kind);
    }
    let Some((module, name)) = test.rsplit_once("::") else {
        return false;
    };
    let below = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/it")
        .join(module.replace("::", "/"));
    let text =
        std::fs::read_to_string(below.with_extension("rs")).or_else(|_| std::fs::read_to_string(below.join("mod.rs")));
    text.is_ok_and(|text| text.contains(&format!("fn {name}(")))
}
