//! The words: the page's last lines, rising as new ones come, and where the next word will be.

use super::brush::{Brush, Color, dimmed, faded, mixed, smooth};
use super::tone;
use crate::score::{FlawKind, ParamId, SignalId};
use crate::visuals::text::{Cell, Direction, Line, Setting, Voice, place};
use crate::visuals::{FrameState, glyphs};

/// How long a token takes to come up, and how long it glows after that.
const ATTACK_S: f32 = 0.15;
const GLOW_S: f32 = 0.9;
/// How long a new line takes to push the page up.
const RISE_S: f32 = 0.45;
/// How long forgotten text takes to dissolve.
const DISSOLVE_S: f32 = 2.5;

/// How large the type is: each of its pixels takes so many of the frame's. Two lines fit above the foot even in a small
/// window.
fn scale(state: &FrameState, brush: &Brush, bottom: f32) -> f32 {
    let wanted = (state.params.get(ParamId::TextSize) * brush.height / 720.0).round();
    wanted.min((bottom / 44.0).floor()).max(1.0)
}

/// What stands over the page and takes room from it.
#[derive(Clone, Copy, Debug)]
pub struct Ceiling {
    /// Its lower edge in pixels.
    pub y: f32,
    /// How much of it is there, 0..1, while it comes and goes.
    pub there: f32,
}

/// How far down the line being written can go, in pixels.
pub fn lowest(state: &FrameState, brush: &Brush, bottom: f32) -> f32 {
    bottom - (22.0 * scale(state, brush, bottom)).round()
}

/// Paints the page above `bottom`, the foot's upper edge in pixels, and below the ceiling, where there is one.
pub fn draw(state: &FrameState, brush: &mut Brush, bottom: f32, ceiling: Option<Ceiling>) {
    let scale = scale(state, brush, bottom);
    let margin = (brush.width * 0.07).round();
    let columns = ((brush.width - 2.0 * margin) / (8.0 * scale)).floor().max(2.0);
    let lines = state.page.lines(columns as u32);
    let leading = (22.0 * scale).round();
    // The line being written stands a little below the middle, where a room looks; it comes to rest there while the
    // lines before it rise.
    let rest = (bottom * 0.74 - 16.0 * scale).max(8.0 * scale);
    // Under a ceiling they sink as far as it takes to show two more lines.
    let sunk = |c: Ceiling| rest + c.there * ((c.y + 2.0 * leading).min(lowest(state, brush, bottom)) - rest).max(0.0);
    let rest = ceiling.map_or(rest, sunk).round();
    let edge = ceiling.map_or(0.0, |c| c.y * c.there);
    let risen: f32 = lines.iter().rev().take(4).map(|line| 1.0 - smooth(0.0, RISE_S, state.since(line.born_ns))).sum();
    let gone = state.ended_ns.map_or(1.0, |t_ns| 1.0 - 0.6 * smooth(0.0, 4.0, state.since(t_ns)));

    for (back, line) in lines.iter().rev().enumerate() {
        let y = rest - (back as f32 - risen.min(back as f32)) * leading;
        if y + leading < 0.0 {
            break;
        }
        // What stands higher is older, and lets the eye go.
        let depth = smooth(edge - leading, (rest - 2.0 * leading).max(edge + leading), y);
        let (out, whole) =
            if edge > 0.0 { (edge - 0.1 * leading, edge + 0.3 * leading) } else { (-leading, leading * 0.5) };
        let alpha = if back == 0 { 1.0 } else { (0.16 + 0.84 * depth) * smooth(out, whole, y) } * gone;
        draw_line(state, brush, line, margin, y.round(), scale, alpha);
    }
    if state.ended_ns.is_none() {
        let last = lines.last().copied();
        let x = last.map_or(0, |l| state.page.cells().range(l.start..l.end).map(|c| glyphs::advance(c.ch)).sum());
        let x = margin + (x as f32).min(columns) * 8.0 * scale;
        draw_caret(state, brush, x, rest, scale);
    }
    draw_prefill(state, brush, margin, rest + leading, scale);
}

fn draw_line(state: &FrameState, brush: &mut Brush, line: &Line, left: f32, y: f32, scale: f32, alpha: f32) {
    let cells = state.page.cells();
    let flawed = |i: usize| cells.get(i).is_some_and(|c| c.flaw.is_some() && c.ch != ' ');
    let columns = ((brush.width - 2.0 * left) / (8.0 * scale)).floor().max(2.0) as u32;
    let origin = [left + line.indent(columns) * 8.0 * scale, y];
    place(&state.page, line, &Setting { direction: Direction::Across, scale, origin }, &mut |glyph| {
        let (i, cell) = (glyph.cell, &cells[glyph.cell]);
        let alpha = alpha * presence(state, cell, i);
        brush.char(glyph.x, glyph.y, scale, glyph.ch, faded(color(state, cell), alpha));
        // A space is underlined only between two flawed words.
        if let Some((kind, t_ns)) = cell.flaw
            && !glyph.mark
            && (cell.ch != ' ' || (i > line.start && flawed(i - 1) && i + 1 < line.end && flawed(i + 1)))
        {
            let alpha = alpha * smooth(0.0, 0.3, state.since(t_ns));
            let wide = glyph.size(scale)[0];
            draw_flaw(brush, kind, glyph.x, y + 17.0 * scale, wide, scale, faded(tone::AMBER, alpha));
        }
    });
}

/// How much of the cell is there: it comes up in its attack, and dissolves in grains when it has left.
fn presence(state: &FrameState, cell: &Cell, place: usize) -> f32 {
    let come = smooth(-0.02, ATTACK_S, state.since(cell.born_ns));
    let Some(left_ns) = cell.left_ns else { return come };
    // Each character starts to go at a moment of its own, from its code and place: not by chance, so always the same.
    let grain = (cell.ch as usize).wrapping_mul(2_654_435_761).wrapping_add(place.wrapping_mul(40_503)) >> 7 & 255;
    let delay = grain as f32 / 255.0 * DISSOLVE_S;
    come * (1.0 - smooth(delay, delay + 0.8, state.since(left_ns)))
}

/// Certain words are bright paper; doubt dims them, and what is improbable turns amber. New ones glow.
fn color(state: &FrameState, cell: &Cell) -> Color {
    if cell.voice == Voice::Performer {
        return tone::PROMPT;
    }
    let shown = state.params.get(ParamId::Certainty);
    let surprise = SignalId::Surprise.spec().position(-cell.p.max(1e-9).log2());
    let doubt = shown * (1.0 - cell.p.clamp(0.0, 1.0).sqrt());
    let warm = shown * smooth(0.25, 0.75, surprise);
    // Amber is darker than paper by itself, and both must stay readable.
    let settled = dimmed(mixed(tone::PAPER, tone::AMBER, warm), 1.0 - doubt * (0.26 - 0.16 * warm));
    let glow = 1.0 - smooth(0.0, GLOW_S, state.since(cell.born_ns));
    let lit = mixed(settled, [255, 255, 255, 255], 0.35);
    mixed(settled, lit, glow)
}

/// Each kind of flaw has its own line under the words: a repetition a double one, a leap a broken one, two scripts a
/// short stroke at each character, a broken character a thick one.
fn draw_flaw(brush: &mut Brush, kind: FlawKind, x: f32, y: f32, wide: f32, scale: f32, color: Color) {
    match kind {
        FlawKind::Repetition => {
            brush.rect(x, y, wide, scale, color);
            brush.rect(x, y + 2.0 * scale, wide, scale, color);
        }
        FlawKind::Leap => {
            let dashes = (wide / (4.0 * scale)) as u32;
            for i in 0..dashes {
                brush.rect(x + (4 * i + 1) as f32 * scale, y, 2.0 * scale, scale, color);
            }
        }
        FlawKind::ScriptMix => brush.rect(x + wide * 0.25, y, wide * 0.5, scale, color),
        FlawKind::BrokenCharacter => brush.rect(x, y, wide, 3.0 * scale, color),
        // A thin one that is not sure of itself, a step above where it should be at every other place.
        FlawKind::Hesitation => {
            let steps = (wide / (4.0 * scale)) as u32;
            for i in 0..steps {
                brush.rect(x + (4 * i) as f32 * scale, y + (i % 2) as f32 * scale, 4.0 * scale, scale, color);
            }
        }
        // A wall at the end.
        FlawKind::EarlyEnd => brush.rect(x + wide - 2.0 * scale, y - 4.0 * scale, 2.0 * scale, 7.0 * scale, color),
        // The seam shows.
        FlawKind::TemplateLeak => {
            brush.rect(x, y, wide, scale, color);
            brush.rect(x, y - 1.0 * scale, scale, 3.0 * scale, color);
        }
    }
}

/// Where the next word will be: a thin stroke that widens and breathes the longer nothing comes.
fn draw_caret(state: &FrameState, brush: &mut Brush, x: f32, y: f32, scale: f32) {
    let waiting_s = state.signals.get(SignalId::Waiting).unwrap_or(0.0);
    let long = 1.0 - (-(waiting_s - 0.4).max(0.0) / 5.0).exp();
    let breath = 0.5 - 0.5 * (waiting_s * std::f32::consts::TAU / 3.6).cos();
    let width = scale * (1.0 + 15.0 * long);
    let height = scale * (12.0 + 2.0 * long * breath);
    let alpha = (0.75 - 0.45 * long) + 0.4 * long * breath;
    let tint = mixed(tone::PAPER, tone::AMBER, long);
    brush.rect(x + 2.0 * scale, y + 8.0 * scale - height / 2.0, width, height, faded(tint, alpha));
}

/// While the model is brought into memory or the prompt is being read, a line under the words says how far.
fn draw_prefill(state: &FrameState, brush: &mut Brush, left: f32, y: f32, scale: f32) {
    if state.reading || state.loading {
        let measure = if state.loading { SignalId::Load } else { SignalId::Prefill };
        let done = state.signals.get(measure).unwrap_or(0.0);
        let (wide, thick) = (brush.width - 2.0 * left, scale.max(2.0));
        brush.rect(left, y, wide, thick, tone::TRACK);
        brush.rect(left, y, wide * done.clamp(0.0, 1.0), thick, tone::PROMPT);
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Glyph, SOLID, build};
    use super::*;
    use crate::score::{Event, Stamped, Token};

    fn token(index: u32, text: &str, p: f32) -> Event {
        Event::Token(Token {
            id: 0,
            text: text.into(),
            index,
            latency_ms: 50.0,
            p,
            surprise_bits: -p.log2(),
            entropy_bits: 1.0,
            context_fill: 0.1,
            inside: Default::default(),
            top: vec![],
        })
    }

    fn stage(events: &[(u64, Event)], t_ms: u64) -> (FrameState, Vec<Glyph>) {
        let mut state = FrameState::new();
        for (seq, (t_ms, event)) in events.iter().enumerate() {
            let t_ns = t_ms * 1_000_000;
            state.advance(t_ns);
            state.apply(&Stamped { seq: seq as u64, t_ns, event: event.clone() });
        }
        state.advance(t_ms * 1_000_000);
        let mut glyphs = Vec::new();
        build(&state, [1280, 720], &mut glyphs);
        (state, glyphs)
    }

    fn find(glyphs: &[Glyph], c: char) -> Glyph {
        *glyphs.iter().find(|g| g.cell == c as u32 && g.size[1] > 16.0).unwrap_or_else(|| panic!("no {c:?}"))
    }

    fn light(glyph: &Glyph) -> u32 {
        glyph.color[..3].iter().map(|c| u32::from(*c)).sum::<u32>() * u32::from(glyph.color[3])
    }

    #[test]
    fn han_takes_twice_the_width_of_latin() {
        let (_, glyphs) = stage(&[(0, token(0, "小Q", 0.9))], 3000);
        let (han, latin) = (find(&glyphs, '小'), find(&glyphs, 'Q'));
        assert_eq!((han.size, latin.size), ([48.0, 48.0], [24.0, 48.0]));
        assert_eq!(latin.pos, [han.pos[0] + 48.0, han.pos[1]]);
    }

    #[test]
    fn the_certain_is_brighter_than_the_improbable_and_that_is_warm() {
        let (_, glyphs) = stage(&[(0, token(0, "Q", 0.95)), (10, token(1, "W", 0.001))], 3000);
        let (sure, leap) = (find(&glyphs, 'Q'), find(&glyphs, 'W'));
        assert!(light(&sure) > light(&leap));
        let warmth = |g: &Glyph| i32::from(g.color[0]) - i32::from(g.color[2]);
        assert!(warmth(&leap) > warmth(&sure) + 80);
    }

    #[test]
    fn every_settled_word_of_the_last_line_keeps_its_contrast() {
        let luminance = |c: &Color| {
            let linear = |v: u8| ((f32::from(v) / 255.0 + 0.055) / 1.055).powf(2.4);
            0.2126 * linear(c[0]) + 0.7152 * linear(c[1]) + 0.0722 * linear(c[2])
        };
        for p in [1.0, 0.6, 0.3, 0.1, 0.03, 0.01, 1e-3, 1e-6] {
            let all = Event::Param { id: ParamId::Certainty, value: 1.0, by: crate::score::Hand::Patch };
            let (_, glyphs) = stage(&[(0, all), (0, token(0, "Q", p))], 5000);
            let glyph = find(&glyphs, 'Q');
            // 0.014 is the brightest that `field_frame.wgsl` lets the field be at stage.background 0.5.
            let contrast = (luminance(&glyph.color) + 0.05) / (0.014 + 0.05);
            assert!(contrast >= 7.0 && glyph.color[3] == 255, "p {p}: {contrast} {:?}", glyph.color);
        }
        let prompt = (luminance(&tone::PROMPT) + 0.05) / 0.064;
        assert!(prompt >= 7.0, "{prompt}");
    }

    #[test]
    fn a_token_comes_up_in_its_attack() {
        let alpha = |t_ms| find(&stage(&[(0, token(0, "Q", 0.9))], t_ms).1, 'Q').color[3];
        assert!(alpha(10) < alpha(60) && alpha(60) < alpha(150));
        assert_eq!(alpha(150), 255);
    }

    #[test]
    fn the_last_word_is_in_sight_however_long_the_text() {
        let mut events: Vec<_> =
            (0..3000).map(|i| (u64::from(i), token(i, if i % 7 == 0 { "\n" } else { " leaf" }, 0.5))).collect();
        events.push((3000, token(3000, " Q", 0.5)));
        for t_ms in [3001, 3100, 9000] {
            let (_, glyphs) = stage(&events, t_ms);
            let last = find(&glyphs, 'Q');
            assert!(last.pos[1] > 0.0 && last.pos[1] + last.size[1] < 720.0 && last.pos[0] + last.size[0] < 1280.0);
            assert!(glyphs.len() < 2000);
        }
    }

    #[test]
    fn a_small_window_still_shows_the_last_word_plainly() {
        let mut state = stage(&[(0, token(0, "Q", 1.0))], 3000).0;
        state.advance(4_000_000_000);
        for size in [[320, 200], [640, 360], [200, 900], [3840, 2160]] {
            let mut glyphs = Vec::new();
            build(&state, size, &mut glyphs);
            let word = glyphs.iter().find(|g| g.cell == 'Q' as u32).unwrap();
            assert!(word.color[3] == 255 && word.pos[1] > 0.0 && word.size[1] >= 16.0, "{size:?} {word:?}");
            let foot = glyphs.iter().find(|g| g.cell == 't' as u32).unwrap();
            assert!(word.pos[1] + word.size[1] <= foot.pos[1], "{size:?}");
        }
    }

    #[test]
    fn an_older_line_rises_and_fades() {
        let events = [(0, token(0, "Q", 0.9)), (1000, token(1, "\nW", 0.9))];
        let old = |t_ms| find(&stage(&events, t_ms).1, 'Q');
        assert!(old(1100).pos[1] > old(1300).pos[1]);
        assert!(old(1300).pos[1] > old(2000).pos[1]);
        assert!(old(2000).color[3] <= find(&stage(&events, 2000).1, 'W').color[3]);
    }

    #[test]
    fn the_caret_grows_while_nothing_comes() {
        let caret = |t_ms| {
            let glyphs = stage(&[(0, token(0, "Q", 0.9))], t_ms).1;
            let right = find(&glyphs, 'Q');
            let x = right.pos[0] + right.size[0];
            *glyphs.iter().find(|g| g.cell == SOLID && g.pos[0] >= x && g.pos[1] < 500.0).unwrap()
        };
        assert!(caret(8000).size[0] > caret(2000).size[0] && caret(2000).size[0] > caret(100).size[0]);
    }

    #[test]
    fn what_was_forgotten_dissolves() {
        let prompt = Event::Prompt { name: None, text: "Q".into(), tokens: 1 };
        let events =
            [(0, prompt), (10, token(0, "W", 0.9)), (1000, Event::Forget { tokens: 1, kept: 1, text: String::new() })];
        assert!(stage(&events, 1001).1.iter().any(|g| g.cell == 'W' as u32));
        let (_, glyphs) = stage(&events, 6000);
        assert!(!glyphs.iter().any(|g| g.cell == 'W' as u32 && g.size[1] > 16.0));
        assert_eq!(find(&glyphs, 'Q').color, tone::PROMPT);
    }
}
