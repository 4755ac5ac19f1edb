//! A CRM's own names of properties stay in its connector, and in the sandbox that plays it.

use super::source::{File, files, take_apart};
use super::{nothing_wrong, sample};

/// Where they may stand.
const HOMES: [&str; 2] = ["src/crm/hubspot/", "src/sandbox/"];

/// HubSpot's names that differ from ours, and beginnings of those that it keeps for itself.
const NAMES: [&str; 12] = [
    "firstname",
    "lastname",
    "mobilephone",
    "jobtitle",
    "zip",
    "createdate",
    "lastmodifieddate",
    "hs_object_id",
    "hs_lastmodifieddate",
    "hs_additional_emails",
    "hs_merged_object_ids",
    "hs_calculated_merged_vids",
];

#[test]
fn property_names_of_hubspot_are_known_to_its_connector_alone() {
    let files = files("src", ".rs");
    let elsewhere = files
        .iter()
        .filter(|file| !HOMES.iter().any(|home| file.path.starts_with(home)));
    nothing_wrong(&elsewhere.flat_map(complaints).collect::<Vec<_>>());
    let at_home: Vec<&File> = files.iter().filter(|file| file.path.starts_with(HOMES[0])).collect();
    assert!(
        NAMES[..8]
            .iter()
            .all(|name| at_home.iter().any(|file| file.text.contains(name))),
        "the list of names is not HubSpot's any more"
    );
}

fn complaints(file: &File) -> Vec<String> {
    let rust = take_apart(&file.text);
    let mut complaints = Vec::new();
    for (line, text) in &rust.texts {
        let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        for word in words.filter(|word| NAMES.contains(word)) {
            complaints.push(format!(
                "{}:{line}: {word} is HubSpot's name; use domain::Field",
                file.path
            ));
        }
    }
    complaints
}

#[test]
fn a_name_of_hubspot_elsewhere_is_found() {
    let found = |text| complaints(&sample("src/decide/mod.rs", text));
    assert_eq!(found("//! firstname\n/// lastname\nlet a = 1; // zip").len(), 0);
    assert_eq!(found("let a = \"x\";\nlet b = \"firstname\";").len(), 1);
    assert!(found("let a = \"x\";\nlet b = \"firstname\";")[0].contains("mod.rs:2: firstname"));
    assert_eq!(found("f(r#\"{\"hs_object_id\":1}\"#)").len(), 1);
    assert_eq!(found("f(\"zipped\")").len(), 0);
}
