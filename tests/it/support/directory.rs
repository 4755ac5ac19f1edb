//! A directory for one test, below the build directory: where PostgreSQL's own user can reach it, unlike a private /tmp/….

use std::path::{Path, PathBuf};

/// Removed with this value, unless the test fails.
pub(crate) struct Directory(PathBuf);

impl Directory {
    /// A new, empty directory with this name.
    pub(crate) fn new(name: &str) -> Directory {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).expect("a directory");
        Directory(path)
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }
}
