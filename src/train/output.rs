//! The place of the model's file: whether it may be written there, and for whom it is taken meanwhile.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use super::plan::Plan;
use super::{Record, TrainError, export};
use crate::model::{Floats, Source};

/// Whether the plan's output may be written, before any work is done.
///
/// # Errors
/// It is not named as a model, is a folder, one of the texts or the base, or a file that is there already. With
/// `force` a model may be written over, and nothing else.
pub fn check(plan: &Plan, finished: Option<&Record>) -> Result<(), TrainError> {
    let output = &plan.output;
    let says = |problem: &str| Err(TrainError::text(output, problem));
    if !output.extension().is_some_and(|end| end.eq_ignore_ascii_case("gguf")) {
        return says("a model's file ends in .gguf; name it so with -o");
    }
    if output.is_dir() {
        return says("it is a folder; name a file with -o");
    }
    let place = output.canonicalize().ok();
    let is = |other: &Path| place.is_some() && other.canonicalize().ok() == place;
    if plan.texts.iter().any(|text| is(text)) || matches!(&plan.base, Some(Source::File(base)) if is(base)) {
        return says("it is what the model is to be made from; name another file with -o");
    }
    if !output.exists() {
        return Ok(());
    }
    let record = Floats::open(&Source::File(output.clone()))
        .map(|file| file.text(export::RECORD).and_then(|json| serde_json::from_str::<Record>(json).ok()));
    match (record, finished) {
        // Interrupted between the last two acts: the model is this training's own.
        (Ok(Some(there)), Some(mine)) if there.tokens == mine.tokens && there.corpus == mine.corpus => Ok(()),
        (Ok(_), _) if plan.force => Ok(()),
        (Ok(_), _) => says("there is a model of this name already; give another, or --force to write over it"),
        (Err(_), _) => says("there is a file of this name already, and it is no model; name another with -o"),
    }
}

/// The output is taken as long as this lives.
pub struct Taken {
    path: PathBuf,
    _file: File,
}

impl Taken {
    /// Takes it for this process.
    ///
    /// # Errors
    /// Another training writes there, or the folder cannot be written.
    pub fn take(output: &Path) -> Result<Taken, TrainError> {
        let folder = output.parent().filter(|folder| !folder.as_os_str().is_empty());
        if folder.is_some_and(|folder| !folder.is_dir()) {
            return Err(TrainError::text(output, "there is no such folder; make it first, or name another with -o"));
        }
        let mut path = output.as_os_str().to_owned();
        path.push(".lock");
        let path = PathBuf::from(path);
        let file = File::create(&path).map_err(|e| TrainError::writing(output, e))?;
        match file.try_lock() {
            Ok(()) => Ok(Taken { path, _file: file }),
            Err(TryLockError::WouldBlock) => {
                Err(TrainError::text(output, "another training writes there; wait for it, or give another -o"))
            }
            // A file system that cannot lock is no reason not to train.
            Err(TryLockError::Error(_)) => Ok(Taken { path, _file: file }),
        }
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}
