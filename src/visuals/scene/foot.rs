//! The foot of the stage: the machine's meters, the parameters in hand, and what went wrong, in small plain words.

use super::SCENES;
use super::brush::{Brush, Color, faded, fit, smooth, text_width};
use crate::score::{ParamId, SignalId, reading};
use crate::visuals::FrameState;
use crate::visuals::state::Message;

/// How long a fault and a notice stand, and how long a parameter that was moved shows without the meters.
const FAULT_S: f32 = 10.0;
const NOTICE_S: f32 = 5.0;
const TOUCH_S: f32 = 3.0;

/// How a value reads.
pub type Reading = fn(f32) -> String;

/// The meters in their order: signal, label, and how its value reads.
pub const METERS: [(SignalId, &str, Reading); 8] = [
    (SignalId::Rate, "tokens/s", |v| format!("{v:.1}")),
    (SignalId::Latency, "latency", |v| if v < 10.0 { format!("{v:.1} ms") } else { format!("{v:.0} ms") }),
    (SignalId::Cpu, "cpu", |v| format!("{:.0} %", v * 100.0)),
    (SignalId::Memory, "memory", |v| format!("{:.0} %", v * 100.0)),
    (SignalId::OwnMemory, "own", |v| format!("{v:.0} MiB")),
    (SignalId::Temperature, "heat", |v| format!("{v:.0} °C")),
    (SignalId::Fan, "fan", |v| format!("{v:.0} rpm")),
    (SignalId::Power, "power", |v| format!("{v:.1} W")),
];

/// How the meters stand: so many in a row, so many rows, each so wide, with a gap between.
struct Grid {
    columns: usize,
    rows: usize,
    wide: f32,
    gap: f32,
}

impl Grid {
    /// A sixth of the frame, of an upright one a quarter: in a small window the meters stand closer, and the last of them
    /// give way, in the smallest all.
    fn of(brush: &Brush) -> Grid {
        let (unit, room) = (brush.unit(), brush.width - 2.0 * margin(brush));
        let gap = 16.0 * unit;
        let fitting = |least: f32| ((room + gap) / (least * unit + gap)).floor().max(1.0) as usize;
        let most = if brush.height > brush.width { 0.25 } else { 0.17 };
        let most_rows = (brush.height * most / (row(brush) * unit)).floor() as usize;
        let columns = fitting(200.0).min(4).max(fitting(116.0).min(METERS.len().div_ceil(most_rows.max(1))));
        let rows = METERS.len().div_ceil(columns).min(most_rows);
        Grid { columns, rows, wide: ((room + gap) / columns as f32 - gap).floor(), gap }
    }
}

/// Small type is no smaller in a small picture: what part of the room around it there is.
fn shrunk(brush: &Brush) -> f32 {
    (brush.height / (720.0 * brush.unit())).min(1.0)
}

/// Whether a picture is so small that the messages have no room of their own: they stand over the meters then.
fn is_small(brush: &Brush) -> bool {
    shrunk(brush) < 0.7
}

/// A row of meters, in pixels of small type.
fn row(brush: &Brush) -> f32 {
    (26.0 + 22.0 * shrunk(brush)).round().max(36.0)
}

fn margin(brush: &Brush) -> f32 {
    (brush.width * 0.07).round()
}

fn meters(state: &FrameState) -> bool {
    state.params.get(ParamId::Meters) >= 0.5
}

/// The row of parameters, the meters above it, and the scene above those: the lower two upper edges and the foot's own.
fn edges(state: &FrameState, brush: &Brush) -> [f32; 3] {
    let unit = brush.unit();
    let params = brush.height - (16.0 + 20.0 * shrunk(brush)).round() * unit;
    let rows = if meters(state) { Grid::of(brush).rows } else { 0 };
    let top = params - rows as f32 * row(brush) * unit;
    let said = if is_small(brush) { 8.0 } else { (54.0 * shrunk(brush)).round() };
    [params, top, top - said * unit]
}

/// The foot's upper edge in pixels; scenes stay above it.
pub fn top(state: &FrameState, brush: &Brush) -> f32 {
    edges(state, brush)[2]
}

/// Paints the foot.
pub fn draw(state: &FrameState, brush: &mut Brush) {
    let (unit, margin, on) = (brush.unit(), margin(brush), meters(state));
    let [params, top, messages] = edges(state, brush);
    let touched = state.touched_ns.map_or(0.0, |t_ns| fading(state.since(t_ns), TOUCH_S));
    if on || touched > 0.0 {
        draw_params(state, brush, margin, params, if on { 1.0 } else { touched });
    }
    if on {
        let grid = Grid::of(brush);
        for (i, (id, label, read)) in METERS.iter().take(grid.columns * grid.rows).enumerate() {
            let x = margin + (i % grid.columns) as f32 * (grid.wide + grid.gap);
            let y = top + (i / grid.columns) as f32 * row(brush) * unit;
            draw_meter(state, brush, *id, label, *read, x, y, grid.wide);
        }
    }
    // Above the meters, what the performer should know, and above that what failed.
    let room = (brush.width - 2.0 * margin) / unit;
    let first = if is_small(brush) { params - 24.0 * unit } else { messages };
    let bare = state.cross.parts().into_iter().flatten().map(|(scene, part)| part * f32::from(!SCENES[scene].over));
    let bare = if is_small(brush) { 1.0 } else { bare.sum::<f32>() };
    let said = [(&state.notice, NOTICE_S, brush.palette.label), (&state.fault, FAULT_S, brush.palette.accent)];
    for (row, (message, for_s, color)) in said.into_iter().enumerate() {
        // What is typed stands in the notice's place.
        if row == 0 && state.typing.is_some() {
            continue;
        }
        if let Some(Message { t_ns, text }) = message {
            let there = fading(state.since(*t_ns), for_s);
            let (text, y) = (fit(text, room), first + (1 - row) as f32 * 24.0 * unit);
            // Where the stage has no darkened ground, over a shader's picture or the meters, they bring their own.
            let wide = text_width(&text) * unit + 16.0 * unit;
            let ground = faded(brush.palette.panel(), there * bare);
            brush.rect(margin - 8.0 * unit, y - 3.0 * unit, wide, 22.0 * unit, ground);
            brush.text(margin, y, &text, faded(color, there));
        }
    }
}

/// Paints the line that the performer types, with a ground of its own over a picture that `stands` as it was.
pub fn typing(state: &FrameState, brush: &mut Brush, stands: bool) {
    let Some(typing) = &state.typing else { return };
    let (unit, margin, [_, _, messages]) = (brush.unit(), margin(brush), edges(state, brush));
    let (room, y) = ((brush.width - 2.0 * margin) / unit, messages + 24.0 * unit);
    if stands {
        let wide = brush.width - 2.0 * margin + 16.0 * unit;
        brush.rect(margin - 8.0 * unit, y - 3.0 * unit, wide, 22.0 * unit, brush.palette.panel());
    }
    let line = typing.line((room / 8.0) as usize, |text| (text_width(text) / 8.0) as usize);
    brush.text(margin, y, &fit(&line, room), brush.palette.prompt);
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
    let after = brush.text(x, y, label, brush.palette.label) + 8.0 * unit;
    let below = y + 20.0 * unit;
    match (value, absent) {
        (Some(value), _) => {
            brush.text(after, y, &read(value), brush.palette.paper);
            if id == SignalId::Cpu && !state.cores.is_empty() {
                return draw_cores(&state.cores, brush, x, below, wide);
            }
            draw_bar(brush, x, below, wide, id.spec().position(value), brush.palette.bar());
        }
        // Absent is not zero: no bar at all, but a word. The reason is the performer's to read, not the audience's.
        (None, Some(_)) => {
            brush.text(after, y, &fit("unavailable", (x + wide - after) / unit), faded(brush.palette.label, 0.75));
        }
        (None, None) => {
            brush.text(after, y, "…", brush.palette.label);
        }
    }
}

fn draw_bar(brush: &mut Brush, x: f32, y: f32, wide: f32, at: f32, color: Color) {
    let (y, thick) = (y + 2.0 * brush.unit(), 3.0 * brush.unit());
    brush.rect(x, y, wide, thick, brush.palette.track);
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
        brush.rect(x, y, thick, tall, brush.palette.track);
        brush.rect(x, y + tall * (1.0 - load), thick, tall * load, brush.palette.bar());
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
    // The parameter in hand first: in a narrow window it is alone.
    let words =
        |(id, label): &(ParamId, &str)| text_width(label) + text_width(&reading::param(*id, state.base.get(*id)));
    let room = brush.width - 2.0 * left;
    if shown.len() > 1 && shown.iter().map(words).sum::<f32>() * unit + 200.0 * unit > room {
        shown.remove(0);
    }
    for (id, label) in shown {
        let held = id == state.selected;
        let color = faded(if held { brush.palette.prompt } else { brush.palette.label }, alpha);
        if held {
            x = brush.text(x, y, "› ", color);
        }
        x = brush.text(x, y, label, color) + 8.0 * unit;
        x = brush.text(x, y, &reading::param(id, state.base.get(id)), faded(brush.palette.paper, alpha)) + 12.0 * unit;
        let (spec, wide) = (id.spec(), (120.0 * unit).min(brush.width - left - x));
        // A window that has no room for the bar has room for the words.
        if wide < 24.0 * unit {
            break;
        }
        draw_bar(brush, x, y + 4.0 * unit, wide, spec.position(state.base.get(id)), color);
        let played = spec.position(state.params.get(id));
        if state.params.get(id) != state.base.get(id) {
            let tick = x + (wide - 2.0 * unit) * played;
            brush.rect(tick, y + 2.0 * unit, 2.0 * unit, 11.0 * unit, faded(brush.palette.accent, alpha));
        }
        x += wide + 32.0 * unit;
    }
    if state.base.get(ParamId::Hold) >= 0.5 {
        let word = "held";
        let right = brush.width - left - text_width(word) * unit;
        brush.text(right, y, word, faded(brush.palette.accent, alpha));
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
        let said = small(&absent);
        assert!(said.contains("fanunavailable") && !said.contains("nosensor"), "{said}");
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
    fn the_foot_of_a_small_picture_is_no_larger_a_part_of_it() {
        let state = FrameState::new();
        for (size, rows) in [
            ([320, 180], 0),
            ([640, 360], 1),
            ([960, 540], 2),
            ([1280, 720], 2),
            ([1280, 800], 2),
            ([1920, 1080], 2),
            ([3840, 2160], 2),
        ] {
            let (mut glyphs, mut typesetter) = (Vec::new(), Default::default());
            let brush = Brush::new(&mut glyphs, &mut typesetter, size, state.palette());
            let part = 1.0 - top(&state, &brush) / brush.height;
            assert!(Grid::of(&brush).rows == rows && part < 0.32, "{size:?}: {part} {}", Grid::of(&brush).rows);
            assert!(size[1] < 720 || Grid::of(&brush).columns == 4, "{size:?}");
        }
    }

    #[test]
    fn over_a_shader_and_over_meters_a_message_has_its_own_ground() {
        let fault = Event::Fault { place: "sound".into(), what: "the device is gone".into(), remedy: "plug".into() };
        let set = |id, value| Event::Param { id, value, by: Hand::Patch };
        let grounds = |scene: f32, size: [u32; 2]| {
            let mut state = FrameState::new();
            for event in [set(ParamId::StageScene, scene), set(ParamId::Crossfade, 0.0), fault.clone()] {
                state.apply(&Stamped { seq: 0, t_ns: 0, event });
            }
            state.advance(1_000_000_000);
            let mut glyphs = Vec::new();
            build(&state, size, &mut glyphs);
            let words: Vec<_> = glyphs.iter().filter(|g| g.color == state.palette().accent).copied().collect();
            let holds = |g: &Glyph, w: &Glyph| {
                (0..2).all(|k| g.pos[k] <= w.pos[k] && g.pos[k] + g.size[k] >= w.pos[k] + w.size[k])
            };
            let solid = |g: &&Glyph| g.cell == SOLID && g.color == state.palette().panel();
            assert!(words.len() > 20);
            glyphs.iter().filter(solid).filter(|g| words.iter().all(|w| w.cell == SOLID || holds(g, w))).count()
        };
        assert_eq!(grounds(0.0, [1280, 720]), 0);
        assert_eq!(grounds(7.0, [1280, 720]), 1);
        assert_eq!(grounds(0.0, [640, 360]), 1);
    }

    #[test]
    fn a_fault_stands_for_a_few_seconds() {
        let fault =
            Event::Fault { place: "sound".into(), what: "the device is gone".into(), remedy: "plug it in".into() };
        assert!(small(&glyphs(vec![fault.clone()], 2)).contains("sound:thedeviceisgone;plugitin"));
        assert!(!small(&glyphs(vec![fault], 20)).contains("gone"));
        // One of a file goes when the file is good again.
        let fault = Event::Fault { place: "shader".into(), what: "line 2".into(), remedy: String::new() };
        assert!(small(&glyphs(vec![fault.clone()], 2)).contains("shader:line2"));
        let good = Event::Shader { name: "mine".into(), text: "fn field".into() };
        assert!(!small(&glyphs(vec![fault, good], 2)).contains("line2"));
    }

    #[test]
    fn what_is_typed_stands_in_the_notices_place() {
        let typing = |on| Event::Typing { on, text: "The moon".into(), at: 3 };
        let notice = Event::Notice { text: "no MIDI".into() };
        let text = small(&glyphs(vec![notice.clone(), typing(true)], 1));
        assert!(text.contains("»The▏moon") && !text.contains("noMIDI"), "{text}");
        assert!(small(&glyphs(vec![notice, typing(true), typing(false)], 1)).contains("noMIDI"));
    }
}
