//! Where one line ends: by Unicode's rules (UAX 14), and anywhere in a word that is too long for a line.
//!
//! Each line is looked at from its own start, so that where it ends depends on nothing before it.

use unicode_linebreak::linebreaks;

use super::measure::{ahead, along, hangs};
use super::{Direction, Text, glyphs, vertical};

/// How a line ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Break {
    /// The line is the characters up to here.
    pub end: usize,
    /// Where the next line begins and which character called for it; none at the end of the text.
    pub next: Option<(usize, usize)>,
    /// So many characters of the text had a say in it; what comes after them changes nothing.
    pub seen: usize,
}

/// The line that begins at `start` and has room for `columns` half cells. `scratch` is for reuse.
pub fn line<T: Text + ?Sized>(
    text: &T,
    start: usize,
    columns: u32,
    direction: Direction,
    scratch: &mut String,
) -> Break {
    scratch.clear();
    let (mut i, mut x, mut before) = (start, 0, None);
    loop {
        let Some(c) = text.at(i) else { return Break { end: i, next: None, seen: usize::MAX } };
        let seen = i + 1 + ahead(direction);
        if c == '\n' {
            return Break { end: i, next: Some((i + 1, i)), seen };
        }
        scratch.push(as_broken(before, c));
        let wide = along(text, i, c, direction);
        if x + wide > columns && i > start && !hangs(c, x + wide - columns, direction) {
            let at = chance(scratch).map_or_else(|| anywhere(text, i, start, direction), |n| start + n);
            return Break { end: at, next: Some((at, i)), seen };
        }
        (i, x, before) = (i + 1, x + wide, Some(c));
    }
}

/// The last place at which the line may end, in characters from its start; its last character has no room.
fn chance(line: &str) -> Option<usize> {
    let (at, _) = linebreaks(line).take_while(|(at, _)| *at < line.len()).last()?;
    Some(line[..at].chars().count())
}

/// A word longer than a line breaks before the character that has no room, but not within a pair of upright digits.
fn anywhere<T: Text + ?Sized>(text: &T, i: usize, start: usize, direction: Direction) -> usize {
    let within = direction == Direction::Down && i > start + 1 && vertical::is_second(text, i);
    if within { i - 1 } else { i }
}

/// Curved quotation marks open and close where they stand in Chinese; Unicode 15 lets no line break beside them at all,
/// since in other languages the same marks close and open.
fn as_broken(before: Option<char>, c: char) -> char {
    match c {
        '“' | '‘' if before.is_some_and(glyphs::is_upright) => '「',
        '”' | '’' if before.is_some_and(glyphs::is_upright) => '」',
        _ => c,
    }
}
