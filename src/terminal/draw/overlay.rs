//! What lies over the page: the model's plate. Pure.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Widget};

use super::text::cut;
use crate::desk::state::State;
use crate::score::ParamId;
use crate::terminal::palette::{Palette, Role};

/// What the model is, in the upper right corner of the words; the line being written stays free.
pub fn plate(state: &State, palette: Palette, area: Rect, buf: &mut Buffer) {
    let Some((name, lines)) = state.card.split_first() else { return };
    if state.played.get(ParamId::Plate) < 0.5 || area.height < 4 {
        return;
    }
    let widest = state.card.iter().map(|line| Span::raw(line.as_str()).width()).max().unwrap_or(0) as u16;
    let (width, height) = ((widest + 4).min(area.width), (state.card.len() as u16 + 2).min(area.height - 1));
    let frame = Rect { x: area.right() - width, y: area.y, width, height };
    clear(frame, buf);
    let block = Block::bordered().border_style(palette.of(Role::Quiet));
    let inside = block.inner(frame);
    block.render(frame, buf);
    let left = usize::from(inside.width.saturating_sub(2));
    let rows = std::iter::once((name, Role::Strong)).chain(lines.iter().map(|line| (line, Role::Plain)));
    for ((line, role), y) in rows.zip(inside.y..inside.bottom()) {
        let line = cut(Line::styled(line.clone(), palette.of(role)), left);
        buf.set_line(inside.x + 1, y, &line, left as u16);
    }
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
