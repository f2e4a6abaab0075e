//! The performer's desk: the words between what is played and what plays it. Pure.
//!
//! On the left the sections of [`super::sections`], on the right every parameter, below the signals and the log.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::sections::{Section, sections};
use super::{foot, grid, header, overlay, params, text, words};
use crate::desk::room::{Wish, places};
use crate::desk::state::State;
use crate::score::ParamId;
use crate::terminal::palette::{Palette, Role};

/// Columns of a title that has its line behind it.
const TITLE: u16 = 8;

pub fn draw(state: &mut State, palette: Palette, area: Rect, buf: &mut Buffer) {
    header(state, palette, Rect { height: 1, ..area }, buf);
    let width = usize::from(area.width) - 2;
    let mut foot = Vec::new();
    if state.played.get(ParamId::Meters) >= 0.5 {
        foot.extend(grid::lines(state, palette, width, usize::from(area.height / 8)));
    }
    foot.extend(foot::losses(state, palette));
    foot.extend(foot::log(state, palette, width, if area.height >= 50 { 6 } else { 4 }));
    let body = Rect { y: area.y + 2, height: area.height - 3 - foot.len() as u16, ..area };
    for (line, y) in foot.iter().zip(body.bottom() + 1..) {
        buf.set_line(area.x + 1, y, line, area.width - 2);
    }
    let left = Rect { x: area.x + 1, width: (area.width * 3 / 10).clamp(33, 52), ..body };
    let right = (area.width * 5 / 12).clamp(48, 66);
    let right = Rect { x: area.right() - 1 - right, width: right, ..body };
    let middle = Rect { x: left.right() + 1, width: right.x - left.right() - 2, ..body };
    place(sections(state, palette, usize::from(left.width)), palette, left, buf);
    params::draw(state, palette, right, buf);
    let page = Rect { height: middle.height - 1, ..middle };
    words::draw(state, palette, page, buf);
    let paused = text::cut(words::pause(state, palette, true), usize::from(middle.width).saturating_sub(2));
    buf.set_line(middle.x + 1, page.bottom(), &paused, middle.width - 1);
    overlay::plate(state, palette, page, page, buf);
}

/// Puts sections below each other.
fn place(sections: Vec<Section>, palette: Palette, area: Rect, buf: &mut Buffer) {
    let wish = |section: &Section| Wish { lines: section.lines.len(), least: section.least };
    let places = places(&sections.iter().map(wish).collect::<Vec<_>>(), usize::from(area.height));
    let width = usize::from(area.width);
    for (section, place) in sections.iter().zip(places) {
        let y = area.y + place.row as u16;
        if place.behind {
            buf.set_stringn(area.x, y, &section.title, usize::from(TITLE) - 1, palette.of(Role::Quiet));
            buf.set_line(area.x + TITLE, y, &section.lines[0], area.width - TITLE);
            continue;
        }
        buf.set_stringn(area.x, y, text::heading(&section.title, width), width, palette.of(Role::Quiet));
        let first = section.first.saturating_sub(place.lines / 2).min(section.lines.len() - place.lines);
        for (line, y) in section.lines[first..first + place.lines].iter().zip(y + 1..) {
            buf.set_line(area.x, y, line, area.width);
        }
    }
}
