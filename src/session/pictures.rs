//! Where pictures of the stage go, and what they are called: never what is there already.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// The folder that a recording's pictures are in.
const FOLDER: &str = "pictures";

/// The names of a performance's pictures. A clone counts with the others.
#[derive(Clone, Debug, Default)]
pub struct Pictures {
    /// The recording's folder, if there is a recording.
    recording: Option<PathBuf>,
    taken: Arc<AtomicU32>,
    /// Whether there is a window to take them of.
    open: Arc<AtomicBool>,
}

impl Pictures {
    pub fn new(recording: Option<&Path>) -> Pictures {
        Pictures { recording: recording.map(Path::to_path_buf), ..Pictures::default() }
    }

    /// Says whether there is a window.
    pub fn open(&self, open: bool) {
        self.open.store(open, Ordering::Relaxed);
    }

    /// The folder that names are to be read from.
    pub fn folder(&self) -> PathBuf {
        self.recording.clone().unwrap_or_default()
    }

    /// The name of the next picture, at `t_ns` of the performance; none without a window.
    pub fn next(&self, t_ns: u64) -> Option<String> {
        if !self.open.load(Ordering::Relaxed) {
            return None;
        }
        let seconds = t_ns / 1_000_000_000;
        loop {
            let number = self.taken.fetch_add(1, Ordering::Relaxed) + 1;
            let name = match &self.recording {
                Some(_) => format!("{FOLDER}/{number:03}-{seconds}s.png"),
                None => format!("xiao-{}-{number:03}.png", jiff::Zoned::now().strftime("%Y-%m-%d_%H-%M-%S")),
            };
            if !self.folder().join(&name).exists() {
                return Some(name);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_count_and_nothing_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let pictures = Pictures::new(Some(folder.path()));
        assert_eq!(pictures.next(0), None);
        pictures.open(true);
        assert_eq!(pictures.next(2_500_000_000).as_deref(), Some("pictures/001-2s.png"));
        std::fs::create_dir(folder.path().join(FOLDER)).unwrap();
        std::fs::write(folder.path().join("pictures/002-3s.png"), "mine").unwrap();
        assert_eq!(pictures.clone().next(3_000_000_000).as_deref(), Some("pictures/003-3s.png"));
        let loose = Pictures::new(None);
        loose.open(true);
        let name = loose.next(0).unwrap();
        assert!(name.starts_with("xiao-") && name.ends_with("-001.png"), "{name}");
    }
}
