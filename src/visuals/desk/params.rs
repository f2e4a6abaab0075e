//! The whole parameter table on the right: each value, its place in its range, where the matrix has it now, and who
//! moved it last. Pure.
//!
//! A table longer than its column moves so that the chosen parameter is in sight. An input of the artist's shader has
//! the artist's name and value.

use std::ops::Range;

use super::row::{Ink, Pen, Piece, Row};
use crate::desk::State;
use crate::desk::words::{hand, short};
use crate::score::{ParamId, reading};

/// Columns of the name, the value, what the matrix makes of it, and the hand.
const NAME: usize = 18;
const VALUE: usize = 9;
const PLAYED: usize = 8;
const HAND: usize = 6;
/// From this width on there is room for what the matrix makes of a value.
const WITH_PLAYED: usize = 56;

enum Line {
    Head(&'static str),
    Param(ParamId),
}

pub fn draw(desk: &State, x: usize, rows: Range<usize>, wide: usize, pen: &mut Pen) {
    let mut lines: Vec<Line> = Vec::new();
    let mut group = "";
    for id in ParamId::ALL {
        let its = id.name().split('.').next().unwrap_or_default();
        if its != group {
            group = its;
            lines.push(Line::Head(its));
        }
        lines.push(Line::Param(*id));
    }
    let height = rows.len();
    let chosen = lines.iter().position(|line| matches!(line, Line::Param(id) if Some(*id) == desk.selected));
    let first = chosen.unwrap_or(0).saturating_sub(height / 2).min(lines.len().saturating_sub(height));
    for (line, y) in lines[first..].iter().zip(rows) {
        match line {
            Line::Head(group) => pen.heading(x, y, wide, group),
            Line::Param(id) => pen.row(x, y, wide, &row(desk, *id, wide)),
        }
    }
}

fn row(desk: &State, id: ParamId, wide: usize) -> Row {
    let chosen = desk.selected == Some(id);
    let (base, played) = (desk.params.get(id), desk.played.get(id));
    let (spec, moved) = (id.spec(), base != played);
    let ink = if chosen { Ink::Strong } else { Ink::Plain };
    let input = desk.shown.input(id);
    let name = input.map_or(short(id), |input| &input.name);
    let whole = reading::param(id, base);
    let value = match input {
        Some(input) => input.value.clone(),
        None if whole.chars().count() <= VALUE => whole,
        None => reading::value(id, base),
    };
    let played_text = match input {
        _ if !moved => String::new(),
        Some(input) => format!(" →{}", input.played),
        None => format!(" →{}", reading::value(id, played)),
    };
    // In a narrow column the tick alone says where the matrix has it.
    let played_wide = if wide >= WITH_PLAYED { PLAYED + 1 } else { 1 };
    // A narrower one has no bar, then a shorter name.
    let bar = wide.saturating_sub(2 + NAME + VALUE + 1 + played_wide + 1 + HAND);
    let named = NAME.min(wide.saturating_sub(2 + VALUE + 1 + played_wide + 1 + HAND));
    let mut row = vec![
        Piece::fitted(if chosen { "▸" } else { "" }, 2, ink),
        Piece::fitted(name, named, if input.is_some() { Ink::Prompt } else { ink }),
        Piece::text(format!("{value:>width$}", width = VALUE + 1), ink),
        Piece::fitted(if wide >= WITH_PLAYED { &played_text } else { "" }, played_wide, Ink::Fault),
    ];
    let tick = moved.then(|| spec.position(played));
    row.push(Piece::Bar { part: spec.position(base), tick, columns: bar, ink: Ink::Bar });
    row.push(Piece::text(format!(" {}", desk.moved_by[id as usize].map_or("", hand)), Ink::Quiet));
    row
}
