//! The texts: read, cleaned, parted into what is learnt from and what is held out.
//!
//! Runs on the thread that calls it and holds everything in memory: about twice the texts' size. It only reads files,
//! and the same files give the same corpus on every machine.

mod clean;
mod decode;
mod encode;
mod files;
mod report;
mod runs;
mod script;
mod split;

pub use encode::encode;
pub use report::{CorpusReport, Counts, Overlap, SourceReport};
pub use script::Script;
pub(crate) use script::is_han;

use std::collections::HashSet;
use std::path::PathBuf;

use sha2::{Digest, Sha256};

use super::TrainError;

/// Texts together shorter than this teach nothing, bytes.
const LEAST_BYTES: usize = 2_000;
/// Characters, blanks not counted, of the shortest piece.
const LEAST_CHARACTERS: usize = 4;
/// Fewer pieces than this cannot be parted into two sets: they are cut finer.
const FEW_PIECES: usize = 8;

/// One poem, or whatever stood between two blank lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Its lines, joined by `\n`, without one at the end.
    pub text: String,
    pub script: Script,
    /// Which of the corpus' files it comes from.
    pub source: usize,
}

/// The texts of a training.
#[derive(Clone, Debug, Default)]
pub struct Corpus {
    /// In the order of the files.
    pub training: Vec<Piece>,
    /// Never learnt from. In the order of the files. Empty where every piece shares too much with the others.
    pub held_out: Vec<Piece>,
    pub report: CorpusReport,
}

impl Corpus {
    /// Reads texts: files of any name, and folders, of which every `.txt` file below them is taken in the order of
    /// their paths. `weights` says by a file's name how often its pieces are to be read beside 1 for the others.
    ///
    /// # Errors
    /// A file or folder cannot be read or holds no text, is not UTF-8 (or UTF-16 with a byte order mark); all texts
    /// together are shorter than 2,000 bytes; a weight names no file or is not above 0.
    pub fn read(texts: &[PathBuf], weights: &[(String, f32)]) -> Result<Corpus, TrainError> {
        let files = files::list(texts)?;
        let mut sources = files::sources(&files, weights)?;
        let (mut hash, mut pieces) = (Sha256::new(), Vec::new());
        for (source, file) in files.iter().enumerate() {
            let bytes = std::fs::read(file).map_err(|e| TrainError::reading(file, e))?;
            hash.update(&bytes);
            sources[source].bytes = bytes.len() as u64;
            let text = decode::text(bytes).map_err(|problem| TrainError::text(file, problem))?;
            let texts = clean::pieces(&text);
            pieces.extend(texts.into_iter().map(|text| Piece { script: Script::of(&text), text, source }));
        }
        let bytes: usize = pieces.iter().map(|piece| piece.text.len()).sum();
        if bytes < LEAST_BYTES {
            let has = if bytes == 0 { "no text".to_string() } else { format!("only {bytes} bytes of text") };
            let problem = format!("the texts hold {has}; a model needs at least {LEAST_BYTES} bytes, better 200,000");
            return Err(TrainError::Input(problem));
        }
        let dropped = drop_useless(&mut pieces);
        if pieces.len() < FEW_PIECES {
            let longest = pieces.iter().map(|piece| piece.text.chars().count()).sum::<usize>() / (2 * FEW_PIECES);
            let finer = |piece: Piece| {
                let parts = clean::part(&piece.text, longest.max(1));
                parts.into_iter().map(move |text| Piece { script: Script::of(&text), text, source: piece.source })
            };
            pieces = pieces.into_iter().flat_map(finer).collect();
        }
        pieces.iter().for_each(|piece| sources[piece.source].pieces += 1);
        let split::Split { training, held_out, overlap } = split::split(pieces);
        let report = CorpusReport {
            sources,
            sha256: hex(&hash.finalize()),
            training: Counts::of(&training),
            held_out: Counts::of(&held_out),
            dropped,
            shared_lines: overlap.iter().map(|(_, overlap)| overlap.shared_lines).sum(),
            overlap,
        };
        Ok(Corpus { training, held_out, report })
    }
}

/// Drops what is too short and what was there before; says how many of each.
fn drop_useless(pieces: &mut Vec<Piece>) -> Vec<(String, u64)> {
    let (mut short, mut double) = (0, 0);
    let mut seen = HashSet::with_capacity(pieces.len());
    pieces.retain(|piece| {
        if piece.text.chars().filter(|c| !c.is_whitespace()).take(LEAST_CHARACTERS).count() < LEAST_CHARACTERS {
            short += 1;
            return false;
        }
        let new = seen.insert(split::digest(&piece.text));
        double += u64::from(!new);
        new
    });
    let reasons =
        [(format!("shorter than {LEAST_CHARACTERS} characters"), short), ("exact double".to_string(), double)];
    reasons.into_iter().filter(|(_, count)| *count > 0).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
pub(super) mod tests;
