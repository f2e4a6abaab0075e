//! Joins neighbouring pieces of a word, the best pair first, until no two of them make a token.
//!
//! One loop serves both families, as llama.cpp's two do: they differ in which pair is the best. It is written here
//! since the `tokenizers` crate takes its merges as pairs of strings. On a busy machine a vocabulary of 128,000 tokens
//! with 280,000 merges took 0.27 s to build with the crate and 0.16 s with the tables here, which hold 16 MB; one of
//! SentencePiece, whose every cut the crate wants as a merge, 73 ms against 2 ms.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use super::{Vocabulary, bytes};

/// A piece that is no token.
pub(super) const NONE: u32 = u32::MAX;

/// A piece of the word that is being merged: a token (or [`NONE`]) and its bytes in the word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub id: u32,
    pub start: u32,
    pub end: u32,
}

/// A pair that could be joined. The smallest rank goes first, and of equal ranks the leftmost pair.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Pair {
    rank: u32,
    left: u32,
    right: u32,
    id: u32,
    end: u32,
}

/// Merges the pieces of a word. `join` gives the rank of two neighbours and the token they make.
pub(super) fn merge(pieces: &mut Vec<Piece>, join: impl Fn(Piece, Piece) -> Option<(u32, u32)>) {
    let count = pieces.len();
    if count < 2 {
        return;
    }
    let mut next: Vec<u32> = (1..=count as u32).collect();
    let mut previous: Vec<u32> = (0..count as u32).map(|i| i.wrapping_sub(1)).collect();
    let mut alive = vec![true; count];
    let mut pairs = BinaryHeap::new();
    let pair = |pieces: &[Piece], left: u32, right: u32| {
        let (a, b) = (pieces[left as usize], pieces[right as usize]);
        join(a, b).map(|(rank, id)| Reverse(Pair { rank, left, right, id, end: b.end }))
    };
    pairs.extend((1..count as u32).filter_map(|right| pair(pieces, right - 1, right)));
    while let Some(Reverse(Pair { left, right, id, end, .. })) = pairs.pop() {
        let (l, r) = (left as usize, right as usize);
        // A pair is out of date when one of the two is gone or has grown.
        if !alive[l] || !alive[r] || next[l] != right || pieces[r].end != end {
            continue;
        }
        pieces[l].end = end;
        pieces[l].id = id;
        alive[r] = false;
        next[l] = next[r];
        if (next[l] as usize) < count {
            previous[next[l] as usize] = left;
            pairs.extend(pair(pieces, left, next[l]));
        }
        if previous[l] != u32::MAX {
            pairs.extend(pair(pieces, previous[l], left));
        }
    }
    let mut i = 0;
    pieces.retain(|_| {
        i += 1;
        alive[i - 1]
    });
}

/// The merges of a byte-level vocabulary: two pieces, the line they stand in and the piece they make. 280,000 of them
/// take 9 MB.
pub(super) struct Merges(HashMap<(u32, u32), (u32, u32)>);

/// Texts of merges that are no tokens are remembered up to so many bytes. Files have hardly any.
const MOST_OTHER_BYTES: usize = 8 << 20;

/// The numbers of pieces: tokens, and behind them what only the list of merges knows.
struct Pieces<'a> {
    vocabulary: &'a Vocabulary,
    others: HashMap<String, u32>,
    other_bytes: usize,
}

impl Pieces<'_> {
    fn id(&mut self, text: &str) -> Option<u32> {
        if let Some(id) = self.vocabulary.find_word(text).or_else(|| self.others.get(text).copied()) {
            return Some(id);
        }
        self.other_bytes += text.len() + 64;
        let id = (self.vocabulary.len() + self.others.len()) as u32;
        (self.other_bytes < MOST_OTHER_BYTES).then(|| {
            self.others.insert(text.to_string(), id);
            id
        })
    }
}

impl Merges {
    /// Reads the lines of a file; of two equal ones the first counts. Gives the piece of each byte as well. A piece can
    /// be none of the vocabulary's tokens: such a word comes apart again in the end.
    pub fn new(lines: impl Iterator<Item: AsRef<str>>, vocabulary: &Vocabulary) -> (Merges, Box<[u32; 256]>) {
        let mut merges = HashMap::new();
        let mut pieces = Pieces { vocabulary, others: HashMap::new(), other_bytes: 0 };
        let mut joined = String::new();
        for (rank, line) in lines.enumerate() {
            let line = line.as_ref();
            // A piece may itself begin with a space in old files: the blank that parts the two is never the first byte.
            let Some(at) = line.bytes().skip(1).position(|byte| byte == b' ') else { continue };
            let (Some(a), Some(b)) = (line.get(..at + 1), line.get(at + 2..)) else { continue };
            joined.clear();
            joined.extend([a, b]);
            if let (Some(a), Some(b), Some(whole)) = (pieces.id(a), pieces.id(b), pieces.id(&joined)) {
                merges.entry((a, b)).or_insert((rank as u32, whole));
            }
        }
        merges.shrink_to_fit();
        let bytes = bytes::char_of_byte().map(|c| pieces.id(c.encode_utf8(&mut [0; 4])).unwrap_or(NONE));
        (Merges(merges), Box::new(bytes))
    }

    pub fn join(&self, a: Piece, b: Piece) -> Option<(u32, u32)> {
        self.0.get(&(a.id, b.id)).copied()
    }
}

/// Scores as ranks: the best score is the smallest rank, and what is no number is the worst.
pub(super) fn rank_of_score(score: f32) -> u32 {
    if score.is_nan() {
        return u32::MAX;
    }
    // -0 and 0 are the same score. The bits of a float grow with it once those of the negative ones are turned round.
    let bits = (score + 0.0).to_bits();
    !(if bits >> 31 == 1 { !bits } else { bits | 1 << 31 })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letters(text: &str) -> Vec<Piece> {
        text.bytes()
            .enumerate()
            .map(|(i, byte)| Piece { id: byte.into(), start: i as u32, end: i as u32 + 1 })
            .collect()
    }

    #[test]
    fn the_best_pair_goes_first_and_of_equals_the_leftmost() {
        let join = |a: Piece, b: Piece| match (a.id as u8, b.id as u8) {
            (b'b', b'c') => Some((0, 1)),
            (b'a', b'b') => Some((1, 2)),
            (b'a', 1) => Some((2, 3)),
            (b'x', b'x') => Some((5, 4)),
            _ => None,
        };
        let ids = |text| {
            let mut pieces = letters(text);
            merge(&mut pieces, join);
            pieces.iter().map(|p| p.id).collect::<Vec<_>>()
        };
        assert_eq!(ids("abc"), [3]);
        assert_eq!(ids("ab"), [2]);
        assert_eq!(ids("xxx"), [4, u32::from(b'x')]);
        assert!(ids("").is_empty());
    }

    #[test]
    fn a_long_word_takes_no_longer_than_its_length() {
        let mut pieces = letters(&"a".repeat(200_000));
        merge(&mut pieces, |a, b| (a.id == b.id && a.id < 110).then_some((a.id, a.id + 1)));
        assert!(pieces.len() < 200);
        assert_eq!(pieces.iter().map(|p| p.end - p.start).sum::<u32>(), 200_000);
    }

    #[test]
    fn scores_rank_from_the_best_down() {
        let scores = [f32::INFINITY, 3.5, 0.0, -0.5, -1e9, f32::NEG_INFINITY, f32::NAN];
        assert!(scores.windows(2).all(|w| rank_of_score(w[0]) < rank_of_score(w[1])));
        assert_eq!(rank_of_score(-0.0), rank_of_score(0.0));
    }
}
