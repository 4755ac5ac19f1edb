//! What the documents call a setting is one.

use std::collections::BTreeSet;

use super::nothing_wrong;
use super::source::files;

#[test]
fn the_documents_name_only_settings_that_exist() {
    let keys = keys(include_str!("../../../config.toml"));
    let mut complaints = Vec::new();
    let mut named = 0;
    for file in files("docs", ".md") {
        let found = named_in(&file.text, &keys);
        named += found.len();
        let unknown = found.into_iter().filter(|(_, name)| !keys.contains(name));
        complaints.extend(unknown.map(|(line, name)| format!("{}:{line}: config.toml has no {name}", file.path)));
    }
    nothing_wrong(&complaints);
    assert!(named > 30, "only {named} settings are named in docs/");
}

#[test]
fn operations_describe_every_setting() {
    let keys = keys(include_str!("../../../config.toml"));
    let operations = include_str!("../../../docs/OPERATIONS.md");
    let missing: Vec<&String> = keys
        .iter()
        .filter(|key| !operations.contains(&format!("`{key}`")))
        .collect();
    assert!(missing.is_empty(), "docs/OPERATIONS.md says nothing of {missing:?}");
}

/// `section.key` of each key.
fn keys(settings: &str) -> BTreeSet<String> {
    let table: toml::Table = settings.parse().unwrap();
    let keys = |(section, keys): (&String, &toml::Value)| {
        let keys = keys.as_table().unwrap().keys();
        keys.map(|key| format!("{section}.{key}")).collect::<Vec<_>>()
    };
    table.iter().flat_map(keys).collect()
}

/// Every `` `section.something` `` of a section that exists, with its line. A table of that name is no setting:
/// `crm.contact` is one, `crm.token` is not.
fn named_in(document: &str, keys: &BTreeSet<String>) -> Vec<(usize, String)> {
    let sections: BTreeSet<&str> = keys.iter().filter_map(|key| key.split('.').next()).collect();
    let mut named = Vec::new();
    for (at, line) in document.lines().enumerate() {
        for code in line.split('`').skip(1).step_by(2) {
            let Some((section, key)) = code.split_once('.') else {
                continue;
            };
            let is_name = !key.is_empty() && key.chars().all(|c| c.is_ascii_lowercase() || c == '_');
            let is_table =
                code.starts_with("crm.contact") || section == "gate" && !keys.contains(code) && IS_TABLE.contains(&key);
            if sections.contains(section) && is_name && !is_table {
                named.push((at + 1, code.to_owned()));
            }
        }
    }
    named
}

/// Tables of the schema `gate`, which is also the name of a section.
const IS_TABLE: [&str; 5] = ["work", "intent", "replica", "site", "governor"];

#[test]
fn a_setting_that_does_not_exist_is_found() {
    let keys = keys("[gate]\nbatch_leads = 1\n[crm]\ntoken = \"\"");
    let named = named_in(
        "set `gate.batch_leads`\nand `crm.tokens`, read `crm.contact_field` and `gate.work`",
        &keys,
    );
    assert_eq!(
        named,
        [(1, "gate.batch_leads".to_owned()), (2, "crm.tokens".to_owned())]
    );
    assert!(keys.contains(&named[0].1) && !keys.contains(&named[1].1));
}
