//! Where a model's bytes come from: the file inside the program or one on disk, mapped and never copied.

use std::fmt;
use std::fs::File;
use std::io;
use std::ops::{Deref, Range};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use memmap2::Mmap;
use sha2::{Digest, Sha256};

use super::{ModelError, gguf};

/// Weights are read in place, so the bytes inside the program begin where any number may.
#[repr(C, align(64))]
struct Aligned<T: ?Sized>(T);
static ALIGNED: &Aligned<[u8]> = &Aligned(*include_bytes!("../../assets/models/verse.gguf"));
static EMBEDDED: &[u8] = &ALIGNED.0;

/// A model's bytes.
#[derive(Clone, PartialEq, Eq)]
pub enum Source {
    /// The small model compiled into the program.
    Embedded,
    /// A file; of a model in several files the first.
    File(PathBuf),
    /// Bytes that are in memory already.
    Memory(Arc<[u8]>),
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}

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
    Shared(Arc<[u8]>),
    Owned(Arc<[u64]>),
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bytes {:?}", self.range)
    }
}

impl Bytes {
    /// A part of these bytes; `None` where it would reach beyond them.
    pub fn slice(&self, range: Range<usize>) -> Option<Bytes> {
        let (start, end) = (self.range.start.checked_add(range.start)?, self.range.start.checked_add(range.end)?);
        (start <= end && end <= self.range.end).then(|| Bytes { whole: self.whole.clone(), range: start..end })
    }

    /// A copy that begins at a multiple of 8, for a file whose own alignment is too small to compute with.
    pub fn aligned_copy(&self) -> Bytes {
        Bytes::copied(self)
    }

    /// A copy of any bytes, beginning at a multiple of 8.
    pub fn copied(bytes: &[u8]) -> Bytes {
        let mut words = vec![0u64; bytes.len().div_ceil(8)];
        bytemuck::cast_slice_mut::<u64, u8>(&mut words)[..bytes.len()].copy_from_slice(bytes);
        Bytes { range: 0..bytes.len(), whole: Whole::Owned(words.into()) }
    }
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        let whole = match &self.whole {
            Whole::Static(bytes) => bytes,
            Whole::Mapped(map) => &map[..],
            Whole::Shared(bytes) => bytes,
            Whole::Owned(words) => bytemuck::cast_slice(words),
        };
        &whole[self.range.clone()]
    }
}

impl Source {
    /// All the bytes, mapped into memory: the system reads what is touched and may drop it again. Of a model in several
    /// files those of the first.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(super) fn map(&self) -> Result<Bytes, ModelError> {
        let (whole, length) = match self {
            Source::Embedded => (Whole::Static(EMBEDDED), EMBEDDED.len()),
            Source::Memory(bytes) => (Whole::Shared(bytes.clone()), bytes.len()),
            Source::File(path) => {
                let map = map_file(path).map_err(|e| self.unreadable(e))?;
                let length = map.len();
                (Whole::Mapped(Arc::new(map)), length)
            }
        };
        Ok(Bytes { whole, range: 0..length })
    }

    /// A name for people: `embedded`, `memory` or the path as it was given.
    pub fn name(&self) -> String {
        match self {
            Source::Embedded => "embedded".to_string(),
            Source::File(path) => path.display().to_string(),
            Source::Memory(_) => "memory".to_string(),
        }
    }

    /// The size in bytes, of all parts together.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn bytes(&self) -> Result<u64, ModelError> {
        self.each_part().map(|bytes| Ok(bytes?.len() as u64)).sum()
    }

    /// The SHA-256 of the model in lower-case hex; of a model in several files that of all parts in their order.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn sha256(&self) -> Result<String, ModelError> {
        let mut hash = Sha256::new();
        for bytes in self.each_part() {
            hash.update(&*bytes?);
        }
        Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// The bytes of each file of the model, one after the other.
    fn each_part(&self) -> impl Iterator<Item = Result<Bytes, ModelError>> {
        let parts = match self {
            Source::File(path) => gguf::parts(path).into_iter().map(Source::File).collect(),
            _ => vec![self.clone()],
        };
        parts.into_iter().map(|part| part.map())
    }

    pub(super) fn unreadable(&self, source: io::Error) -> ModelError {
        ModelError::Unreadable { file: self.name(), source }
    }
}

fn map_file(path: &Path) -> io::Result<Mmap> {
    let about = std::fs::metadata(path)?;
    if about.is_dir() {
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder"));
    }
    // Opening a pipe would wait for its other end.
    if !about.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a file"));
    }
    let file = File::open(path)?;
    // SAFETY: the mapping is only read. A file that another program cuts while it plays would end this one, as a
    // library that is overwritten would; the README says so.
    unsafe { Mmap::map(&file) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_and_the_embedded_bytes_hash_alike() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("copy.gguf");
        std::fs::write(&path, EMBEDDED).unwrap();
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
