//! SQL lives in files. Rust calls a function or reads a view, by name.

use super::source::{File, files, take_apart};
use super::{nothing_wrong, sample};

/// Words with which a statement begins that is no call of a function.
const BODIES: [&[&str]; 15] = [
    &["insert", "into"],
    &["delete", "from"],
    &["create", "table"],
    &["create", "function"],
    &["create", "or", "replace"],
    &["create", "database"],
    &["create", "role"],
    &["alter", "table"],
    &["alter", "role"],
    &["alter", "system"],
    &["drop", "table"],
    &["drop", "schema"],
    &["truncate", "table"],
    &["drop", "function"],
    &["grant", "select"],
];

#[test]
fn rust_calls_functions_and_views_and_builds_no_sql() {
    nothing_wrong(&files("src", ".rs").iter().flat_map(complaints).collect::<Vec<_>>());
}

fn complaints(file: &File) -> Vec<String> {
    let rust = take_apart(&file.text);
    let wrong = rust
        .texts
        .iter()
        .filter(|(_, text)| is_sql_of_its_own(text) && !is_printed(&file.path, text));
    wrong
        .map(|(line, text)| {
            let words: Vec<&str> = text.split_whitespace().take(6).collect();
            format!(
                "{}:{line}: put it into sql/ and call it: {}",
                file.path,
                words.join(" ")
            )
        })
        .collect()
}

/// `check` shows a person what a superuser must run, and runs it not.
fn is_printed(path: &str, text: &str) -> bool {
    path == "src/cli/check.rs" && text.starts_with("create role {")
}

fn is_sql_of_its_own(text: &str) -> bool {
    let text = text.to_lowercase();
    let words: Vec<&str> = text.split_whitespace().collect();
    match words.first() {
        Some(&"select") => words.len() > 1 && !is_call(&words),
        Some(&"update") => words.contains(&"set"),
        Some(&"with") => words.contains(&"as") && words.contains(&"select"),
        _ => BODIES.iter().any(|body| words.starts_with(body)),
    }
}

/// `select schema.function($1, …)`, or `select columns from schema.name` with or without arguments and a name of its own.
fn is_call(words: &[&str]) -> bool {
    let words = match words {
        [called @ .., "as", _] => called,
        _ => words,
    };
    match words.iter().position(|word| *word == "from") {
        Some(from) => words[1..from].iter().all(|word| is_column(word)) && is_qualified(&words[from + 1..]),
        None => is_qualified(&words[1..]),
    }
}

/// `name`, `*`, or `to_jsonb(name)`.
fn is_column(word: &str) -> bool {
    let word = word.trim_end_matches(',');
    let name = word.strip_prefix("to_jsonb(").and_then(|rest| rest.strip_suffix(')'));
    name.unwrap_or(word).chars().all(is_name_or_star)
}

/// `schema.name` or `schema.name($1, $2)`, and nothing after it.
fn is_qualified(words: &[&str]) -> bool {
    let all = words.concat();
    let (name, arguments) = all
        .split_once('(')
        .map_or((all.as_str(), None), |(name, rest)| (name, Some(rest)));
    let is_name = name.split('.').count() == 2 && name.chars().all(|c| is_name_or_star(c) && c != '*');
    let is_list = arguments.is_none_or(|arguments| {
        arguments
            .strip_suffix(')')
            .is_some_and(|list| list.chars().all(|c| c == '$' || c == ',' || c.is_ascii_digit()))
    });
    is_name && is_list
}

fn is_name_or_star(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '.' || c == '*'
}

#[test]
fn sql_in_rust_is_found_and_calls_and_prose_are_not() {
    let found = |text: &str| !complaints(&sample("src/store/x.rs", &format!("let sql = {text:?};"))).is_empty();
    for sql in [
        "select lead_id from gate.work where state = 'ready'",
        "select * from gate.work join staging.lead using (lead_id)",
        "select * from gate.f($1) limit 1",
        "select count(*) from gate.work",
        "select max(lead_id) from gate.work as work",
        "SELECT 1 FROM pg_roles",
        "insert into gate.work values ($1)",
        "update gate.work set state = $1",
        "delete from gate.work",
        "with a as (select 1) select * from a",
        "create table x ()",
    ] {
        assert!(found(sql), "not found: {sql}");
    }
    for fine in [
        "select gate.lock_people()",
        "select * from gate.claim_leads($1, $2, $3)",
        "select person_key from gate.site",
        "select a, b from report.backlog",
        "select to_jsonb(letter) from gate.list_dead($1, $2) as letter",
        "update the token where crm.token points to",
        "with-dashes",
        "names no host; for a unix socket add ?host=/run/postgresql",
        "select",
        "selected",
    ] {
        assert!(!found(fine), "found: {fine}");
    }
}
