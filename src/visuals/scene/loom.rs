//! *loom*: every layer of the model is a band of the warp, every token a row of the weft. A warp thread shines for as long
//! as its layer took; which threads a row goes over is the token's own number, so that a loop of words is a pattern in
//! the cloth. The shuttle is on its way while the next token is computed.

use super::brush::{Brush, faded, mixed, smooth};
use super::{Claim, Place, Scene, What, page};
use crate::score::SignalId;
use crate::visuals::state::Mark;
use crate::visuals::{FrameState, glyphs};

pub const SCENE: Scene = Scene {
    name: "loom",
    help: "layers are the warp, tokens the weft; how long each layer took is how its thread shines",
    wgsl: Some(include_str!("loom.wgsl")),
    draw,
    over: true,
    claims: &[
        Claim { what: What::Token, region: [0.05, 0.05, 0.95, 0.75] },
        Claim { what: What::Layers, region: [0.05, 0.05, 0.64, 0.75] },
        Claim { what: What::Certainty, region: [0.64, 0.05, 0.95, 0.75] },
        Claim { what: What::Flaw, region: [0.05, 0.05, 0.95, 0.75] },
        Claim { what: What::Signal(SignalId::Waiting), region: [0.05, 0.5, 0.64, 0.78] },
    ],
};

/// Threads of the warp, shared out among the layers.
const THREADS: usize = 64;
/// The cloth's right edge, as a part of the width; the words stand beside it.
const SELVEDGE: f32 = 0.60;
/// How long a row takes to be beaten in.
const BEAT_S: f32 = 0.22;

fn draw(state: &FrameState, brush: &mut Brush, Place { bottom, ceiling }: Place) {
    let unit = brush.unit();
    let row = (16.0 * unit).max(4.0);
    let left = (brush.width * 0.07).round();
    let right = (brush.width * SELVEDGE).round();
    let top = ceiling.map_or(0.04 * brush.height, |c| (c.y * c.there).max(0.04 * brush.height));
    // The fell: where the youngest row lies.
    let fell = bottom - 3.0 * row;
    let age_s = state.marks.last().map_or(0.0, |m| state.since(m.t_ns));
    let beaten = smooth(0.0, BEAT_S, age_s);
    let mean = mean_layers(state);
    let rows = ((fell - top) / row).max(0.0) as usize + 1;
    let mut y = fell - (beaten - 1.0) * -row;
    for (back, mark) in state.marks.iter().rev().take(rows).enumerate() {
        let high = smooth(top - row, top + 6.0 * row, y);
        let there = if back == 0 { beaten } else { 1.0 };
        let left_s = mark.left_ns.map_or(0.0, |t_ns| smooth(0.0, 3.0, state.since(t_ns)));
        let alpha = high * there * (1.0 - 0.75 * left_s);
        weave(brush, mark, &mean, [left, right, y, row], alpha);
        say(state, brush, mark, [right + 1.5 * row, y, row], if back == 0 { beaten } else { 0.0 }, alpha);
        y -= row;
    }
    warp(state, brush, [left, right, fell, row], bottom);
    shuttle(state, brush, [left, right, fell + row, row]);
}

/// The mean time of each layer over the last tokens, in microseconds.
fn mean_layers(state: &FrameState) -> Vec<f32> {
    let layers = state.marks.last().map_or(0, |m| m.token.inside.layers_us.len());
    let mut mean = vec![0.0; layers];
    let known = || state.marks.iter().rev().take(64).filter(|m| m.token.inside.layers_us.len() == layers);
    for mark in known() {
        mean.iter_mut().zip(&mark.token.inside.layers_us).for_each(|(sum, us)| *sum += *us as f32);
    }
    let count = known().count().max(1) as f32;
    mean.iter_mut().for_each(|sum| *sum /= count);
    mean
}

/// The layer that a thread belongs to.
fn layer(thread: usize, layers: usize) -> usize {
    thread * layers.max(1) / THREADS
}

/// How much longer than usual a layer took, 0 (half the time) to 1 (twice).
fn slowness(mark: &Mark, mean: &[f32], layer: usize) -> f32 {
    match (mark.token.inside.layers_us.get(layer), mean.get(layer)) {
        (Some(us), Some(mean)) if *mean > 0.0 => (0.5 + 0.5 * (*us as f32 / mean).log2()).clamp(0.0, 1.0),
        _ => 0.5,
    }
}

/// One row of the cloth.
fn weave(brush: &mut Brush, mark: &Mark, mean: &[f32], [left, right, y, row]: [f32; 4], alpha: f32) {
    let palette = brush.palette;
    let step = (right - left) / THREADS as f32;
    let surprise = SignalId::Surprise.spec().position(mark.token.surprise_bits);
    let weft = mixed(palette.paper, palette.accent, smooth(0.25, 0.75, surprise));
    for thread in 0..THREADS {
        let x = left + thread as f32 * step;
        let slow = slowness(mark, mean, layer(thread, mean.len()));
        if over(mark.token.id, thread, mark.number) {
            let color = faded(weft, alpha * (0.35 + 0.5 * mark.token.p.sqrt()));
            brush.glow(x, y + 0.18 * row, step + 0.5, 0.64 * row, color, 0.35);
        } else {
            let wide = step * (0.25 + 0.6 * slow);
            let color =
                faded(mixed(palette.prompt, palette.accent, smooth(0.65, 1.0, slow)), alpha * (0.15 + 0.75 * slow));
            brush.glow(x + 0.5 * (step - wide), y, wide, row, color, 0.3);
        }
    }
    if mark.flaw.is_some() {
        brush.rect(left - 1.5 * row, y + 0.2 * row, row, 0.6 * row, faded(palette.accent, alpha));
    }
}

/// Whether the weft lies over a thread: plain weave, with the token's own figure in it.
fn over(id: u32, thread: usize, number: u64) -> bool {
    let figure = id.wrapping_mul(0x9e37_79b1).rotate_left((thread / 4 % 8 * 4) as u32) >> 28;
    let float = figure >> (thread % 4) & 1 == 1;
    let plain = (thread as u64 + number).is_multiple_of(2);
    if (thread / 4).is_multiple_of(2) { float } else { plain }
}

/// The token of a row at the selvedge; the one that is just beaten in stands large, and shrinks into its row.
fn say(state: &FrameState, brush: &mut Brush, mark: &Mark, [x, y, row]: [f32; 3], beaten: f32, alpha: f32) {
    let text = mark.token.text.trim();
    let (unit, age_s) = (brush.unit(), state.since(mark.t_ns));
    let look = page::doubted(state, mark.token.p);
    let color = mixed(brush.palette.lit, page::toned(state, mark.token.p), smooth(0.0, 1.0, age_s));
    brush.looking(x, y, unit, text, faded(color, alpha), look);
    if beaten > 0.0 {
        let large = (page::scale(state, brush, brush.height) * 1.34).round().max(unit);
        let wide = text.chars().map(glyphs::advance).sum::<u32>() as f32 * 8.0;
        let large = large.min(((brush.width * 0.95 - x - 4.0 * row) / wide.max(8.0)).floor()).max(unit);
        let place = [x + 5.0 * row, y + 0.5 * row - 8.0 * large];
        brush.looking(place[0], place[1], large, text, faded(color, alpha * beaten), look);
    }
}

/// The threads of the warp that wait for the weft, each as bright as its layer was slow the last time.
fn warp(state: &FrameState, brush: &mut Brush, [left, right, fell, row]: [f32; 4], bottom: f32) {
    let step = (right - left) / THREADS as f32;
    let Some(last) = state.marks.last() else { return };
    let layers = last.token.inside.layers_us.len();
    let most = last.token.inside.layers_us.iter().copied().max().unwrap_or(1).max(1) as f32;
    for thread in 0..THREADS {
        let us = last.token.inside.layers_us.get(layer(thread, layers)).copied().unwrap_or(0) as f32;
        let color = faded(brush.palette.prompt, 0.12 + 0.4 * us / most);
        brush.rect(
            left + (thread as f32 + 0.5) * step,
            fell + 1.4 * row,
            1.0_f32.max(0.12 * step),
            bottom - fell - 1.4 * row,
            color,
        );
    }
}

/// The shuttle: how far it is on its way to the other side, by what the last tokens took; it waits where it arrives.
fn shuttle(state: &FrameState, brush: &mut Brush, [left, right, y, row]: [f32; 4]) {
    if state.ended_ns.is_some() {
        return;
    }
    let recent = || state.marks.iter().rev().take(8);
    let took_s = recent().map(|m| m.token.latency_ms).sum::<f32>() / recent().count().max(1) as f32 / 1000.0;
    let waiting_s = state.signals.get(SignalId::Waiting).unwrap_or(0.0);
    let way = (waiting_s / (2.0 * took_s).max(0.3)).min(1.0);
    let way = if state.marks.count().is_multiple_of(2) { way } else { 1.0 - way };
    let long = 0.07 * (right - left);
    let x = left + way * (right - left - long);
    let rest = smooth(1.0, 6.0, waiting_s);
    let color = mixed(brush.palette.paper, brush.palette.accent, rest);
    brush.focus = [x + 0.5 * long, y];
    brush.glow(x, y + 0.2 * row, long, 0.6 * row, color, 0.5 + 0.3 * rest);
    let line = faded(brush.palette.paper, 0.25);
    let (from, to) = if state.marks.count().is_multiple_of(2) { (left, x) } else { (x + long, right) };
    brush.glow(from, y + 0.46 * row, to - from, (0.08 * row).max(1.0), line, 0.0);
}
