//! *fault*: a crash and the return. The words fall from the page and lie where they fell; what failed stands there in
//! plain words, with how long it has been; and when the model is back they dissolve and the page is free.

use super::brush::{Brush, Look, faded, fit, mixed, smooth, text_width};
use super::{Claim, Place, Scene, What, page};
use crate::score::SignalId;
use crate::visuals::FrameState;
use crate::visuals::state::Crash;
use crate::visuals::text::Placed;

const ALL: [f32; 4] = [0.05, 0.02, 0.95, 0.95];

pub const SCENE: Scene = Scene {
    name: "fault",
    help: "the words fall when the model crashes, what failed stands there, and they dissolve when it is back",
    wgsl: Some(include_str!("fault.wgsl")),
    draw,
    over: true,
    claims: &[
        Claim { what: What::Crash, region: ALL },
        Claim { what: What::Token, region: ALL },
        Claim { what: What::Signal(SignalId::Load), region: ALL },
        Claim { what: What::Signal(SignalId::Prefill), region: ALL },
    ],
    drift: "the seconds are counted, and the fallen words wear away in twenty",
    drift_most: 0.5,
};

/// How fast letters fall, in heights of the stage a second squared.
const FALL: f32 = 1.3;
/// Within this time every letter has let go.
const LETTING_GO_S: f32 = 0.9;
/// How long the words take to dissolve when the model is back.
const BACK_S: f32 = 1.8;

fn draw(state: &FrameState, brush: &mut Brush, place: Place) {
    let Some(crash) = &state.crash else {
        return quiet(state, brush, place);
    };
    let age_s = state.since(crash.t_ns);
    let back = crash.back_ns.map_or(0.0, |t_ns| smooth(0.0, BACK_S, state.since(t_ns)));
    fallen(state, brush, place, crash, age_s, back);
    say(state, brush, place, crash, age_s, back);
}

/// The page's letters, falling.
fn fallen(state: &FrameState, brush: &mut Brush, place: Place, crash: &Crash, age_s: f32, back: f32) {
    let (width, bottom) = (brush.width, place.bottom);
    let palette = brush.palette;
    page::letters(state, brush, place, &mut |brush, letter| {
        // What was written since is no part of the crash.
        if letter.cell.born_ns > crash.t_ns {
            let color = faded(page::toned(state, letter.cell.p), smooth(0.6, 1.0, back));
            brush.placed(&letter.at, letter.scale, color, Look::PLAIN);
            return;
        }
        let chance = |salt: usize| {
            let mixed =
                (letter.at.cell ^ salt.wrapping_mul(0x9e37_79b9)).wrapping_mul(0x85eb_ca6b) ^ letter.cell.ch as usize;
            (mixed.wrapping_mul(0xc2b2_ae35) >> 9 & 1023) as f32 / 1023.0
        };
        let t = (age_s - LETTING_GO_S * chance(1) * chance(2)).max(0.0);
        let floor = bottom - letter.scale * (18.0 + 44.0 * chance(3) * chance(5));
        let y = (letter.at.y + 0.5 * FALL * brush.height * t * t).min(floor.max(letter.at.y));
        let landed = y >= floor;
        let air_s = if landed { (2.0 * (floor - letter.at.y).max(0.0) / (FALL * brush.height)).sqrt() } else { t };
        let x = letter.at.x + (chance(4) - 0.5) * 0.3 * width * air_s;
        let x = x.clamp(0.02 * width, (0.98 * width - 16.0 * letter.scale).max(0.02 * width));
        let turn = (chance(6) - 0.5) * 0.5 * air_s;
        let rest = mixed(page::toned(state, letter.cell.p), palette.label, smooth(0.0, 1.5, t));
        // What had faded on the page comes into sight as it falls.
        let alpha = letter.alpha + (0.6 - letter.alpha).max(0.0) * smooth(0.25, 0.6, t);
        let look = Look::PLAIN.turned(turn).dissolved(back.max(0.35 * smooth(2.0, 20.0, age_s)));
        brush.placed(&Placed { x, y, ..letter.at }, letter.scale, faded(rest, alpha), look);
    });
}

/// What failed, large and plain, and how long ago; afterwards, that it is back.
fn say(state: &FrameState, brush: &mut Brush, place: Place, crash: &Crash, age_s: f32, back: f32) {
    let (unit, palette) = (brush.unit(), brush.palette);
    let there = smooth(0.1, 0.5, age_s);
    let left = (brush.width * 0.07).round();
    let room = brush.width - 2.0 * left;
    let head = if crash.back_ns.is_some() { "it is back" } else { "the model has crashed" };
    let large = (page::scale(state, brush, place.bottom) * 1.4).round();
    let large = large.min((room / text_width(head)).floor()).max(1.0);
    let top = place.ceiling.map_or(0.0, |c| c.y * c.there);
    let y = (top + 0.24 * (place.bottom - top)).round();
    let color = if crash.back_ns.is_some() { palette.paper } else { palette.accent };
    let gone = if crash.back_ns.is_some() { 1.0 - smooth(0.3, 0.6, back) } else { 1.0 };
    let small = (large * 0.5).floor().max(unit);
    let what = fit(&crash.what, room / small);
    // Letters fall behind the words, not through them.
    let wide = (large * text_width(head)).max(small * text_width(&what)) + 24.0 * large;
    let tall = 20.0 * large + 40.0 * small + 12.0 * large;
    let veil = faded(palette.ground, 0.85 * there * gone);
    brush.glow(left - 12.0 * large, y - 6.0 * large, wide, tall, veil, 0.25);
    brush.sized(left, y, large, head, faded(color, there * gone));
    brush.sized(left, y + 20.0 * large, small, &what, faded(palette.label, there * gone));
    let out_s = crash.back_ns.map_or(age_s, |t_ns| t_ns.saturating_sub(crash.t_ns) as f32 / 1e9);
    let for_s = format!("{out_s:.1} s");
    brush.sized(left, y + 20.0 * large + 22.0 * small, small, &for_s, faded(palette.label, there * gone));
    brush.focus = [left, y + 8.0 * large];
    // The model is brought back: how far.
    if state.loading || state.reading {
        let measure = if state.loading { SignalId::Load } else { SignalId::Prefill };
        let done = state.signals.get(measure).unwrap_or(0.0).clamp(0.0, 1.0);
        let y = y + 20.0 * large + 44.0 * small;
        brush.rect(left, y, room, 2.0 * unit, palette.track);
        brush.rect(left, y, room * done, 2.0 * unit, palette.prompt);
    }
}

/// Nothing has failed: the page stands as always, and the scene waits.
fn quiet(state: &FrameState, brush: &mut Brush, place: Place) {
    (page::SCENE.draw)(state, brush, place);
}
