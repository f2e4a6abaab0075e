//! One text: its tokens, what the model remembers of them, and what may come next.
//!
//! The tokens run ahead of the memory; reading catches up in chunks. A new beginning keeps what it shares with the
//! text before it, so that a prompt which only grew is not read again from its start. Owned by the generator.

use std::time::{Duration, Instant};

use super::super::engine::{Engine, Memory};
use super::super::{Distribution, ModelError};

/// A prompt in the form in which it is read.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Opening {
    /// Never empty.
    pub ids: Vec<u32>,
    /// Tokens at the head that a full context never forgets.
    pub head: usize,
    /// Where the turns of a conversation begin; empty for plain text.
    pub turns: Vec<usize>,
}

/// Tokens that leave the context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cut {
    pub kept: usize,
    pub ids: Vec<u32>,
}

/// See the module.
pub(super) struct Text {
    engine: Engine,
    opening: Opening,
    /// Every token of the context; those from the memory's length on are still to be read.
    ids: Vec<u32>,
    kept: usize,
    turns: Vec<usize>,
    /// So many tokens at the front are remembered as they would be if nothing had ever been forgotten.
    pure: usize,
    next: Option<Distribution>,
    /// The time it took to compute what may come next.
    compute: Duration,
}

/// A text as it was, to come back to. Shares its memory with the text it was taken of.
#[derive(Clone)]
pub(super) struct Kept {
    memory: Memory,
    opening: Opening,
    ids: Vec<u32>,
    kept: usize,
    turns: Vec<usize>,
    pure: usize,
}

impl Text {
    pub fn new(engine: Engine) -> Text {
        Text {
            engine,
            opening: Opening::default(),
            ids: Vec::new(),
            kept: 0,
            turns: Vec::new(),
            pure: usize::MAX,
            next: None,
            compute: Duration::ZERO,
        }
    }

    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    pub fn engine_mut(&mut self) -> &mut Engine {
        &mut self.engine
    }

    /// Every token of the context, the last one last.
    pub fn ids(&self) -> &[u32] {
        &self.ids
    }

    fn context(&self) -> usize {
        self.engine.context()
    }

    /// Begins with this opening. A quarter of the context is kept free for what follows; of an opening that is longer,
    /// the head and the end stay: of a conversation whole turns where that is possible.
    pub fn begin(&mut self, mut opening: Opening) -> Option<Cut> {
        let (tokens, context) = (opening.ids.len(), self.context());
        let room = context - context / 4;
        let mut cut = None;
        if tokens > room {
            let kept = match opening.turns.is_empty() {
                true => context / 4,
                false => opening.head.min(context / 4),
            };
            let least = kept + tokens - room;
            let to = opening.turns.iter().copied().find(|turn| *turn >= least).unwrap_or(least);
            let gone: Vec<u32> = opening.ids.drain(kept..to).collect();
            opening.turns.retain(|turn| *turn >= to);
            opening.turns.iter_mut().for_each(|turn| *turn -= gone.len());
            opening.head = kept;
            cut = Some(Cut { kept, ids: gone });
        }
        self.opening = opening;
        self.again();
        cut
    }

    /// Begins the present opening again. What the memory shares with it is kept, but for the last token, whose
    /// successor is asked for.
    pub fn again(&mut self) {
        let opening = &self.opening;
        let read = &self.ids[..self.engine.len().min(self.ids.len())];
        let shared = read.iter().zip(&opening.ids).take_while(|(a, b)| a == b).count();
        // Reading in the same parts as the first time gives the same numbers to the last bit.
        let chunk = self.engine.chunk();
        let shared = shared.min(self.pure).min(opening.ids.len().saturating_sub(1)) / chunk * chunk;
        self.engine.truncate(shared);
        self.pure = usize::MAX;
        self.ids.clone_from(&opening.ids);
        self.turns.clone_from(&opening.turns);
        self.kept = opening.head.min(self.context() / 2);
        self.next = None;
    }

    /// How many tokens can be taken back at most: those after the head that are still in the context.
    pub fn reach(&self) -> usize {
        self.ids.len().saturating_sub(self.kept.max(1))
    }

    /// Reads the next chunk, if anything is left to read. Returns how many tokens have been read and how many there are.
    ///
    /// # Errors
    /// There is nothing to go on, or the model's own errors.
    pub fn read(&mut self) -> Result<(usize, usize), ModelError> {
        if self.ids.is_empty() {
            return Err(ModelError::Input("there is no prompt to read".to_string()));
        }
        let (total, at) = (self.ids.len(), self.engine.len());
        let chunk = self.engine.chunk();
        let to = total.min((at / chunk + 1) * chunk);
        if to > at {
            let begun = Instant::now();
            let logits = self.engine.forward(&self.ids[at..to], to == total)?;
            self.next = logits.map(Distribution::new);
            self.compute = begun.elapsed();
        }
        Ok((to, total))
    }

    /// Reads to the end, so that what may come next is known. A full context first forgets.
    ///
    /// # Errors
    /// As [`Text::read`].
    pub fn catch_up(&mut self) -> Result<Option<Cut>, ModelError> {
        let mut cut = None;
        if self.next.is_none() && self.ids.len() > self.context() {
            cut = Some(self.forget());
        }
        while self.next.is_none() {
            self.read()?;
        }
        Ok(cut)
    }

    /// Forgets where more stands in the text than the context holds.
    pub fn make_room(&mut self) -> Option<Cut> {
        (self.ids.len() > self.context()).then(|| self.forget())
    }

    /// Leaves out at least the older half of what follows the head, up to where a turn begins if there is such a place.
    fn forget(&mut self) -> Cut {
        let (kept, len) = (self.kept, self.ids.len());
        let least = (self.context() - kept).div_ceil(2).max(len - self.context());
        let turn = self.turns.iter().copied().find(|turn| *turn >= kept + least && *turn < len);
        let n = turn.map_or(least, |turn| turn - kept);
        // What moves up was read with what is now forgotten in mind.
        self.pure = self.pure.min(kept);
        // What has not been read yet has nothing to be forgotten.
        self.engine.forget(kept, n.min(self.engine.len().saturating_sub(kept)));
        let ids = self.ids.drain(kept..kept + n).collect();
        self.turns.retain(|turn| *turn >= kept + n);
        self.turns.iter_mut().for_each(|turn| *turn -= n);
        Cut { kept, ids }
    }

    /// What may come next, as far as it has been computed.
    pub fn next(&self) -> Option<&Distribution> {
        self.next.as_ref()
    }

    /// The time it took to compute it.
    pub fn compute(&self) -> Duration {
        self.compute
    }

    /// Goes on with this token.
    pub fn push(&mut self, id: u32) {
        self.ids.push(id);
        self.next = None;
    }

    /// Takes back the last `n` tokens, or as many as can be. Returns how many.
    pub fn take_back(&mut self, n: usize) -> usize {
        let n = n.min(self.reach());
        self.ids.truncate(self.ids.len() - n);
        // The last token is read again, for its successors.
        self.engine.truncate(self.ids.len().saturating_sub(1));
        self.turns.retain(|turn| *turn < self.ids.len());
        self.next = None;
        n
    }

    /// The text as it is, to come back to.
    pub fn keep(&self) -> Kept {
        Kept {
            memory: self.engine.memory(),
            opening: self.opening.clone(),
            ids: self.ids.clone(),
            kept: self.kept,
            turns: self.turns.clone(),
            pure: self.pure,
        }
    }

    /// Goes back to it.
    pub fn restore(&mut self, kept: &Kept) {
        self.engine.remember(&kept.memory);
        self.opening = kept.opening.clone();
        self.ids.clone_from(&kept.ids);
        (self.kept, self.turns, self.pure) = (kept.kept, kept.turns.clone(), kept.pure);
        // Its last token may have been read: its successors are asked for again.
        self.engine.truncate(self.ids.len().saturating_sub(1));
        self.next = None;
    }
}
