//! Watches one text file (a patch, a shader) for changes, by asking its date and length.
//!
//! The hands thread polls a few times a second. Asking costs microseconds and works on every file system, where
//! notification does not.

use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Polls in a row for which a file may be away before it counts as gone: editors that write a new file and rename it
/// leave a gap.
const PATIENCE: u32 = 4;

/// A file and the text of it that is in use.
#[derive(Debug)]
pub struct Watch {
    path: PathBuf,
    text: String,
    /// The file's state when its text was last read.
    read_at: Option<State>,
    /// What the last poll saw, to tell a file that is still being written.
    seen: Option<State>,
    away: u32,
}

type State = (Option<SystemTime>, u64);

impl Watch {
    /// Watches `path`, whose text in use is `text`.
    pub fn new(path: &Path, text: &str) -> Watch {
        Watch { path: path.to_path_buf(), text: text.to_string(), read_at: None, seen: None, away: 0 }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The new text, once after each change, as soon as the file has stood still for one poll.
    ///
    /// A file that is empty is taken to be half written and waited for. A file that cannot be read, or is gone for
    /// several polls, is one error, and the watch goes on.
    pub fn changed(&mut self) -> Option<io::Result<String>> {
        let state = match std::fs::metadata(&self.path) {
            Ok(data) => (data.modified().ok(), data.len()),
            Err(error) => {
                (self.seen, self.read_at) = (None, None);
                self.away += 1;
                return (self.away == PATIENCE).then_some(Err(error));
            }
        };
        self.away = 0;
        let still = self.seen.replace(state) == Some(state);
        if !still || self.read_at == Some(state) || state.1 == 0 {
            return None;
        }
        self.read_at = Some(state);
        match std::fs::read_to_string(&self.path) {
            Ok(text) if text == self.text => None,
            Ok(text) => {
                self.text.clone_from(&text);
                Some(Ok(text))
            }
            Err(error) => Some(Err(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn polls(watch: &mut Watch, n: usize) -> Vec<Result<String, io::ErrorKind>> {
        (0..n).filter_map(|_| watch.changed()).map(|r| r.map_err(|e| e.kind())).collect()
    }

    #[test]
    fn each_change_is_told_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p.toml");
        std::fs::write(&path, "one").unwrap();
        let mut watch = Watch::new(&path, "one");
        assert_eq!(polls(&mut watch, 5), []);
        std::fs::write(&path, "two words").unwrap();
        assert_eq!(polls(&mut watch, 5), [Ok("two words".to_string())]);
        // Replaced by a rename, as most editors do.
        std::fs::write(folder.path().join("new"), "three").unwrap();
        std::fs::rename(folder.path().join("new"), &path).unwrap();
        assert_eq!(polls(&mut watch, 5), [Ok("three".to_string())]);
    }

    #[test]
    fn a_file_in_the_making_is_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p.toml");
        std::fs::write(&path, "one").unwrap();
        let mut watch = Watch::new(&path, "one");
        polls(&mut watch, 2);
        std::fs::write(&path, "").unwrap();
        assert_eq!(polls(&mut watch, 10), []);
        for part in ["half", "half and", "half and half"] {
            std::fs::write(&path, part).unwrap();
            assert!(watch.changed().is_none());
        }
        assert_eq!(polls(&mut watch, 3), [Ok("half and half".to_string())]);
    }

    #[test]
    fn a_file_that_goes_is_told_once_and_may_come_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p.toml");
        std::fs::write(&path, "one").unwrap();
        let mut watch = Watch::new(&path, "one");
        polls(&mut watch, 2);
        std::fs::remove_file(&path).unwrap();
        assert_eq!(polls(&mut watch, 3), []);
        assert_eq!(polls(&mut watch, 20), [Err(io::ErrorKind::NotFound)]);
        std::fs::write(&path, "back").unwrap();
        assert_eq!(polls(&mut watch, 3), [Ok("back".to_string())]);
    }
}
