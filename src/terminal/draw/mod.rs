//! Lays the state out on a screen of any size.
//!
//! The words stand in the middle; what surrounds them is left out as the screen gets smaller, until only the words and
//! one line are left. As it gets larger, the performer's desk comes around them. Pure: it writes into ratatui's buffer
//! and reads nothing but its arguments.

mod desk;
mod foot;
mod grid;
mod help;
mod overlay;
mod params;
mod sections;
mod text;
mod words;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::palette::{Palette, Role};
use super::stage::Face;
use crate::desk::State;
use crate::desk::words::clock;
use crate::score::help::with_own;
use crate::score::{HelpPage, ParamId};

/// A sound device's name that is shorter than this says nothing.
const LEAST_NAME: usize = 8;
/// Below this size only the words and a line or two are shown.
const SMALL: (u16, u16) = (60, 16);
/// From this size on, the roads not taken have a line even on a small screen.
const SMALL_WITH_ROADS: (u16, u16) = (24, 10);
/// From this width on, the parameters stand beside the words.
const WITH_PARAMS: u16 = 72;
const PARAMS_WIDTH: u16 = 36;

/// From this size on, the desk is around the words.
fn has_desk(face: Face, area: Rect) -> bool {
    let (width, height) = match face {
        Face::Stage => (150, 40),
        Face::Desk => (110, 30),
    };
    area.width >= width && area.height >= height
}

/// What a screen keeps from one drawing to the next.
#[derive(Default)]
pub struct Kept {
    /// The page as it was when it was frozen.
    frozen: Option<Buffer>,
    bookmark: help::Bookmark,
}

/// Draws the page, or what the audience sees in its place: nothing while the stage is blacked out, and while it is frozen
/// the page as it was then. The performer's own page is always there.
pub fn show(
    state: &mut State,
    help: &[HelpPage],
    palette: Palette,
    face: Face,
    kept: &mut Kept,
    area: Rect,
    buf: &mut Buffer,
) {
    let is_on = |id| face == Face::Stage && state.played.get(id) >= 0.5;
    let (dark, frozen) = (is_on(ParamId::Blackout), is_on(ParamId::Freeze));
    if !frozen {
        kept.frozen = None;
    }
    if dark {
        buf.set_style(area, palette.dark());
    } else if let Some(then) = kept.frozen.as_ref().filter(|then| then.area == area) {
        buf.clone_from(then);
    } else {
        draw(state, palette, face, area, buf);
        match state.help {
            Some(turned) if !area.is_empty() => {
                let help = with_own(help, &state.own_keys);
                help::draw(&help, turned, &mut kept.bookmark, palette, area, buf);
            }
            _ => kept.bookmark.close(),
        }
        palette.lay_ground(area, buf);
        kept.frozen = frozen.then(|| buf.clone());
    }
    // Over the help as well, and over a page that stands: nobody types blind, but on a black stage.
    if let Some(typing) = state.typing.as_ref().filter(|_| !dark && !area.is_empty()) {
        overlay::typing(typing, palette, area, buf);
        palette.lay_ground(area, buf);
    }
}

/// Draws everything but the help.
fn draw(state: &mut State, palette: Palette, face: Face, area: Rect, buf: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    if area.width < SMALL.0 || area.height < SMALL.1 {
        small(state, palette, area, buf);
    } else if has_desk(face, area) {
        desk::draw(state, palette, area, buf);
    } else {
        full(state, palette, area, buf);
    }
}

fn small(state: &mut State, palette: Palette, area: Rect, buf: &mut Buffer) {
    let width = usize::from(area.width);
    let status = words::status(state, palette, width, usize::from(area.height).div_ceil(3));
    let mut body = Rect { height: area.height - status.len() as u16, ..area };
    for (line, y) in status.iter().zip(body.bottom()..) {
        buf.set_line(area.x, y, line, area.width);
    }
    if area.width >= SMALL_WITH_ROADS.0 && area.height >= SMALL_WITH_ROADS.1 {
        body.height -= 1;
        buf.set_line(area.x, body.bottom(), &foot::roads(state, palette, width), area.width);
    }
    words::draw(state, palette, body, buf);
    overlay::plate(state, palette, body, body, buf);
}

fn full(state: &mut State, palette: Palette, area: Rect, buf: &mut Buffer) {
    header(state, palette, Rect { height: 1, ..area }, buf);
    let foot = foot::lines(state, palette, area);
    let body = Rect { y: area.y + 1, height: area.height - 1 - foot.len() as u16, ..area };
    for (line, y) in foot.iter().zip(body.bottom()..) {
        buf.set_line(area.x + 1, y, line, area.width - 2);
    }
    let mut text = body;
    if area.width >= WITH_PARAMS {
        text.width -= PARAMS_WIDTH + 1;
        let column = Rect { x: body.right() - PARAMS_WIDTH - 1, width: PARAMS_WIDTH, ..body };
        params::draw(state, palette, column, buf);
    }
    words::draw(state, palette, text, buf);
    overlay::plate(state, palette, text, body, buf);
}

fn header(state: &State, palette: Palette, area: Rect, buf: &mut Buffer) {
    let (quiet, fault) = (palette.of(Role::Quiet), palette.of(Role::Fault));
    let mut right: Vec<Span> = state.switched().map(|word| Span::styled(format!("{word}  "), fault)).collect();
    match state.recording() {
        Some(true) => right.push(Span::styled("● REC  ", fault)),
        Some(false) => right.push(Span::styled("● REC BROKEN  ", fault)),
        None if state.replayed => right.push(Span::styled("REPLAY  ", palette.of(Role::Strong))),
        None => {}
    }
    right.push(Span::styled(clock(state.now_ns), palette.of(Role::Plain)));
    // The device's name has what these leave, and no more than a third of the line.
    let width = usize::from(area.width - 2);
    let room = width.saturating_sub(right.iter().map(Span::width).sum::<usize>() + 2).min(width / 3);
    if let Some(output) = state.sound.as_ref().filter(|_| room >= LEAST_NAME) {
        let name = text::cut(Line::styled(format!("♪ {output}"), quiet), room);
        right.splice(0..0, name.spans.into_iter().chain([Span::raw("  ")]));
    }
    let right = Line::from(right);
    let wide = (right.width() as u16).min(area.width - 2);
    buf.set_line(area.right() - 1 - wide, area.y, &right, wide);
    let mut left = vec![Span::styled("小 xiao  ", quiet), Span::styled(state.title.as_str(), palette.of(Role::Strong))];
    if !state.scene.is_empty() {
        left.push(Span::styled(format!("  {}", state.scene), palette.of(Role::Prompt)));
    }
    if let Some((name, there_ns)) = &state.settings {
        let way = if state.now_ns < *there_ns { "→ " } else { "" };
        left.push(Span::styled(format!("  settings {way}{name}"), palette.of(Role::Prompt)));
    }
    if !state.model.is_empty() {
        left.push(Span::styled(format!("  {}  seed {}", state.model, state.seed), quiet));
    }
    buf.set_line(area.x + 1, area.y, &Line::from(left), (area.width - 2).saturating_sub(wide + 1));
}

#[cfg(test)]
mod tests;
