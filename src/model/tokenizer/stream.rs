//! Text as tokens bring it: whole characters only.

use std::sync::Arc;

use super::Tokenizer;

/// Turns tokens into text, holding back the bytes of a character until it is whole.
#[derive(Clone)]
pub struct TextStream {
    tokenizer: Arc<Tokenizer>,
    held: Vec<u8>,
    broken: bool,
    /// The next text begins a turn.
    first: bool,
}

impl TextStream {
    pub fn new(tokenizer: Arc<Tokenizer>) -> TextStream {
        TextStream { tokenizer, held: Vec::new(), broken: false, first: false }
    }

    /// A stream that begins a turn. SentencePiece puts a space before every text, so that the first word of an answer
    /// comes with one that nobody wrote: it is left out.
    pub fn of_turn(tokenizer: Arc<Tokenizer>) -> TextStream {
        TextStream { first: tokenizer.space_first(), ..TextStream::new(tokenizer) }
    }

    /// The text that became whole with this token; empty while a character is half-written. Bytes that can never
    /// become a character appear as U+FFFD.
    pub fn push(&mut self, id: u32) -> String {
        let bytes = self.tokenizer.bytes(id);
        let skipped = usize::from(self.first && bytes.first() == Some(&b' '));
        self.first &= bytes.is_empty();
        self.held.extend_from_slice(&bytes[skipped..]);
        self.broken = false;
        let (mut text, mut from) = (String::new(), 0);
        loop {
            match std::str::from_utf8(&self.held[from..]) {
                Ok(rest) => {
                    text.push_str(rest);
                    from = self.held.len();
                    break;
                }
                Err(e) => {
                    let whole = from + e.valid_up_to();
                    text.push_str(&String::from_utf8_lossy(&self.held[from..whole]));
                    from = whole;
                    // Without a length the bytes are the beginning of a character, and more may come.
                    let Some(bad) = e.error_len() else { break };
                    text.push('\u{FFFD}');
                    self.broken = true;
                    from += bad;
                }
            }
        }
        self.held.drain(..from);
        text
    }

    /// Whether the last token left bytes behind that make no character.
    pub fn broken(&self) -> bool {
        self.broken
    }

    /// What is still held, with U+FFFD for a character that never became whole.
    pub fn finish(&mut self) -> String {
        let rest = String::from_utf8_lossy(&self.held).into_owned();
        self.held.clear();
        rest
    }
}
