//! How far each character moves the pen along its line, in half cells, and what may hang over a line's end.

use super::{Direction, Text, glyphs, joined, vertical};

/// Closing punctuation goes at most so far beyond the edge: a full stop and a quotation mark of Han, in a column one of
/// them, since beneath it is the foot. A model that writes nothing but exclamation marks would write them off the stage.
const HANG: u32 = 4;
const HANG_DOWN: u32 = 2;
/// And spaces so far, which nobody sees.
const HANG_OF_SPACES: u32 = 256;

/// How far the character at `i` moves the pen. Depends on no more than [`ahead`] characters after it.
pub fn along<T: Text + ?Sized>(text: &T, i: usize, c: char, direction: Direction) -> u32 {
    if glyphs::is_ordered(c) && joined::is_swallowed(text.before(i, 1), c) {
        return 0;
    }
    match direction {
        Direction::Across => glyphs::advance(c),
        Direction::Down => vertical::stance(text, i, c).along(c),
    }
}

/// How many characters after one have a say in its width.
pub fn ahead(direction: Direction) -> usize {
    match direction {
        Direction::Across => 0,
        Direction::Down => vertical::AHEAD,
    }
}

/// Whether `c` may stand beyond the end of a line when it ends `over` half cells beyond.
pub fn hangs(c: char, over: u32, direction: Direction) -> bool {
    let most = match direction {
        Direction::Across => HANG,
        Direction::Down => HANG_DOWN,
    };
    glyphs::advance(c) == 0 || over <= most && closes(c) || over <= HANG_OF_SPACES && is_space(c)
}

pub fn is_space(c: char) -> bool {
    c == ' ' || c == '\u{3000}'
}

fn closes(c: char) -> bool {
    "，。、！？；：）》】」』’”…,.!?;:)]}،؛؟۔".contains(c)
}
