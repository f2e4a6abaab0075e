//! What became of the texts: kept with the model, so that its card can tell where it comes from.

use serde::{Deserialize, Serialize};

use super::{Piece, Script};

/// What became of the texts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CorpusReport {
    pub sources: Vec<SourceReport>,
    /// Of all texts as they were read, in their order, lower-case hex.
    pub sha256: String,
    /// Only scripts that there are.
    pub training: Vec<(Script, Counts)>,
    pub held_out: Vec<(Script, Counts)>,
    /// Why pieces were left out, and how many.
    pub dropped: Vec<(String, u64)>,
    /// Lines of the held-out part that also stand in the training part (refrains, formulas, allusions).
    pub shared_lines: u64,
    /// What the parts have in common, for each script.
    pub overlap: Vec<(Script, Overlap)>,
}

/// One file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SourceReport {
    /// The file's name without its folder.
    pub name: String,
    pub bytes: u64,
    /// That were kept.
    pub pieces: u64,
    /// How often its pieces are read, beside 1 for the others.
    pub weight: f32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    pub pieces: u64,
    /// Line ends and blanks among them.
    pub characters: u64,
    pub bytes: u64,
}

impl Counts {
    /// Of each script that there is.
    pub(super) fn of(pieces: &[Piece]) -> Vec<(Script, Counts)> {
        let each = Script::ALL.map(|script| {
            let mut counts = Counts::default();
            for piece in pieces.iter().filter(|piece| piece.script == script) {
                counts.pieces += 1;
                counts.characters += piece.text.chars().count() as u64;
                counts.bytes += piece.text.len() as u64;
            }
            (script, counts)
        });
        each.into_iter().filter(|(_, counts)| counts.pieces > 0).collect()
    }
}

/// What the held-out part has in common with the training part: runs of eight Han characters or words without
/// punctuation, and whole lines of at least four.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overlap {
    /// Pieces that their hash had held out and that share too much with the training part: they were put there.
    pub moved: u64,
    /// Runs of eight in the held-out part, and those of them that the training part has too.
    pub runs: u64,
    pub shared_runs: u64,
    /// The same before pieces were moved.
    pub runs_before: u64,
    pub shared_runs_before: u64,
    pub lines: u64,
    pub shared_lines: u64,
}
