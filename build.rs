//! Makes the list of the files of `sql/` that are part of the binary.

use std::env;
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

#[expect(
    clippy::disallowed_methods,
    reason = "cargo speaks to a build script by the environment"
)]
fn main() -> Result<(), Box<dyn Error>> {
    // A directory: cargo looks again when a file is added, too. refinery's macro does not see that by itself.
    println!("cargo::rerun-if-changed=migrations");
    println!("cargo::rerun-if-changed=sql");

    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let mut list = String::from("static SQL_FILES: &[(&str, &str)] = &[\n");
    for (name, path) in files(&root.join("sql"))? {
        writeln!(list, "    ({name:?}, include_str!({:?})),", path.display().to_string())?;
    }
    list.push_str("];\n");
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("sql_files.rs"), list)?;
    Ok(())
}

/// The `.sql` files of a directory, in the order of their names.
fn files(directory: &Path) -> Result<Vec<(String, PathBuf)>, Box<dyn Error>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default()
            .to_owned();
        if name.ends_with(".sql") {
            found.push((name, path));
        }
    }
    found.sort();
    Ok(found)
}
