//! What a training leaves behind so that it can go on after anything: one file beside the model, replaced as a whole.
//!
//! Layout: a line of magic, the length of a JSON head (u64, little endian), the head, then runs of f32: the weights, the
//! optimizer's two, and those that the head says follow; last the SHA-256 of all that stands before it.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::batches::Position;
use super::weights::Places;
use super::{Record, TrainError, Vocabulary};

const MAGIC: &[u8; 16] = b"xiao checkpoint2";

/// The state of a training between two steps.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    pub head: Head,
    pub weights: Vec<f32>,
    pub first: Vec<f32>,
    pub second: Vec<f32>,
    pub average: Option<Vec<f32>>,
    pub best: Option<Vec<f32>>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Head {
    pub record: Record,
    pub vocabulary: Vocabulary,
    /// Tokens that were asked for; the vocabulary may have come out smaller.
    #[serde(default)]
    pub vocabulary_asked: Option<usize>,
    pub place: Position,
    pub steps: u64,
    /// Steps that the averaged weights are the mean of.
    #[serde(default)]
    pub averaged: u64,
    /// The held-out loss of the best weights so far.
    pub best: Option<f64>,
    /// Whether these runs follow.
    pub has_average: bool,
    pub has_best: bool,
}

impl Checkpoint {
    /// Where the checkpoint of a model lies: beside it.
    pub fn path(model: &Path) -> PathBuf {
        let mut name = model.as_os_str().to_owned();
        name.push(".checkpoint");
        name.into()
    }

    /// Reads one; `None` where there is none.
    ///
    /// # Errors
    /// The file cannot be read, or is no checkpoint of this version.
    pub fn load(path: &Path) -> Result<Option<Checkpoint>, TrainError> {
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(TrainError::reading(path, e)),
        };
        let damaged = |what: &str| {
            TrainError::text(path, format!("it is no whole checkpoint ({what}); move it away to begin again"))
        };
        if !bytes.starts_with(MAGIC) {
            return Err(damaged("it begins otherwise"));
        }
        let Some((whole, hash)) = bytes.split_last_chunk::<32>() else { return Err(damaged("cut short")) };
        if Sha256::digest(whole).as_slice() != hash {
            return Err(damaged("its hash is another"));
        }
        let mut rest = &whole[MAGIC.len()..];
        let cut = || damaged("cut short");
        let (length, after) = rest.split_first_chunk::<8>().ok_or_else(cut)?;
        rest = after;
        let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|_| cut())?;
        let head: Head =
            serde_json::from_slice(rest.get(..length).ok_or_else(cut)?).map_err(|e| damaged(&e.to_string()))?;
        rest = &rest[length..];
        head.record.shape.check()?;
        let n = Places::new(head.record.shape).len;
        let runs = 3 + usize::from(head.has_average) + usize::from(head.has_best);
        if rest.len() != n * 4 * runs || head.vocabulary.tokens.len() != head.record.shape.vocabulary {
            return Err(damaged("its parts do not fit together"));
        }
        let mut runs = rest
            .chunks_exact(4 * n)
            .map(|run| run.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect::<Vec<f32>>());
        let mut run = || runs.next().ok_or_else(cut);
        let (weights, first, second) = (run()?, run()?, run()?);
        let average = head.has_average.then(&mut run).transpose()?;
        let best = head.has_best.then(&mut run).transpose()?;
        Ok(Some(Checkpoint { head, weights, first, second, average, best }))
    }
}

/// Writes a checkpoint in the place of the one before, which stays whole until this one is. `runs` are the weights, the
/// optimizer's two, and those that the head says follow.
///
/// # Errors
/// The disk is full, or the folder cannot be written.
pub fn save(path: &Path, head: &Head, runs: &[&[f32]]) -> Result<(), TrainError> {
    write_whole(path, |out| {
        let mut hashed = Hashed { out, hash: Sha256::new() };
        hashed.write_all(MAGIC)?;
        let head = serde_json::to_vec(head).map_err(io::Error::other)?;
        hashed.write_all(&(head.len() as u64).to_le_bytes())?;
        hashed.write_all(&head)?;
        for run in runs {
            write_run(&mut hashed, run)?;
        }
        let hash = hashed.hash.finalize();
        hashed.out.write_all(&hash)
    })
}

/// Hashes what is written through it.
struct Hashed<'a> {
    out: &'a mut dyn Write,
    hash: Sha256,
}

impl Write for Hashed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.out.write(bytes)?;
        self.hash.update(&bytes[..n]);
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Writes a file beside its place first and moves it there when it is whole and on the disk.
///
/// # Errors
/// What the system says, with the file's name.
pub fn write_whole(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), TrainError> {
    // One name for all: who writes here has taken the place, and what a crash left is written over.
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    let done = (|| {
        let mut out = BufWriter::with_capacity(1 << 20, File::create(&part)?);
        write(&mut out)?;
        let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        std::fs::rename(&part, path)
    })();
    done.map_err(|e| {
        // What is left of it would only take the room that is missing.
        let _ = std::fs::remove_file(&part);
        TrainError::writing(path, e)
    })
}

fn write_run(out: &mut dyn Write, run: &[f32]) -> io::Result<()> {
    let mut bytes = Vec::with_capacity(4 << 14);
    for part in run.chunks(1 << 14) {
        bytes.clear();
        part.iter().for_each(|x| bytes.extend(x.to_le_bytes()));
        out.write_all(&bytes)?;
    }
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::train::{CorpusReport, Recipe, Shape};

    pub(crate) fn record(shape: Shape) -> Record {
        Record {
            name: "wind".to_string(),
            licence: "CC0-1.0".to_string(),
            author: None,
            base: None,
            base_licence: None,
            shape,
            parameters: shape.parameters() as u64,
            recipe: Recipe::default(),
            corpus: CorpusReport::default(),
            corpus_tokens: 10,
            tokens: 20,
            seconds: 1.5,
            threads: 2,
            curve: Vec::new(),
            untrained: Some(5.0),
            held_out: Vec::new(),
            taken: String::new(),
            kind: String::new(),
        }
    }

    fn checkpoint() -> Checkpoint {
        let shape = Shape { vocabulary: 260, width: 32, layers: 1, heads: 2, kv_heads: 1, ffn: 32, context: 16 };
        let run = |seed| Places::new(shape).start(seed);
        let head = Head {
            record: record(shape),
            vocabulary: Vocabulary { tokens: vec!["a".to_string(); 260], merges: vec!["b c".to_string()] },
            vocabulary_asked: Some(300),
            place: Position { epoch: 3, part: 7 },
            steps: 9,
            averaged: 0,
            best: Some(4.5),
            has_average: false,
            has_best: true,
        };
        Checkpoint { head, weights: run(1), first: run(2), second: run(3), average: None, best: Some(run(4)) }
    }

    fn put(checkpoint: &Checkpoint, path: &Path) {
        let Checkpoint { head, weights, first, second, average, best } = checkpoint;
        let runs: Vec<&[f32]> =
            [weights, first, second].into_iter().chain(average).chain(best).map(Vec::as_slice).collect();
        save(path, head, &runs).unwrap();
    }

    #[test]
    fn a_checkpoint_comes_back_bit_for_bit() {
        let folder = tempfile::tempdir().unwrap();
        let path = Checkpoint::path(&folder.path().join("wind.gguf"));
        assert!(path.ends_with("wind.gguf.checkpoint"));
        assert_eq!(Checkpoint::load(&path).unwrap(), None);
        let saved = checkpoint();
        put(&saved, &path);
        put(&saved, &path);
        assert_eq!(Checkpoint::load(&path).unwrap(), Some(saved));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn a_damaged_checkpoint_is_told_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("wind.gguf.checkpoint");
        put(&checkpoint(), &path);
        let whole = std::fs::read(&path).unwrap();
        let mut flipped = whole.clone();
        flipped[5000] ^= 1;
        let longer = [&whole[..], b"more"].concat();
        for bytes in [
            &whole[..10],
            &whole[..100],
            &whole[..whole.len() - 1],
            &flipped,
            &longer,
            "春江潮水连海平海上明月共潮生".as_bytes(),
        ] {
            std::fs::write(&path, bytes).unwrap();
            let error = Checkpoint::load(&path).unwrap_err().to_string();
            assert!(error.contains("no whole checkpoint") && error.contains("wind.gguf.checkpoint"), "{error}");
            assert_eq!(std::fs::read(&path).unwrap(), bytes);
        }
    }

    #[test]
    fn a_failed_write_leaves_the_old_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("wind");
        std::fs::write(&path, "old").unwrap();
        let error = write_whole(&path, |_| Err(io::ErrorKind::StorageFull.into())).unwrap_err().to_string();
        assert!(error.contains("wind: cannot be written: no storage space"), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
