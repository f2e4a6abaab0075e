//! Foresight: how well a model foresees a text, token by token.
//!
//! Each piece is read from its own start in the form in which it is played: after the tag of its script or the BOS that
//! the file asks for, as plain text and never in a chat model's template. A piece that outgrows the context is forgotten
//! as in play: the older half of what follows the head leaves, and what stays is gone on from. Runs on the thread that
//! asks and in candle's pool; draws nothing and emits nothing.

mod pieces;
mod tally;
#[cfg(test)]
mod tests;

pub use pieces::{Piece, pieces};
pub use tally::Tally;

use std::ops::Range;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::ScopedJoinHandle;

use super::decoder::spread;
use super::{Model, ModelError, prompt};

/// How well a text was foreseen: all of it, and the pieces of each script.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Foresight {
    pub all: Tally,
    /// Pieces with a Han character.
    pub zh: Tally,
    /// All others.
    pub en: Tally,
}

/// A piece with what the model thought of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Foreseen {
    pub text: String,
    /// `zh` or `en`, by the rule that tags a prompt.
    pub script: &'static str,
    pub tokens: Vec<Told>,
}

/// A token that was foreseen.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    pub id: u32,
    /// Its bytes in the piece; none for the token that ends it. A character may take several tokens.
    pub at: Range<usize>,
    /// `-ln p`
    pub nats: f64,
}

/// A line of a piece. What begins in it belongs to it: the newline behind it, and the end behind the last one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Line<'a> {
    /// Without its newline.
    pub text: &'a str,
    /// Where it begins in the piece.
    pub start: usize,
    pub tokens: &'a [Told],
    /// Its newline is counted among characters and bytes; pieces are 0.
    pub tally: Tally,
}

/// Reads every text from its own start as [`Foreseen::of`] does, with all of the models at once, each on a thread of its
/// own. They are one model and [`Model::fresh`] ones of it; what comes back stands in the order of the texts and does not
/// depend on how many they are. This pays where a model itself computes on one core (see
/// [`threads`](super::threads)); one whose memory is shared takes turns with itself, and loses by it.
///
/// # Errors
/// No model, or the models' own errors.
pub fn foresee_all(models: &mut [Model], texts: &[&str]) -> Result<Vec<Foreseen>, ModelError> {
    if models.is_empty() {
        return Err(ModelError::Input("there is no model to foresee with".to_string()));
    }
    let next = AtomicUsize::new(0);
    let read = |model: &mut Model| {
        let mut found = Vec::new();
        while let n = next.fetch_add(1, Ordering::Relaxed)
            && n < texts.len()
        {
            found.push((n, Foreseen::of(model, texts[n])));
        }
        found
    };
    let mut found = match models {
        [model] => read(model),
        models => std::thread::scope(|scope| {
            let hands: Vec<_> = models.iter_mut().map(|model| scope.spawn(|| read(model))).collect();
            let join = |hand: ScopedJoinHandle<'_, _>| hand.join().unwrap_or_else(|panic| resume_unwind(panic));
            hands.into_iter().flat_map(join).collect()
        }),
    };
    found.sort_unstable_by_key(|(n, _)| *n);
    found.into_iter().map(|(_, seen)| seen).collect()
}

impl Foresight {
    /// Of a whole text; see [`pieces`].
    ///
    /// # Errors
    /// The model's own errors.
    pub fn of(model: &mut Model, text: &str) -> Result<Foresight, ModelError> {
        let mut sum = Foresight::default();
        for piece in pieces(text) {
            sum.add(&Foreseen::of(model, &piece.text)?);
        }
        Ok(sum)
    }

    pub fn add(&mut self, piece: &Foreseen) {
        let tally = piece.tally();
        self.all += tally;
        *if piece.script == "zh" { &mut self.zh } else { &mut self.en } += tally;
    }

    /// Each script that occurs.
    pub fn scripts(&self) -> impl Iterator<Item = (&'static str, Tally)> {
        [("zh", self.zh), ("en", self.en)].into_iter().filter(|(_, tally)| tally.pieces > 0)
    }
}

impl Foreseen {
    /// Reads a piece from its start, whatever it holds, and notes how well each of its tokens was foreseen.
    ///
    /// # Errors
    /// The model's own errors.
    pub fn of(model: &mut Model, piece: &str) -> Result<Foreseen, ModelError> {
        let tokenizer = model.tokenizer().clone();
        let mut ids = prompt::head(&tokenizer, piece);
        let head = ids.len();
        let (text, mut starts) = tokenizer.encode_placed(piece);
        ids.extend(text);
        if let Some(end) = model.piece_end() {
            ids.push(end);
            starts.push(piece.len());
        }
        let nats = model.foresee(&ids, head)?;
        let ends = starts.iter().skip(1).copied().chain([piece.len()]);
        let tokens = ids[head..].iter().zip(nats).zip(starts.iter().zip(ends));
        let tokens = tokens.map(|((id, nats), (start, end))| Told { id: *id, at: *start..end, nats }).collect();
        Ok(Foreseen { text: piece.to_string(), script: prompt::script(piece), tokens })
    }

    pub fn tally(&self) -> Tally {
        Tally {
            pieces: 1,
            tokens: self.tokens.len() as u64,
            characters: self.text.chars().count() as u64,
            bytes: self.text.len() as u64,
            nats: self.tokens.iter().map(|token| token.nats).sum(),
        }
    }

    /// Its lines; what they have is together what the piece has.
    pub fn lines(&self) -> impl Iterator<Item = Line<'_>> {
        let (mut tokens, mut start) = (&self.tokens[..], 0);
        self.text.split_inclusive('\n').map(move |text| {
            let end = start + text.len();
            let of_it = match end < self.text.len() {
                true => tokens.partition_point(|token| token.at.start < end),
                false => tokens.len(),
            };
            let (mine, rest) = tokens.split_at(of_it);
            tokens = rest;
            let tally = Tally {
                pieces: 0,
                tokens: mine.len() as u64,
                characters: text.chars().count() as u64,
                bytes: text.len() as u64,
                nats: mine.iter().map(|token| token.nats).sum(),
            };
            let line = Line { text: text.strip_suffix('\n').unwrap_or(text), start, tokens: mine, tally };
            start = end;
            line
        })
    }
}

impl Line<'_> {
    /// Its tokens as far as they are text: those that share a character stand together, as (bytes in the piece, nats).
    /// The first may begin in the line before, where a token holds a line end and the beginning of a character.
    pub fn words(&self, piece: &str) -> Vec<(Range<usize>, f64)> {
        let mut words: Vec<(Range<usize>, f64)> = Vec::new();
        for token in self.tokens {
            match words.last_mut().filter(|_| !piece.is_char_boundary(token.at.start)) {
                Some((at, nats)) => {
                    at.end = token.at.end;
                    *nats += token.nats;
                }
                None => words.push((token.at.clone(), token.nats)),
            }
        }
        // The line's first token may begin inside a character, its last one end there.
        for (at, _) in &mut words {
            while !piece.is_char_boundary(at.start) {
                at.start -= 1;
            }
            while !piece.is_char_boundary(at.end) {
                at.end += 1;
            }
        }
        words
    }
}

impl Model {
    /// How well each token behind the first `head` is foreseen from all that stand before it: `-ln p` for each of
    /// `ids[head..]`. The ids are taken as they are, and whatever was read before is forgotten. A text longer than the
    /// context is forgotten from the front as in play; its head stays.
    ///
    /// # Errors
    /// No token to go on, one that is not in the vocabulary, or a model that computes no numbers.
    pub fn foresee(&mut self, ids: &[u32], head: usize) -> Result<Vec<f64>, ModelError> {
        if head == 0 || head > ids.len() {
            let problem = format!("{} tokens have no {head} before them to be foreseen from", ids.len());
            return Err(ModelError::Input(problem));
        }
        if let Some(id) = ids.iter().find(|id| **id as usize >= self.info.vocabulary) {
            let problem = format!("token {id} is not in the vocabulary of {}", self.info.vocabulary);
            return Err(ModelError::Input(problem));
        }
        let nats = self.read_all(ids, head);
        self.engine.truncate(0);
        let nats = nats?;
        if nats.iter().any(|nats| !nats.is_finite()) {
            return Err(self.unsound());
        }
        Ok(nats)
    }

    fn read_all(&mut self, ids: &[u32], head: usize) -> Result<Vec<f64>, ModelError> {
        let engine = &mut self.engine;
        engine.truncate(0);
        let (context, chunk) = (engine.context(), engine.chunk());
        let kept = head.min(context / 2);
        // What the context holds, and how many tokens have been read in all; the last one has nothing to foretell.
        let (mut held, mut read) = (Vec::new(), 0);
        let mut nats = Vec::with_capacity(ids.len() - head);
        while read + 1 < ids.len() {
            if held.len() == context {
                let n = (context - kept).div_ceil(2);
                engine.forget(kept, n);
                held.drain(kept..kept + n);
                // A module forgets everything, and is told the rest again.
                for part in held[engine.len()..].chunks(chunk) {
                    engine.forward(part, false)?;
                }
            }
            let rows = chunk.min(context - held.len()).min(ids.len() - 1 - read);
            let mut next = read;
            engine.forward_each(&ids[read..read + rows], &mut |logits| {
                next += 1;
                if next >= head {
                    let logit = logits.get(ids[next] as usize).map_or(f64::NAN, |logit| f64::from(*logit));
                    nats.push(spread(logits).log_sum - logit);
                }
            })?;
            held.extend_from_slice(&ids[read..read + rows]);
            read += rows;
        }
        Ok(nats)
    }

    /// The token that ends a piece, where the model was taught how pieces end. A model that was taught to converse ends
    /// its turns, which is another thing.
    pub fn piece_end(&self) -> Option<u32> {
        self.tokenizer.eos().filter(|_| self.chat.is_none())
    }
}
