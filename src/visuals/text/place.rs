//! Places: where each glyph of a line stands, in pixels.

use super::vertical::{self, Stance};
use super::{Direction, Line, Order, Page, Text, glyphs, measure, order};

/// How and where a line is set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Setting {
    pub direction: Direction,
    /// How many of the frame's pixels one pixel of the type takes.
    pub scale: f32,
    /// The upper left corner of where the line starts.
    pub origin: [f32; 2],
}

/// A glyph in its place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Placed {
    /// The character's place in the page, or in the text that was set.
    pub cell: usize,
    /// What is drawn: the character, or the form of it that its place asks for.
    pub ch: char,
    /// The upper left corner in pixels.
    pub x: f32,
    pub y: f32,
    /// How wide the glyph is, before it is turned.
    pub half_cells: u32,
    /// Turned a quarter clockwise.
    pub turned: bool,
    /// Whether it sits on the glyph before it.
    pub mark: bool,
}

impl Placed {
    /// Width and height in pixels, as it lies.
    pub fn size(&self, scale: f32) -> [f32; 2] {
        let (long, high) = (8.0 * scale * self.half_cells as f32, 16.0 * scale);
        if self.turned { [high, long] } else { [long, high] }
    }
}

/// Hands each glyph of the line to `put`, spaces included and what is invisible left out, in the order in which they are
/// seen. Nothing is allocated for a plain line.
pub fn place(page: &Page, line: &Line, setting: &Setting, put: &mut impl FnMut(Placed)) {
    place_text(page, line, setting, put);
}

pub(super) fn place_text<T: Text + ?Sized>(text: &T, line: &Line, setting: &Setting, put: &mut impl FnMut(Placed)) {
    let mut pen = Pen { setting, at: 0.0, on: None };
    if line.order == Order::Plain {
        for (i, c) in (line.start..line.end).map_while(|i| text.at(i).map(|c| (i, c))) {
            pen.put(text, i, c, c, put);
        }
        return;
    }
    if line.order == Order::Rtl {
        // The spaces at its end are seen before its left edge.
        let along = |i| text.at(i).map_or(0, |c| measure::along(text, i, c, setting.direction));
        let all: u32 = (line.start..line.end).map(along).sum();
        pen.at = line.width as f32 - all as f32;
    }
    for (i, shape) in order::visual(text, line) {
        let c = text.at(i).unwrap_or(shape);
        pen.put(text, i, c, shape, put);
    }
}

struct Pen<'a> {
    setting: &'a Setting,
    /// How far along the line it is, in half cells.
    at: f32,
    /// What a mark would sit on: where it begins, how far it goes, and whether it is turned.
    on: Option<(f32, f32, bool)>,
}

impl Pen<'_> {
    /// Puts the character `c`, which is drawn as `shape`.
    fn put<T: Text + ?Sized>(&mut self, text: &T, i: usize, c: char, shape: char, put: &mut impl FnMut(Placed)) {
        let half_cells = glyphs::width(shape);
        if half_cells == 0 {
            return;
        }
        let Setting { direction, scale, origin: [x, y] } = *self.setting;
        let half = 8.0 * scale;
        let mark = glyphs::is_mark(c);
        let (ch, along, turned, across) = match direction {
            Direction::Across => (shape, glyphs::advance(c), false, 0.0),
            Direction::Down if mark => (shape, 0, self.on.is_none_or(|(.., turned)| turned), 0.0),
            Direction::Down => {
                let stance = vertical::stance(text, i, c);
                let along = stance.along(c);
                match stance {
                    Stance::Upright(form) => (form, along, false, (2 - glyphs::width(form).min(2)) as f32 / 2.0),
                    Stance::Turned => (shape, along, true, 0.0),
                    Stance::First => (shape, along, false, 0.0),
                    Stance::Second => (shape, along, false, 1.0),
                }
            }
        };
        let half_cells = if ch == shape { half_cells } else { glyphs::width(ch) };
        let mut at = self.at;
        if mark {
            // In the middle of what it sits on: the type has its ink where it belongs.
            let (from, far) = self.on.map_or((self.at, half_cells as f32), |(from, far, _)| (from, far));
            at = from + (far - half_cells as f32) / 2.0;
        } else {
            self.on = Some((self.at, along as f32, turned));
            self.at += along as f32;
        }
        let placed = match direction {
            Direction::Across => (x + at * half, y),
            // The second of a pair of digits stands beside the first.
            Direction::Down if across == 1.0 && along == 1 => (x + half, y + (at - 1.0) * half),
            Direction::Down if mark && !turned => {
                let from = self.on.map_or(self.at, |(from, ..)| from);
                (x + (2.0 - half_cells as f32) / 2.0 * half, y + from * half)
            }
            Direction::Down => (x + across * half, y + at * half),
        };
        put(Placed { cell: i, ch: glyphs::shown(ch), x: placed.0, y: placed.1, half_cells, turned, mark });
    }
}
