//! What foresight is counted in. Pure.

use std::f64::consts::LN_2;
use std::ops::AddAssign;

/// How well a text was foreseen.
///
/// Every token that a piece has is foreseen, the first and the end that closes it among them; the control tokens before
/// it are given. Characters are Unicode scalar values, bytes those of UTF-8: both with the newlines between the lines of
/// a piece, without that at its end and without the blank lines between pieces.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tally {
    pub pieces: u64,
    pub tokens: u64,
    pub characters: u64,
    pub bytes: u64,
    /// Of all tokens together: the sum of `-ln p`.
    pub nats: f64,
}

impl Tally {
    pub fn bits(&self) -> f64 {
        self.nats / LN_2
    }

    pub fn bits_per_character(&self) -> f64 {
        self.bits() / self.characters as f64
    }

    pub fn bits_per_byte(&self) -> f64 {
        self.bits() / self.bytes as f64
    }

    /// Among how many tokens the model was as undecided as among equals.
    pub fn perplexity(&self) -> f64 {
        (self.nats / self.tokens as f64).exp()
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Tally) {
        self.pieces += other.pieces;
        self.tokens += other.tokens;
        self.characters += other.characters;
        self.bytes += other.bytes;
        self.nats += other.nats;
    }
}
