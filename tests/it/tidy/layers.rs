//! Who may use whom: the table in the documentation of the crate, against the paths in the code.

use std::collections::BTreeMap;

use super::source::{File, files, take_apart};
use super::{nothing_wrong, sample};

/// What the table says of a room.
#[derive(Debug, PartialEq)]
struct Room {
    layer: u8,
    /// These instead of all rooms of the layers below.
    only: Option<Vec<String>>,
    /// These besides them.
    also: Vec<String>,
}

type Rooms = BTreeMap<String, Room>;

#[test]
fn rooms_use_only_what_is_below_them() {
    let files = files("src", ".rs");
    let crate_docs = files.iter().find(|file| file.path == "src/lib.rs").unwrap();
    let rooms = table(&crate_docs.text);
    assert!(rooms.len() > 10, "the table of src/lib.rs is not found: {rooms:?}");
    nothing_wrong(
        &files
            .iter()
            .flat_map(|file| complaints(file, &rooms))
            .collect::<Vec<_>>(),
    );
}

/// Reads `//! | layer | rooms | may use |`.
fn table(docs: &str) -> Rooms {
    let mut rooms = Rooms::new();
    for line in docs.lines().filter_map(|line| line.strip_prefix("//! | ")) {
        let cells: Vec<&str> = line.trim_end_matches(" |").split(" | ").collect();
        let [layer, names, uses] = cells.as_slice() else {
            continue;
        };
        let Ok(layer) = layer.parse() else { continue };
        let named = quoted(uses);
        let (only, also) = if uses.starts_with("only") {
            (Some(named), Vec::new())
        } else {
            (None, named)
        };
        for name in quoted(names) {
            let room = Room {
                layer,
                only: only.clone(),
                also: also.clone(),
            };
            assert!(
                rooms.insert(name.clone(), room).is_none(),
                "{name} stands twice in the table"
            );
        }
    }
    rooms
}

fn quoted(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn complaints(file: &File, rooms: &Rooms) -> Vec<String> {
    let own = module(&file.path);
    let Some(own_room) = own.first() else { return Vec::new() };
    let Some(room) = rooms.get(own_room) else {
        return vec![format!(
            "{}: enter the room {own_room} in the table of src/lib.rs",
            file.path
        )];
    };
    let mut complaints = Vec::new();
    for (line, used) in used_rooms(&take_apart(&file.text).code, &own) {
        let may = match (rooms.get(&used), &room.only) {
            _ if used == *own_room => true,
            (None, _) => continue,
            (Some(_), Some(only)) => only.contains(&used),
            (Some(other), None) => other.layer < room.layer || room.also.contains(&used),
        };
        if !may {
            complaints.push(format!(
                "{}:{line}: {own_room} must not use {used}; see the table of src/lib.rs",
                file.path
            ));
        }
    }
    complaints
}

/// `src/store/embedded/open.rs` is `[store, embedded, open]`; `main.rs` and `lib.rs` are in no room.
fn module(path: &str) -> Vec<String> {
    let inner = path.trim_start_matches("src/").trim_end_matches(".rs");
    let mut parts: Vec<String> = inner.split('/').map(str::to_owned).collect();
    match parts.last().map(String::as_str) {
        Some("main" | "lib") if parts.len() == 1 => parts.clear(),
        Some("mod") => drop(parts.pop()),
        _ => {}
    }
    parts
}

/// Rooms named by `crate::room`, `crate::{room, …}` and by `super::` up to the root, with their lines.
fn used_rooms(code: &str, own: &[String]) -> Vec<(usize, String)> {
    let mut used = Vec::new();
    let line = |at: usize| code[..at].matches('\n').count() + 1;
    for (at, _) in code.match_indices("crate::") {
        if code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$') {
            continue;
        }
        used.extend(
            heads(&code[at + "crate::".len()..])
                .into_iter()
                .map(|room| (line(at), room)),
        );
    }
    let up = "super::".repeat(own.len());
    for (at, _) in code.match_indices(&up) {
        if code[..at].ends_with(':') || code[at + up.len()..].starts_with("super::") {
            continue;
        }
        used.extend(heads(&code[at + up.len()..]).into_iter().map(|room| (line(at), room)));
    }
    used
}

/// The first names of a path or of a group of paths.
fn heads(rest: &str) -> Vec<String> {
    let name = |text: &str| {
        text.trim_start()
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect::<String>()
    };
    let Some(group) = rest.strip_prefix('{') else {
        return vec![name(rest)];
    };
    let mut heads = vec![name(group)];
    let mut depth = 0;
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => heads.push(name(&group[at + 1..])),
            _ => {}
        }
    }
    heads.retain(|head| !head.is_empty());
    heads
}

const DOCS: &str = "//! | layer | rooms | may use |\n//! |---|---|---|\n//! | 3 | `pull`, `push` | all below |\n\
    //! | 3 | `sweep` | all below, and `push` |\n//! | 2 | `store`, `crm` | all below |\n\
    //! | 2 | `sandbox` | only `fault` |\n//! | 1 | `config` | all below |\n//! | 0 | `domain`, `fault` | nothing |\n";

#[test]
fn the_table_is_read() {
    let rooms = table(DOCS);
    assert_eq!(rooms.len(), 9);
    assert_eq!(
        rooms["crm"],
        Room {
            layer: 2,
            only: None,
            also: Vec::new()
        }
    );
    assert_eq!(rooms["sandbox"].only, Some(vec!["fault".to_owned()]));
}

#[test]
fn a_room_that_reaches_up_or_sideways_or_is_not_entered_is_found() {
    let rooms = table(DOCS);
    let found = |path: &str, code: &str| complaints(&sample(path, code), &rooms);
    assert!(found("src/store/mod.rs", "use crate::domain::Lead;\nuse crate::store::x;").is_empty());
    assert!(found("src/store/mod.rs", "\nuse crate::crm::Reader;")[0].contains("mod.rs:2: store must not use crm"));
    assert_eq!(
        found("src/store/mod.rs", "use crate::{domain::{Lead, Field}, crm, config};").len(),
        1
    );
    assert_eq!(found("src/domain/lead.rs", "fn f() { crate::fault::chain() }").len(), 1);
    assert_eq!(found("src/store/pool.rs", "use super::super::crm::Reader;").len(), 1);
    assert_eq!(found("src/push/mod.rs", "use crate::sweep;\nuse crate::pull;").len(), 2);
    assert_eq!(
        found("src/sweep/mod.rs", "use crate::push::sender;\nuse crate::pull;").len(),
        1
    );
    assert_eq!(found("src/config/load.rs", "use super::Config;").len(), 0);
    assert_eq!(found("src/sandbox/mod.rs", "use crate::domain::Lead;").len(), 1);
    assert_eq!(found("src/sandbox/mod.rs", "use crate::fault::chain;").len(), 0);
    assert_eq!(
        found("src/store/mod.rs", "//! [`crate::crm`]\nlet a = \"crate::crm\";").len(),
        0
    );
    assert!(found("src/attic/mod.rs", "")[0].contains("enter the room attic"));
    assert!(found("src/main.rs", "use crate::crm;").is_empty());
}
