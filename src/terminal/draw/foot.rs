//! The lines below the words: roads not taken, what holds the words up, meters, losses, the log. Pure.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::text::cut;
use super::words;
use crate::desk::state::{Remark, State, Tone};
use crate::desk::words::{clock, spelled, wrapped};
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
    }
    lines.extend(losses(state, palette));
    lines.extend(log(state, palette, width, if area.height >= 30 { 6 } else { 3 }));
    lines.truncate(usize::from(area.height).saturating_sub(5));
    lines
}

/// The last lines of the log, above them why meters are missing where the news leave room. Always as many, so that the
/// words do not move when one comes.
pub fn log(state: &State, palette: Palette, width: usize, rows: usize) -> Vec<Line<'static>> {
    // What failed is read before what the model merely erred in.
    let fault = state.log.iter().any(|remark| remark.tone == Tone::Fault && state.is_news(remark));
    let mut remarks = state.log.iter().rev().filter(|remark| !(fault && remark.tone == Tone::Flaw)).peekable();
    let mut said = Vec::new();
    while let Some(remark) = remarks.next_if(|remark| said.len() < rows && state.is_news(remark)) {
        said.splice(0..0, told(remark, palette, width, rows - said.len()));
    }
    let metered = state.played.get(ParamId::Meters) >= 0.5;
    let missing = meters::missing(state).filter(|_| metered && said.len() < rows).map(|missing| {
        // A list, which is cut at its end: without its middle it would say that one lacks what another does.
        let room = (rows / 3).min(rows - said.len()).max(1);
        let mut lines = wrapped(&missing, |_| width, usize::MAX, UnicodeWidthStr::width);
        if lines.len() > room {
            let rest = lines.split_off(room - 1).join(" ");
            lines.push(rest);
        }
        lines.into_iter().map(|line| cut(Line::styled(line, palette.of(Role::Quiet)), width))
    });
    let mut lines: Vec<Line> = missing.into_iter().flatten().collect();
    while let Some(remark) = remarks.next().filter(|_| lines.len() + said.len() < rows) {
        said.splice(0..0, told(remark, palette, width, rows - lines.len() - said.len()));
    }
    lines.extend(said);
    lines.resize(rows, Line::default());
    lines
}

/// A remark and its time, in at most so many lines.
fn told(remark: &Remark, palette: Palette, width: usize, rows: usize) -> Vec<Line<'static>> {
    let role = match remark.tone {
        Tone::Fault => Role::Fault,
        Tone::Notice | Tone::Flaw => Role::Quiet,
        Tone::Note => Role::Prompt,
    };
    let text = match remark.tone {
        Tone::Note => &format!("note: {}", remark.text),
        _ => &remark.text,
    };
    let at = format!("{}  ", clock(remark.t_ns));
    let lines = wrapped(text, |_| width.saturating_sub(at.len()), rows, UnicodeWidthStr::width);
    let lines = lines.into_iter().enumerate().map(|(i, line)| {
        let before = if i == 0 { at.clone() } else { " ".repeat(at.len()) };
        let before = Span::styled(before, palette.of(Role::Quiet));
        cut(Line::from(vec![before, Span::styled(line, palette.of(role))]), width)
    });
    lines.collect()
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
