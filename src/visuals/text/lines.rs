//! Lines: the page broken for a width, kept from frame to frame.
//!
//! The [`Typesetter`] belongs to whoever draws. A frame after a token costs it the last line, not the page: what it has
//! broken before stands as long as the text that had a say in it does, which the page's serial numbers tell.

use super::{Direction, Page, Text, breaks, glyphs, measure, order};

/// The order in which the line's characters are seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// All from left to right, as nearly every line.
    #[default]
    Plain,
    /// The paragraph runs from left to right, and some of the line from right to left.
    Ltr,
    /// The paragraph runs from right to left.
    Rtl,
}

/// A line: the cells `start..end`, and when the line came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    pub start: usize,
    pub end: usize,
    pub born_ns: u64,
    /// In half cells, without the spaces at its end; more than the room it had where punctuation hangs over.
    pub width: u32,
    pub order: Order,
}

impl Line {
    /// How many half cells of `columns` stay empty before the line: a paragraph that runs from right to left begins at
    /// the right edge. Below 0 where punctuation hangs over the left one.
    pub fn indent(&self, columns: u32) -> f32 {
        if self.order == Order::Rtl { columns as f32 - self.width as f32 } else { 0.0 }
    }

    /// The line from `start` to `end` in a paragraph of which the first strong character is known or not.
    pub(super) fn of<T: Text + ?Sized>(
        text: &T,
        (start, end): (usize, usize),
        direction: Direction,
        strong: &mut Option<bool>,
    ) -> Line {
        let (mut x, mut width, mut is_ordered) = (0, 0, false);
        for (i, c) in (start..end).map_while(|i| text.at(i).map(|c| (i, c))) {
            x += measure::along(text, i, c, direction);
            if !measure::is_space(c) {
                width = x;
            }
            is_ordered |= glyphs::is_ordered(c);
            if strong.is_none() {
                *strong = order::strong(c);
            }
        }
        let order = match strong {
            Some(true) => Order::Rtl,
            _ if is_ordered => Order::Ltr,
            _ => Order::Plain,
        };
        Line { start, end, born_ns: 0, width, order }
    }
}

/// What follows from a line: how far it stands, and how the next begins.
#[derive(Clone, Copy, Debug)]
struct Ending {
    /// Place and serial number of the last cell that had a say in it; none while it is open.
    last: Option<(usize, u64)>,
    next: usize,
    next_born_ns: u64,
    /// Which way the paragraph runs, if it goes on and that is known.
    strong: Option<bool>,
}

/// Breaks a page into lines and remembers them.
#[derive(Debug, Default)]
pub struct Typesetter {
    columns: u32,
    direction: Direction,
    gone: u64,
    lines: Vec<Line>,
    /// One for each line.
    endings: Vec<Ending>,
    scratch: String,
}

impl Typesetter {
    /// The page's lines of at most `columns` half cells; there is always a last line, if only an empty one. They are
    /// those of a fresh typesetter, whatever this one was asked before.
    pub fn lines(&mut self, page: &Page, columns: u32, direction: Direction) -> &[Line] {
        let columns = columns.max(2);
        if (columns, direction) != (self.columns, self.direction) {
            (self.columns, self.direction) = (columns, direction);
            self.keep(0);
        }
        self.follow(page);
        let stands = |ending: &Ending| ending.last.is_some_and(|(i, serial)| page.serial(i) == Some(serial));
        self.keep(self.endings.partition_point(stands));
        let (mut start, mut born_ns, mut strong) = match self.endings.last() {
            Some(ending) => (ending.next, ending.next_born_ns, ending.strong),
            None => (0, page.cells().front().map_or(0, |cell| cell.born_ns), None),
        };
        loop {
            let found = breaks::line(page, start, columns, direction, &mut self.scratch);
            let line = Line::of(page, (start, found.end), direction, &mut strong);
            self.lines.push(Line { born_ns, ..line });
            let Some((next, cause)) = found.next else {
                self.endings.push(Ending { last: None, next: start, next_born_ns: born_ns, strong });
                return &self.lines;
            };
            (start, born_ns) = (next, page.cells()[cause].born_ns);
            if next > found.end {
                strong = None;
            }
            let last = found.seen - 1;
            let last = page.serial(last).map(|serial| (last, serial));
            self.endings.push(Ending { last, next: start, next_born_ns: born_ns, strong });
        }
    }

    fn keep(&mut self, lines: usize) {
        self.lines.truncate(lines);
        self.endings.truncate(lines);
    }

    /// Moves the lines along when the page has let go of its oldest cells.
    fn follow(&mut self, page: &Page) {
        let gone = page.gone().wrapping_sub(std::mem::replace(&mut self.gone, page.gone()));
        if gone == 0 {
            return;
        }
        let first = self.lines.partition_point(|line| (line.start as u64) < gone);
        // Only a line after a newline is the same without what was before it.
        let is_first = self
            .lines
            .get(first)
            .is_some_and(|line| line.start as u64 == gone && first > 0 && self.lines[first - 1].end < line.start);
        if !is_first {
            return self.keep(0);
        }
        let gone = gone as usize;
        self.lines.drain(..first);
        self.endings.drain(..first);
        for (line, ending) in self.lines.iter_mut().zip(&mut self.endings) {
            (line.start, line.end, ending.next) = (line.start - gone, line.end - gone, ending.next - gone);
            ending.last = ending.last.map(|(i, serial)| (i - gone, serial));
        }
        self.lines[0].born_ns = page.cells().front().map_or(0, |cell| cell.born_ns);
    }
}

impl Page {
    /// The page's lines, broken anew; who asks for each frame has a [`Typesetter`].
    pub fn lines(&self, columns: u32) -> Vec<Line> {
        let mut fresh = Typesetter::default();
        fresh.lines(self, columns, Direction::Across);
        fresh.lines
    }
}
