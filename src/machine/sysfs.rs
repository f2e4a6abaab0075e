//! Reads the kernel's small files, below a root that tests may choose.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// A file's whole text without the white space around it.
pub(super) fn text(path: &Path) -> io::Result<String> {
    // One page is the most that a file of /sys holds.
    let mut bytes = Vec::with_capacity(64);
    std::fs::File::open(path)?.take(4096).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).trim().to_string())
}

/// A file's number.
pub(super) fn number(path: &Path) -> io::Result<f64> {
    let text = text(path)?;
    text.parse().map_err(|_| io::Error::new(io::ErrorKind::InvalidData, format!("{text:?} is no number")))
}

/// What lies in a folder, by name; nothing where there is no such folder.
pub(super) fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).into_iter().flatten().filter_map(|e| Some(e.ok()?.path())).collect();
    paths.sort();
    paths
}

/// The file's name, for matching.
pub(super) fn name(path: &Path) -> &str {
    path.file_name().and_then(|n| n.to_str()).unwrap_or_default()
}
