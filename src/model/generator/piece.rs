//! The piece that is being written, and the loop it may be held in. A plain value; the generator's thread owns it.

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
    pub trail: Trail,
    pub ended: bool,
}

impl Piece {
    pub fn new(stream: TextStream, mirostat: Mirostat) -> Piece {
        let (flaws, trail) = (Flaws::default(), Trail::default());
        Piece { stream, flaws, mirostat, index: 0, written: String::new(), trail, ended: false }
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
