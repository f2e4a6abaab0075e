//! The signals in a grid: a name, a curve of what was, and what is. Pure.
//!
//! One that this machine does not have says so; one that has not been heard of yet is left out.

use ratatui::text::{Line, Span};

use super::text::fitted;
use crate::desk::State;
use crate::desk::signals::{SIGNALS, reading};
use crate::terminal::meters;
use crate::terminal::palette::{Palette, Role};

const LABEL: usize = 10;
const READING: usize = 11;
const LEAST: usize = 36;
const GAP: usize = 3;

/// At most `rows` lines of `width` columns.
pub fn lines(state: &State, palette: Palette, width: usize, rows: usize) -> Vec<Line<'static>> {
    let columns = ((width + GAP) / (LEAST + GAP)).max(1);
    let wide = (width + GAP) / columns - GAP;
    let curve = wide.saturating_sub(LABEL + READING + 1);
    let known = SIGNALS.iter().filter(|(id, _)| state.signals.get(*id).is_some() || state.reason(*id).is_some());
    let cells: Vec<Vec<Span>> = known
        .take(columns * rows)
        .map(|(id, label)| {
            let label = Span::styled(fitted(label, LABEL), palette.of(Role::Quiet));
            match state.signals.get(*id) {
                Some(value) => vec![
                    label,
                    Span::styled(format!("{:>curve$} ", meters::curve(state, *id, curve)), palette.of(Role::Bar)),
                    Span::styled(fitted(&reading(*id, value), READING), palette.of(Role::Plain)),
                ],
                None => vec![label, Span::styled(fitted("unavailable", curve + 1 + READING), palette.of(Role::Quiet))],
            }
        })
        .collect();
    let gap = || Span::raw(" ".repeat(GAP));
    cells.chunks(columns).map(|row| Line::from(row.join(&gap()))).collect()
}
