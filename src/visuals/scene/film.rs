//! *film*: the roll. The line that is being written stands in the viewfinder with the shutter open; below it lies the
//! roll of 36, and of its exposures the last ones, each a line as it was lit: what was certain is well exposed, what was
//! not stays thin.

use super::brush::{Brush, Color, Look, faded, fit, mixed, smooth};
use super::{Claim, Place, Scene, What, page};
use crate::score::{ParamId, SignalId};
use crate::visuals::FrameState;
use crate::visuals::palette::Palette;
use crate::visuals::state::{EXPOSURES, Exposure};
use crate::visuals::text::words::{self, Extent};
use crate::visuals::text::{Direction, Placed, Setting};

const FINDER: [f32; 4] = [0.05, 0.02, 0.95, 0.45];
const STRIPS: [f32; 4] = [0.05, 0.4, 0.95, 0.92];

pub const SCENE: Scene = Scene {
    name: "film",
    help: "a roll of 36 exposures, each a line; the one that is being written is in the viewfinder",
    wgsl: Some(include_str!("film.wgsl")),
    draw,
    over: true,
    claims: &[
        Claim { what: What::Token, region: FINDER },
        Claim { what: What::Token, region: STRIPS },
        Claim { what: What::Certainty, region: FINDER },
        Claim { what: What::Flaw, region: STRIPS },
        Claim { what: What::Signal(SignalId::Waiting), region: [0.0, 0.0, 1.0, 0.8] },
        Claim { what: What::Signal(SignalId::Cpu), region: [0.0, 0.0, 1.0, 0.8] },
    ],
    drift: "nothing: the dark room stands while the shutter is open",
    drift_most: 0.0,
};

/// From line to line, in pixels of the type.
const LEADING: f32 = 17.0;
/// How wide an exposure is and how tall what stands on it, in pixels of its type: three lines of sixteen half cells. The
/// film's edge is so tall in pixels of small type.
const FRAME: [f32; 2] = [135.0, 50.0];
const EDGE: f32 = 24.0;

/// The film below the viewfinder: so many frames in a row, so many rows.
struct Strip {
    columns: usize,
    rows: usize,
    /// How large their type is at most.
    scale: f32,
}

impl Strip {
    /// As many frames as there is room for, with type that the room reads: a small picture shows fewer of them.
    fn of(brush: &Brush, wide: f32, tall: f32) -> Strip {
        let scale = (2.0 * brush.height / 720.0).round().max(1.0);
        let columns = match (wide / (FRAME[0] * scale)) as usize {
            0..=2 => 2,
            5 => 4,
            many => many.min(6),
        };
        // A long line may take smaller type, where there is one.
        let least = FRAME[1] * (0.7 * scale).max(1.0) + EDGE * brush.unit();
        let rows = (tall / least).floor().clamp(1.0, 3.0) as usize;
        Strip { columns, rows, scale }
    }

    /// The first exposure that is shown, so that the last of `count` is.
    fn first(&self, count: usize) -> usize {
        let row = count.saturating_sub(1) / self.columns;
        (row + 1).saturating_sub(self.rows) * self.columns
    }
}

fn draw(state: &FrameState, brush: &mut Brush, Place { bottom, ceiling }: Place) {
    let unit = brush.unit();
    let top = ceiling.map_or(0.035 * brush.height, |c| (c.y * c.there).max(0.035 * brush.height));
    let left = (brush.width * 0.07).round();
    let wide = brush.width - 2.0 * left;
    let strip = Strip::of(brush, wide, 0.5 * (bottom - top));
    let tall = (0.5 * (bottom - top) / strip.rows as f32).floor();
    let strips = bottom - tall * strip.rows as f32;
    finder(state, brush, [left, top, wide, strips - top - 22.0 * unit]);
    roll(state, brush, [left, strips - 12.0 * unit, wide, 4.0 * unit]);
    let frame = (wide / strip.columns as f32).floor();
    let first = strip.first(state.roll.exposures().len());
    for row in 0..strip.rows {
        let y = strips + row as f32 * tall;
        perforation(brush, [left, y, frame * strip.columns as f32, tall - 8.0 * unit]);
        for column in 0..strip.columns {
            let number = first + row * strip.columns + column;
            let place = [left + column as f32 * frame + 2.0 * unit, y, frame - 4.0 * unit, tall - 8.0 * unit];
            if number < EXPOSURES {
                exposure(state, brush, number, strip.scale, place);
            }
        }
    }
}

/// The whole roll in a thin line: what is exposed, what erred, and what is left.
fn roll(state: &FrameState, brush: &mut Brush, [x, y, wide, tall]: [f32; 4]) {
    let step = wide / EXPOSURES as f32;
    for number in 0..EXPOSURES {
        let color = match state.roll.exposures().get(number) {
            Some(shot) if shot.flaw.is_some() => brush.palette.accent,
            Some(shot) => faded(brush.palette.paper, 0.35 + 0.5 * shot.certainty),
            None => brush.palette.track,
        };
        brush.rect(x + number as f32 * step, y, (0.7 * step).max(1.0), tall, color);
    }
}

/// The film's edge: holes above and below the frames.
fn perforation(brush: &mut Brush, [x, y, wide, tall]: [f32; 4]) {
    let unit = brush.unit();
    let color = faded(brush.palette.label, 0.28);
    let step = 9.0 * unit;
    for i in 0..(wide / step) as usize {
        let x = x + (i as f32 + 0.3) * step;
        brush.rect(x, y, 4.0 * unit, 3.0 * unit, color);
        brush.rect(x, y + tall - 3.0 * unit, 4.0 * unit, 3.0 * unit, color);
    }
}

/// How light an exposed frame is: certain words expose it well. A light ground needs less. What stands in it keeps a
/// contrast of 7:1.
fn lit(palette: &Palette, certainty: f32, open: f32) -> Color {
    let depth = if palette.is_light() { 0.5 } else { 1.0 };
    mixed(palette.panel(), palette.paper, (0.02 + 0.09 * certainty + 0.02 * open) * depth)
}

/// One frame of the strip: its number, and the line as far as it is exposed.
fn exposure(state: &FrameState, brush: &mut Brush, number: usize, most: f32, [x, y, wide, tall]: [f32; 4]) {
    let (unit, palette) = (brush.unit(), brush.palette);
    let (inner_y, inner_tall) = (y + 6.0 * unit, tall - 12.0 * unit);
    let Some(shot) = state.roll.exposures().get(number) else {
        brush.rect(x, inner_y, wide, inner_tall, faded(palette.track, 0.18));
        let color = faded(palette.label, 0.35);
        brush.text(x + 3.0 * unit, inner_y + inner_tall - 17.0 * unit, &format!("{}", number + 1), color);
        return;
    };
    let age_s = state.since(shot.closed_ns.unwrap_or(state.t_ns));
    let open = 1.0 - smooth(0.0, 0.6, if shot.closed_ns.is_some() { age_s } else { 0.0 });
    brush.rect(x, inner_y, wide, inner_tall, lit(palette, shot.certainty, open));
    let edge =
        if shot.flaw.is_some() { Some(palette.accent) } else { (open > 0.0).then_some(faded(palette.paper, open)) };
    if let Some(color) = edge {
        brush.rect(x, inner_y, wide, unit, color);
        brush.rect(x, inner_y + inner_tall - unit, wide, unit, color);
    }
    let (pad, color) = (5.0 * unit, page::toned(state, shot.certainty));
    let inner = [x + pad, inner_y + 2.0 * unit, wide - 2.0 * pad, inner_tall - 4.0 * unit];
    fitted(brush, shot, inner, (most, u32::MAX), (0.0, 0.5), color);
}

/// A line as large as it fits into a box, in so many pixels to one of the type and so many lines at most; at `lean` of
/// the room that it leaves. Where even small type has no room for it, it is cut, with a mark.
fn fitted(
    brush: &mut Brush,
    shot: &Exposure,
    [left, top, wide, tall]: [f32; 4],
    (most, most_lines): (f32, u32),
    lean: (f32, f32),
    color: Color,
) {
    let mut placed: Vec<Placed> = Vec::new();
    let mut set = |text: &str, scale: f32, columns: u32| {
        placed.clear();
        let setting = Setting { direction: Direction::Across, scale, origin: [0.0; 2] };
        words::set(text, columns, &setting, LEADING * scale, &mut placed)
    };
    let size = |extent: Extent, scale: f32| {
        [8.0 * scale * extent.half_cells as f32, (LEADING * extent.lines as f32 - 1.0) * scale]
    };
    let fits = |extent: Extent, scale: f32| {
        let [long, high] = size(extent, scale);
        long <= wide && high <= tall && extent.lines <= most_lines
    };
    let (text, columns) = (shot.text.trim(), |scale: f32| (wide / (8.0 * scale)) as u32);
    // What hangs over the end of its lines stands within the box as well.
    let ways = (1..=most.max(1.0) as u32).rev().flat_map(|size| [0, 2, 4].map(|hang| (size as f32, hang)));
    let mut ways = ways.filter(|(scale, hang)| columns(*scale) > 4 + hang);
    let found = ways.find_map(|(scale, hang)| {
        let extent = set(text, scale, columns(scale) - hang);
        fits(extent, scale).then_some((scale, extent))
    });
    let (scale, extent) = found.unwrap_or_else(|| {
        let columns = columns(1.0).saturating_sub(4).max(2);
        let mut room = columns * ((tall + 1.0) / LEADING).max(1.0) as u32;
        loop {
            let extent = set(&fit(text, 8.0 * room as f32), 1.0, columns);
            if fits(extent, 1.0) || room <= 4 {
                return (1.0, extent);
            }
            room -= 2;
        }
    });
    let [long, high] = size(extent, scale);
    let [x, y] = [left + lean.0 * (wide - long), top + lean.1 * (tall - high)].map(f32::round);
    for at in &placed {
        let color = if at.cell < shot.led { brush.palette.prompt } else { color };
        brush.placed(&Placed { x: x + at.x, y: y + at.y, ..*at }, scale, color, Look::PLAIN);
    }
}

/// The viewfinder: the last exposure, large, between four corners; how many are left; how long the shutter is open.
fn finder(state: &FrameState, brush: &mut Brush, [x, y, wide, tall]: [f32; 4]) {
    let (unit, palette) = (brush.unit(), brush.palette);
    let waiting_s = state.signals.get(SignalId::Waiting).unwrap_or(0.0);
    let patience = smooth(0.4, 8.0, waiting_s);
    let corner = mixed(palette.label, palette.accent, patience);
    let (arm, thick) = (22.0 * unit, 2.0 * unit);
    for (cx, sx) in [(x, 1.0), (x + wide, -1.0)] {
        for (cy, sy) in [(y, 1.0), (y + tall, -1.0)] {
            let left = if sx > 0.0 { cx } else { cx - arm };
            brush.rect(left, if sy > 0.0 { cy } else { cy - thick }, arm, thick, corner);
            let top = if sy > 0.0 { cy } else { cy - arm };
            brush.rect(if sx > 0.0 { cx } else { cx - thick }, top, thick, arm, corner);
        }
    }
    // The shutter: a bar that runs out while nothing comes.
    brush.rect(x + arm, y + tall - thick, (wide - 2.0 * arm) * patience, thick, faded(palette.accent, 0.8));
    let left = format!("{} of {EXPOSURES}", EXPOSURES - state.roll.left());
    let rolls = if state.roll.full > 0 { format!("roll {}   {left}", state.roll.full + 1) } else { left };
    brush.text(x + arm + 8.0 * unit, y - 2.0 * unit, &rolls, palette.label);
    brush.focus = [x + 0.5 * wide, y + 0.5 * tall];
    // Before its first word, the line is what the performer has begun.
    let lead = state.roll.lead();
    let begun = Exposure { text: lead.to_string(), led: usize::MAX, ..Exposure::default() };
    let last = state.roll.exposures().last();
    let Some(shot) = (if lead.is_empty() { last } else { Some(&begun) }) else { return };
    let color = page::toned(state, shot.certainty);
    let color = mixed(palette.lit, color, smooth(0.0, 1.0, state.since(shot.opened_ns)));
    // As large as it fits, in a few lines at most.
    let most = (state.params.get(ParamId::TextSize) * 1.7 * brush.height / 720.0).round();
    let inner = [x + arm, y + 13.0 * unit, wide - 2.0 * arm, tall - 26.0 * unit];
    fitted(brush, shot, inner, (most, 4), (0.5, 0.5), color);
}

#[cfg(test)]
mod tests {
    use super::super::{Glyph, build};
    use super::*;
    use crate::score::{Event, Hand, Stamped};
    use crate::visuals::palette::{PALETTES, contrast, luminance};

    fn film(palette: usize, size: [u32; 2], lines: &[(&str, f32)]) -> (FrameState, Vec<Glyph>) {
        let mut state = FrameState::new();
        let set = |id, value| Event::Param { id, value, by: Hand::Patch };
        let mut events = vec![
            set(ParamId::StageScene, 4.0),
            set(ParamId::Crossfade, 0.0),
            set(ParamId::Palette, palette as f32),
            Event::Prompt { name: None, text: "The moon".into(), tokens: 2 },
        ];
        for (i, (text, p)) in lines.iter().enumerate() {
            events.push(Event::Token(crate::visuals::state::tests::token(i as u32, text, *p)));
        }
        for event in events {
            state.apply(&Stamped { seq: 0, t_ns: 0, event });
        }
        state.advance(5_000_000_000);
        let mut glyphs = Vec::new();
        build(&state, size, &mut glyphs);
        (state, glyphs)
    }

    #[test]
    fn a_frame_holds_its_whole_line_or_says_that_it_is_cut() {
        let lines = [(" has come to the western sky and is light.", 0.5), ("又是旧时芳树，回首故人何处去。", 0.5)];
        for size in [[320, 180], [640, 360], [1280, 720], [1920, 1080], [1080, 1920]] {
            let (state, glyphs) = film(0, size, &lines);
            let read: String = glyphs.iter().filter_map(|g| char::from_u32(g.cell)).collect();
            for shot in state.roll.exposures() {
                let whole: String = shot.text.chars().filter(|c| *c != ' ').collect();
                let begun: String = whole.chars().take(1).collect();
                let cut = size[0] < 600 && read.contains('…') && read.contains(&begun);
                assert!(read.contains(&whole) || cut, "{size:?} {read}");
            }
            // The performer's words are theirs here too.
            assert!(glyphs.iter().any(|g| g.cell == 'T' as u32 && g.color == PALETTES[0].prompt), "{size:?}");
        }
    }

    #[test]
    fn what_stands_on_an_exposure_has_a_contrast_of_7() {
        for (number, palette) in PALETTES.iter().enumerate() {
            for p in (0..=40).map(|bits| 0.5f32.powf(0.5 * bits as f32)) {
                let (state, _) = film(number, [1280, 720], &[(" rises.", p)]);
                for (color, open) in [(page::toned(&state, p), 1.0), (palette.prompt, 1.0)] {
                    let found = contrast(luminance(color), luminance(lit(palette, p, open)));
                    assert!(found >= 7.0, "{} p {p}: {found}", palette.name);
                }
            }
        }
    }
}
