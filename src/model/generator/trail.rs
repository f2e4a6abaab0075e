//! The way a piece came: for each of its last tokens, the state before it was drawn and the roads that were open.

use std::collections::VecDeque;

use super::super::TextStream;
use super::super::chat::Turn;
use super::super::flaws::Flaws;
use super::super::sampler::Mirostat;
use super::{Piece, text};
use crate::score::{Flaw, FlawKind};

/// Tokens that can be taken back, at about half a kilobyte each.
const LONGEST: usize = 1024;

/// The last tokens of a piece.
#[derive(Clone, Default)]
pub(super) struct Trail(VecDeque<Mark>);

/// A token and what was before it.
#[derive(Clone)]
pub(super) struct Mark {
    id: u32,
    /// The likeliest tokens there.
    top: Vec<u32>,
    leap: bool,
    pub stream: TextStream,
    pub flaws: Flaws,
    pub mirostat: Mirostat,
    /// Bytes that had been written.
    pub written: usize,
}

/// A piece that was kept.
#[derive(Clone)]
pub(super) struct Kept {
    pub prompt: String,
    pub turns: Vec<Turn>,
    pub text: text::Kept,
    pub other: Option<text::Kept>,
    pub piece: Piece,
}

impl Mark {
    /// The state before token `id` is taken into the piece.
    pub fn before(piece: &Piece, id: u32, top: Vec<u32>) -> Mark {
        let (stream, flaws) = (piece.stream.clone(), piece.flaws.clone());
        Mark { id, top, leap: false, stream, flaws, mirostat: piece.mirostat, written: piece.written.len() }
    }

    /// Notes what was wrong with the token.
    pub fn saw(&mut self, flaws: &[Flaw]) {
        self.leap = flaws.iter().any(|flaw| flaw.kind == FlawKind::Leap);
    }
}

impl Trail {
    pub fn push(&mut self, mark: Mark) {
        if self.0.len() == LONGEST {
            self.0.pop_front();
        }
        self.0.push_back(mark);
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Forgets the last `n` tokens; the state before the first of them comes back.
    pub fn take_back(&mut self, n: usize) -> Option<Mark> {
        let at = self.0.len().checked_sub(n)?;
        self.0.drain(at..).next()
    }

    /// The token drawn `n` tokens ago, the last one being 1, and the likeliest other at its place.
    pub fn road(&self, n: u32) -> Option<(u32, u32)> {
        let mark = &self.0[self.0.len().checked_sub(n as usize)?];
        let other = mark.top.iter().find(|id| **id != mark.id)?;
        Some((mark.id, *other))
    }

    /// How many tokens ago the piece leapt, the last token being 1.
    pub fn since_leap(&self) -> Option<u32> {
        self.0.iter().rev().zip(1..).find(|(mark, _)| mark.leap).map(|(_, n)| n)
    }
}
