//! Scrap: what a run has begun and is not to leave behind: half a film, half a sound, the program that joins them.
//!
//! Cleared away when its owner drops it, and also where a second signal ends the program at once, which drops nothing.
//! Any thread.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};

type Clear = Box<dyn FnOnce() + Send>;

/// All there is, in the order in which it was begun.
static ALL: Mutex<Vec<(u64, Clear)>> = Mutex::new(Vec::new());
static COUNT: AtomicU64 = AtomicU64::new(0);

/// One thing that is not to be left behind. A file that has got its name meanwhile is out of reach.
pub struct Scrap(u64);

impl Scrap {
    pub fn new(clear: impl FnOnce() + Send + 'static) -> Scrap {
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        all().push((number, Box::new(clear)));
        Scrap(number)
    }

    /// A file that this run has made.
    pub fn file(path: &Path) -> Scrap {
        let path = path.to_path_buf();
        Scrap::new(move || drop(fs::remove_file(path)))
    }

    /// A folder that this run has made, with all that is in it.
    pub fn folder(path: &Path) -> Scrap {
        let path = path.to_path_buf();
        Scrap::new(move || drop(fs::remove_dir_all(path)))
    }
}

impl Drop for Scrap {
    fn drop(&mut self) {
        let mut all = all();
        let clear = all.iter().position(|(number, _)| *number == self.0).map(|at| all.remove(at).1);
        drop(all);
        if let Some(clear) = clear {
            clear();
        }
    }
}

/// Clears all of it away, the last first. The program ends then.
pub fn clear() {
    let taken = std::mem::take(&mut *all());
    taken.into_iter().rev().for_each(|(_, clear)| clear());
}

fn all() -> MutexGuard<'static, Vec<(u64, Clear)>> {
    ALL.lock().unwrap_or_else(|e| e.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_begun_goes_with_its_owner_and_what_has_its_name_stays() {
        let dir = tempfile::tempdir().unwrap();
        let (part, whole, folder) = (dir.path().join("a.part"), dir.path().join("a"), dir.path().join("stems"));
        fs::write(&part, "half").unwrap();
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("hum"), "half").unwrap();
        drop((Scrap::file(&part), Scrap::folder(&folder)));
        assert!(!part.exists() && !folder.exists());
        fs::write(&part, "whole").unwrap();
        let scrap = Scrap::file(&part);
        fs::rename(&part, &whole).unwrap();
        drop(scrap);
        assert!(whole.exists());
    }
}
