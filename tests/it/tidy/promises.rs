//! docs/GUARANTEES.md names tests: each of them must be there.

use std::path::Path;

#[test]
fn every_test_that_a_promise_names_is_there() {
    let text = std::fs::read_to_string("docs/GUARANTEES.md").unwrap();
    let named: Vec<&str> = text
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|span| span.contains("::"))
        .collect();
    assert!(named.len() > 10, "{named:?}");
    let missing: Vec<&&str> = named.iter().filter(|test| !is_there(test)).collect();
    assert!(missing.is_empty(), "no such test: {missing:#?}");
}

/// `flow::late::a_name` is a function in tests/it/flow/late.rs; `flow::late` and `flow::late::` are that file.
fn is_there(test: &str) -> bool {
    let test = test.trim_end_matches("::");
    let file = |path: &str| {
        let path = format!("tests/it/{}", path.replace("::", "/"));
        [format!("{path}.rs"), format!("{path}/mod.rs")]
            .into_iter()
            .find(|path| Path::new(path).exists())
    };
    match (file(test), test.rsplit_once("::")) {
        (Some(_), _) => true,
        (None, Some((path, name))) => {
            file(path).is_some_and(|path| std::fs::read_to_string(path).unwrap().contains(&format!("fn {name}(")))
        }
        (None, None) => false,
    }
}
