//! Text as tokens bring it: whole characters only.

use std::sync::Arc;

use super::Tokenizer;

/// Turns tokens into text, holding back the bytes of a character until it is whole.
#[derive(Clone)]
pub struct TextStream {
    tokenizer: Arc<Tokenizer>,
    held: Vec<u8>,
    broken: bool,
}

impl TextStream {
    pub fn new(tokenizer: Arc<Tokenizer>) -> TextStream {
        TextStream { tokenizer, held: Vec::new(), broken: false }
    }

    /// The text that became whole with this token; empty while a character is half-written. Bytes that can never
    /// become a character appear as U+FFFD.
    pub fn push(&mut self, id: u32) -> String {
        self.held.extend_from_slice(self.tokenizer.bytes(id));
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
