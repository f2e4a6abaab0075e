//! What lies over the page: the help and the model's plate. Pure.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Widget};
use unicode_width::UnicodeWidthStr;

use super::text::cut;
use crate::desk::Typing;
use crate::desk::state::State;
use crate::score::{HelpPage, ParamId};
use crate::terminal::palette::{Palette, Role};

/// Help broken into longer lines than this is hard to read.
const WIDEST: u16 = 116;

/// The line that the performer types in, in the last row.
pub fn typing(typing: &Typing, palette: Palette, area: Rect, buf: &mut Buffer) {
    let row = Rect { y: area.bottom() - 1, height: 1, ..area };
    clear(row, buf);
    let line = typing.line(usize::from(area.width).saturating_sub(2), UnicodeWidthStr::width);
    let x = area.x + u16::from(area.width > 2);
    buf.set_stringn(x, row.y, line, usize::from(area.right() - x), palette.of(Role::Strong));
}

/// A page of the help over everything; what a small screen has no room for is left out, and the page still turns.
pub fn help(pages: &[HelpPage], page: usize, palette: Palette, area: Rect, buf: &mut Buffer) {
    let Some(shown) = pages.get(page) else { return };
    let rows = shown.rows(usize::from(area.width.min(WIDEST)).saturating_sub(4));
    let title = format!(" help {}/{}  {} ", page + 1, pages.len(), shown.title);
    let how = " ? turns the page  Esc closes ";
    let widest = rows.iter().map(|(left, right)| left.chars().count() + right.chars().count()).max().unwrap_or(0);
    let widest = widest.max(title.len()).max(how.len()) as u16;
    let (width, height) = ((widest + 4).min(area.width), (rows.len() as u16 + 2).min(area.height));
    let frame = Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2, width, height };
    clear(frame, buf);
    let quiet = palette.of(Role::Quiet);
    let block = Block::bordered().title(title).title_bottom(how).border_style(quiet).title_style(quiet);
    let inside = block.inner(frame);
    block.render(frame, buf);
    let left = inside.width.saturating_sub(1);
    for (i, ((name, text), y)) in rows.iter().zip(inside.y..inside.bottom()).enumerate() {
        if y + 1 == inside.bottom() && i + 1 < rows.len() {
            buf.set_stringn(inside.x + 1, y, "…", usize::from(left), quiet);
            break;
        }
        let name = Span::styled(name.clone(), palette.of(Role::Strong));
        let line = Line::from(vec![name, Span::styled(text.clone(), palette.of(Role::Plain))]);
        buf.set_line(inside.x + 1, y, &cut(line, usize::from(left)), left);
    }
}

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
fn clear(frame: Rect, buf: &mut Buffer) {
    if let Some(x) = frame.x.checked_sub(1).filter(|x| *x >= buf.area.x) {
        for y in frame.y..frame.bottom() {
            if Span::raw(buf[(x, y)].symbol()).width() > 1 {
                buf[(x, y)].reset();
            }
        }
    }
    Clear.render(frame, buf);
}
