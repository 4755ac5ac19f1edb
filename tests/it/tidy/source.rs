//! Files of the project, and Rust taken apart into code and texts as far as these checks need it.

use std::path::Path;

/// A file of the project.
#[derive(Debug, Clone)]
pub(super) struct File {
    /// From the root of the project, with `/`.
    pub(super) path: String,
    /// What stands in it.
    pub(super) text: String,
}

/// All files below a directory of the project whose name ends so, in the order of their paths.
pub(super) fn files(below: &str, ending: &str) -> Vec<File> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    let mut directories = vec![root.join(below)];
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                found.push(File {
                    text: std::fs::read_to_string(&path).unwrap(),
                    path: path.strip_prefix(root).unwrap().to_string_lossy().into_owned(),
                });
            }
        }
    }
    assert!(!found.is_empty(), "no *{ending} below {below}");
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// Rust source taken apart.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Rust {
    /// The code with a space in the place of each comment and each text; lines stay.
    pub(super) code: String,
    /// The texts with the line on which they begin.
    pub(super) texts: Vec<(usize, String)>,
}

/// Takes Rust source apart: line and nested block comments, plain and raw strings, characters and lifetimes.
pub(super) fn take_apart(source: &str) -> Rust {
    let mut rust = Rust::default();
    let mut rest = source;
    let mut line = 1;
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            block_comment(rest)
        } else if let Some((before, text, length)) = string(rest, rust.code.chars().next_back()) {
            let at = line + rest[..before].matches('\n').count();
            rust.texts.push((at, text));
            length
        } else if first == '\'' {
            character(rest)
        } else {
            rust.code.push(first);
            line += usize::from(first == '\n');
            rest = &rest[first.len_utf8()..];
            continue;
        };
        let newlines = rest[..length].matches('\n').count();
        rust.code.push(' ');
        rust.code.push_str(&"\n".repeat(newlines));
        line += newlines;
        rest = &rest[length..];
    }
    rust
}

fn block_comment(rest: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < rest.len() {
        if rest[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                break;
            }
        } else {
            at += rest[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    at
}

/// A string that begins here: where its text begins, the text with escapes as they are, and its length with quotes.
fn string(rest: &str, before: Option<char>) -> Option<(usize, String, usize)> {
    let in_a_word = before.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let prefix = ["br", "cr", "r", "b", "c", ""]
        .into_iter()
        .find(|prefix| rest.starts_with(prefix) && rest[prefix.len()..].starts_with(['"', '#']))?;
    if in_a_word && !prefix.is_empty() {
        return None;
    }
    let hashes = rest[prefix.len()..].chars().take_while(|c| *c == '#').count();
    let open = prefix.len() + hashes;
    if !rest[open..].starts_with('"') || (hashes > 0 && !prefix.ends_with('r')) {
        return None;
    }
    let begin = open + 1;
    if prefix.ends_with('r') {
        let close = format!("\"{}", "#".repeat(hashes));
        let length = rest[begin..].find(&close)?;
        return Some((
            begin,
            rest[begin..begin + length].to_owned(),
            begin + length + close.len(),
        ));
    }
    let mut escaped = false;
    for (at, c) in rest[begin..].char_indices() {
        match c {
            '"' if !escaped => return Some((begin, rest[begin..begin + at].to_owned(), begin + at + 1)),
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    None
}

/// The length of a character in quotes; 1 for the tick of a lifetime.
fn character(rest: &str) -> usize {
    let mut inside = rest.char_indices().skip(1);
    match inside.next() {
        Some((_, '\\')) => rest[3..].find('\'').map_or(1, |at| at + 4),
        Some(_) => match inside.next() {
            Some((at, '\'')) => at + 1,
            _ => 1,
        },
        None => 1,
    }
}

#[test]
fn source_is_taken_apart_into_code_and_texts() {
    let source = "fn f<'a>(x: &'a str) -> char { // \"no text\"\n  let y = r#\"raw \"text\"\"#; /* a /* b */ c */\n  g(\"two\\\"\nlines\", '\"', '\\'', b\"bytes\") }";
    let rust = take_apart(source);
    assert_eq!(
        rust.texts,
        [
            (2, "raw \"text\"".to_owned()),
            (3, "two\\\"\nlines".to_owned()),
            (4, "bytes".to_owned())
        ]
    );
    assert_eq!(rust.code.matches('\n').count(), source.matches('\n').count());
    assert!(
        rust.code.contains("fn f<'a>(x: &'a str)") || rust.code.contains("fn f< a>(x: & a str)"),
        "{}",
        rust.code
    );
    assert!(
        !rust.code.contains("no text") && !rust.code.contains('c') || rust.code.contains("char"),
        "{}",
        rust.code
    );
}
