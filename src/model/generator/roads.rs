//! Ways back and aside: taking back, the road not taken, out of a loop, and pieces that were kept.

use super::text::Text;
use super::trail::Kept;
use super::{Generator, Piece};

/// What was taken back: the text from token `to` of the piece on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rewound {
    pub to: u32,
    pub text: String,
}

/// Another road: what was taken back, and the two tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Branched {
    pub rewound: Rewound,
    pub instead_of: String,
    pub taken: String,
}

/// A piece that came back: its prompt, its text with the characters of it that the performer put there, and the index of
/// its next token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    pub prompt: String,
    pub text: String,
    pub given: Vec<(u32, u32)>,
    pub index: u32,
}

impl Generator {
    /// Takes back the last `n` tokens of the piece, or as many as can be: those of the last thousand that are still in
    /// the context. `None` where there is nothing to take back.
    pub fn rewind(&mut self, n: u32) -> Option<Rewound> {
        let n = self.piece.trail.len().min(n as usize);
        let n = self.text.take_back(n);
        if let Some(other) = &mut self.other {
            other.take_back(n);
        }
        let mark = self.piece.trail.take_back(n)?;
        let text = self.piece.take_back(mark.written);
        (self.piece.stream, self.piece.flaws) = (mark.stream, mark.flaws);
        self.sampler.restore(mark.mirostat);
        self.piece.index -= n as u32;
        (self.piece.ended, self.forced, self.held) = (false, None, None);
        Some(Rewound { to: self.piece.index, text })
    }

    /// Takes back the last token and draws the likeliest of the others in its place.
    pub fn branch(&mut self) -> Option<Branched> {
        self.branch_at(1)
    }

    /// The same where the piece last leapt.
    pub fn branch_at_leap(&mut self) -> Option<Branched> {
        let n = self.piece.trail.since_leap()?;
        self.branch_at(n)
    }

    pub(super) fn branch_at(&mut self, n: u32) -> Option<Branched> {
        let (id, other) = self.piece.trail.road(n)?;
        // A place that has left the context is no place to take another road at.
        if n as usize > self.text.reach() {
            return None;
        }
        let rewound = self.rewind(n)?;
        self.forced = Some(other);
        let piece = |id| self.model.tokenizer().shown(id);
        Some(Branched { rewound, instead_of: piece(id), taken: piece(other) })
    }

    /// Bars the tokens of the loop that the piece is in for twice its length. Returns that length, or `None` where there
    /// is no loop.
    pub fn escape(&mut self) -> Option<u32> {
        let period = self.held.take().or(self.piece.flaws.looping())?;
        let ids = self.text.ids();
        self.barred = (ids[ids.len().saturating_sub(period as usize)..].to_vec(), (2 * period).max(8));
        Some(period)
    }

    /// Keeps the piece as it is; false where there is no such slot.
    pub fn snapshot(&mut self, slot: u8) -> bool {
        let kept = self.keep();
        match self.kept.get_mut(slot as usize) {
            Some(place) => *place = Some(Box::new(kept)),
            None => return false,
        }
        true
    }

    pub(super) fn keep(&mut self) -> Kept {
        self.piece.mirostat = self.sampler.mirostat();
        Kept {
            prompt: self.prompt.clone(),
            turns: self.turns.clone(),
            text: self.text.keep(),
            other: self.other.as_ref().map(Text::keep),
            piece: self.piece.clone(),
        }
    }

    /// Takes over what another generator with the same weights has kept.
    pub fn inherit(&mut self, other: &mut Generator) {
        self.kept = std::mem::take(&mut other.kept);
    }

    /// Makes the piece what it was when kept; `None` where nothing was.
    pub fn restore(&mut self, slot: u8) -> Option<Restored> {
        let kept = self.kept.get(slot as usize)?.clone()?;
        Some(self.go_back(*kept))
    }

    pub(super) fn go_back(&mut self, kept: Kept) -> Restored {
        self.text.restore(&kept.text);
        match &kept.other {
            None => self.other = None,
            Some(other) => {
                let text = self.other.get_or_insert_with(|| Text::new(self.model.engine.fresh()));
                text.restore(other);
            }
        }
        (self.prompt, self.turns, self.piece) = (kept.prompt, kept.turns, kept.piece);
        self.sampler.restore(self.piece.mirostat);
        (self.forced, self.held, self.barred.1) = (None, None, 0);
        let Piece { index, written, .. } = &self.piece;
        Restored { prompt: self.prompt.clone(), text: written.clone(), given: self.piece.given(), index: *index }
    }
}
