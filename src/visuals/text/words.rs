//! Words: a short text by itself, for scenes that show a token and not the page.

use super::place::place_text;
use super::{Direction, Line, Placed, Setting, breaks, measure, page};

/// How much room a text takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    pub lines: u32,
    /// Those of the widest line.
    pub half_cells: u32,
}

fn characters(text: &str) -> Vec<char> {
    text.chars().map(page::written).collect()
}

/// How many half cells the text takes in one line.
pub fn measure(text: &str, direction: Direction) -> u32 {
    let text = characters(text);
    text.iter().enumerate().map(|(i, c)| measure::along(&text[..], i, *c, direction)).sum()
}

/// Breaks the text into lines of at most `max_half_cells`, `leading` pixels apart, and appends its glyphs; their cells
/// count the text's characters.
pub fn set(text: &str, max_half_cells: u32, setting: &Setting, leading: f32, into: &mut Vec<Placed>) -> Extent {
    let text = characters(text);
    let columns = max_half_cells.max(2);
    let direction = setting.direction;
    let (mut lines, mut scratch, mut start, mut strong) = (Vec::new(), String::new(), Some(0), None);
    while let Some(at) = start {
        let found = breaks::line(&text[..], at, columns, direction, &mut scratch);
        lines.push(Line::of(&text[..], (at, found.end), direction, &mut strong));
        if found.next.is_some_and(|(next, _)| next > found.end) {
            strong = None;
        }
        start = found.next.map(|(next, _)| next);
    }
    let widest = lines.iter().map(|line| line.width).max().unwrap_or(0);
    for (n, line) in lines.iter().enumerate() {
        let indent = 8.0 * setting.scale * line.indent(widest);
        let ([x, y], [dx, dy]) = (setting.origin, direction.step(n as f32, leading));
        let origin = match direction {
            Direction::Across => [x + dx + indent, y + dy],
            Direction::Down => [x + dx, y + dy + indent],
        };
        place_text(&text[..], line, &Setting { origin, ..*setting }, &mut |placed| into.push(placed));
    }
    Extent { lines: lines.len() as u32, half_cells: widest }
}
