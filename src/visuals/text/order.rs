//! The order in which a line with Hebrew or Arabic is seen (UAX 9), with its letters joined and its brackets mirrored.

use unicode_bidi::{BidiClass, Level, ParagraphBidiInfo, bidi_class};

use super::{Line, Order, Text, glyphs, joined};

/// Brackets that look the other way between letters that run from right to left.
const MIRRORED: [(char, char); 9] =
    [('(', ')'), ('<', '>'), ('[', ']'), ('{', '}'), ('«', '»'), ('‹', '›'), ('≤', '≥'), ('（', '）'), ('「', '」')];

/// Which way a paragraph runs, as far as its characters say so: `Some(true)` from right to left. Its first character that
/// has a direction of its own decides.
pub fn strong(c: char) -> Option<bool> {
    match bidi_class(c) {
        BidiClass::L => Some(false),
        BidiClass::R | BidiClass::AL => Some(true),
        _ => None,
    }
}

/// The line's characters as they are drawn, from left to right, each with its place in the text; marks come after the
/// character that they sit on.
pub fn visual<T: Text + ?Sized>(text: &T, line: &Line) -> Vec<(usize, char)> {
    let logical: String = (line.start..line.end).map_while(|i| text.at(i)).collect();
    let mut shapes: Vec<char> = logical.chars().collect();
    joined::shape(&mut shapes);
    // Bytes to places.
    let places: Vec<usize> = logical.char_indices().map(|(byte, _)| byte).collect();
    let base = if line.order == Order::Rtl { Level::rtl() } else { Level::ltr() };
    let info = ParagraphBidiInfo::new(&logical, Some(base));
    let (levels, runs) = info.visual_runs(0..logical.len());
    let mut seen = Vec::with_capacity(shapes.len());
    let mut marks = Vec::new();
    for run in runs {
        let is_rtl = levels[run.start].is_rtl();
        let (from, to) =
            (places.partition_point(|byte| *byte < run.start), places.partition_point(|byte| *byte < run.end));
        if !is_rtl {
            seen.extend((from..to).map(|i| (line.start + i, shapes[i])));
            continue;
        }
        for i in (from..to).rev() {
            match shapes[i] {
                joined::SWALLOWED => {}
                c if glyphs::is_mark(c) => marks.push((line.start + i, c)),
                c => {
                    seen.push((line.start + i, mirrored(c)));
                    seen.extend(marks.drain(..).rev());
                }
            }
        }
        seen.extend(marks.drain(..).rev());
    }
    seen.retain(|(_, c)| *c != joined::SWALLOWED);
    seen
}

fn mirrored(c: char) -> char {
    let other = |(a, b): &(char, char)| (*a == c).then_some(*b).or_else(|| (*b == c).then_some(*a));
    MIRRORED.iter().find_map(other).unwrap_or(c)
}
