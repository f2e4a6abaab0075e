//! Marks: the last tokens one by one, with all that was told of each.
//!
//! What the page keeps of a token is its characters; scenes that show tokens as things of their own read these. Bounded;
//! any thread, no clock.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::score::{Candidate, Flaw, FlawKind, Token};
use crate::visuals::glyphs;

/// More tokens than any scene shows at once.
pub const MOST_MARKS: usize = 512;

/// Half cells between two tokens on the river.
const APART: f64 = 1.0;

/// A token that came.
#[derive(Clone, Debug)]
pub struct Mark {
    pub t_ns: u64,
    /// Counts all tokens of the performance.
    pub number: u64,
    /// Counts the pieces of the performance.
    pub piece: u32,
    pub token: Arc<Token>,
    /// Whether it goes on with the word before it: the rest of a word, or its comma.
    pub goes_on: bool,
    /// Where it lies on the river, in half cells from where that began.
    pub at: f64,
    pub flaw: Option<(FlawKind, u64)>,
    /// When it was taken back, or left behind by another prompt.
    pub left_ns: Option<u64>,
}

impl Mark {
    /// The candidates that were not drawn, likeliest first.
    pub fn rejected(&self) -> impl Iterator<Item = &Candidate> {
        self.token.top.iter().filter(|candidate| candidate.id != self.token.id)
    }

    /// The same as words to show, with their probability: without what is only space, and with a sign for the end.
    pub fn roads(&self) -> impl Iterator<Item = (&str, f32)> {
        self.rejected().map(|road| (shown(road.text.trim()), road.p)).filter(|(text, _)| !text.is_empty())
    }
}

/// What a model calls by a name in angle brackets is its mark for the end, or for who speaks.
fn shown(text: &str) -> &str {
    let named = text.len() > 2 && text.starts_with('<') && text.ends_with('>');
    if named { "∎" } else { text }
}

/// Whether a token goes on with the word before it. A Han character is a word of its own, a comma is never one.
fn goes_on(text: &str) -> bool {
    let begins = |c: char| c.is_whitespace() || (c.is_alphanumeric() && glyphs::advance(c) == 2);
    text.chars().next().is_some_and(|c| !begins(c))
}

/// The last tokens, oldest first.
#[derive(Clone, Debug, Default)]
pub struct Marks {
    marks: VecDeque<Mark>,
    count: u64,
    piece: u32,
    /// Where the next token will lie on the river, in half cells.
    mouth: f64,
}

impl Marks {
    /// Oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Mark> + ExactSizeIterator {
        self.marks.iter()
    }

    pub fn last(&self) -> Option<&Mark> {
        self.marks.back()
    }

    /// How many tokens have come in all.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Another piece begins; what came before is left behind.
    pub fn begin(&mut self, t_ns: u64) {
        self.piece += 1;
        for mark in &mut self.marks {
            mark.left_ns.get_or_insert(t_ns);
        }
    }

    /// Where the next token will lie on the river.
    pub fn mouth(&self) -> f64 {
        self.mouth
    }

    /// A token came when the water had flowed so far.
    pub fn token(&mut self, t_ns: u64, token: &Token, flow: f64) {
        if self.marks.len() == MOST_MARKS {
            self.marks.pop_front();
        }
        let (number, piece) = (self.count, self.piece);
        self.count += 1;
        let goes_on = token.index > 0 && goes_on(&token.text);
        // On the water that is there now, and never on the word before it.
        let at = (self.mouth - if goes_on { APART } else { 0.0 }).max(flow);
        let wide: u32 = token.text.trim().chars().map(glyphs::advance).sum();
        self.mouth = at + f64::from(wide) + APART;
        let token = Arc::new(token.clone());
        self.marks.push_back(Mark { t_ns, number, piece, token, goes_on, at, flaw: None, left_ns: None });
    }

    /// Tokens from `to` on are taken back.
    pub fn rewind(&mut self, t_ns: u64, to: u32) {
        for mark in self.present() {
            if mark.token.index >= to {
                mark.left_ns = Some(t_ns);
            }
        }
    }

    pub fn flaw(&mut self, t_ns: u64, flaw: &Flaw) {
        let first = flaw.index.saturating_sub(flaw.span() - 1);
        for mark in self.present() {
            if (first..=flaw.index).contains(&mark.token.index) {
                mark.flaw = Some((flaw.kind, t_ns));
            }
        }
    }

    /// Tokens of the present piece that have not left.
    fn present(&mut self) -> impl Iterator<Item = &mut Mark> {
        let piece = self.piece;
        self.marks.iter_mut().rev().take_while(move |m| m.piece == piece).filter(|m| m.left_ns.is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::token;
    use super::*;

    #[test]
    fn the_rest_of_a_word_stands_at_its_beginning() {
        let mut marks = Marks::default();
        for (i, text) in ["The", " moon", "lit", ",", " 春", "江", "，"].into_iter().enumerate() {
            marks.token(0, &token(i as u32, text, 0.5), 0.0);
        }
        let seen: Vec<_> = marks.iter().map(|m| (m.goes_on, m.at)).collect();
        let far = [(false, 0.0), (false, 4.0), (true, 8.0), (true, 11.0), (false, 13.0), (false, 16.0), (true, 18.0)];
        assert_eq!(seen, far);
    }

    #[test]
    fn a_model_s_own_marks_are_shown_as_a_sign() {
        assert_eq!(["<|end|>", "</s>", "<", "a < b", "moon"].map(shown), ["∎", "∎", "<", "a < b", "moon"]);
    }

    #[test]
    fn memory_is_bounded_and_flaws_find_their_tokens() {
        let mut marks = Marks::default();
        marks.begin(0);
        for i in 0..100_000 {
            marks.token(u64::from(i), &token(i, "x", 0.5), 0.0);
        }
        assert_eq!((marks.iter().len(), marks.count()), (MOST_MARKS, 100_000));
        marks.flaw(5, &Flaw { kind: FlawKind::Repetition, index: 99_999, period: 2, count: 2, cause: String::new() });
        assert_eq!(marks.iter().filter(|m| m.flaw.is_some()).count(), 4);
        marks.rewind(6, 99_998);
        assert_eq!(marks.iter().filter(|m| m.left_ns.is_some()).count(), 2);
        marks.begin(7);
        assert!(marks.iter().all(|m| m.left_ns.is_some()));
    }
}
