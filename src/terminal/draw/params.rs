//! The whole parameter table: each value, its place in its range, who moved it last, and where the matrix has it now.
//!
//! Pure. A table longer than its column moves so that the chosen parameter is in sight.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::text::{fitted, heading};
use crate::desk::state::State;
use crate::desk::words::{hand, short};
use crate::score::{ParamId, reading};
use crate::terminal::palette::{Palette, Role};

/// From this width on each parameter has a bar.
const WITH_BARS: u16 = 46;
/// Columns of the name, the value, what the matrix makes of it, and the hand.
const NAME: usize = 18;
const VALUE: usize = 9;
const PLAYED: usize = 8;
const HAND: usize = 6;

pub fn draw(state: &State, palette: Palette, area: Rect, buf: &mut Buffer) {
    let mut rows: Vec<(Option<ParamId>, &str)> = Vec::new();
    for id in ParamId::ALL {
        let group = id.name().split('.').next().unwrap_or_default();
        if rows.iter().rev().find(|r| r.0.is_none()).is_none_or(|head| head.1 != group) {
            rows.push((None, group));
        }
        rows.push((Some(*id), short(*id)));
    }
    let height = usize::from(area.height);
    let chosen = rows.iter().position(|r| r.0.is_some() && r.0 == state.selected).unwrap_or(0);
    let first = chosen.saturating_sub(height / 2).min(rows.len().saturating_sub(height));
    for ((id, name), y) in rows[first..].iter().take(height).zip(area.y..) {
        match *id {
            None => {
                let width = usize::from(area.width);
                buf.set_stringn(area.x, y, heading(name, width), width, palette.of(Role::Quiet));
            }
            Some(id) => row(state, palette, id, Rect { y, height: 1, ..area }, buf),
        }
    }
}

fn row(state: &State, palette: Palette, id: ParamId, area: Rect, buf: &mut Buffer) {
    let chosen = state.selected == Some(id);
    let (base, played) = (state.params.get(id), state.played.get(id));
    let (spec, moved) = (id.spec(), base != played);
    // An input of the artist's shader has the artist's name and value.
    let input = state.shown.input(id);
    let name = fitted(input.map_or(short(id), |input| &input.name), NAME);
    let said = input.map_or_else(|| value(id, base), |input| input.value.clone());
    let said_played = input.map_or_else(|| reading::value(id, played), |input| input.played.clone());
    let role = if chosen { Role::Chosen } else { Role::Plain };
    let mark = if chosen { "▸" } else { " " };
    let mut x = area.x;
    let mut put = |text: &str, role: Role| {
        (x, _) = buf.set_stringn(x, area.y, text, usize::from(area.right().saturating_sub(x)), palette.of(role));
    };
    put(&format!("{mark}{name} "), role);
    if area.width < WITH_BARS {
        // Both values if they fit into the column of one.
        let both =
            format!("{}→{said_played}", input.map_or_else(|| reading::value(id, base), |input| input.value.clone()));
        let text = match moved {
            true if both.chars().count() <= VALUE => both,
            true => format!("→{said_played}"),
            false => said,
        };
        put(&format!("{text:>VALUE$}"), if moved && !chosen { Role::Improbable } else { role });
        put(" ", Role::Plain);
    } else {
        put(&format!("{said:>VALUE$}"), role);
        let played = if moved { format!(" →{said_played}") } else { String::new() };
        put(&format!("{played:<PLAYED$} "), Role::Improbable);
        let wide = usize::from(area.width) - 1 - NAME - 1 - VALUE - PLAYED - 1 - 1 - HAND;
        let at = |value: f32| (spec.position(value) * wide as f32).round() as usize;
        let tick = moved.then(|| at(state.played.get(id)).min(wide - 1));
        for i in 0..wide {
            let full = i < at(base);
            match tick {
                Some(tick) if tick == i => put("│", Role::Improbable),
                _ if full => put("█", Role::Bar),
                _ => put("·", Role::Quiet),
            }
        }
        put(" ", Role::Plain);
    }
    put(state.moved_by[id as usize].map_or("", hand), Role::Quiet);
}

/// The value with its unit where both fit into the column.
fn value(id: ParamId, value: f32) -> String {
    let whole = reading::param(id, value);
    if whole.chars().count() <= VALUE { whole } else { reading::value(id, value) }
}
