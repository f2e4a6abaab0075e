//! The type: GNU Unifont's Basic Multilingual Plane as one texture, and how wide each character is.
//!
//! The texture is 4096×4096 single-channel texels, 256×256 cells of 16×16; a character's cell is its code point. A
//! half-wide glyph fills the left 8 columns of its cell. Characters without a glyph (emoji, rare Han beyond the plane)
//! show as a box.

use std::sync::OnceLock;

use unicode_bidi::{BidiClass, bidi_class};
use unicode_linebreak::{BreakClass, break_property};
use unicode_width::UnicodeWidthChar;

/// Width and height of the atlas in texels.
pub const ATLAS_SIDE: usize = 4096;
/// What stands in for a character that the type does not have.
pub const BOX: char = '□';

/// The whole atlas, row by row: 255 where a glyph has ink, else 0. 16 MiB, made once for each renderer and not kept.
pub fn atlas() -> Vec<u8> {
    let mut texels = vec![0u8; ATLAS_SIDE * ATLAS_SIDE];
    for (c, glyph) in unifont::enumerate_glyphs() {
        let code = c as usize;
        if code > 0xffff {
            continue;
        }
        let corner = (code >> 8) * 16 * ATLAS_SIDE + (code & 255) * 16;
        for y in 0..16 {
            let row = match glyph {
                unifont::Glyph::Halfwidth(rows) => u16::from(rows[y]) << 8,
                unifont::Glyph::Fullwidth(rows) => rows[y],
            };
            for (x, texel) in texels[corner + y * ATLAS_SIDE..][..16].iter_mut().enumerate() {
                *texel = if row & (0x8000 >> x) != 0 { 255 } else { 0 };
            }
        }
    }
    texels
}

/// The 16 rows of a character's glyph from the top, its leftmost pixel the highest bit.
pub fn rows(c: char) -> [u16; 16] {
    match unifont::get_glyph(shown(c)) {
        Some(unifont::Glyph::Halfwidth(rows)) => rows.map(|row| u16::from(row) << 8),
        Some(unifont::Glyph::Fullwidth(rows)) => *rows,
        None => [0; 16],
    }
}

/// What is known of a character: how far it moves the pen (two bits), how wide its glyph is (two bits), and flags.
const ADVANCE: u8 = 0b11;
const WIDTH: u8 = 0b1100;
/// Drawn onto the character before it.
const MARK: u8 = 1 << 4;
/// A line with it must be put into visual order.
const ORDERED: u8 = 1 << 5;
/// Stands upright in a column.
const UPRIGHT: u8 = 1 << 6;
/// Unifont has a glyph for it.
const HAS: u8 = 1 << 7;

/// Made once, 64 KiB: `unifont::get_glyph` walks a list of ranges for each question, and `unicode_width` three tables; a
/// page asks thousands of times a frame.
fn traits() -> &'static [u8] {
    static TRAITS: OnceLock<Vec<u8>> = OnceLock::new();
    TRAITS.get_or_init(|| {
        let mut widths = vec![0; 0x10000];
        for (c, glyph) in unifont::enumerate_glyphs() {
            if let Some(width) = widths.get_mut(c as usize) {
                *width = (glyph.get_width() / 8) as u8;
            }
        }
        let of_box = widths[BOX as usize];
        let of = |(code, &width): (usize, &u8)| {
            let has = if width > 0 { HAS } else { 0 };
            let width = if width > 0 { width } else { of_box };
            has | char::from_u32(code as u32).map_or(0, |c| traits_of(c, width, has > 0))
        };
        widths.iter().enumerate().map(of).collect()
    })
}

fn traits_of(c: char, width: u8, has_glyph: bool) -> u8 {
    use BidiClass::*;
    // Also U+2066..2069 and U+202A..202E are among these, the characters that do nothing but order.
    let ordered = matches!(bidi_class(c), R | AL | AN | RLE | RLO | LRE | LRO | RLI | LRI | FSI | PDI | PDF);
    let ordered = if ordered || matches!(c, '\u{200e}' | '\u{200f}' | '\u{61c}') { ORDERED } else { 0 };
    if is_invisible(c) {
        return ordered;
    }
    if c.width() == Some(0) || is_overlay(c) {
        return ordered | if has_glyph { MARK | width << 2 } else { 0 };
    }
    let upright = if width == 2 && c.width() == Some(2) { UPRIGHT } else { 0 };
    ordered | upright | width << 2 | width
}

/// Controls, joiners, selectors and fillers: never drawn, though Unifont has a picture for many.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}')
}

/// The vowel signs of Indic scripts and Khmer take room in most fonts; Unifont draws each where it belongs in the cell of
/// its consonant, left or right of it.
fn is_overlay(c: char) -> bool {
    matches!(c, '\u{17b6}'..='\u{17d3}')
        || (matches!(c, '\u{900}'..='\u{dff}') && break_property(c as u32) == BreakClass::CombiningMark)
}

fn traits_at(c: char) -> u8 {
    match traits().get(c as usize) {
        Some(traits) => *traits,
        None if c.width() == Some(0) => 0,
        None => traits()[BOX as usize],
    }
}

/// The character that is drawn for `c`: itself, or the box.
pub fn shown(c: char) -> char {
    let has = traits().get(c as usize).is_some_and(|traits| traits & HAS != 0);
    if has { c } else { BOX }
}

/// How far `c` moves the pen, in half cells of 8 pixels: 0 for marks that sit on the character before them and for
/// what is invisible, 1 for Latin, 2 for Han.
pub fn advance(c: char) -> u32 {
    u32::from(traits_at(c) & ADVANCE)
}

/// How wide the glyph of `c` is in half cells; that of a mark too. 0 for what is invisible.
pub fn width(c: char) -> u32 {
    u32::from((traits_at(c) & WIDTH) >> 2)
}

/// Whether a character of no width is drawn onto the one before it.
pub fn is_mark(c: char) -> bool {
    traits_at(c) & MARK != 0
}

/// Whether a line with `c` must be put into visual order: Hebrew, Arabic, and what directs them.
pub(super) fn is_ordered(c: char) -> bool {
    traits_at(c) & ORDERED != 0
}

/// Whether `c` stands upright in a column, in a whole cell: Han, kana, Hangul and their punctuation.
pub(super) fn is_upright(c: char) -> bool {
    traits_at(c) & UPRIGHT != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_script_has_its_width() {
        assert_eq!("Aé小。한か".chars().map(advance).collect::<Vec<_>>(), [1, 1, 2, 2, 2, 2]);
        assert_eq!("\u{301}\u{200d}\u{fe0f}\n".chars().map(advance).collect::<Vec<_>>(), [0, 0, 0, 0]);
        assert_eq!(advance('😀'), advance(BOX));
        assert_eq!(shown('😀'), BOX);
        assert_eq!(shown('模'), '模');
    }

    #[test]
    fn marks_are_drawn_onto_the_character_before_and_controls_never() {
        // Latin, Hebrew, Arabic, Thai, Devanagari (above, below, beside), Tamil, Khmer, kana.
        for mark in "\u{301}\u{5b8}\u{64e}\u{e34}\u{902}\u{941}\u{93f}\u{bbe}\u{17c1}\u{3099}".chars() {
            assert!(is_mark(mark) && advance(mark) == 0 && width(mark) > 0, "U+{:04X}", mark as u32);
        }
        let unseen = "\u{0}\u{7f}\u{85}\u{ad}\u{200b}\u{200d}\u{200f}\u{202e}\u{2028}\u{2067}\u{fe0f}\u{feff}\u{e0101}";
        for c in unseen.chars() {
            assert!(!is_mark(c) && advance(c) == 0 && width(c) == 0, "U+{:04X}", c as u32);
        }
        assert!("אب\u{200f}٣".chars().all(is_ordered) && !"A1 春。ก".chars().any(is_ordered));
        assert!("春あ한。（".chars().all(is_upright) && !"Aé…א😀".chars().any(is_upright));
    }

    #[test]
    fn a_cell_holds_its_own_glyph_and_no_other() {
        let texels = atlas();
        let ink = |c: char, columns: std::ops::Range<usize>| {
            let corner = (c as usize >> 8) * 16 * ATLAS_SIDE + (c as usize & 255) * 16;
            (0..16)
                .flat_map(|y| columns.clone().map(move |x| (x, y)))
                .filter(|(x, y)| texels[corner + y * ATLAS_SIDE + x] > 0)
                .count()
        };
        assert!(ink('A', 0..8) > 10);
        assert_eq!(ink('A', 8..16), 0);
        assert!(ink('小', 0..8) > 5 && ink('小', 8..16) > 5);
        assert_eq!(ink(' ', 0..16), 0);
    }
}
