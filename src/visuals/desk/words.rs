//! The words in the middle of the view, the latest always in sight, and what holds them up. Pure.

use std::ops::Range;

use super::row::{Ink, Pen, Piece, Row};
use crate::desk::State;
use crate::desk::page;
use crate::desk::state::Pause;

/// Lines longer than this are hard to read.
const MEASURE: usize = 84;
/// Below this probability a token was improbable.
const IMPROBABLE: f32 = 0.02;

/// The columns of a line where there are so many.
pub fn measure(wide: usize) -> usize {
    wide.min(MEASURE)
}

pub fn draw(desk: &State, x: usize, rows: Range<usize>, wide: usize, pen: &mut Pen) {
    let wide = measure(wide);
    if wide < 8 || rows.len() < 3 {
        return;
    }
    let (top, end) = (rows.start, rows.end - 1);
    let lines = desk.page.lines(wide);
    let shown = &lines[lines.len().saturating_sub(end - top)..];
    for (line, y) in shown.iter().zip(top..end) {
        let glyphs = line.clone().map(|at| desk.page.glyph(at));
        pen.row(x, y, wide, &runs(glyphs));
    }
    pen.row(x, end, wide, &paused(desk));
}

/// Neighbours of one colour in one piece.
fn runs<'a>(glyphs: impl Iterator<Item = &'a page::Glyph>) -> Row {
    let mut row: Row = Vec::new();
    for glyph in glyphs {
        let ink = match glyph.ink {
            page::Ink::Prompt => Ink::Prompt,
            page::Ink::Word { p } if p < IMPROBABLE || glyph.flawed => Ink::Fault,
            page::Ink::Word { .. } => Ink::Plain,
        };
        if !matches!(row.last(), Some(Piece::Text(_, last)) if *last == ink) {
            row.push(Piece::text("", ink));
        }
        if let Some(Piece::Text(text, _)) = row.last_mut() {
            text.push(glyph.ch);
            text.push_str(&glyph.marks);
        }
    }
    row
}

fn paused(desk: &State) -> Row {
    let told = |word: &str, part: f32, end: String| {
        vec![Piece::text(format!("{word} "), Ink::Plain), Piece::bar(part, 10), Piece::text(end, Ink::Plain)]
    };
    let waits = |word: &str, s: f32| vec![Piece::text(format!("{word} {s:.1} s"), Ink::Plain)];
    match desk.pause() {
        None => Vec::new(),
        Some(Pause::Reading { done, total }) => {
            told("reading", done as f32 / total.max(1) as f32, format!(" {done} of {total} tokens"))
        }
        Some(Pause::Loading { done, total }) => {
            let part = (done as f64 / total.max(1) as f64) as f32;
            told("loading", part, format!(" {} of {} MB", done / 1_000_000, total / 1_000_000))
        }
        Some(Pause::Held { s }) => waits("held", s),
        Some(Pause::Resting { s }) => waits("at rest", s),
        Some(Pause::Waiting { s }) => waits("waiting", s),
        Some(Pause::Ended { reason }) => vec![Piece::text(format!("ended: {reason}"), Ink::Strong)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accents_stay_on_their_letters() {
        let mut page = page::Page::default();
        page.token("e\u{301}", 0.9, 0);
        page.token("a", 0.001, 1);
        page.token("o\u{308}", 0.001, 2);
        let row = runs(page.lines(9).remove(0).map(|at| page.glyph(at)));
        assert_eq!(row, [Piece::text("e\u{301}", Ink::Plain), Piece::text("ao\u{308}", Ink::Fault)]);
    }
}
