//! The words themselves, what holds them up, and the last lines of a small screen. Pure.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::text::cut;
use crate::desk::state::{Pause, State, Tone};
use crate::desk::words::{clock, short, wrapped};
use crate::score::{ParamId, reading};
use crate::terminal::meters;
use crate::terminal::palette::{Palette, Role};

/// Lines longer than this are hard to read.
const MEASURE: u16 = 84;

/// The words, the latest always in sight.
pub fn draw(state: &mut State, palette: Palette, area: Rect, buf: &mut Buffer) {
    let margin = (area.width / 24).min(2);
    let width = area.width.saturating_sub(2 * margin).min(MEASURE);
    let x = area.x + (area.width - width) / 2;
    if width == 0 || area.height == 0 {
        return;
    }
    let certainty = state.played.get(ParamId::Certainty);
    state.page.set_width(usize::from(width));
    let lines = state.page.lines(usize::from(width));
    let shown = &lines[lines.len().saturating_sub(usize::from(area.height))..];
    let mut symbol = String::new();
    for (line, y) in shown.iter().zip(area.y..) {
        let mut at = x;
        for i in line.clone() {
            let glyph = state.page.glyph(i);
            symbol.clear();
            symbol.push(glyph.ch);
            symbol.push_str(&glyph.marks);
            let left = usize::from(x + width - at);
            (at, _) = buf.set_stringn(at, y, &symbol, left, palette.glyph(glyph, certainty));
        }
        // Where the next word will stand.
        if y + 1 == area.y + shown.len() as u16 && at < x + width {
            buf.set_stringn(at, y, "▏", 1, palette.of(Role::Bar));
        }
    }
}

/// What holds the words up; `bars` says whether there is room to draw it.
pub fn pause(state: &State, palette: Palette, bars: bool) -> Line<'static> {
    let plain = palette.of(Role::Plain);
    let told = |word: &str, picture: String, end: String| {
        let mut spans = vec![Span::styled(format!("{word} "), plain)];
        if bars {
            spans.push(Span::styled(format!(" {picture}  "), palette.of(Role::Bar)));
        }
        spans.push(Span::styled(end, plain));
        Line::from(spans)
    };
    // The longer the wait, the longer the row: two dots a second.
    let waits = |word, s: f32| told(word, "·".repeat((s * 2.0).min(24.0) as usize), format!("{s:.1} s"));
    match state.pause() {
        None => Line::default(),
        Some(Pause::Reading { done, total }) => {
            let part = done as f32 / total.max(1) as f32;
            told("reading", meters::bar(part, 20), format!("{done} of {total} tokens"))
        }
        Some(Pause::Loading { done, total }) => {
            let part = (done as f64 / total.max(1) as f64) as f32;
            told("loading", meters::bar(part, 20), format!("{} of {} MB", done / 1_000_000, total / 1_000_000))
        }
        Some(Pause::Held { s }) => waits("held", s),
        Some(Pause::Resting { s }) => waits("at rest", s),
        Some(Pause::Waiting { s }) => waits("waiting", s),
        Some(Pause::Ended { reason }) => Line::styled(format!("ended: {reason}"), palette.of(Role::Strong)),
    }
}

/// The last lines of a small screen: a fault or another message while it is news, in at most so many, or else one of
/// what matters most.
pub fn status(state: &State, palette: Palette, width: usize, rows: usize) -> Vec<Line<'static>> {
    let news = || state.log.iter().rev().filter(|r| state.is_news(r));
    let fault = news().find(|remark| remark.tone == Tone::Fault);
    if let Some(remark) = fault.or_else(|| news().find(|remark| remark.tone == Tone::Notice)) {
        let role = if remark.tone == Tone::Fault { Role::Fault } else { Role::Plain };
        let lines = wrapped(&remark.text, |_| width, rows, UnicodeWidthStr::width);
        return lines.into_iter().map(|line| cut(Line::styled(line, palette.of(role)), width)).collect();
    }
    let paused = pause(state, palette, false);
    let mut meters = vec![vec![Span::styled(clock(state.now_ns), palette.of(Role::Plain))]];
    if state.replayed {
        meters.push(vec![Span::styled("REPLAY", palette.of(Role::Strong))]);
    }
    meters.extend(state.switched().map(|word| vec![Span::styled(word, palette.of(Role::Fault))]));
    if let Some(id) = state.selected {
        let text = format!("{} {}", short(id), reading::value(id, state.params.get(id)));
        meters.push(vec![Span::styled(text, palette.of(Role::Strong))]);
    }
    if paused.width() > 0 {
        meters.push(paused.spans);
    }
    meters.extend(meters::words(state, palette, 0).into_iter().filter(|m| m[0].content.starts_with("rate")));
    vec![cut(meters::flow(meters, width, 1).pop().unwrap_or_default(), width)]
}
