//! The foot of the stage: the machine's meters, the parameters in hand, and what went wrong, in small plain words.

use super::brush::{Brush, Color, faded, fit, smooth, text_width};
use super::tone;
use crate::score::{ParamId, SignalId, reading};
use crate::visuals::FrameState;
use crate::visuals::state::Message;

/// How long a fault and a notice stand, and how long a parameter that was moved shows without the meters.
const FAULT_S: f32 = 10.0;
const NOTICE_S: f32 = 5.0;
const TOUCH_S: f32 = 3.0;

/// How a value reads.
type Reading = fn(f32) -> String;

/// The meters in their order: signal, label, and how its value reads.
const METERS: [(SignalId, &str, Reading); 8] = [
    (SignalId::Rate, "tokens/s", |v| format!("{v:.1}")),
    (SignalId::Latency, "latency", |v| if v < 10.0 { format!("{v:.1} ms") } else { format!("{v:.0} ms") }),
    (SignalId::Cpu, "cpu", |v| format!("{:.0} %", v * 100.0)),
    (SignalId::Memory, "memory", |v| format!("{:.0} %", v * 100.0)),
    (SignalId::OwnMemory, "own", |v| format!("{v:.0} MiB")),
    (SignalId::Temperature, "heat", |v| format!("{v:.0} °C")),
    (SignalId::Fan, "fan", |v| format!("{v:.0} rpm")),
    (SignalId::Power, "power", |v| format!("{v:.1} W")),
];

/// Paints the foot and returns its upper edge in pixels; the words stay above it.
pub fn draw(state: &FrameState, brush: &mut Brush) -> f32 {
    let unit = brush.unit();
    let margin = (brush.width * 0.07).round();
    let on = state.params.get(ParamId::Meters) >= 0.5;
    // The last row: parameters.
    let mut top = brush.height - 36.0 * unit;
    let touched = state.touched_ns.map_or(0.0, |t_ns| fading(state.since(t_ns), TOUCH_S));
    if on || touched > 0.0 {
        draw_params(state, brush, margin, top, if on { 1.0 } else { touched });
    }
    if on {
        // A quarter of the frame at most: in a small window the meters stand closer, and the last of them give way.
        let gap = 16.0 * unit;
        let fitting =
            |least: f32| ((brush.width - 2.0 * margin + gap) / (least * unit + gap)).floor().max(1.0) as usize;
        let most_rows = (brush.height * 0.25 / (48.0 * unit)).floor().max(1.0) as usize;
        let columns = fitting(200.0).min(4).max(fitting(88.0).min(METERS.len().div_ceil(most_rows)));
        let rows = METERS.len().div_ceil(columns).min(most_rows);
        let wide = ((brush.width - 2.0 * margin + gap) / columns as f32 - gap).floor();
        top -= rows as f32 * 48.0 * unit;
        for (i, (id, label, read)) in METERS.iter().take(columns * rows).enumerate() {
            let x = margin + (i % columns) as f32 * (wide + gap);
            let y = top + (i / columns) as f32 * 48.0 * unit;
            draw_meter(state, brush, *id, label, *read, x, y, wide);
        }
    }
    // Above the meters, what the performer should know, and above that what failed.
    let room = (brush.width - 2.0 * margin) / unit;
    let messages = [(&state.notice, NOTICE_S, tone::LABEL), (&state.fault, FAULT_S, tone::AMBER)];
    top -= 54.0 * unit;
    for (row, (message, for_s, color)) in messages.into_iter().enumerate() {
        if let Some(Message { t_ns, text }) = message {
            let color = faded(color, fading(state.since(*t_ns), for_s));
            brush.text(margin, top + (1 - row) as f32 * 24.0 * unit, &fit(text, room), color);
        }
    }
    top
}

/// 1 for most of the time, then down to 0 within the last second.
fn fading(age_s: f32, for_s: f32) -> f32 {
    1.0 - smooth(for_s - 1.0, for_s, age_s)
}

#[allow(clippy::too_many_arguments)]
fn draw_meter(
    state: &FrameState,
    brush: &mut Brush,
    id: SignalId,
    label: &str,
    read: Reading,
    x: f32,
    y: f32,
    wide: f32,
) {
    let unit = brush.unit();
    let (value, absent) = (state.signals.get(id), state.absent[id as usize].as_deref());
    let after = brush.text(x, y, label, tone::LABEL) + 8.0 * unit;
    let below = y + 20.0 * unit;
    match (value, absent) {
        (Some(value), _) => {
            brush.text(after, y, &read(value), tone::PAPER);
            if id == SignalId::Cpu && !state.cores.is_empty() {
                return draw_cores(&state.cores, brush, x, below, wide);
            }
            draw_bar(brush, x, below, wide, id.spec().position(value), tone::BAR);
        }
        // Absent is not zero: no bar at all, but words.
        (None, Some(reason)) => {
            brush.text(after, y, &fit("unavailable", (x + wide - after) / unit), tone::LABEL);
            brush.text(x, below, &fit(reason, wide / unit), faded(tone::LABEL, 0.75));
        }
        (None, None) => {
            brush.text(after, y, "…", tone::LABEL);
        }
    }
}

fn draw_bar(brush: &mut Brush, x: f32, y: f32, wide: f32, at: f32, color: Color) {
    let (y, thick) = (y + 2.0 * brush.unit(), 3.0 * brush.unit());
    brush.rect(x, y, wide, thick, tone::TRACK);
    brush.rect(x, y, wide * at.clamp(0.0, 1.0), thick, color);
}

/// One small upright bar for each core; with very many, each stands for the busiest of a few.
fn draw_cores(cores: &[f32], brush: &mut Brush, x: f32, y: f32, wide: f32) {
    let unit = brush.unit();
    let most = (wide / (4.0 * unit)).max(1.0) as usize;
    let each = cores.len().div_ceil(most);
    let count = cores.len().div_ceil(each);
    let step = (wide / count as f32).min(40.0 * unit);
    let tall = 14.0 * unit;
    for (i, group) in cores.chunks(each).enumerate() {
        let load = group.iter().copied().fold(0.0, f32::max).clamp(0.0, 1.0);
        let (x, thick) = (x + i as f32 * step, (step - unit).max(unit).min(step));
        brush.rect(x, y, thick, tall, tone::TRACK);
        brush.rect(x, y + tall * (1.0 - load), thick, tall * load, tone::BAR);
    }
}

/// The sampler's temperature always, and the parameter in hand; a bar's tick shows where the matrix has moved it.
fn draw_params(state: &FrameState, brush: &mut Brush, left: f32, y: f32, alpha: f32) {
    let unit = brush.unit();
    let mut x = left;
    let mut shown = vec![(ParamId::Temperature, "temperature")];
    if state.selected != ParamId::Temperature {
        shown.push((state.selected, state.selected.name()));
    }
    for (id, label) in shown {
        let held = id == state.selected;
        let color = faded(if held { tone::PROMPT } else { tone::LABEL }, alpha);
        if held {
            x = brush.text(x, y, "› ", color);
        }
        x = brush.text(x, y, label, color) + 8.0 * unit;
        x = brush.text(x, y, &reading::param(id, state.base.get(id)), faded(tone::PAPER, alpha)) + 12.0 * unit;
        let (spec, wide) = (id.spec(), 120.0 * unit);
        draw_bar(brush, x, y + 4.0 * unit, wide, spec.position(state.base.get(id)), color);
        let played = spec.position(state.params.get(id));
        if state.params.get(id) != state.base.get(id) {
            let tick = x + (wide - 2.0 * unit) * played;
            brush.rect(tick, y + 2.0 * unit, 2.0 * unit, 11.0 * unit, faded(tone::AMBER, alpha));
        }
        x += wide + 32.0 * unit;
    }
    if state.base.get(ParamId::Hold) >= 0.5 {
        let word = "held";
        let right = brush.width - left - text_width(word) * unit;
        brush.text(right, y, word, faded(tone::AMBER, alpha));
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Glyph, SOLID, build};
    use super::*;
    use crate::score::{Event, Hand, MachineSample, Stamped};

    fn glyphs(events: Vec<Event>, t_s: u64) -> Vec<Glyph> {
        let mut state = FrameState::new();
        for event in events {
            state.apply(&Stamped { seq: 0, t_ns: 0, event });
        }
        state.advance(t_s * 1_000_000_000);
        let mut glyphs = Vec::new();
        build(&state, [1280, 720], &mut glyphs);
        glyphs
    }

    /// The small text of the frame, in the order in which it was painted.
    fn small(glyphs: &[Glyph]) -> String {
        let small = glyphs.iter().filter(|g| g.size[1] == 16.0 && g.cell != SOLID);
        small.filter_map(|g| char::from_u32(g.cell)).collect()
    }

    #[test]
    fn an_absent_sensor_has_words_and_no_bar() {
        let sample = |values, absent| vec![Event::Machine(MachineSample { values, absent, ..Default::default() })];
        let bars = |glyphs: &[Glyph]| glyphs.iter().filter(|g| g.cell == SOLID).count();
        let absent = glyphs(sample(vec![], vec![(SignalId::Fan, "no sensor".into())]), 1);
        assert!(small(&absent).contains("fanunavailablenosensor"), "{}", small(&absent));
        let zero = glyphs(sample(vec![(SignalId::Fan, 0.0)], vec![]), 1);
        assert!(small(&zero).contains("fan0rpm"));
        assert_eq!(bars(&zero), bars(&absent) + 1);
    }

    #[test]
    fn the_temperature_and_the_parameter_in_hand_are_always_there() {
        let moved = Event::Param { id: ParamId::TopK, value: 12.0, by: Hand::Midi };
        let text = small(&glyphs(vec![moved], 60));
        assert!(text.contains("temperature0.80") && text.contains("›sampler.top_k12tokens"), "{text}");
    }

    #[test]
    fn without_meters_only_what_was_touched_shows_and_only_for_a_while() {
        let off = Event::Param { id: ParamId::Meters, value: 0.0, by: Hand::Patch };
        let moved = Event::Param { id: ParamId::TopK, value: 12.0, by: Hand::Midi };
        assert!(small(&glyphs(vec![off.clone(), moved.clone()], 1)).contains("top_k"));
        assert_eq!(small(&glyphs(vec![off, moved], 60)), "");
    }

    #[test]
    fn a_fault_stands_for_a_few_seconds() {
        let fault =
            Event::Fault { place: "sound".into(), what: "the device is gone".into(), remedy: "plug it in".into() };
        assert!(small(&glyphs(vec![fault.clone()], 2)).contains("sound:thedeviceisgone;plugitin"));
        assert!(!small(&glyphs(vec![fault], 20)).contains("gone"));
    }
}
