//! The type: GNU Unifont's Basic Multilingual Plane as one texture, and how wide each character is.
//!
//! The texture is 4096×4096 single-channel texels, 256×256 cells of 16×16; a character's cell is its code point. A
//! half-wide glyph fills the left 8 columns of its cell. Characters without a glyph (emoji, rare Han beyond the plane)
//! show as a box.

use std::sync::OnceLock;

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

/// Widths by code point in half cells: 0 where there is no glyph, else 1 or 2.
fn widths() -> &'static [u8] {
    // `unifont::get_glyph` walks a list of ranges for each question; a page asks thousands of times a frame.
    static WIDTHS: OnceLock<Vec<u8>> = OnceLock::new();
    WIDTHS.get_or_init(|| {
        let mut widths = vec![0; 0x10000];
        for (c, glyph) in unifont::enumerate_glyphs() {
            if let Some(width) = widths.get_mut(c as usize) {
                *width = (glyph.get_width() / 8) as u8;
            }
        }
        widths
    })
}

/// The character that is drawn for `c`: itself, or the box.
pub fn shown(c: char) -> char {
    match widths().get(c as usize) {
        Some(1..) => c,
        _ => BOX,
    }
}

/// How far `c` moves the pen, in half cells of 8 pixels: 0 for marks that sit on the character before them and for
/// what is invisible, 1 for Latin, 2 for Han.
pub fn advance(c: char) -> u32 {
    if c.is_control() || c.width() == Some(0) {
        return 0;
    }
    u32::from(widths()[shown(c) as usize])
}

/// Whether a character of no width is drawn onto the one before it.
pub fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}')
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
