//! Where glyphs stand.

use super::super::words::{self, Extent};
use super::super::{Direction, Placed, Setting, Typesetter, place};
use super::page;

const ACROSS: Setting = Setting { direction: Direction::Across, scale: 2.0, origin: [100.0, 50.0] };
const DOWN: Setting = Setting { direction: Direction::Down, scale: 2.0, origin: [100.0, 50.0] };

fn placed(text: &str, setting: &Setting) -> Vec<Placed> {
    let page = page(text);
    let mut setter = Typesetter::default();
    let mut all = Vec::new();
    for line in setter.lines(&page, 60, setting.direction) {
        place(&page, line, setting, &mut |glyph| all.push(glyph));
    }
    all
}

/// What is seen from left to right or from top to bottom, without marks.
fn seen(text: &str) -> String {
    placed(text, &ACROSS).iter().filter(|g| !g.mark).map(|g| g.ch).collect()
}

fn boxes(glyphs: &[Placed]) -> Vec<(char, f32, f32, bool)> {
    glyphs.iter().map(|g| (g.ch, g.x, g.y, g.turned)).collect()
}

#[test]
fn a_plain_line_goes_from_left_to_right() {
    let glyphs = placed("小 Q😀", &ACROSS);
    assert_eq!(
        boxes(&glyphs),
        [('小', 100.0, 50.0, false), (' ', 132.0, 50.0, false), ('Q', 148.0, 50.0, false), ('□', 164.0, 50.0, false)]
    );
    assert_eq!((glyphs[0].size(2.0), glyphs[2].size(2.0)), ([32.0, 32.0], [16.0, 32.0]));
    assert_eq!(glyphs.iter().map(|g| g.cell).collect::<Vec<_>>(), [0, 1, 2, 3]);
}

#[test]
fn marks_sit_in_the_middle_of_what_is_before_them() {
    for (text, x) in [("e\u{301}x", 100.0), ("小\u{301}", 108.0), ("\u{915}\u{93f}", 100.0), ("a\u{20e0}", 92.0)] {
        let glyphs = placed(text, &ACROSS);
        assert!(glyphs[1].mark && glyphs[1].cell == 1, "{text}");
        assert_eq!(glyphs[1].x, x, "{text}");
    }
    assert_eq!(placed("e\u{301}x", &ACROSS)[2].x, 116.0);
    assert_eq!(placed("\u{301}", &ACROSS)[0].x, 100.0);
}

#[test]
fn hebrew_is_seen_from_right_to_left_with_its_numbers_and_brackets() {
    assert_eq!(seen("שלום"), "םולש");
    assert_eq!(seen("the שלום moon"), "the םולש moon");
    assert_eq!(seen("שלום moon 12"), "moon 12 םולש");
    assert_eq!(seen("א (12) ב"), "ב (12) א");
    // Each glyph knows where it came from.
    let cells: Vec<usize> = placed("אב c", &ACROSS).iter().map(|g| g.cell).collect();
    assert_eq!(cells, [3, 2, 1, 0]);
    // A point stays on its letter.
    let glyphs = placed("ש\u{5b8}ל", &ACROSS);
    assert_eq!(glyphs.iter().map(|g| (g.cell, g.x)).collect::<Vec<_>>(), [(2, 100.0), (0, 116.0), (1, 116.0)]);
}

#[test]
fn spaces_at_the_end_hang_over_the_left_edge() {
    let glyphs = placed("אב  ", &ACROSS);
    assert_eq!(glyphs.iter().map(|g| g.x).collect::<Vec<_>>(), [68.0, 84.0, 100.0, 116.0]);
}

#[test]
fn arabic_is_joined_and_lam_alef_is_one() {
    assert_eq!(seen("سلام"), "\u{fee1}\u{fefc}\u{feb3}");
    let glyphs = placed("لا\u{64e}", &ACROSS);
    assert_eq!(glyphs.iter().map(|g| (g.cell, g.x)).collect::<Vec<_>>(), [(0, 100.0), (2, 100.0)]);
}

#[test]
fn every_cell_is_placed_once() {
    let text = "春 (moon) שלום [12] بحر e\u{301} 模 ש\u{5b8} \u{200f}!";
    for setting in [ACROSS, DOWN] {
        let mut cells: Vec<usize> = placed(text, &setting).iter().map(|g| g.cell).collect();
        cells.sort_unstable();
        let due = text.chars().enumerate().filter(|(_, c)| *c != '\u{200f}').map(|(i, _)| i);
        assert_eq!(cells, due.collect::<Vec<_>>());
    }
}

#[test]
fn a_column_goes_down_and_latin_lies_in_it() {
    let glyphs = placed("春。ab", &DOWN);
    assert_eq!(
        boxes(&glyphs),
        [('春', 100.0, 50.0, false), ('︒', 100.0, 82.0, false), ('a', 100.0, 114.0, true), ('b', 100.0, 130.0, true)]
    );
    assert_eq!(glyphs[2].size(2.0), [32.0, 16.0]);
}

#[test]
fn digits_stand_in_a_column_alone_in_its_middle_and_two_side_by_side() {
    let glyphs = placed("3月12日", &DOWN);
    let due = [('3', 108.0, 50.0), ('月', 100.0, 82.0), ('1', 100.0, 114.0), ('2', 116.0, 114.0), ('日', 100.0, 146.0)];
    assert_eq!(boxes(&glyphs), due.map(|(c, x, y)| (c, x, y, false)));
    // Marks go with what they sit on.
    let marked = placed("か\u{3099}e\u{301}", &DOWN);
    let due = [('か', 50.0, false), ('\u{3099}', 50.0, false), ('e', 82.0, true), ('\u{301}', 82.0, true)];
    assert_eq!(marked.iter().map(|g| (g.ch, g.y, g.turned)).collect::<Vec<_>>(), due);
}

#[test]
fn a_word_by_itself_is_measured_and_set() {
    assert_eq!(words::measure(" moon", Direction::Across), 5);
    assert_eq!(words::measure("“春”", Direction::Across), 4);
    assert_eq!(words::measure("“春”", Direction::Down), 6);
    let mut glyphs = Vec::new();
    let extent = words::set("the moon", 5, &ACROSS, 40.0, &mut glyphs);
    assert_eq!(extent, Extent { lines: 2, half_cells: 4 });
    assert_eq!((glyphs[4].ch, glyphs[4].cell, glyphs[4].x, glyphs[4].y), ('m', 4, 100.0, 90.0));
    glyphs.clear();
    words::set("春江潮", 4, &DOWN, 40.0, &mut glyphs);
    assert_eq!((glyphs[2].x, glyphs[2].y), (60.0, 50.0));
    // A line that runs from right to left begins under the right end of the widest.
    glyphs.clear();
    words::set("שלום\nאב", 9, &ACROSS, 40.0, &mut glyphs);
    assert_eq!(glyphs.iter().skip(4).map(|g| (g.cell, g.x)).collect::<Vec<_>>(), [(6, 132.0), (5, 148.0)]);
    assert_eq!(words::set("", 9, &ACROSS, 40.0, &mut glyphs), Extent { lines: 1, half_cells: 0 });
}
