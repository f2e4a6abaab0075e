//! The page: what has been written, character by character.
//!
//! Holds the last [`MAX_CELLS`] characters with when each came, how probable it was and what was wrong with it, and how
//! to tell since when a character has stood where it stands. Any thread; no clock.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};

use super::glyphs;
pub use super::lines::Line;
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
    /// How many cells were written before the present piece, and before the first of it that may still be forgotten;
    /// those let go are counted. So what is said of each token needs no look at the whole page.
    piece: u64,
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
            let gone = |cell: &Cell| cell.left_ns.is_none() && cell.voice == Voice::Model && cell.ch == ch;
            if self.cells.back().is_some_and(gone) {
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

    /// The piece is again what it was, up to token `index`.
    pub fn restore(&mut self, t_ns: u64, prompt: &str, text: &str, index: u32) {
        self.prompt(t_ns, prompt, self.prompt_tokens);
        self.begun = index > 0;
        // Where each token begins is not known here: by proportion.
        let count = text.chars().count().max(1) as u64;
        let of = |i: u32| (u64::from(i) * u64::from(index) / count) as u32;
        self.write(t_ns, text, Voice::Model, 1.0, of);
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
        let mut passed = 0;
        for cell in self.cells.range_mut(unforgotten..) {
            let left = match cell.voice {
                Voice::Performer => (from..to).contains(&cell.index),
                Voice::Model if cell.index >= of_piece => break,
                Voice::Model => true,
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
mod tests {
    use super::*;

    fn token(index: u32, text: &str) -> Token {
        Token {
            id: 0,
            text: text.into(),
            index,
            latency_ms: 1.0,
            p: 0.5,
            surprise_bits: 1.0,
            entropy_bits: 1.0,
            context_fill: 0.0,
            inside: Default::default(),
            top: vec![],
        }
    }

    fn broken(text: &str, columns: u32) -> Vec<String> {
        let mut page = Page::default();
        page.token(0, &token(0, text));
        let line = |l: &Line| page.cells.range(l.start..l.end).map(|c| c.ch).collect::<String>();
        page.lines(columns).iter().map(line).collect()
    }

    #[test]
    fn words_stay_whole_and_spaces_hang() {
        assert_eq!(broken("the moon rises", 9), ["the moon ", "rises"]);
        assert_eq!(broken("the moon rises", 8), ["the moon ", "rises"]);
        assert_eq!(broken("the moon, rises", 8), ["the moon, ", "rises"]);
        assert_eq!(broken("incomprehensible", 6), ["incomp", "rehens", "ible"]);
        assert_eq!(broken("an incomprehensible", 6), ["an ", "incomp", "rehens", "ible"]);
    }

    #[test]
    fn han_breaks_anywhere_but_before_a_full_stop() {
        assert_eq!(broken("春江潮水连海平", 8), ["春江潮水", "连海平"]);
        assert_eq!(broken("春江潮水。连海平", 8), ["春江潮水。", "连海平"]);
        assert_eq!(broken("春江潮「水」", 8), ["春江潮", "「水」"]);
        assert_eq!(broken("小model模", 8), ["小model", "模"]);
    }

    #[test]
    fn newlines_break_and_a_flood_of_them_does_not_push_the_words_away() {
        assert_eq!(broken("a\nb", 40), ["a", "b"]);
        assert_eq!(broken("a\n\n\n\n\n\nb", 40), ["a", "", "b"]);
        assert_eq!(broken("a\n", 40), ["a", ""]);
        assert_eq!(broken("", 40), [""]);
    }

    #[test]
    fn a_line_is_born_when_its_word_did_not_fit() {
        let mut page = Page::default();
        for (i, text) in ["the moo", "n", " r", "ise", "s"].iter().enumerate() {
            page.token(i as u64 * 100, &token(i as u32, text));
        }
        let lines = page.lines(13);
        assert_eq!(lines.len(), 2);
        // "rise" still fitted at 300; the "s" of 400 did not.
        assert_eq!((lines[1].start, lines[1].born_ns), (9, 400));
    }

    #[test]
    fn memory_is_bounded_and_what_is_seen_does_not_move() {
        let mut page = Page::default();
        for i in 0..MAX_CELLS as u32 - 1 {
            page.token(0, &token(i, if i % 50 == 49 { "\n" } else { "x" }));
        }
        let last = |page: &Page| {
            let lines = page.lines(30);
            lines[lines.len() - 20..].iter().map(|l| l.end - l.start).collect::<Vec<_>>()
        };
        let seen = last(&page);
        page.token(0, &token(9999, "\nab"));
        assert!(page.cells.len() < KEPT_CELLS + 60, "{}", page.cells.len());
        assert_eq!(last(&page)[..19], seen[1..]);
        for i in 0..20_000 {
            page.token(0, &token(i, "模"));
            assert!(page.cells.len() <= MAX_CELLS);
        }
    }

    #[test]
    fn another_prompt_leaves_the_text_behind() {
        let mut page = Page::default();
        page.prompt(0, "春", 1);
        page.token(1, &token(0, "风"));
        page.prompt(2, "moon", 2);
        page.token(3, &token(0, "lit"));
        let text: String = page.cells.iter().map(|c| c.ch).collect();
        assert_eq!(text, "春风\n\nmoonlit");
        assert!(page.cells.iter().take(2).all(|c| c.left_ns == Some(2)));
        assert!(page.cells.iter().skip(4).all(|c| c.left_ns.is_none()));
        // A piece that begins again without its prompt having been read again.
        page.token(4, &token(0, "light"));
        let text: String = page.cells.iter().map(|c| c.ch).collect();
        assert_eq!(text, "春风\n\nmoonlit\n\nmoonlight");
    }

    #[test]
    fn what_the_model_forgets_leaves_the_page() {
        let mut page = Page::default();
        page.prompt(0, "abcd", 4);
        for i in 0..6 {
            page.token(1, &token(i, &i.to_string()));
        }
        page.forget(2, 3, 2); // c, d and the first token
        let left = |page: &Page| page.cells.iter().filter(|c| c.left_ns.is_some()).map(|c| c.ch).collect::<String>();
        assert_eq!(left(&page), "cd0");
        page.forget(3, 2, 2);
        assert_eq!(left(&page), "cd012");
    }

    #[test]
    fn a_flaw_marks_its_tokens_only() {
        let mut page = Page::default();
        page.prompt(0, "ab", 2);
        for i in 0..6 {
            page.token(1, &token(i, &i.to_string()));
        }
        page.flaw(5, &Flaw { kind: FlawKind::Repetition, index: 4, period: 2, count: 1, cause: String::new() });
        let marked: String = page.cells.iter().filter(|c| c.flaw.is_some()).map(|c| c.ch).collect();
        assert_eq!(marked, "34");
    }

    #[test]
    fn words_are_taken_back_and_pieces_come_back() {
        let shown = |page: &Page| page.cells.iter().map(|c| c.ch).collect::<String>();
        let mut page = Page::default();
        page.prompt(0, "O", 1);
        page.token(1, &token(0, " sea"));
        page.rewind(2, 0, " sea");
        page.token(3, &token(0, " moon"));
        assert_eq!(shown(&page), "O moon", "the prompt is not begun again");
        page.token(4, &token(1, "\n\n\n"));
        page.rewind(5, 1, "\n\n\n");
        assert_eq!(shown(&page), "O moon");
        page.restore(6, "A", " road home", 2);
        page.rewind(7, 1, " home");
        assert!(shown(&page).ends_with("A road"));
        page.restore(8, "A", "", 0);
        page.token(9, &token(0, "!"));
        assert!(shown(&page).ends_with("A!") && !shown(&page).ends_with("A\n\nA!"));
    }
}
