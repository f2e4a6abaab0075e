//! The piece that is being written, and the loop it may be held in. A plain value; the generator's thread owns it.

use std::ops::Range;

use super::super::TextStream;
use super::super::flaws::Flaws;
use super::super::sampler::Mirostat;
use super::text::Text;
use super::trail::Trail;
use crate::score::{ParamId, ParamValues};

/// What has been drawn since the prompt.
#[derive(Clone)]
pub(super) struct Piece {
    pub stream: TextStream,
    pub flaws: Flaws,
    pub mirostat: Mirostat,
    /// Tokens drawn.
    pub index: u32,
    pub written: String,
    /// Where in it the performer's own words stand.
    pub given: Vec<Range<usize>>,
    pub trail: Trail,
    pub ended: bool,
}

impl Piece {
    pub fn new(stream: TextStream, mirostat: Mirostat) -> Piece {
        let (flaws, trail, written) = (Flaws::default(), Trail::default(), String::new());
        Piece { stream, flaws, mirostat, index: 0, written, given: Vec::new(), trail, ended: false }
    }

    /// Takes back what was written from this byte on, and gives it.
    pub fn take_back(&mut self, from: usize) -> String {
        self.given.retain(|given| given.start < from);
        if let Some(last) = self.given.last_mut() {
            last.end = last.end.min(from);
        }
        self.written.split_off(from)
    }

    /// Where the performer's own words stand, in characters.
    pub fn given(&self) -> Vec<(u32, u32)> {
        let count = |to: usize| self.written.get(..to).map_or(0, |text| text.chars().count()) as u32;
        self.given.iter().map(|given| (count(given.start), count(given.end))).collect()
    }

    /// The token that a held loop brings next, and how long the loop is, as the parameters ask for it. A piece that is
    /// shorter than the loop that is asked for grows to its length first.
    pub fn repeated(held: &mut Option<u32>, piece: &Piece, text: &Text, params: &ParamValues) -> Option<u32> {
        if params.get(ParamId::Lock) < 0.5 || piece.index == 0 {
            *held = None;
            return None;
        }
        let wanted = held.or(piece.flaws.looping()).unwrap_or(params.get(ParamId::LockLength).max(1.0) as u32);
        if wanted > piece.index {
            return None;
        }
        let period = *held.insert(wanted);
        text.ids().len().checked_sub(period as usize).map(|at| text.ids()[at])
    }
}
