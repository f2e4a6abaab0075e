//! The lines below the words: roads not taken, what holds the words up, meters, losses, the log. Pure.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::text::cut;
use super::words;
use crate::desk::state::{State, Tone};
use crate::desk::words::{clock, spelled};
use crate::score::ParamId;
use crate::terminal::meters;
use crate::terminal::palette::{Palette, Role};

/// All of them, from top to bottom.
pub fn lines(state: &State, palette: Palette, area: Rect) -> Vec<Line<'static>> {
    let width = usize::from(area.width) - 2;
    let mut lines = vec![roads(state, palette, width), words::pause(state, palette, true)];
    if state.played.get(ParamId::Meters) >= 0.5 {
        // On a tall screen there is room for where a token's time went, on a wide one for longer curves.
        let rows = if area.height >= 34 { 2 } else { 1 };
        let columns = if area.width >= 110 { 16 } else { 6 };
        let mut words = meters::flow(meters::words(state, palette, columns), width, rows);
        words.resize(rows, Line::default());
        lines.extend(words);
        lines.extend(meters::flow(meters::machine(state, palette), width, 2));
        if let Some(missing) = meters::missing(state, palette) {
            lines.push(cut(Line::from(missing), width));
        }
    }
    lines.extend(losses(state, palette));
    lines.extend(log(state, palette, width, if area.height >= 30 { 5 } else { 2 }));
    lines.truncate(usize::from(area.height).saturating_sub(5));
    lines
}

/// The last lines of the log. Always as many, so that the words do not move when one comes.
pub fn log(state: &State, palette: Palette, width: usize, rows: usize) -> Vec<Line<'static>> {
    let shown = state.log.range(state.log.len().saturating_sub(rows)..);
    let mut lines: Vec<Line> = shown
        .map(|remark| {
            let role = match remark.tone {
                Tone::Fault => Role::Fault,
                Tone::Notice => Role::Quiet,
                Tone::Note => Role::Prompt,
            };
            let at = Span::styled(format!("{}  ", clock(remark.t_ns)), palette.of(Role::Quiet));
            let text = match remark.tone {
                Tone::Note => format!("note: {}", remark.text),
                _ => remark.text.clone(),
            };
            cut(Line::from(vec![at, Span::styled(text, palette.of(role))]), width)
        })
        .collect();
    lines.resize(rows, Line::default());
    lines
}

/// The palimpsest: what else could have come at the last token's place.
pub fn roads(state: &State, palette: Palette, width: usize) -> Line<'static> {
    let mut meters = Vec::new();
    for road in &state.roads {
        let taken = state.taken.as_ref().is_some_and(|taken| taken.id == road.id);
        let role = if taken { Role::Strong } else { Role::Quiet };
        let text = spelled(&road.text);
        let mark = if taken { "→" } else { "" };
        meters.push(vec![Span::styled(format!("{mark}{text} {:.0}%", road.p * 100.0), palette.of(role))]);
    }
    meters::flow(meters, width, 1).pop().unwrap_or_default()
}

/// Who lost or merged events; nothing while all is well.
pub fn losses(state: &State, palette: Palette) -> Option<Line<'static>> {
    let [dropped, merged] = state.lost();
    let mut spans = Vec::new();
    if !dropped.is_empty() {
        spans.push(Span::styled(format!("events lost: {}   ", dropped.join(", ")), palette.of(Role::Fault)));
    }
    if !merged.is_empty() {
        spans.push(Span::styled(format!("events merged: {}", merged.join(", ")), palette.of(Role::Quiet)));
    }
    (!spans.is_empty()).then(|| Line::from(spans))
}
