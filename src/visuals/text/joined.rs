//! Arabic letters take the shape that their neighbours ask for: Unifont has the presentation forms, `ar-reshaper` the
//! table of which letter has which.

use ar_reshaper::form::Forms;
use ar_reshaper::letters::letters_db::LETTERS_ARABIC;

use super::glyphs;

/// What is drawn for a letter that has become part of the one before it.
pub const SWALLOWED: char = '\0';

const LAM: char = '\u{644}';
/// An alef after lam, and the two as one: standing alone, and joined to what is before.
const LAM_ALEF: [(char, char, char); 4] = [
    ('\u{622}', '\u{fef5}', '\u{fef6}'),
    ('\u{623}', '\u{fef7}', '\u{fef8}'),
    ('\u{625}', '\u{fef9}', '\u{fefa}'),
    ('\u{627}', '\u{fefb}', '\u{fefc}'),
];

/// Whether `c` is drawn as a part of the character before it and takes no room.
pub fn is_swallowed(before: Option<char>, c: char) -> bool {
    before == Some(LAM) && LAM_ALEF.iter().any(|(alef, ..)| *alef == c)
}

fn forms(c: char) -> Option<&'static Forms> {
    LETTERS_ARABIC.iter().find(|(letter, _)| *letter == c).map(|(_, forms)| forms)
}

fn joins_forward(c: char) -> bool {
    forms(c).is_some_and(|f| f.initial != '\0' || f.medial != '\0')
}

fn joins_back(c: char) -> bool {
    forms(c).is_some_and(|f| f.end != '\0' || f.medial != '\0')
}

/// Whether joining looks through `c`: marks, and what directs; not U+200C, which is there to part.
fn is_transparent(c: char) -> bool {
    glyphs::is_mark(c) || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}')
}

/// Puts the shapes of a line's characters, in their logical order, in their places.
pub fn shape(line: &mut [char]) {
    let logical = line.to_vec();
    let solid = |c: &&char| !is_transparent(**c);
    for (i, c) in logical.iter().enumerate() {
        let Some(of) = forms(*c) else { continue };
        let before = joins_back(*c) && logical[..i].iter().rev().find(solid).is_some_and(|c| joins_forward(*c));
        let after = joins_forward(*c) && logical[i + 1..].iter().find(solid).is_some_and(|c| joins_back(*c));
        if is_swallowed(i.checked_sub(1).map(|i| logical[i]), *c) {
            line[i] = SWALLOWED;
            continue;
        }
        let next = logical.get(i + 1).copied().filter(|_| *c == LAM);
        let ligature = LAM_ALEF.iter().find(|(alef, ..)| next == Some(*alef));
        let shape = match (ligature, before, after) {
            (Some((_, alone, _)), false, _) => *alone,
            (Some((.., joined)), true, _) => *joined,
            (None, false, false) => of.isolated,
            (None, false, true) => of.initial,
            (None, true, false) => of.end,
            (None, true, true) => of.medial,
        };
        // A few letters lack the form that their neighbours ask for.
        if shape != '\0' {
            line[i] = shape;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shaped(text: &str) -> String {
        let mut line: Vec<char> = text.chars().collect();
        shape(&mut line);
        line.into_iter().collect()
    }

    #[test]
    fn letters_join_their_neighbours() {
        assert_eq!(shaped("بحر"), "\u{fe91}\u{fea4}\u{feae}");
        assert_eq!(shaped("ب"), "\u{fe8f}");
        assert_eq!(shaped("دار"), "\u{fea9}\u{fe8d}\u{fead}");
        assert_eq!(shaped("a ب1"), "a \u{fe8f}1");
        // Persian, where U+200C parts what would join.
        assert_eq!(shaped("می\u{200c}خ"), "\u{fee3}\u{fbfd}\u{200c}\u{fea5}");
    }

    #[test]
    fn marks_do_not_part_and_lam_takes_alef_in() {
        assert_eq!(shaped("ب\u{64e}ح"), "\u{fe91}\u{64e}\u{fea2}");
        assert_eq!(shaped("\u{64e}ب"), "\u{64e}\u{fe8f}");
        assert_eq!(shaped("سلام"), "\u{feb3}\u{fefc}\0\u{fee1}");
        assert_eq!(shaped("لا"), "\u{fefb}\0");
    }

    #[test]
    fn every_shape_is_in_the_type_and_as_wide_as_its_letter() {
        for (letter, f) in LETTERS_ARABIC.iter().filter(|(letter, _)| *letter != '\u{200d}') {
            for shape in [f.isolated, f.initial, f.medial, f.end].into_iter().filter(|c| *c != '\0') {
                assert_eq!(glyphs::shown(shape), shape);
                assert_eq!(glyphs::advance(shape), glyphs::advance(*letter), "{letter} {shape}");
            }
        }
    }
}
