//! Lays the state out on a screen of any size.
//!
//! The words stand in the middle; what surrounds them is left out as the screen gets smaller, until only the words and
//! one line are left. Pure: it writes into ratatui's buffer and reads nothing but its arguments.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Widget};

use super::meters;
use super::palette::{Palette, Role};
use super::state::{Pause, State, Tone};
use crate::score::param::Curve;
use crate::score::{Hand, ParamId};

/// Below this size only the words and one line are shown.
const SMALL: (u16, u16) = (60, 16);
/// From this width on, the parameters stand beside the words.
const WITH_PARAMS: u16 = 72;
const PARAMS_WIDTH: u16 = 36;
/// Lines longer than this are hard to read.
const MEASURE: u16 = 84;
/// A fault stays this long in the one line of a small screen.
const FAULT_STAYS_NS: u64 = 6_000_000_000;

/// Draws everything.
pub fn draw(state: &mut State, help: &[String], palette: Palette, area: Rect, buf: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    if area.width < SMALL.0 || area.height < SMALL.1 {
        let text = Rect { height: area.height - 1, ..area };
        words(state, palette, text, buf);
        plate(state, palette, text, buf);
        status(state, palette, Rect { y: area.bottom() - 1, height: 1, ..area }, buf);
    } else {
        full(state, palette, area, buf);
    }
    if state.help {
        overlay(help, palette, area, buf);
    }
}

fn full(state: &mut State, palette: Palette, area: Rect, buf: &mut Buffer) {
    header(state, palette, Rect { height: 1, ..area }, buf);
    let foot = foot(state, palette, area);
    let body = Rect { y: area.y + 1, height: area.height - 1 - foot.len() as u16, ..area };
    for (line, y) in foot.iter().zip(body.bottom()..) {
        buf.set_line(area.x + 1, y, line, area.width - 2);
    }
    let mut text = body;
    if area.width >= WITH_PARAMS {
        text.width -= PARAMS_WIDTH + 1;
        let column = Rect { x: body.right() - PARAMS_WIDTH - 1, width: PARAMS_WIDTH, ..body };
        params(state, palette, column, buf);
    }
    words(state, palette, text, buf);
    plate(state, palette, text, buf);
}

fn header(state: &State, palette: Palette, area: Rect, buf: &mut Buffer) {
    let quiet = palette.of(Role::Quiet);
    let mut right = Vec::new();
    if let Some(output) = &state.sound {
        right.push(Span::styled(format!("♪ {output}  "), quiet));
    }
    if state.params.get(ParamId::Mute) >= 0.5 {
        right.push(Span::styled("MUTED  ", palette.of(Role::Fault)));
    }
    match state.recording() {
        Some(true) => right.push(Span::styled("● REC  ", palette.of(Role::Fault))),
        Some(false) => right.push(Span::styled("● REC BROKEN  ", palette.of(Role::Fault))),
        None => {}
    }
    right.push(Span::styled(clock(state.now_ns), palette.of(Role::Plain)));
    let right = Line::from(right);
    let wide = (right.width() as u16).min(area.width - 2);
    buf.set_line(area.right() - 1 - wide, area.y, &right, wide);
    let mut left = vec![Span::styled("小 xiao  ", quiet), Span::styled(state.title.as_str(), palette.of(Role::Strong))];
    if !state.scene.is_empty() {
        left.push(Span::styled(format!("  {}", state.scene), palette.of(Role::Prompt)));
    }
    if !state.model.is_empty() {
        left.push(Span::styled(format!("  {}  seed {}", state.model, state.seed), quiet));
    }
    buf.set_line(area.x + 1, area.y, &Line::from(left), (area.width - 2).saturating_sub(wide + 1));
}

/// The lines below the words: roads, pause, meters, log.
fn foot(state: &State, palette: Palette, area: Rect) -> Vec<Line<'static>> {
    let width = usize::from(area.width) - 2;
    let mut lines = vec![roads(state, palette, width), pause(state, palette, true)];
    if state.params.get(ParamId::Meters) >= 0.5 {
        // On a tall screen there is room for where a token's time went.
        let rows = if area.height >= 34 { 2 } else { 1 };
        let mut words = meters::flow(meters::words(state, palette), width, rows);
        words.resize(rows, Line::default());
        lines.extend(words);
        lines.extend(meters::flow(meters::machine(state, palette), width, 2));
        if let Some(missing) = meters::missing(state, palette) {
            lines.push(cut(Line::from(missing), width));
        }
    }
    if let Some(lost) = losses(state, palette) {
        lines.push(lost);
    }
    // Always as many lines, so that the words do not move when one comes.
    let rows = if area.height >= 30 { 5 } else { 2 };
    for remark in state.log.range(state.log.len().saturating_sub(rows)..) {
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
        lines.push(cut(Line::from(vec![at, Span::styled(text, palette.of(role))]), width));
    }
    lines.resize(lines.len() + rows.saturating_sub(state.log.len()), Line::default());
    lines.truncate(usize::from(area.height).saturating_sub(5));
    lines
}

/// The palimpsest: what else could have come at the last token's place.
fn roads(state: &State, palette: Palette, width: usize) -> Line<'static> {
    let mut meters = Vec::new();
    for road in &state.roads {
        let taken = state.taken == Some(road.id);
        let role = if taken { Role::Strong } else { Role::Quiet };
        let text = spelled(&road.text);
        let mark = if taken { "→" } else { "" };
        meters.push(vec![Span::styled(format!("{mark}{text} {:.0}%", road.p * 100.0), palette.of(role))]);
    }
    meters::flow(meters, width, 1).pop().unwrap_or_default()
}

/// A token's text as it can be read by itself.
fn spelled(text: &str) -> String {
    let text = super::clean::text(text).replace('\n', "⏎").replace('\t', "⇥").replace(' ', "·");
    if text.is_empty() { "□".to_string() } else { text }
}

/// What holds the words up; `bars` says whether there is room to draw it.
fn pause(state: &State, palette: Palette, bars: bool) -> Line<'static> {
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

/// Who lost or merged events; nothing while all is well.
fn losses(state: &State, palette: Palette) -> Option<Line<'static>> {
    let of = |pick: fn(&(&'static str, u64, u64)) -> u64| -> Vec<String> {
        let lost = state.losses.iter().filter(|l| pick(l) > 0);
        lost.map(|l| format!("{} {}", l.0, pick(l))).collect()
    };
    let (dropped, merged) = (of(|l| l.1), of(|l| l.2));
    let mut spans = Vec::new();
    if !dropped.is_empty() {
        spans.push(Span::styled(format!("events lost: {}   ", dropped.join(", ")), palette.of(Role::Fault)));
    }
    if !merged.is_empty() {
        spans.push(Span::styled(format!("events merged: {}", merged.join(", ")), palette.of(Role::Quiet)));
    }
    (!spans.is_empty()).then(|| Line::from(spans))
}

/// The words, the latest always in sight.
fn words(state: &mut State, palette: Palette, area: Rect, buf: &mut Buffer) {
    let margin = (area.width / 24).min(2);
    let width = area.width.saturating_sub(2 * margin).min(MEASURE);
    let x = area.x + (area.width - width) / 2;
    if width == 0 || area.height == 0 {
        return;
    }
    let certainty = state.params.get(ParamId::Certainty);
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

/// The one line of a small screen.
fn status(state: &State, palette: Palette, area: Rect, buf: &mut Buffer) {
    let width = usize::from(area.width);
    let fault = state.log.back().filter(|r| r.tone == Tone::Fault && state.now_ns < r.t_ns + FAULT_STAYS_NS);
    let line = if let Some(fault) = fault {
        Line::styled(fault.text.clone(), palette.of(Role::Fault))
    } else {
        let paused = pause(state, palette, false);
        let mut meters = vec![vec![Span::styled(clock(state.now_ns), palette.of(Role::Plain))]];
        if let Some(id) = state.selected {
            let text = format!("{} {}", short(id), value(state, id));
            meters.push(vec![Span::styled(text, palette.of(Role::Strong))]);
        }
        if paused.width() > 0 {
            meters.push(paused.spans);
        }
        meters.extend(meters::words(state, palette).into_iter().filter(|m| m[0].content.starts_with("rate")));
        meters::flow(meters, width, 1).pop().unwrap_or_default()
    };
    buf.set_line(area.x, area.y, &cut(line, width), area.width);
}

/// The whole parameter table, moved so that the chosen one is in sight.
fn params(state: &State, palette: Palette, area: Rect, buf: &mut Buffer) {
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
        let Some(id) = *id else {
            buf.set_stringn(area.x, y, name, usize::from(area.width), palette.of(Role::Quiet));
            continue;
        };
        let chosen = state.selected == Some(id);
        let role = if chosen { Role::Chosen } else { Role::Plain };
        let by = match state.moved_by[id as usize] {
            Some(Hand::Model) => "model",
            Some(Hand::Patch) => "patch",
            Some(Hand::Plan) => "plan",
            Some(Hand::Key) => "key",
            Some(Hand::Midi) => "midi",
            Some(Hand::CommandLine) => "start",
            None => "",
        };
        let mark = if chosen { "▸" } else { " " };
        let row = format!("{mark}{name:<18} {:>9}", value(state, id));
        buf.set_stringn(area.x, y, row, usize::from(area.width), palette.of(role));
        buf.set_stringn(area.x + 30, y, by, 6, palette.of(Role::Quiet));
    }
}

/// A parameter's name without its group.
fn short(id: ParamId) -> &'static str {
    id.name().split_once('.').map_or(id.name(), |(_, rest)| rest)
}

/// A parameter's value in words, at most nine columns.
fn value(state: &State, id: ParamId) -> String {
    let value = state.params.get(id);
    match (id.spec().curve, id.spec().unit) {
        (Curve::Switch, _) => if value >= 0.5 { "on" } else { "off" }.to_string(),
        (Curve::Step, _) => format!("{value:.0}"),
        (_, "dB") => format!("{value:.1} dB"),
        (_, "s") => format!("{value:.2} s"),
        (_, "tokens/s") if value == 0.0 => "free".to_string(),
        (_, "tokens/s") => format!("{value:.1} /s"),
        _ => format!("{value:.2}"),
    }
}

/// What the model is, in the upper right corner of the words; the line being written stays free.
fn plate(state: &State, palette: Palette, area: Rect, buf: &mut Buffer) {
    let Some((name, lines)) = state.card.split_first() else { return };
    if state.params.get(ParamId::Plate) < 0.5 || area.height < 4 {
        return;
    }
    let widest = state.card.iter().map(|line| Span::raw(line.as_str()).width()).max().unwrap_or(0) as u16;
    let (width, height) = ((widest + 4).min(area.width), (state.card.len() as u16 + 2).min(area.height - 1));
    let frame = Rect { x: area.right() - width, y: area.y, width, height };
    Clear.render(frame, buf);
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

fn overlay(help: &[String], palette: Palette, area: Rect, buf: &mut Buffer) {
    let widest = help.iter().map(|line| Span::raw(line.as_str()).width()).max().unwrap_or(0) as u16;
    let (width, height) = ((widest + 4).min(area.width), (help.len() as u16 + 2).min(area.height));
    let x = area.x + (area.width - width) / 2;
    let y = area.y + (area.height - height) / 2;
    let frame = Rect { x, y, width, height };
    Clear.render(frame, buf);
    let block = Block::bordered().title(" keys ").border_style(palette.of(Role::Quiet));
    let inside = block.inner(frame);
    block.render(frame, buf);
    for (line, y) in help.iter().zip(inside.y..inside.bottom()) {
        let left = usize::from(inside.width.saturating_sub(1));
        buf.set_stringn(inside.x + 1, y, line, left, palette.of(Role::Plain));
    }
}

/// Minutes and seconds, with hours once there are any.
fn clock(t_ns: u64) -> String {
    let s = t_ns / 1_000_000_000;
    match s / 3600 {
        0 => format!("{:02}:{:02}", s / 60, s % 60),
        h => format!("{h}:{:02}:{:02}", s / 60 % 60, s % 60),
    }
}

/// Cuts a line to a width, with an ellipsis where something was cut off.
fn cut(line: Line<'static>, width: usize) -> Line<'static> {
    if line.width() <= width {
        return line;
    }
    let mut left = width.saturating_sub(1);
    let mut kept = Vec::new();
    for span in line.spans {
        let mut text = String::new();
        for ch in span.content.chars() {
            let wide = unicode_width::UnicodeWidthChar::width(ch).unwrap_or(0);
            if wide > left {
                left = 0;
                break;
            }
            left -= wide;
            text.push(ch);
        }
        kept.push(Span::styled(text, span.style));
    }
    kept.push(Span::raw("…"));
    Line::from(kept)
}

#[cfg(test)]
mod tests;
