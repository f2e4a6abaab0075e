//! Where a model's bytes come from: the file inside the program or one on disk.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek};
use std::path::PathBuf;

use sha2::{Digest, Sha256};

use super::ModelError;

static STARTER: &[u8] = include_bytes!("../../assets/models/starter.gguf");

/// A model's bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The small model compiled into the program.
    Embedded,
    File(PathBuf),
}

/// Bytes that can be read from any place.
pub(super) trait Bytes: Read + Seek + Send {}
impl<T: Read + Seek + Send> Bytes for T {}

impl Source {
    /// A name for people: `embedded` or the path as it was given.
    pub fn name(&self) -> String {
        match self {
            Source::Embedded => "embedded".to_string(),
            Source::File(path) => path.display().to_string(),
        }
    }

    /// The size in bytes.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn bytes(&self) -> Result<u64, ModelError> {
        Ok(self.open()?.1)
    }

    /// The SHA-256 of the file in lower-case hex, read in pieces of 1 MiB.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn sha256(&self) -> Result<String, ModelError> {
        let (mut bytes, _) = self.open()?;
        let (mut hash, mut piece) = (Sha256::new(), vec![0u8; 1 << 20]);
        loop {
            match bytes.read(&mut piece).map_err(|e| self.unreadable(e))? {
                0 => break,
                n => hash.update(&piece[..n]),
            }
        }
        Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// Opens the bytes; returns them with their number.
    pub(super) fn open(&self) -> Result<(Box<dyn Bytes>, u64), ModelError> {
        match self {
            Source::Embedded => Ok((Box::new(Cursor::new(STARTER)), STARTER.len() as u64)),
            Source::File(path) => {
                let open = || -> io::Result<_> {
                    let file = File::open(path)?;
                    let about = file.metadata()?;
                    if about.is_dir() {
                        return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder"));
                    }
                    Ok((Box::new(file) as Box<dyn Bytes>, about.len()))
                };
                open().map_err(|e| self.unreadable(e))
            }
        }
    }

    pub(super) fn unreadable(&self, source: io::Error) -> ModelError {
        ModelError::Unreadable { file: self.name(), source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_and_the_embedded_bytes_hash_alike() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("copy.gguf");
        std::fs::write(&path, STARTER).unwrap();
        let hash = Source::Embedded.sha256().unwrap();
        assert_eq!(hash.len(), 64);
        assert_eq!(Source::File(path).sha256().unwrap(), hash);
    }

    #[test]
    fn a_missing_file_and_a_folder_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let missing = Source::File(folder.path().join("none.gguf")).bytes().unwrap_err().to_string();
        assert!(missing.contains("none.gguf: cannot be read"), "{missing}");
        let is_folder = Source::File(folder.path().into()).bytes().unwrap_err().to_string();
        assert!(is_folder.contains("folder"), "{is_folder}");
    }
}
