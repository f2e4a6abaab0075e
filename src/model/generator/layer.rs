//! The performer's words in the middle of a piece: they are put where the model would write, as if it had written them,
//! and it goes on from there.

use super::super::Tokenizer;
use super::trail::Mark;
use super::{Forgot, Generator, Text};

/// Words that were put into the piece.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layered {
    /// The index of their first token in the piece.
    pub index: u32,
    pub tokens: u32,
    pub text: String,
    /// So many tokens at their beginning were left out: they are more than the context has room for.
    pub left_out: u32,
    pub forgot: Option<Forgot>,
}

impl Generator {
    /// Puts words into the piece, which goes on even if it had ended. At most a quarter of the context: of a longer
    /// text the end. They are read by [`Generator::prefill_chunk`]. `None` where there are no words.
    pub fn layer(&mut self, text: &str) -> Option<Layered> {
        let before = if self.piece.written.is_empty() { &self.prompt } else { &self.piece.written };
        let mut ids = joined(self.model.tokenizer(), before.chars().next_back(), text);
        let left_out = ids.len().saturating_sub(self.model.context() / 4);
        ids.drain(..left_out);
        if ids.is_empty() {
            return None;
        }
        (self.piece.ended, self.forced, self.held) = (false, None, None);
        self.piece.mirostat = self.sampler.mirostat();
        let (index, written) = (self.piece.index, self.piece.written.len());
        for id in &ids {
            let mark = Mark::before(&self.piece, *id, Vec::new());
            self.piece.trail.push(mark);
            let text = self.piece.stream.push(*id);
            self.piece.flaws.given(*id);
            self.piece.written.push_str(&text);
            self.piece.index += 1;
            self.text.push(*id);
            if let Some(other) = &mut self.other {
                other.push(*id);
            }
        }
        self.piece.given.push(written..self.piece.written.len());
        self.other.as_mut().and_then(Text::make_room);
        let cut = self.text.make_room();
        Some(Layered {
            index,
            tokens: ids.len() as u32,
            text: self.piece.written[written..].to_string(),
            left_out: left_out as u32,
            forgot: cut.map(|cut| self.forgot(cut)),
        })
    }
}

/// The tokens of a text that follows another; alphabets want a space between two words.
fn joined(tokenizer: &Tokenizer, before: Option<char>, text: &str) -> Vec<u32> {
    let of_alphabet = |c: char| c.is_alphanumeric() && (c as u32) < 0x2e80;
    let open = |c: char| c.is_whitespace() || "([{\u{201c}\u{2018}«".contains(c) || c as u32 >= 0x2e80;
    let apart = text.starts_with(of_alphabet) && before.is_some_and(|c| !open(c));
    match (tokenizer.space_first(), apart) {
        // SentencePiece puts one there anyway.
        (true, false) => {
            let mut ids = tokenizer.encode(text);
            if ids.first().is_some_and(|id| tokenizer.bytes(*id) == b" ") {
                ids.remove(0);
            }
            ids
        }
        (false, true) => tokenizer.encode(&format!(" {text}")),
        _ => tokenizer.encode(text),
    }
}
