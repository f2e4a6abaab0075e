//! The streaming text as a page: glyphs with their ink, broken into lines of any width.
//!
//! Owned by the stage's state. Only the last few thousand glyphs are kept; the journal has the rest.

use std::collections::VecDeque;
use std::ops::Range;

use unicode_width::UnicodeWidthChar;

use super::clean;
use crate::score::event::is_given;

/// From this many glyphs on, the oldest lines are let go until half are left: more than any screen holds.
const MOST: usize = 16_384;
/// Accents on one character; more would only build towers.
const MOST_MARKS: usize = 4;

/// How a glyph came onto the page.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Ink {
    /// Given by the performer.
    Prompt,
    /// Drawn by the model, which gave its token this probability.
    Word { p: f32 },
}

/// One character with the marks that stand on it.
#[derive(Clone, Debug, PartialEq)]
pub struct Glyph {
    pub ch: char,
    /// Characters without width that belong to it.
    pub marks: String,
    pub ink: Ink,
    /// The model erred here.
    pub flawed: bool,
    /// Columns it takes: 0 for a newline, else 1 or 2.
    pub width: u8,
    /// The token's index within its piece.
    index: u32,
    piece: u32,
}

/// The text so far.
#[derive(Clone, Debug, Default)]
pub struct Page {
    glyphs: VecDeque<Glyph>,
    piece: u32,
    /// A piece has ended: what comes next begins after a blank line.
    turned: bool,
    /// The width it was last wrapped to, so that old lines can go without moving the others.
    width: usize,
}

impl Page {
    /// Ends the piece; the next text stands apart from it.
    pub fn turn(&mut self) {
        self.turned = true;
    }

    pub fn prompt(&mut self, text: &str) {
        self.turn();
        self.push(text, Ink::Prompt, u32::MAX);
    }

    /// The performer's words in the middle of the piece, which has not ended then.
    pub fn layer(&mut self, text: &str, index: u32, tokens: u32) {
        self.turned = false;
        self.spread(text, |_| Ink::Prompt, index, tokens);
    }

    pub fn token(&mut self, text: &str, p: f32, index: u32) {
        self.push(text, Ink::Word { p }, index);
    }

    fn push(&mut self, text: &str, ink: Ink, index: u32) {
        if self.turned {
            self.turned = false;
            self.piece += 1;
            let newlines = self.glyphs.iter().rev().take_while(|g| g.ch == '\n').count();
            if newlines < self.glyphs.len() {
                for _ in newlines..2 {
                    self.put('\n', ink, index);
                }
            }
        }
        for ch in text.chars().filter_map(clean::visible) {
            match ch {
                '\n' => self.put(ch, ink, index),
                '\t' => self.put(' ', ink, index),
                _ if ch.width().unwrap_or(0) == 0 => {
                    if let Some(last) = self.glyphs.back_mut().filter(|g| g.ch != '\n')
                        && last.marks.chars().count() < MOST_MARKS
                    {
                        last.marks.push(ch);
                    }
                }
                _ => self.put(ch, ink, index),
            }
        }
        if self.glyphs.len() > MOST {
            self.let_go();
        }
    }

    fn put(&mut self, ch: char, ink: Ink, index: u32) {
        let width = ch.width().unwrap_or(0) as u8;
        self.glyphs.push_back(Glyph { ch, marks: String::new(), ink, flawed: false, width, index, piece: self.piece });
    }

    fn let_go(&mut self) {
        let surplus = self.glyphs.len() - MOST / 2;
        // Where a line begins, so that the rest wraps as it did.
        let lines = self.lines(self.width.max(1));
        let cut = lines.iter().map(|l| l.start).find(|start| *start >= surplus).unwrap_or(surplus);
        self.glyphs.drain(..cut);
    }

    /// Takes back the last words of the present piece, which has not ended then.
    pub fn rewind(&mut self, text: &str) {
        self.turned = false;
        let piece = self.piece;
        for ch in text.chars().rev().filter_map(clean::visible) {
            let ch = if ch == '\t' { ' ' } else { ch };
            // A mark without width is no glyph of its own.
            // The prompt itself is no part of what was written.
            if self.glyphs.back().is_some_and(|g| g.piece == piece && g.index != u32::MAX && g.ch == ch) {
                self.glyphs.pop_back();
            }
        }
    }

    /// The words of a piece at once, of which there are `tokens` tokens, and some may be the performer's.
    pub fn restore(&mut self, text: &str, tokens: u32, given: &[(u32, u32)]) {
        let ink = |i| if is_given(given, i) { Ink::Prompt } else { Ink::Word { p: 1.0 } };
        self.spread(text, ink, 0, tokens);
    }

    /// Words of `tokens` tokens from `first` on. Where each begins is not known here: by proportion.
    fn spread(&mut self, text: &str, ink: impl Fn(u32) -> Ink, first: u32, tokens: u32) {
        let count = text.chars().count().max(1) as u64;
        for (i, ch) in (0..).zip(text.chars()) {
            let index = first + (u64::from(i) * u64::from(tokens) / count) as u32;
            self.push(ch.encode_utf8(&mut [0; 4]), ink(i), index);
        }
    }

    /// Marks the `count` tokens up to `index` of the present piece as an error.
    pub fn flaw(&mut self, index: u32, count: u32) {
        let first = index.saturating_sub(count.saturating_sub(1));
        for glyph in self.glyphs.iter_mut().rev().take_while(|g| g.piece == self.piece) {
            if glyph.index >= first && glyph.index <= index && glyph.ink != Ink::Prompt {
                glyph.flawed = true;
            }
        }
    }

    pub fn glyph(&self, at: usize) -> &Glyph {
        &self.glyphs[at]
    }

    /// Remembers the width the stage has, for the day when old lines go.
    pub fn set_width(&mut self, width: usize) {
        self.width = width;
    }

    /// The lines at a width in columns, as ranges of glyphs without their newlines.
    ///
    /// Breaks after spaces and around wide characters, but not before closing or after opening punctuation; a word
    /// longer than the line is cut. A space that does not fit is left out.
    pub fn lines(&self, width: usize) -> Vec<Range<usize>> {
        let mut lines = Vec::new();
        let (mut start, mut x) = (0, 0);
        // Where the next line may begin.
        let mut gap = None;
        for (i, glyph) in self.glyphs.iter().enumerate() {
            if glyph.ch == '\n' {
                lines.push(start..i);
                (start, x, gap) = (i + 1, 0, None);
                continue;
            }
            if i > start && may_break(&self.glyphs[i - 1], glyph) {
                gap = Some(i);
            }
            let w = usize::from(glyph.width);
            if x + w > width && i > start {
                if glyph.ch == ' ' {
                    lines.push(start..i);
                    (start, x, gap) = (i + 1, 0, None);
                    continue;
                }
                let cut = gap.unwrap_or(i);
                lines.push(start..cut);
                (start, gap) = (cut, None);
                x = self.glyphs.range(start..i).map(|g| usize::from(g.width)).sum();
            }
            x += w;
        }
        lines.push(start..self.glyphs.len());
        lines
    }
}

fn may_break(before: &Glyph, after: &Glyph) -> bool {
    let gap = matches!(before.ch, ' ' | '-' | '—') || before.width == 2 || after.width == 2;
    gap && after.ch != ' ' && !never_last(before.ch) && !never_first(after.ch)
}

/// Opening punctuation stays with what follows it.
fn never_last(c: char) -> bool {
    matches!(c, '(' | '[' | '{' | '「' | '『' | '《' | '〈' | '（' | '【' | '〔' | '“' | '‘')
}

/// Closing punctuation and small kana stay with what they follow.
fn never_first(c: char) -> bool {
    matches!(
        c,
        ')' | ']'
            | '}'
            | ','
            | '.'
            | ';'
            | ':'
            | '!'
            | '?'
            | '、'
            | '。'
            | '，'
            | '．'
            | '；'
            | '：'
            | '！'
            | '？'
            | '」'
            | '』'
            | '》'
            | '〉'
            | '）'
            | '】'
            | '〕'
            | '”'
            | '’'
            | '…'
            | 'ー'
            | 'ゃ'
            | 'ゅ'
            | 'ょ'
            | 'っ'
            | '々'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrapped(text: &str, width: usize) -> Vec<String> {
        let mut page = Page::default();
        page.token(text, 1.0, 0);
        strings(&page, width)
    }

    fn strings(page: &Page, width: usize) -> Vec<String> {
        page.lines(width).into_iter().map(|line| line.map(|i| page.glyph(i).ch).collect()).collect()
    }

    #[test]
    fn words_break_at_spaces_and_characters_anywhere() {
        assert_eq!(wrapped("the quiet moon", 9), ["the quiet", "moon"]);
        assert_eq!(wrapped("the quiet moon", 8), ["the ", "quiet ", "moon"]);
        assert_eq!(wrapped("春江潮水連海平", 6), ["春江潮", "水連海", "平"]);
        assert_eq!(wrapped("春江潮水連海平", 7), ["春江潮", "水連海", "平"]);
        assert_eq!(wrapped("moon月moon", 6), ["moon月", "moon"]);
        assert_eq!(wrapped("unbreakable", 4), ["unbr", "eaka", "ble"]);
        assert_eq!(wrapped("a\n\nb", 4), ["a", "", "b"]);
    }

    #[test]
    fn words_are_taken_back_from_pieces_that_ended_or_came_back() {
        let mut page = Page::default();
        page.prompt("A");
        page.token(" moon", 0.5, 0);
        page.token("\te\u{301}", 0.5, 1);
        page.turn();
        page.rewind("\te\u{301}");
        page.token(" rose", 0.5, 1);
        assert_eq!(strings(&page, 40), ["A moon rose"]);
        page.rewind("A moon rose");
        assert_eq!(strings(&page, 40), ["A"], "the prompt stays");
        page.prompt("O");
        page.restore(" sea calm", 2, &[]);
        page.rewind(" calm");
        assert_eq!(strings(&page, 40), ["A", "", "O sea"]);
        page.restore("abcd", 2, &[(2, 3)]);
        page.flaw(1, 1);
        let flawed = |c| page.glyphs.iter().rev().find(|g| g.ch == c).is_some_and(|g| g.flawed);
        assert_eq!(['a', 'b', 'c', 'd'].map(flawed), [false, false, false, true], "c is the performer's");
    }

    #[test]
    fn no_line_begins_with_closing_punctuation() {
        assert_eq!(wrapped("海上明月，共潮生。", 8), ["海上明", "月，共潮", "生。"]);
        assert_eq!(wrapped("他说「好」。", 8), ["他说", "「好」。"]);
    }

    #[test]
    fn nothing_is_wider_than_the_page() {
        let text = "一 two 三three四 five，六 seven-eight 九「ten」 and so on，and on。".repeat(5);
        for width in 2..40 {
            let mut page = Page::default();
            page.token(&text, 1.0, 0);
            for line in page.lines(width) {
                assert!(line.map(|i| usize::from(page.glyph(i).width)).sum::<usize>() <= width);
            }
        }
        assert_eq!(wrapped("月", 1), ["月"]);
    }

    #[test]
    fn marks_stay_on_their_letter() {
        assert_eq!(wrapped("e\u{301}e", 1), ["e", "e"]);
        let mut page = Page::default();
        page.token("e", 1.0, 0);
        page.token("\u{301}", 1.0, 1);
        assert_eq!(page.glyph(0).marks, "\u{301}");
    }

    #[test]
    fn pieces_stand_apart_and_flaws_stay_in_theirs() {
        let mut page = Page::default();
        page.prompt("春");
        page.token("a", 1.0, 0);
        page.token("b", 1.0, 1);
        page.turn();
        page.prompt("春");
        for (i, word) in ["c", "d", "d"].into_iter().enumerate() {
            page.token(word, 1.0, i as u32);
        }
        page.flaw(2, 2);
        assert_eq!(strings(&page, 20), ["春ab", "", "春cdd"]);
        let flawed: String = page.glyphs.iter().filter(|g| g.flawed).map(|g| g.ch).collect();
        assert_eq!(flawed, "dd");
    }

    #[test]
    fn old_lines_go_without_moving_the_others() {
        let mut page = Page::default();
        page.set_width(20);
        for i in 0..MOST as u32 {
            let word = ["moon ", "春", "river, "][i as usize % 3];
            page.token(word, 1.0, i);
        }
        assert!(page.glyphs.len() <= MOST);
        let before = strings(&page, 20);
        page.let_go();
        let after = strings(&page, 20);
        assert!(after.len() < before.len());
        assert_eq!(before[before.len() - after.len()..], after);
    }
}
