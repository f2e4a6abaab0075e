//! The page: what has been written, character by character.
//!
//! Holds the last [`MAX_CELLS`] characters with when each came, how probable it was and what was wrong with it, and how
//! to tell since when a character has stood where it stands. Any thread; no clock.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};

use super::glyphs;
pub use super::lines::Line;
use crate::score::event::is_given;
use crate::score::{Flaw, FlawKind, Token};

/// More characters than any stage shows; older ones are let go.
pub const MAX_CELLS: usize = 65_536;
/// After letting go, at least this many are left, so that what is seen does not move.
const KEPT_CELLS: usize = MAX_CELLS / 4;
/// More characters without width in a row are not written: a model can heap them onto one letter without end.
const MAX_HEAPED: usize = 8;

/// The serial number of the next character, on whatever page.
static SERIALS: AtomicU64 = AtomicU64::new(0);

/// Whose words they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Voice {
    Performer,
    Model,
}

/// One character on the page.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cell {
    pub ch: char,
    pub voice: Voice,
    /// When it came.
    pub born_ns: u64,
    /// When it left the model's memory, or was left behind by another prompt.
    pub left_ns: Option<u64>,
    /// The probability of its token; 1 for the performer's words.
    pub p: f32,
    /// The index of its token within the piece; for the prompt, the place within the prompt's characters.
    pub index: u32,
    /// What was wrong with it, and when that was noticed.
    pub flaw: Option<(FlawKind, u64)>,
}

/// The text of the stage.
#[derive(Clone, Debug, Default)]
pub struct Page {
    cells: VecDeque<Cell>,
    /// One for each cell. Since cells come and go at the end only, and go at the front, all text before a cell, as far
    /// as it is still there, is what it was for as long as the cell keeps its serial number.
    serials: VecDeque<u64>,
    /// How many cells were let go at the front.
    gone: u64,
    /// The prompt of the present piece, and how many tokens it was.
    prompt: String,
    prompt_tokens: u32,
    /// Tokens that have left the context since the prompt was read.
    forgotten: u32,
    /// Whether the present piece has any tokens yet.
    begun: bool,
    /// How many cells were written before the present piece, before its first word after the prompt, and before the
    /// first of it that may still be forgotten; those let go are counted. So what is said of each token needs no look at
    /// the whole page.
    piece: u64,
    words: u64,
    unforgotten: u64,
}

impl Page {
    pub fn cells(&self) -> &VecDeque<Cell> {
        &self.cells
    }

    /// The serial number of a cell: no other, on any page, has the same.
    pub(super) fn serial(&self, i: usize) -> Option<u64> {
        self.serials.get(i).copied()
    }

    /// How many cells were let go at the front since the page began.
    pub(super) fn gone(&self) -> u64 {
        self.gone
    }

    /// Another piece begins with the performer's `text`; what stands on the page is left behind.
    pub fn prompt(&mut self, t_ns: u64, text: &str, tokens: u32) {
        for cell in &mut self.cells {
            cell.left_ns.get_or_insert(t_ns);
        }
        (self.prompt_tokens, self.forgotten, self.begun) = (tokens, 0, false);
        (self.piece, self.unforgotten) = (self.written(), self.written());
        if self.prompt != text {
            self.prompt = text.to_string();
        }
        if !self.cells.is_empty() {
            self.write(t_ns, "\n\n", Voice::Performer, 1.0, |_| 0);
        }
        self.write(t_ns, text, Voice::Performer, 1.0, |i| i);
        self.words = self.written();
    }

    /// The performer's words in the middle of the piece: `tokens` tokens from `index` on.
    pub fn layer(&mut self, t_ns: u64, text: &str, index: u32, tokens: u32) {
        self.begun = true;
        let count = text.chars().count();
        self.write(t_ns, text, Voice::Performer, 1.0, |i| index + place_of(count, i, tokens));
    }

    /// The model's next token.
    pub fn token(&mut self, t_ns: u64, token: &Token) {
        if token.index == 0 && self.begun {
            // The same prompt again, without having been read again.
            let prompt = std::mem::take(&mut self.prompt);
            self.prompt(t_ns, &prompt, self.prompt_tokens);
            self.prompt = prompt;
        }
        self.begun = true;
        self.write(t_ns, &token.text, Voice::Model, token.p, |_| token.index);
    }

    /// Takes back the last words, down to token `to`.
    pub fn rewind(&mut self, t_ns: u64, to: u32, text: &str) {
        self.begun = to > 0;
        for ch in text.chars().rev() {
            let ch = written(ch);
            // What was never written, like a third newline, is passed over.
            let gone = |cell: &Cell| cell.left_ns.is_none() && cell.ch == ch;
            if self.written() > self.words && self.cells.back().is_some_and(gone) {
                self.cells.pop_back();
                self.serials.pop_back();
            }
        }
        self.unforgotten = self.unforgotten.min(self.written());
        // What stands before has the look of being new again, so that the eye finds the place.
        if let Some(last) = self.cells.back_mut() {
            last.born_ns = last.born_ns.max(t_ns.saturating_sub(1_000_000_000));
            // It counts as written anew, since a line may have been born with it.
            self.serials.pop_back();
            self.serials.push_back(SERIALS.fetch_add(1, Ordering::Relaxed));
        }
    }

    /// The piece is again what it was, up to token `index`: its text, and which of its characters are the performer's.
    pub fn restore(&mut self, t_ns: u64, prompt: &str, (text, given): (&str, &[(u32, u32)]), index: u32) {
        self.prompt(t_ns, prompt, self.prompt_tokens);
        self.begun = index > 0;
        let count = text.chars().count();
        for (i, ch) in (0..).zip(text.chars()) {
            let voice = if is_given(given, i) { Voice::Performer } else { Voice::Model };
            self.write(t_ns, ch.encode_utf8(&mut [0; 4]), voice, 1.0, |_| place_of(count, i, index));
        }
    }

    /// Marks the tokens that a flaw names.
    pub fn flaw(&mut self, t_ns: u64, flaw: &Flaw) {
        let first = flaw.index.saturating_sub(flaw.span() - 1);
        let from = self.place(self.piece);
        let piece = self.cells.range_mut(from..).rev();
        for cell in piece.take_while(|cell| cell.voice == Voice::Performer || cell.index >= first) {
            if cell.left_ns.is_none() && cell.voice == Voice::Model && cell.index <= flaw.index {
                cell.flaw = Some((flaw.kind, t_ns));
            }
        }
    }

    /// The oldest `tokens` after the first `kept` have left the model's memory.
    pub fn forget(&mut self, t_ns: u64, tokens: u32, kept: u32) {
        self.forgotten = self.forgotten.saturating_add(tokens);
        let of_prompt = self.prompt_tokens.saturating_sub(kept);
        let of_piece = self.forgotten.saturating_sub(of_prompt);
        // Where a prompt's token ends among its characters is not known here: by proportion.
        let per_token = self.prompt.chars().count() as f32 / self.prompt_tokens.max(1) as f32;
        let from = (kept as f32 * per_token).ceil() as u32;
        let to = ((kept.saturating_add(self.forgotten)).min(self.prompt_tokens) as f32 * per_token).ceil() as u32;
        let unforgotten = self.place(self.unforgotten);
        let words = self.place(self.words);
        let mut passed = 0;
        for (i, cell) in (unforgotten..).zip(self.cells.range_mut(unforgotten..)) {
            let left = match i < words {
                true => (from..to).contains(&cell.index),
                false if cell.index >= of_piece => break,
                false => true,
            };
            if left {
                cell.left_ns.get_or_insert(t_ns);
            }
            passed += 1;
        }
        if of_piece > 0 {
            self.unforgotten = self.gone + (unforgotten + passed) as u64;
        }
    }

    /// How many cells were ever written, but for those taken back.
    fn written(&self) -> u64 {
        self.gone + self.cells.len() as u64
    }

    /// Where the cell stands before which so many were written.
    fn place(&self, written: u64) -> usize {
        (written.saturating_sub(self.gone) as usize).min(self.cells.len())
    }

    fn write(&mut self, t_ns: u64, text: &str, voice: Voice, p: f32, index: impl Fn(u32) -> u32) {
        for (i, ch) in text.chars().enumerate() {
            let ch = written(ch);
            let last = |most, like: fn(char) -> bool| {
                self.cells.len() >= most && self.cells.iter().rev().take(most).all(|cell| like(cell.ch))
            };
            let skip = match ch {
                // However many empty lines a model writes, its last word stays in sight.
                '\n' => last(2, |ch| ch == '\n'),
                _ => {
                    glyphs::advance(ch) == 0
                        && (!is_kept(ch) || last(MAX_HEAPED, |ch| glyphs::advance(ch) == 0 && ch != '\n'))
                }
            };
            if !skip {
                let index = index(i as u32);
                self.cells.push_back(Cell { ch, voice, born_ns: t_ns, left_ns: None, p, index, flaw: None });
                self.serials.push_back(SERIALS.fetch_add(1, Ordering::Relaxed));
                if self.cells.len() > MAX_CELLS {
                    self.let_go();
                }
            }
        }
    }

    /// Drops the oldest, up to a line's end if there is one, since then the lines after it break as before.
    fn let_go(&mut self) {
        let most = self.cells.len() - KEPT_CELLS;
        let at = (0..most).rev().find(|&i| self.cells[i].ch == '\n').map_or(most, |i| i + 1);
        let at = at.max(self.cells.len() - MAX_CELLS);
        self.cells.drain(..at);
        self.serials.drain(..at);
        self.gone += at as u64;
    }
}

/// In which of its tokens a character stands of a text of so many. Where each begins is not known here: by proportion.
fn place_of(count: usize, character: u32, tokens: u32) -> u32 {
    (u64::from(character) * u64::from(tokens) / count.max(1) as u64) as u32
}

/// How a character is written: a tab as a space, whatever ends a line as a newline.
pub(super) fn written(ch: char) -> char {
    match ch {
        '\t' => ' ',
        '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => '\n',
        _ => ch,
    }
}

/// Whether a character without width is written: a mark, or one that says how its neighbours join, break or are ordered.
fn is_kept(ch: char) -> bool {
    glyphs::is_mark(ch) || matches!(ch, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2060}')
}

#[cfg(test)]
mod tests;
