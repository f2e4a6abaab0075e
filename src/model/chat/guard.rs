//! Keeps what people say apart from what the template writes.
//!
//! Marks are put around and into every content before it goes through the template, and taken out of what comes back:
//! characters that Unicode will never give a meaning to (U+FDD0 to U+FDEF). Whatever a template does with a content
//! (trims it, cuts it, puts it somewhere else), its text can be told from the template's own, and no token of control
//! can be read out of it or out of the seam.

use super::super::tokenizer::Tokenizer;
use super::{Role, Turn};

/// Opens and closes a content; four digits follow that say which.
const OPEN: char = '\u{FDD0}';
const CLOSE: char = '\u{FDD1}';
/// Digits of a content's number, in base 16.
const DIGITS: u32 = 0xFDD2;
/// Stands inside of everything that reads like a special token.
const CUT: char = '\u{FDE2}';

/// The number of the system's content. Turns count from 0, and a conversation with more has lost its beginning.
const SYSTEM: usize = 0xFFFF;

/// Marks contents.
pub(super) struct Guard<'a> {
    tokenizer: &'a Tokenizer,
    /// Texts that the template writes and that are always one token, although they are no control tokens in this
    /// vocabulary.
    markers: &'a [String],
}

/// Marked contents.
pub(super) struct Contents {
    pub system: Option<String>,
    pub turns: Vec<String>,
}

/// Where a content lies in a rendered text: the bytes between its marks, as far as the template left them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Span {
    pub start: Option<usize>,
    pub end: Option<usize>,
}

/// A rendered conversation without its marks.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Rendered {
    pub text: String,
    pub system: Span,
    pub turns: Vec<Span>,
    /// Places inside of what reads like a special token and is none.
    pub cuts: Vec<usize>,
}

fn is_mark(c: char) -> bool {
    ('\u{FDD0}'..='\u{FDEF}').contains(&c)
}

impl Guard<'_> {
    pub fn new<'a>(tokenizer: &'a Tokenizer, markers: &'a [String]) -> Guard<'a> {
        Guard { tokenizer, markers }
    }

    pub fn contents(&self, system: Option<&str>, turns: &[Turn]) -> Contents {
        let turn = |(i, turn): (usize, &Turn)| self.mark(&turn.text, i.min(SYSTEM - 1), turn.role == Role::User);
        Contents {
            system: system.map(|text| self.mark(text, SYSTEM, true)),
            turns: turns.iter().enumerate().map(turn).collect(),
        }
    }

    /// A content with its marks. They stand inside of the blanks at its ends, where trimming does not reach them.
    fn mark(&self, text: &str, number: usize, from_people: bool) -> String {
        let text: String = text.chars().filter(|c| !is_mark(*c)).collect();
        let inner = text.trim();
        let from = text.len() - text.trim_start().len();
        // What the model wrote may hold always-whole texts like `<think>`, which templates look for.
        let markers = |token: &str| from_people && self.markers.iter().any(|marker| marker == token);
        let mut cuts: Vec<usize> = Vec::new();
        for found in self.tokenizer.written_out(&text, markers) {
            cuts.push(found.start + text[found.start..].chars().next().map_or(0, char::len_utf8));
        }
        cuts.sort_unstable();
        cuts.dedup();
        let mut out = String::with_capacity(text.len() + 32 + cuts.len() * CUT.len_utf8());
        let mut done = 0;
        let mut put = |out: &mut String, at: usize, mark: &dyn Fn(&mut String)| {
            out.push_str(&text[done..at]);
            mark(out);
            done = at;
        };
        let numbered = |mark: char| {
            move |out: &mut String| {
                let digit = |shift: u32| char::from_u32(DIGITS + (number as u32 >> shift & 15)).unwrap_or(CUT);
                out.extend([mark, digit(12), digit(8), digit(4), digit(0)]);
            }
        };
        if !inner.is_empty() {
            put(&mut out, from, &numbered(OPEN));
        }
        let to = from + inner.len();
        for cut in cuts.iter().filter(|cut| inner.is_empty() || (from..to).contains(*cut)) {
            put(&mut out, *cut, &|out| out.push(CUT));
        }
        if !inner.is_empty() {
            put(&mut out, to, &numbered(CLOSE));
        }
        put(&mut out, text.len(), &|_| ());
        out
    }
}

/// Takes the marks out of a rendered text.
pub(super) fn read(marked: &str, turns: usize) -> Rendered {
    let mut out = Rendered { turns: vec![Span::default(); turns], ..Rendered::default() };
    let mut chars = marked.chars().peekable();
    while let Some(c) = chars.next() {
        let place = out.text.len();
        match c {
            OPEN | CLOSE => {
                let mut number = 0;
                for _ in 0..4 {
                    let digit = chars.next_if(|c| (DIGITS..DIGITS + 16).contains(&(*c as u32)));
                    number = number << 4 | digit.map_or(0, |c| c as usize - DIGITS as usize);
                }
                let span = if number == SYSTEM { Some(&mut out.system) } else { out.turns.get_mut(number) };
                // A content that is written twice lies where it was written first.
                match span {
                    Some(span) if c == OPEN && span.start.is_none() => span.start = Some(place),
                    Some(span) if c == CLOSE && span.end.is_none() => span.end = Some(place),
                    _ => {}
                }
                out.cuts.push(place);
            }
            c if is_mark(c) => out.cuts.push(place),
            c => out.text.push(c),
        }
    }
    // Marks that came back in the wrong order say nothing.
    for span in out.turns.iter_mut().chain(Some(&mut out.system)) {
        if span.start.is_some_and(|start| span.end.is_some_and(|end| end < start)) {
            span.end = None;
        }
    }
    out
}
