//! The tokens, learnt from the texts.

/// A byte-level BPE vocabulary with xiao's four control tokens in front.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vocabulary {
    /// In the alphabet of byte-level BPE, by id: 0 `<|end|>`, 1 `<|zh|>`, 2 `<|en|>`, 3 `<|pad|>`, then all others.
    pub tokens: Vec<String>,
    /// `left right`, the most frequent first.
    pub merges: Vec<String>,
}
