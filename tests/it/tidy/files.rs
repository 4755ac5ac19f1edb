//! Files of a size that is read, which say what they are for and are named by it.

use super::source::{File, files};
use super::{nothing_wrong, sample};

/// Lines of a file. Aim far below.
const MOST_LINES: usize = 450;

/// Names that say nothing: what is put there belongs to the room that it serves.
const EMPTY_NAMES: [&str; 5] = ["util", "common", "helper", "manager", "misc"];

#[test]
fn files_are_short_named_by_their_subject_and_say_what_they_are_for() {
    let mut complaints = Vec::new();
    for file in files("src", ".rs").iter().chain(&files("sql", ".sql")) {
        complaints.extend(about(file));
    }
    for file in files("tests/it", ".rs").iter().chain(&files("migrations", ".sql")) {
        complaints.extend(names(file));
        complaints.extend(opening(file));
    }
    nothing_wrong(&complaints);
}

fn about(file: &File) -> Vec<String> {
    let lines = file.text.lines().count();
    let long = (lines > MOST_LINES).then(|| format!("{} has {lines} lines; divide it by subject", file.path));
    long.into_iter().chain(opening(file)).chain(names(file)).collect()
}

fn opening(file: &File) -> Option<String> {
    let opening = if file.path.ends_with(".rs") { "//! " } else { "-- " };
    (!file.text.starts_with(opening)).then(|| format!("{} must open with `{opening}` and what it is for", file.path))
}

fn names(file: &File) -> Option<String> {
    file.path
        .split(['/', '.', '_'])
        .find(|part| {
            EMPTY_NAMES
                .iter()
                .any(|name| *part == *name || *part == format!("{name}s"))
        })
        .map(|part| format!("{}: {part} names no subject", file.path))
}

#[test]
fn a_long_a_silent_and_an_emptily_named_file_are_found() {
    let long = format!("//! What it is.\n{}", "\n".repeat(MOST_LINES));
    assert!(about(&sample("src/push/mod.rs", &long))[0].contains("451 lines"));
    assert!(about(&sample("src/push/mod.rs", "use std::fmt;"))[0].contains("must open with `//! `"));
    assert!(about(&sample("sql/10_arrive.sql", "select 1"))[0].contains("must open with `-- `"));
    assert!(about(&sample("src/store/utils.rs", "//! Things."))[0].contains("utils names no subject"));
    assert!(about(&sample("src/helper/mod.rs", "//! Things."))[0].contains("helper names no subject"));
    assert_eq!(about(&sample("src/common_sense.rs", "//! Things.")).len(), 1);
    assert!(about(&sample("src/store/communicate.rs", "//! Things.")).is_empty());
}
