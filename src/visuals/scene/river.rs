//! *river*: the words drift on the water in the order in which they were said. A word that was certain keeps to the
//! middle of the stream, an improbable one is thrown towards a bank; what was not said floats between it and the bank and
//! sinks. While no word comes the water slows down until it almost stands, and a mist gathers.

use super::brush::{Brush, Look, faded, mixed, smooth};
use super::{Claim, Place, Scene, What, page};
use crate::score::{ParamId, SignalId};
use crate::visuals::FrameState;
use crate::visuals::state::Mark;

/// A word that comes moves all of the water.
const WATER: [f32; 4] = [0.0, 0.0, 1.0, 0.92];

pub const SCENE: Scene = Scene {
    name: "river",
    help: "the words drift by, the improbable near the banks; while nothing comes the water stands",
    wgsl: Some(include_str!("river.wgsl")),
    draw,
    over: true,
    claims: &[
        Claim { what: What::Token, region: WATER },
        Claim { what: What::Certainty, region: WATER },
        Claim { what: What::Rejected, region: WATER },
        Claim { what: What::Flaw, region: WATER },
        Claim { what: What::Signal(SignalId::Waiting), region: WATER },
        Claim { what: What::Signal(SignalId::Cpu), region: WATER },
        Claim { what: What::Signal(SignalId::Temperature), region: WATER },
    ],
    drift: "the water never quite stands: the words go a third of a letter a second, and the mist turns",
    drift_most: 0.5,
};

/// Where on the stage a word is said, as a part of its width.
const MOUTH: f32 = 0.66;
/// So many half cells fit over the stage at least, so that long words do too.
const LEAST: f32 = 24.0;
/// How far an improbable word is thrown, as a part of the free height: further, and a line is no stream any more.
const THROW: f32 = 0.24;
/// How far the stream winds, as a part of the height, and how often over the stage's width.
const WINDS: f32 = 0.05;
const BENDS: f32 = 0.8;
/// How long a word is thrown until it lies on the water.
const THROW_S: f32 = 0.5;
/// How long what was not said stays afloat.
const AFLOAT_S: f32 = 5.0;

/// The middle of the stream at a place, as a part of the free height. `river.wgsl` has the same.
fn stream(x: f32) -> f32 {
    0.5 + WINDS * (std::f32::consts::TAU * (x * BENDS + 0.1)).sin()
}

fn draw(state: &FrameState, brush: &mut Brush, Place { bottom, ceiling }: Place) {
    let scale = (page::scale(state, brush, bottom) * 1.34).round().min((brush.width / (8.0 * LEAST)).floor()).max(1.0);
    let top = ceiling.map_or(0.0, |c| c.y * c.there);
    let height = bottom - top;
    let (mut thrown, mut beginning) = (0.0, 0.0);
    for mark in state.marks.iter() {
        let doubt = 1.0 - mark.token.p.clamp(0.0, 1.0).sqrt();
        // What is doubtful is thrown to a side, one after the other to either; the rest of a word goes with its beginning.
        let side = if mark.number.is_multiple_of(2) { -1.0 } else { 1.0 };
        let x = brush.width * MOUTH - (state.flow - mark.at) as f32 * 8.0 * scale;
        if !mark.goes_on {
            beginning = x;
            thrown = side * doubt * doubt * (THROW * height - 8.0 * scale).max(0.0);
        }
        if x + brush.width >= 0.0 {
            let middle = top + stream(beginning / brush.width) * height - 8.0 * scale;
            draw_mark(state, brush, mark, [x, middle, thrown], scale);
        }
    }
    let x = (brush.width * MOUTH + 4.0 * scale).round();
    brush.focus = [x, top + stream(MOUTH) * height];
}

/// A token at `x`, thrown `off` from the stream's middle.
fn draw_mark(state: &FrameState, brush: &mut Brush, mark: &Mark, [x, middle, off]: [f32; 3], scale: f32) {
    let palette = brush.palette;
    let age_s = state.since(mark.t_ns);
    let here = x / brush.width;
    let thrown = smooth(0.0, THROW_S, age_s);
    let y = middle + off * thrown - (1.0 - thrown) * thrown * 40.0 * scale;
    // It fades as it drifts away, and what has left the model's text lets go of the water.
    let far = smooth(-0.12, 0.45, here) * smooth(0.0, 0.06, age_s);
    let left = mark.left_ns.map_or(0.0, |t_ns| smooth(0.0, 2.5, state.since(t_ns)));
    let surprise = SignalId::Surprise.spec().position(mark.token.surprise_bits);
    let shown = state.params.get(ParamId::Certainty);
    let mut color = mixed(palette.paper, palette.accent, shown * smooth(0.25, 0.75, surprise));
    color = mixed(palette.lit, color, smooth(0.0, 0.9, age_s));
    let look = page::doubted(state, mark.token.p).dissolved(left);
    let end = brush.looking(x, y, scale, mark.token.text.trim(), faded(color, far), look);
    if let Some((_, t_ns)) = mark.flaw {
        let color = faded(palette.accent, far * (1.0 - left) * smooth(0.0, 0.3, state.since(t_ns)));
        brush.rect(x, y + 17.0 * scale, end - x, scale, color);
    }
    // Those of a word's rest would stand in those of its beginning.
    if !mark.goes_on {
        draw_rejected(state, brush, mark, [x, y], off.signum(), scale, far * (1.0 - left));
    }
}

/// The roads not taken, between the word and its bank, sinking away from it.
fn draw_rejected(state: &FrameState, brush: &mut Brush, mark: &Mark, at: [f32; 2], side: f32, scale: f32, far: f32) {
    let plain = state.params.get(ParamId::StageGhosts);
    let age_s = state.since(mark.t_ns);
    // Roads as large as the words themselves would be read with them.
    if plain <= 0.0 || age_s > AFLOAT_S || scale < 2.0 {
        return;
    }
    let small = (scale * 0.5).floor().max(1.0);
    let mut y = at[1] + if side > 0.0 { 20.0 * scale } else { -20.0 * small };
    for (i, (text, p)) in mark.roads().take(3).enumerate() {
        let there =
            smooth(0.05 * i as f32, 0.3 + 0.05 * i as f32, age_s) * (1.0 - smooth(0.3 * AFLOAT_S, AFLOAT_S, age_s));
        let color = faded(brush.palette.label, plain * there * far * (0.35 + 0.65 * p.sqrt()));
        let sunk = age_s * 3.0 * small * (i + 1) as f32 * side;
        let look = Look::PLAIN.dissolved(smooth(0.4 * AFLOAT_S, AFLOAT_S, age_s));
        brush.looking(at[0], y + sunk, small, text, color, look);
        y += side * 18.0 * small;
    }
}
