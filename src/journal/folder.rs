//! A performance's folder: found a place for, made, and never one that holds something.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use jiff::Zoned;

use super::{JournalError, PATCH};

/// Where performances go when no folder is named, under the working folder.
const HOME: &str = "performances";

/// A folder that holds this performance and no other.
#[derive(Clone, Debug)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// Makes the folder: `dir` where one is named, else `performances/2026-11-23_21-30-05` by the clock on the wall,
    /// with `-2`, `-3`… where another began in the same second.
    ///
    /// Fails where `dir` holds anything, or where the folder cannot be made.
    pub fn create(dir: Option<&Path>, now: &Zoned) -> Result<Folder, JournalError> {
        match dir {
            Some(dir) => Folder::named(dir),
            None => Folder::dated(Path::new(HOME), now),
        }
    }

    fn named(dir: &Path) -> Result<Folder, JournalError> {
        let cannot = |source| JournalError::CannotWrite { path: dir.to_path_buf(), source };
        fs::create_dir_all(dir).map_err(cannot)?;
        if fs::read_dir(dir).map_err(cannot)?.next().is_some() {
            return Err(JournalError::Taken { path: dir.to_path_buf() });
        }
        Ok(Folder { path: dir.to_path_buf() })
    }

    fn dated(home: &Path, now: &Zoned) -> Result<Folder, JournalError> {
        let name = now.strftime("%Y-%m-%d_%H-%M-%S").to_string();
        fs::create_dir_all(home).map_err(|source| JournalError::CannotWrite { path: home.to_path_buf(), source })?;
        let mut path = home.join(&name);
        for n in 2.. {
            // `create_dir` fails where the folder exists, so of two that begin at once only one gets it.
            match fs::create_dir(&path) {
                Ok(()) => break,
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => path = home.join(format!("{name}-{n}")),
                Err(source) => return Err(JournalError::CannotWrite { path, source }),
            }
        }
        Ok(Folder { path })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Keeps the patch the performance begins with; later versions of it are events in the journal.
    pub fn write_patch(&self, text: &str) -> Result<(), JournalError> {
        let mut file = self.new_file(PATCH)?;
        let path = self.path.join(PATCH);
        file.write_all(text.as_bytes()).map_err(|source| JournalError::CannotWrite { path, source })
    }

    /// A file of this folder that did not exist before.
    pub(super) fn new_file(&self, name: &str) -> Result<File, JournalError> {
        let path = self.path.join(name);
        File::create_new(&path).map_err(|source| JournalError::CannotWrite { path, source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_of_one_second_get_two_folders() {
        let home = tempfile::tempdir().unwrap();
        let now: Zoned = "2026-11-23T21:30:05+01:00[Europe/Berlin]".parse().unwrap();
        let names: Vec<_> = (0..3).map(|_| Folder::dated(&home.path().join("new"), &now).unwrap().path).collect();
        let names: Vec<_> = names.iter().map(|p| p.file_name().unwrap().to_str().unwrap()).collect();
        assert_eq!(names, ["2026-11-23_21-30-05", "2026-11-23_21-30-05-2", "2026-11-23_21-30-05-3"]);
    }

    #[test]
    fn a_folder_that_holds_something_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let now = Zoned::now();
        let dir = home.path().join("a/b");
        let folder = Folder::create(Some(&dir), &now).unwrap();
        folder.write_patch("one").unwrap();
        assert!(matches!(folder.write_patch("two"), Err(JournalError::CannotWrite { .. })));
        assert_eq!(fs::read_to_string(dir.join(PATCH)).unwrap(), "one");
        let error = Folder::create(Some(&dir), &now).unwrap_err().to_string();
        assert!(error.ends_with("is not empty, and nothing is ever overwritten; name a new folder with --record"));
        let error = Folder::create(Some(&dir.join(PATCH)), &now).unwrap_err();
        assert!(matches!(error, JournalError::CannotWrite { .. }), "{error}");
        let error = Folder::dated(&dir.join(PATCH), &now).unwrap_err().to_string();
        assert!(error.contains("cannot be written") && error.ends_with("--no-record"), "{error}");
    }
}
