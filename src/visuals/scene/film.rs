//! *film*: the roll. The line that is being written stands in the viewfinder with the shutter open; below it lie the 36
//! exposures of the roll, each a line as it was lit: what was certain is well exposed, what was not stays thin.

use super::brush::{Brush, Color, Look, faded, mixed, smooth};
use super::{Claim, Place, Scene, What, page};
use crate::score::{ParamId, SignalId};
use crate::visuals::FrameState;
use crate::visuals::state::{EXPOSURES, Exposure};
use crate::visuals::text::words::{self, Extent};
use crate::visuals::text::{Direction, Setting};

const FINDER: [f32; 4] = [0.05, 0.02, 0.95, 0.45];
const STRIPS: [f32; 4] = [0.05, 0.4, 0.95, 0.78];

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

const ROWS: usize = 3;
const COLUMNS: usize = EXPOSURES / ROWS;
/// From line to line, in pixels of the type.
const LEADING: f32 = 17.0;

fn draw(state: &FrameState, brush: &mut Brush, Place { bottom, ceiling }: Place) {
    let unit = brush.unit();
    let top = ceiling.map_or(0.035 * brush.height, |c| (c.y * c.there).max(0.035 * brush.height));
    let left = (brush.width * 0.07).round();
    let wide = brush.width - 2.0 * left;
    let strip = ((bottom - top) * 0.5 / ROWS as f32).floor();
    let strips = bottom - strip * ROWS as f32;
    finder(state, brush, [left, top, wide, strips - top - 18.0 * unit]);
    let frame = (wide / COLUMNS as f32).floor();
    for row in 0..ROWS {
        let y = strips + row as f32 * strip;
        perforation(brush, [left, y, frame * COLUMNS as f32, strip - 8.0 * unit]);
        for column in 0..COLUMNS {
            let number = row * COLUMNS + column;
            let place = [left + column as f32 * frame + 2.0 * unit, y, frame - 4.0 * unit, strip - 8.0 * unit];
            exposure(state, brush, number, state.roll.exposures().get(number), place);
        }
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

/// One frame of the strip: its number, and the line as far as it is exposed.
fn exposure(
    state: &FrameState,
    brush: &mut Brush,
    number: usize,
    shot: Option<&Exposure>,
    [x, y, wide, tall]: [f32; 4],
) {
    let unit = brush.unit();
    let (inner_y, inner_tall) = (y + 6.0 * unit, tall - 12.0 * unit);
    let Some(shot) = shot else {
        let color = faded(brush.palette.label, 0.35);
        brush.rect(x, inner_y, wide, inner_tall, faded(brush.palette.track, 0.18));
        brush.text(x + 3.0 * unit, inner_y + inner_tall - 17.0 * unit, &format!("{}", number + 1), color);
        return;
    };
    let age_s = state.since(shot.closed_ns.unwrap_or(state.t_ns));
    let open = 1.0 - smooth(0.0, 0.6, if shot.closed_ns.is_some() { age_s } else { 0.0 });
    // A light ground needs less.
    let depth = if brush.palette.is_light() { 0.5 } else { 1.0 };
    // The light that fell on it: certain words expose it well.
    let light =
        mixed(brush.palette.panel(), brush.palette.paper, (0.06 + 0.14 * shot.certainty.sqrt() + 0.06 * open) * depth);
    brush.rect(x, inner_y, wide, inner_tall, light);
    let edge = if shot.flaw.is_some() {
        Some(brush.palette.accent)
    } else {
        (open > 0.0).then_some(faded(brush.palette.paper, open))
    };
    if let Some(color) = edge {
        brush.rect(x, inner_y, wide, unit, color);
        brush.rect(x, inner_y + inner_tall - unit, wide, unit, color);
    }
    let color = faded(page::toned(state, shot.certainty), 0.55 + 0.45 * shot.certainty.sqrt());
    wrapped(
        brush,
        &shot.text,
        [x + 2.0 * unit, inner_y + 2.0 * unit, wide - 4.0 * unit, inner_tall - 4.0 * unit],
        unit,
        color,
    );
}

/// A text broken into lines in a box, as much as fits.
fn wrapped(brush: &mut Brush, text: &str, [left, top, wide, tall]: [f32; 4], scale: f32, color: Color) {
    let mut placed = Vec::new();
    let setting = Setting { direction: Direction::Across, scale, origin: [left, top] };
    words::set(text.trim(), (wide / (8.0 * scale)) as u32, &setting, LEADING * scale, &mut placed);
    for at in placed.iter().filter(|at| at.y + 16.0 * scale <= top + tall + 0.5) {
        brush.placed(at, scale, color, Look::PLAIN);
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
    let Some(shot) = state.roll.exposures().last() else { return };
    let text = shot.text.trim();
    // As large as it fits, in a few lines at most.
    let most = (state.params.get(ParamId::TextSize) * 1.7 * brush.height / 720.0).round().max(1.0);
    let room = wide - 2.0 * arm;
    let mut placed = Vec::new();
    let mut set = |scale: f32, origin: [f32; 2]| {
        placed.clear();
        let setting = Setting { direction: Direction::Across, scale, origin };
        words::set(text, (room / (8.0 * scale)) as u32, &setting, LEADING * scale, &mut placed)
    };
    let tall_of = |lines: u32, scale: f32| LEADING * scale * lines as f32;
    let fits = |extent: Extent, scale: f32| {
        extent.lines <= 4
            && tall_of(extent.lines, scale) <= tall - 26.0 * unit
            && extent.half_cells as f32 * 8.0 * scale <= room
    };
    let sizes = (1..=most as u32).rev().map(|size| size as f32);
    let scale = sizes.into_iter().find(|scale| fits(set(*scale, [0.0; 2]), *scale)).unwrap_or(1.0);
    let extent = set(scale, [0.0; 2]);
    let [left, top] =
        [0.5 * (wide - 8.0 * scale * extent.half_cells as f32), 0.5 * (tall - tall_of(extent.lines, scale))];
    set(scale, [(x + left).round(), (y + top).round()]);
    let color = page::toned(state, shot.certainty);
    let color = mixed(palette.lit, color, smooth(0.0, 1.0, state.since(shot.opened_ns)));
    for at in &placed {
        brush.placed(at, scale, color, Look::PLAIN);
    }
}
