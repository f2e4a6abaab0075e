//! *loom*: every layer of the model is a band of the warp, every token a row of the weft. A warp thread shines for as long
//! as its layer took; which threads a row goes over is the token's own number, so that a loop of words is a pattern in
//! the cloth. The shuttle is on its way while the next token is computed.

use super::brush::{Brush, Color, faded, fit, mixed, smooth, text_width};
use super::{Claim, Place, Scene, What, page};
use crate::score::SignalId;
use crate::visuals::FrameState;
use crate::visuals::state::Mark;

pub const SCENE: Scene = Scene {
    name: "loom",
    help: "layers are the warp, tokens the weft; how long each layer took is how its thread shines",
    wgsl: Some(include_str!("loom.wgsl")),
    draw,
    over: true,
    claims: &[
        Claim { what: What::Token, region: [0.05, 0.05, 0.95, 0.92] },
        Claim { what: What::Layers, region: [0.05, 0.05, 0.64, 0.92] },
        Claim { what: What::Certainty, region: [0.05, 0.02, 0.95, 0.92] },
        Claim { what: What::Flaw, region: [0.0, 0.05, 0.95, 0.92] },
        Claim { what: What::Signal(SignalId::Waiting), region: [0.05, 0.5, 0.64, 0.92] },
        Claim { what: What::Signal(SignalId::Cpu), region: [0.0, 0.0, 1.0, 0.9] },
    ],
    drift: "nothing: the shuttle waits where it arrived",
    drift_most: 0.0,
};

/// Threads of the warp, shared out among the layers.
const THREADS: usize = 64;
/// The cloth's right edge, as a part of the width; the words stand beside it.
const SELVEDGE: f32 = 0.60;
/// So many rows stand beside the large word.
const LARGE_ROWS: usize = 9;
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
    // Where tokens come faster than that, each is in before the next.
    let gap_s = state.marks.iter().rev().nth(1).map_or(1.0, |m| (state.since(m.t_ns) - age_s).max(0.0));
    let beaten = smooth(0.0, BEAT_S.min(0.5 * gap_s + 1e-3), age_s);
    let mean = mean_layers(state);
    let rows = ((fell - top) / row).max(0.0) as usize + 1;
    let mut y = fell - (beaten - 1.0) * -row;
    let (mut edge, mut beside) = (0, right + 1.5 * row);
    for (back, mark) in state.marks.iter().rev().take(rows).enumerate() {
        let high = smooth(top - row, top + 6.0 * row, y);
        let there = if back == 0 { beaten } else { 1.0 };
        let left_s = mark.left_ns.map_or(0.0, |t_ns| smooth(0.0, 3.0, state.since(t_ns)));
        let alpha = high * there * (1.0 - 0.75 * left_s);
        weave(brush, mark, &mean, [left, right, y, row], alpha);
        edge += 1;
        let wide = say(state, brush, mark, [right + 1.5 * row, y], alpha);
        // Beside the large word stand the last rows' words.
        if edge <= LARGE_ROWS {
            beside = beside.max(wide);
        }
        y -= row;
    }
    if let Some(mark) = state.marks.last() {
        shout(state, brush, mark, [beside + 1.5 * row, bottom - 0.5 * row], beaten);
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

/// The token of a row at the selvedge; returns where it ends.
fn say(state: &FrameState, brush: &mut Brush, mark: &Mark, [x, y]: [f32; 2], alpha: f32) -> f32 {
    let unit = brush.unit();
    let text = fit(mark.token.text.trim(), (0.95 * brush.width - x) / unit);
    let look = page::doubted(state, mark.token.p);
    brush.looking(x, y, unit, &text, faded(color(state, mark), alpha), look)
}

/// The token that is just beaten in, large beside its row, its foot at `bottom`.
fn shout(state: &FrameState, brush: &mut Brush, mark: &Mark, [x, bottom]: [f32; 2], beaten: f32) {
    let text = mark.token.text.trim();
    let wide = text_width(text).max(8.0);
    let most = (page::scale(state, brush, brush.height) * 2.0).round();
    let large = most.min(((brush.width * 0.95 - x) / wide).floor());
    if large >= 1.0 {
        let look = page::doubted(state, mark.token.p);
        brush.looking(x, bottom - 16.0 * large, large, text, faded(color(state, mark), beaten), look);
    }
}

/// Bright when it comes, and then as probable as it was.
fn color(state: &FrameState, mark: &Mark) -> Color {
    let settled = page::toned(state, mark.token.p);
    mixed(state.palette().lit, settled, smooth(0.0, 1.0, state.since(mark.t_ns)))
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
