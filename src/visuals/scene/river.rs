//! *river*: the words drift on the water in the order in which they were said. A word that was certain keeps to the
//! middle of the stream, an improbable one is thrown towards the banks; what was not said floats beside it and sinks.
//! While no word comes the water slows down until it almost stands.

use super::brush::{Brush, Look, faded, mixed, smooth};
use super::{Claim, Place, Scene, What, page};
use crate::score::{ParamId, SignalId};
use crate::visuals::FrameState;
use crate::visuals::state::Mark;

pub const SCENE: Scene = Scene {
    name: "river",
    help: "the words drift by, the improbable near the banks; while nothing comes the water stands",
    wgsl: Some(include_str!("river.wgsl")),
    draw,
    over: true,
    claims: &[
        Claim { what: What::Token, region: [0.4, 0.1, 1.0, 0.75] },
        Claim { what: What::Certainty, region: [0.4, 0.05, 1.0, 0.75] },
        Claim { what: What::Rejected, region: [0.4, 0.05, 1.0, 0.75] },
        Claim { what: What::Flaw, region: [0.0, 0.05, 1.0, 0.75] },
        Claim { what: What::Signal(SignalId::Waiting), region: [0.0, 0.05, 1.0, 0.75] },
        Claim { what: What::Signal(SignalId::Cpu), region: [0.0, 0.0, 1.0, 0.75] },
    ],
};

/// Where on the stage a word is said, as a part of its width.
const MOUTH: f32 = 0.76;
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
    let scale = (page::scale(state, brush, bottom) * 1.34).round();
    let top = ceiling.map_or(0.0, |c| c.y * c.there);
    let height = bottom - top;
    for mark in state.marks.iter().rev() {
        let back = (state.flow - mark.at) as f32 * 8.0 * scale;
        let x = brush.width * MOUTH - back;
        if x + brush.width < 0.0 {
            break;
        }
        draw_mark(state, brush, mark, x, [top, height], scale);
    }
    let x = (brush.width * MOUTH + 4.0 * scale).round();
    brush.focus = [x, top + stream(MOUTH) * height];
}

fn draw_mark(state: &FrameState, brush: &mut Brush, mark: &Mark, x: f32, [top, height]: [f32; 2], scale: f32) {
    let palette = brush.palette;
    let age_s = state.since(mark.t_ns);
    let here = x / brush.width;
    let middle = top + stream(here) * height - 8.0 * scale;
    // What is doubtful is thrown to a side, one after the other to either.
    let side = if mark.number.is_multiple_of(2) { -1.0 } else { 1.0 };
    let doubt = 1.0 - mark.token.p.clamp(0.0, 1.0).sqrt();
    let off = side * doubt * doubt * (0.36 * height - 8.0 * scale).max(0.0);
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
    draw_rejected(state, brush, mark, [x, y], side, scale, far * (1.0 - left));
}

/// The roads not taken, beside the word on the stream's side, sinking.
fn draw_rejected(state: &FrameState, brush: &mut Brush, mark: &Mark, at: [f32; 2], side: f32, scale: f32, far: f32) {
    let plain = state.params.get(ParamId::StageGhosts);
    let age_s = state.since(mark.t_ns);
    if plain <= 0.0 || age_s > AFLOAT_S {
        return;
    }
    let small = (scale * 0.5).floor().max(1.0);
    let mut y = at[1] + if side > 0.0 { -20.0 * small } else { 18.0 * scale };
    for (i, road) in mark.rejected().take(3).enumerate() {
        let there =
            smooth(0.05 * i as f32, 0.3 + 0.05 * i as f32, age_s) * (1.0 - smooth(0.3 * AFLOAT_S, AFLOAT_S, age_s));
        let color = faded(brush.palette.label, plain * there * far * (0.35 + 0.65 * road.p.sqrt()));
        let sunk = age_s * 3.0 * small * (i + 1) as f32 * -side;
        let look = Look::PLAIN.dissolved(smooth(0.4 * AFLOAT_S, AFLOAT_S, age_s));
        brush.looking(at[0], y + sunk, small, road.text.trim(), color, look);
        y += if side > 0.0 { -18.0 * small } else { 18.0 * small };
    }
}
