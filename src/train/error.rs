//! What can go wrong while training, each with what to do about it.

use std::io;
use std::path::{Path, PathBuf};

use crate::model::ModelError;

/// An error of the training: what is wrong, where, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// A text cannot be used.
    #[error("{}: {problem}", file.display())]
    Text { file: PathBuf, problem: String },
    /// A file cannot be read or written.
    #[error("{}: {doing}: {source}", file.display())]
    File { file: PathBuf, doing: &'static str, source: io::Error },
    /// What was asked for makes no sense.
    #[error("{0}")]
    Input(String),
    #[error(transparent)]
    Model(#[from] ModelError),
}

impl TrainError {
    pub(crate) fn text(file: &Path, problem: impl Into<String>) -> TrainError {
        TrainError::Text { file: file.into(), problem: problem.into() }
    }

    pub(crate) fn reading(file: &Path, source: io::Error) -> TrainError {
        TrainError::File { file: file.into(), doing: "cannot be read", source }
    }

    pub(crate) fn writing(file: &Path, source: io::Error) -> TrainError {
        TrainError::File { file: file.into(), doing: "cannot be written", source }
    }

    /// Whether room on the disk is all that is missing.
    pub(crate) fn is_full(&self) -> bool {
        use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
        matches!(self, TrainError::File { source, .. }
            if matches!(source.kind(), StorageFull | QuotaExceeded | FileTooLarge))
    }
}
