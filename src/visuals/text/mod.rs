//! Typesetting: from the characters on the page to glyphs in their places. Pure, on any thread; no clock, nothing drawn.
//!
//! ```text
//! tokens ─► Page (cells) ─► Typesetter (lines) ─► place (glyphs at pixels) ─► a scene
//!             words (a token by itself) ───────────┘
//! ```
//!
//! All lengths along a line are half cells: 1 for Latin, 2 for Han, whichever way the line runs.

mod breaks;
pub mod glyphs;
mod joined;
pub mod lines;
mod measure;
mod order;
pub mod page;
pub mod place;
#[cfg(test)]
mod tests;
mod vertical;
pub mod words;

pub use lines::{Line, Order, Typesetter};
pub use page::{Cell, Page, Voice};
pub use place::{Placed, Setting, place};

/// How a line runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    /// From left to right (and parts of it from right to left), the next line below it.
    #[default]
    Across,
    /// From top to bottom, the next line to the left of it.
    Down,
}

impl Direction {
    /// Where the line `n` after one starts, seen from that one's start; lines lie `leading` pixels apart.
    pub fn step(self, n: f32, leading: f32) -> [f32; 2] {
        match self {
            Direction::Across => [0.0, n * leading],
            Direction::Down => [-n * leading, 0.0],
        }
    }
}

/// Characters by their places, as the page has them or a short string.
pub(crate) trait Text {
    fn at(&self, i: usize) -> Option<char>;

    /// The one `by` places before `i`.
    fn before(&self, i: usize, by: usize) -> Option<char> {
        i.checked_sub(by).and_then(|i| self.at(i))
    }
}

impl Text for Page {
    fn at(&self, i: usize) -> Option<char> {
        self.cells().get(i).map(|cell| cell.ch)
    }
}

impl Text for [char] {
    fn at(&self, i: usize) -> Option<char> {
        self.get(i).copied()
    }
}
