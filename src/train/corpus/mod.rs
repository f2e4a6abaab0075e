//! The texts: read, cleaned, parted into what is learnt from and what is held out.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Which of the two control tokens begins a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Script {
    #[serde(rename = "zh")]
    Chinese,
    #[serde(rename = "en")]
    English,
}

impl Script {
    pub const ALL: [Script; 2] = [Script::Chinese, Script::English];

    /// A text with a Han character is Chinese, any other English: the rule by which xiao tags a prompt.
    pub fn of(text: &str) -> Script {
        if text.chars().any(is_han) { Script::Chinese } else { Script::English }
    }

    /// The control token's text.
    pub fn tag(self) -> &'static str {
        match self {
            Script::Chinese => "<|zh|>",
            Script::English => "<|en|>",
        }
    }
}

impl fmt::Display for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Script::Chinese => "zh",
            Script::English => "en",
        })
    }
}

/// A Han character of the blocks that poems use.
pub(crate) fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{323af}')
}

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
    /// Never learnt from.
    pub held_out: Vec<Piece>,
    pub report: CorpusReport,
}

/// What became of the texts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CorpusReport {
    pub sources: Vec<SourceReport>,
    /// Of all texts as they were read, in their order, lower-case hex.
    pub sha256: String,
    pub training: Vec<(Script, Counts)>,
    pub held_out: Vec<(Script, Counts)>,
    /// Why pieces were left out, and how many.
    pub dropped: Vec<(String, u64)>,
    /// Lines that stand in pieces of both parts (refrains, formulas), after near-duplicates were kept on one side.
    pub shared_lines: u64,
}

/// One file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SourceReport {
    /// The file's name without its folder.
    pub name: String,
    pub bytes: u64,
    pub pieces: u64,
    /// How often its pieces are read, beside 1 for the others.
    pub weight: f32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    pub pieces: u64,
    pub characters: u64,
    pub bytes: u64,
}
