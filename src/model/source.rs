//! Where a model's bytes come from: the file inside the program or one on disk, mapped and never copied.

use std::fmt;
use std::fs::File;
use std::io::{self, Cursor, Read, Seek};
use std::ops::{Deref, Range};
use std::path::PathBuf;
use std::sync::Arc;

use memmap2::Mmap;
use sha2::{Digest, Sha256};

use super::ModelError;

/// Weights are read in place, so the bytes inside the program begin where any number may.
#[repr(C, align(64))]
struct Aligned<T: ?Sized>(T);
static ALIGNED: &Aligned<[u8]> = &Aligned(*include_bytes!("../../assets/models/starter.gguf"));
static STARTER: &[u8] = &ALIGNED.0;

/// A model's bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The small model compiled into the program.
    Embedded,
    File(PathBuf),
}

/// Bytes that can be read from any place.
pub(super) trait Stream: Read + Seek + Send {}
impl<T: Read + Seek + Send> Stream for T {}

/// A run of a model's bytes. Cheap to clone; the file stays mapped as long as one of them lives. Begins at a multiple
/// of the alignment that the whole has (64 inside the program, a page for a file) plus its own offset.
#[derive(Clone)]
pub(super) struct Bytes {
    whole: Whole,
    range: Range<usize>,
}

#[derive(Clone)]
enum Whole {
    Static(&'static [u8]),
    Mapped(Arc<Mmap>),
    Owned(Arc<[u64]>),
}

impl Bytes {
    /// A part of these bytes; `None` where it would reach beyond them.
    pub fn slice(&self, range: Range<usize>) -> Option<Bytes> {
        let (start, end) = (self.range.start.checked_add(range.start)?, self.range.start.checked_add(range.end)?);
        (start <= end && end <= self.range.end).then(|| Bytes { whole: self.whole.clone(), range: start..end })
    }

    /// A copy that begins at a multiple of 8, for a file whose own alignment is too small to compute with.
    pub fn aligned_copy(&self) -> Bytes {
        let mut words = vec![0u64; self.len().div_ceil(8)];
        bytemuck::cast_slice_mut::<u64, u8>(&mut words)[..self.len()].copy_from_slice(self);
        Bytes { range: 0..self.len(), whole: Whole::Owned(words.into()) }
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bytes({:?})", self.range)
    }
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        let whole = match &self.whole {
            Whole::Static(bytes) => bytes,
            Whole::Mapped(map) => &map[..],
            Whole::Owned(words) => bytemuck::cast_slice(words),
        };
        &whole[self.range.clone()]
    }
}

impl Source {
    /// All the bytes, mapped into memory: the system reads what is touched and may drop it again.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(super) fn map(&self) -> Result<Bytes, ModelError> {
        let whole = match self {
            Source::Embedded => Whole::Static(STARTER),
            Source::File(path) => {
                let map = || -> io::Result<_> {
                    let file = File::open(path)?;
                    if file.metadata()?.is_dir() {
                        return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder"));
                    }
                    // SAFETY: the mapping is only read. A file that another program cuts while it plays would end this
                    // one, as a library that is overwritten would; the README says so.
                    unsafe { Mmap::map(&file) }
                };
                Whole::Mapped(Arc::new(map().map_err(|e| self.unreadable(e))?))
            }
        };
        let length = match &whole {
            Whole::Mapped(map) => map.len(),
            _ => STARTER.len(),
        };
        Ok(Bytes { whole, range: 0..length })
    }

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
    pub(super) fn open(&self) -> Result<(Box<dyn Stream>, u64), ModelError> {
        match self {
            Source::Embedded => Ok((Box::new(Cursor::new(STARTER)), STARTER.len() as u64)),
            Source::File(path) => {
                let open = || -> io::Result<_> {
                    let file = File::open(path)?;
                    let about = file.metadata()?;
                    if about.is_dir() {
                        return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder"));
                    }
                    Ok((Box::new(file) as Box<dyn Stream>, about.len()))
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
