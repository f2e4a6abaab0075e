//! *body*: the machine itself, cut open. Its cores stand as columns over the ground, and heat rises behind them as a sun.
//! Beside them stands in words what else is measured, or why it is not. Memory is the sediment: a layer each second, as
//! broad as the root of what is in use, pressed together the deeper it lies.

use super::brush::{Brush, faded, fit, mixed, smooth};
use super::foot::{METERS, Reading};
use super::{Claim, Place, Scene, What};
use crate::score::SignalId;
use crate::visuals::FrameState;
use crate::visuals::state::MOST_STRATA;

const ABOVE: [f32; 4] = [0.05, 0.02, 0.7, 0.45];
const BESIDE: [f32; 4] = [0.68, 0.02, 0.97, 0.95];
const BELOW: [f32; 4] = [0.05, 0.4, 0.7, 0.95];

pub const SCENE: Scene = Scene {
    name: "body",
    help: "the machine cut open: cores, heat, energy, and memory as sediment",
    wgsl: Some(include_str!("body.wgsl")),
    draw,
    over: true,
    claims: &[
        Claim { what: What::Cores, region: ABOVE },
        Claim { what: What::Signal(SignalId::Memory), region: BELOW },
        Claim { what: What::Signal(SignalId::Memory), region: BESIDE },
        Claim { what: What::Signal(SignalId::Temperature), region: BESIDE },
        Claim { what: What::Signal(SignalId::Power), region: BESIDE },
        Claim { what: What::Signal(SignalId::Fan), region: BESIDE },
        Claim { what: What::Signal(SignalId::Energy), region: BESIDE },
        Claim { what: What::Signal(SignalId::OwnMemory), region: BESIDE },
        Claim { what: What::Signal(SignalId::Latency), region: BESIDE },
        Claim { what: What::Signal(SignalId::Temperature), region: ABOVE },
        Claim { what: What::Signal(SignalId::Cpu), region: [0.0, 0.0, 1.0, 0.8] },
        Claim { what: What::Signal(SignalId::MemoryPressure), region: [0.0, 0.35, 1.0, 1.0] },
    ],
    drift: "the warm air shimmers, and a layer of sediment falls each second and presses on the others",
    drift_most: 10.0,
};

fn draw(state: &FrameState, brush: &mut Brush, Place { bottom, ceiling }: Place) {
    let left = (brush.width * 0.07).round();
    let top = ceiling.map_or(0.05 * brush.height, |c| (c.y * c.there).max(0.05 * brush.height));
    let right = (brush.width * 0.66).round();
    let ground = (top + 0.52 * (bottom - top)).round();
    sun(state, brush, [left, top, right, ground]);
    cores(state, brush, [left, top, right, ground]);
    sediment(state, brush, [left, ground, right, bottom]);
    organs(state, brush, [right + 0.04 * brush.width, top, 0.93 * brush.width, bottom]);
    brush.focus = [0.5 * (left + right), ground];
}

/// The hottest sensor as a half sun on the ground behind the cores: the hotter, the larger and the plainer.
fn sun(state: &FrameState, brush: &mut Brush, [left, top, right, ground]: [f32; 4]) {
    let Some(at) = state.glide[SignalId::Temperature as usize] else { return };
    let radius = (0.45 + 0.5 * at) * (ground - top).min(0.5 * (right - left));
    let color = faded(brush.palette.accent, 0.06 + 0.30 * at);
    brush.disc([0.5 * (left + right), ground], radius, color, 0.25);
    brush.rect(left, ground, right - left, radius, brush.palette.ground);
}

/// The cores as columns of segments; a loaded one is lit to its top.
fn cores(state: &FrameState, brush: &mut Brush, [left, top, right, ground]: [f32; 4]) {
    let unit = brush.unit();
    if state.cores.is_empty() {
        brush.text(left, ground - 24.0 * unit, "the cores have not been looked at yet", brush.palette.label);
        return;
    }
    let most = ((right - left) / (6.0 * unit)).max(1.0) as usize;
    let each = state.cores.len().div_ceil(most);
    let count = state.cores.len().div_ceil(each);
    // A core alone is no wall.
    let step = ((right - left) / count as f32).min(0.4 * (right - left));
    let start = (0.5 * (left + right) - 0.5 * step * count as f32 + 0.14 * step).round();
    let segment = 7.0 * unit;
    let segments = ((ground - top - 22.0 * unit) / segment).max(1.0) as usize;
    for (i, group) in state.cores.chunks(each).enumerate() {
        let load = group.iter().copied().fold(0.0, f32::max).clamp(0.0, 1.0);
        let x = start + i as f32 * step;
        let wide = (0.72 * step).max(unit);
        for s in 0..segments {
            let y = ground - (s + 1) as f32 * segment;
            let part = (load * segments as f32 - s as f32).clamp(0.0, 1.0);
            let height = s as f32 / segments as f32;
            let hot = mixed(brush.palette.paper, brush.palette.accent, smooth(0.55, 1.0, height));
            brush.rect(x, y, wide, segment - 2.0 * unit, faded(brush.palette.track, 0.5));
            brush.rect(x, y, wide, segment - 2.0 * unit, faded(hot, part * (0.45 + 0.55 * height)));
        }
        if step > 40.0 * unit {
            let word = format!("{:.0} %", load * 100.0);
            let y = ground - segments as f32 * segment - 20.0 * unit;
            brush.text(x, y, &fit(&word, step / unit), brush.palette.label);
        }
    }
    brush.rect(left, ground, right - left, unit, faded(brush.palette.label, 0.6));
}

/// Memory as sediment: the youngest layer on top, as broad as the root of the part in use (so that a small part is seen),
/// and bright with the work of its second.
fn sediment(state: &FrameState, brush: &mut Brush, [left, ground, right, bottom]: [f32; 4]) {
    let unit = brush.unit();
    let layers = state.strata.layers();
    let total: f32 = layers.iter().map(|l| thickness(l.seconds)).sum();
    let room = bottom - ground - 4.0 * unit;
    let scale = (room / total.max(1.0)).min(9.0 * unit);
    let mut y = ground + 3.0 * unit;
    let wide = right - left;
    for layer in layers.iter().rev().take(MOST_STRATA) {
        let tall = thickness(layer.seconds) * scale;
        let [memory, cpu, ..] = layer.at;
        if let Some(memory) = memory {
            let color = mixed(brush.palette.label, brush.palette.accent, smooth(0.6, 1.0, memory));
            let light = 0.22 + 0.6 * cpu.unwrap_or(0.0);
            let depth = 1.0 - 0.5 * (y - ground) / (bottom - ground).max(1.0);
            brush.glow(
                left + 0.5 * wide * (1.0 - memory.sqrt()),
                y,
                wide * memory.sqrt(),
                (tall - unit).max(0.6 * tall),
                faded(color, light * depth),
                0.0,
            );
        }
        y += tall;
    }
}

/// How thick a layer of so many seconds is: pressed.
fn thickness(seconds: f32) -> f32 {
    1.0 + seconds.max(1.0).ln()
}

/// What else is measured, in words beside the section: a value with its bar, or why there is none.
fn organs(state: &FrameState, brush: &mut Brush, [left, top, right, bottom]: [f32; 4]) {
    let unit = brush.unit();
    let shown: Vec<(SignalId, &str, Reading)> = METERS
        .iter()
        .copied()
        .filter(|(id, ..)| !matches!(id, SignalId::Cpu | SignalId::Rate))
        .chain([(SignalId::Energy, "energy a token", (|v| format!("{v:.2} J")) as Reading)])
        .collect();
    let row = ((bottom - top) / shown.len() as f32).floor();
    let close = row < 42.0 * unit;
    let large = if row >= 64.0 * unit && right - left > 220.0 * unit { 2.0 } else { 1.0 };
    for (i, (id, label, read)) in shown.into_iter().enumerate() {
        let y = top + i as f32 * row;
        let after = brush.text(left, y, &fit(label, (right - left) / unit), brush.palette.label) + 8.0 * unit;
        if close {
            line(state, brush, id, read, [after, y, right]);
            continue;
        }
        let below = y + 18.0 * unit;
        match (state.signals.get(id), &state.absent[id as usize]) {
            (Some(value), _) => {
                let at = id.spec().position(value);
                let color = mixed(brush.palette.paper, brush.palette.accent, smooth(0.6, 1.0, at));
                brush.sized(left, below, large * unit, &read(value), color);
                let bar = below + 18.0 * large * unit;
                brush.rect(left, bar, right - left, 2.0 * unit, brush.palette.track);
                brush.rect(left, bar, (right - left) * at, 2.0 * unit, color);
            }
            (None, Some(reason)) => {
                brush.text(left, below, &fit("unavailable", (right - left) / unit), brush.palette.label);
                let reason = fit(reason, (right - left) / unit);
                if row >= 54.0 * unit {
                    brush.text(left, below + 18.0 * unit, &reason, faded(brush.palette.label, 0.75));
                }
            }
            (None, None) => {
                brush.text(left, below, "…", brush.palette.label);
            }
        }
    }
}

/// The same in the label's own line, where a row has room for no more.
fn line(state: &FrameState, brush: &mut Brush, id: SignalId, read: Reading, [x, y, right]: [f32; 3]) {
    let palette = brush.palette;
    let (text, color) = match (state.signals.get(id), &state.absent[id as usize]) {
        (Some(value), _) => {
            let hot = smooth(0.6, 1.0, id.spec().position(value));
            (read(value), mixed(palette.paper, palette.accent, hot))
        }
        (None, Some(_)) => ("unavailable".to_string(), faded(palette.label, 0.75)),
        (None, None) => ("…".to_string(), palette.label),
    };
    let text = fit(&text, (right - x) / brush.unit());
    brush.text(x, y, &text, color);
}
