//! What lies over the page: the model's plate. Pure.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Widget};
use unicode_width::UnicodeWidthStr;

use crate::desk::Typing;
use crate::desk::state::State;
use crate::desk::words::wrapped;
use crate::terminal::palette::{Palette, Role};

/// A plate that is longer than its room is shown part after part, each for so long.
const PART_NS: u64 = 6_000_000_000;
/// Lower room than this has none for a frame.
const FRAMED: u16 = 8;

/// The line that the performer types in, in the last row.
pub fn typing(typing: &Typing, palette: Palette, area: Rect, buf: &mut Buffer) {
    let row = Rect { y: area.bottom() - 1, height: 1, ..area };
    clear(row, buf);
    let line = typing.line(usize::from(area.width).saturating_sub(2), UnicodeWidthStr::width);
    let x = area.x + u16::from(area.width > 2);
    buf.set_stringn(x, row.y, line, usize::from(area.right() - x), palette.of(Role::Strong));
}

/// What the model is, in the upper right corner of the words; the line being written stays free. Where the words' room
/// is too small it takes all that of `wide`.
pub fn plate(state: &State, palette: Palette, area: Rect, wide: Rect, buf: &mut Buffer) {
    let Some(since_ns) = state.plate_ns.filter(|_| !state.card.is_empty() && area.height > 1) else { return };
    // The frame and a column beside it.
    let (beside, above) = if area.height < FRAMED { (0, 0) } else { (4, 2) };
    let height = usize::from(area.height - 1 - above);
    let laid = |area: Rect| laid(state, usize::from(area.width.saturating_sub(beside)));
    let mut place = (area, laid(area));
    if place.1.len() > height {
        place = (wide, laid(wide));
    }
    let (area, rows) = place;
    let parts = rows.len().div_ceil(height);
    let part = (state.now_ns.saturating_sub(since_ns) / PART_NS) as usize % parts;
    let widest = rows.iter().map(|(line, _)| line.width()).max().unwrap_or(0) as u16;
    let rows = &rows[part * height..rows.len().min((part + 1) * height)];
    let (width, tall) = ((widest + beside).min(area.width), rows.len() as u16 + above);
    let frame = Rect { x: area.right() - width, y: area.y, width, height: tall };
    clear(frame, buf);
    let mut inside = frame;
    if above > 0 {
        let quiet = palette.of(Role::Quiet);
        let mut block = Block::bordered().border_style(quiet).title_style(quiet);
        if parts > 1 {
            block = block.title_bottom(Line::from(format!(" {}/{parts} ", part + 1)).right_aligned());
        }
        let within = block.inner(frame);
        block.render(frame, buf);
        inside = Rect { x: within.x + 1, width: within.width.saturating_sub(2), ..within };
    }
    for ((line, role), y) in rows.iter().zip(inside.y..) {
        buf.set_stringn(inside.x, y, line, usize::from(inside.width), palette.of(*role));
    }
}

/// The plate's lines in so many columns.
fn laid(state: &State, columns: usize) -> Vec<(String, Role)> {
    let lines = state.card.iter().enumerate().flat_map(|(i, line)| {
        let role = if i == 0 { Role::Strong } else { Role::Plain };
        wrapped(line, |_| columns, usize::MAX, UnicodeWidthStr::width).into_iter().map(move |line| (line, role))
    });
    lines.collect()
}

/// Empties a frame, and the wide characters that reach into it from the left: half of one cannot be shown.
pub fn clear(frame: Rect, buf: &mut Buffer) {
    if let Some(x) = frame.x.checked_sub(1).filter(|x| *x >= buf.area.x) {
        for y in frame.y..frame.bottom() {
            if Span::raw(buf[(x, y)].symbol()).width() > 1 {
                buf[(x, y)].reset();
            }
        }
    }
    Clear.render(frame, buf);
}
