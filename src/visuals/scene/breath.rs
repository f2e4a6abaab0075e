//! *breath*: waiting made visible. While the prompt is read a ring closes; while the next word is awaited the circle
//! fills like a chest; when the word is there it stands in the middle, large, and the breath goes out as a ring.

use super::brush::{Brush, Look, faded, mixed, smooth};
use super::{Claim, Place, Scene, What, page};
use crate::score::SignalId;
use crate::visuals::page::{Cell, Voice};
use crate::visuals::text::{Direction, Placed, Setting, words};
use crate::visuals::{FrameState, glyphs};

const MIDDLE: [f32; 4] = [0.25, 0.05, 0.75, 0.85];

pub const SCENE: Scene = Scene {
    name: "breath",
    help: "a circle that fills while a word is awaited, and empties when it is there",
    wgsl: Some(include_str!("breath.wgsl")),
    draw,
    over: true,
    claims: &[
        Claim { what: What::Token, region: MIDDLE },
        Claim { what: What::Certainty, region: [0.0, 0.0, 1.0, 0.95] },
        Claim { what: What::Signal(SignalId::Waiting), region: MIDDLE },
        Claim { what: What::Signal(SignalId::Prefill), region: MIDDLE },
        Claim { what: What::Signal(SignalId::Load), region: MIDDLE },
        Claim { what: What::Signal(SignalId::Entropy), region: MIDDLE },
    ],
    drift: "the full chest sways by a hundredth of its size, once in five seconds",
    drift_most: 4.0,
};

/// Marks on the ring that closes.
const TICKS: usize = 72;
/// Half cells of the line that stands in the middle: a line of classical verse.
const MOST: u32 = 16;
/// From line to line, in pixels of the type.
const LEADING: f32 = 18.0;
/// The chest at rest, as a part of the largest circle.
const REST: f32 = 0.70;
/// How long the breath goes out.
const OUT_S: f32 = 1.8;

fn draw(state: &FrameState, brush: &mut Brush, Place { bottom, ceiling }: Place) {
    let top = ceiling.map_or(0.0, |c| c.y * c.there);
    let middle = [(0.5 * brush.width).round(), (top + 0.5 * (bottom - top)).round()];
    let whole = 0.5 * (bottom - top).min(brush.width);
    brush.focus = middle;
    let palette = brush.palette;
    let waiting_s = state.signals.get(SignalId::Waiting).unwrap_or(0.0);
    let full = 1.0 - (-(waiting_s - 0.25).max(0.0) / 4.0).exp();
    let sway = full * 0.012 * (state.waiting_turn(5.0) * std::f32::consts::TAU).sin();
    let chest = whole * (REST + 0.20 * full + sway);

    // The chest: a soft disc that fills, and a rim that thickens.
    let tint = mixed(palette.prompt, palette.accent, full);
    brush.disc(middle, chest, faded(tint, 0.05 + 0.11 * full), 1.0);
    brush.ring(middle, chest, (1.0 + 3.0 * full) * brush.unit(), faded(tint, 0.25 + 0.5 * full));
    // How undecided the model was: a second rim that stands off.
    if let Some(bits) = state.signals.get(SignalId::Entropy) {
        let apart = SignalId::Entropy.spec().position(bits);
        brush.ring(middle, chest + whole * 0.12 * apart, brush.unit(), faded(palette.label, 0.12 + 0.3 * apart));
    }
    breathe_out(state, brush, middle, whole, chest);
    if state.reading || state.loading {
        let measure = if state.loading { SignalId::Load } else { SignalId::Prefill };
        close(brush, middle, whole * 0.95, state.signals.get(measure).unwrap_or(0.0));
    }
    say(state, brush, middle, whole);
}

/// The last tokens' breaths on their way out, each as strong as it was surprising.
fn breathe_out(state: &FrameState, brush: &mut Brush, middle: [f32; 2], whole: f32, chest: f32) {
    for mark in state.marks.iter().rev().take(24) {
        let age_s = state.since(mark.t_ns);
        if age_s > OUT_S {
            break;
        }
        let surprise = SignalId::Surprise.spec().position(mark.token.surprise_bits);
        let out = 1.0 - (1.0 - age_s / OUT_S) * (1.0 - age_s / OUT_S);
        let color = mixed(brush.palette.paper, brush.palette.accent, surprise);
        let left = (1.0 - age_s / OUT_S).powi(2) * (0.08 + 0.55 * surprise * surprise);
        brush.ring(middle, chest + out * (whole * 1.25 - chest).max(0.0), 2.0 * brush.unit(), faded(color, left));
    }
}

/// The ring of the prompt that is being read: as many marks as are done.
fn close(brush: &mut Brush, middle: [f32; 2], radius: f32, done: f32) {
    let unit = brush.unit();
    let lit = (done.clamp(0.0, 1.0) * TICKS as f32).round() as usize;
    for tick in 0..TICKS {
        let (sin, cos) = (tick as f32 / TICKS as f32 * std::f32::consts::TAU).sin_cos();
        let at = [middle[0] + radius * sin, middle[1] - radius * cos];
        let (size, color) =
            if tick < lit { (3.5 * unit, brush.palette.prompt) } else { (1.5 * unit, faded(brush.palette.label, 0.5)) };
        brush.disc(at, size, color, 0.2);
    }
}

/// The words since the last breath: the end of the line that is being written, in one line or two, as large as they can
/// stand within the chest.
fn say(state: &FrameState, brush: &mut Brush, middle: [f32; 2], whole: f32) {
    let cells = last_words(state);
    let text: String = cells.iter().map(|cell| cell.ch).collect();
    let wide = words::measure(&text, Direction::Across);
    if wide == 0 {
        return;
    }
    let mut placed = Vec::new();
    let mut set = |columns: u32, scale: f32, origin: [f32; 2]| {
        placed.clear();
        let setting = Setting { direction: Direction::Across, scale, origin };
        words::set(&text, columns, &setting, LEADING * scale, &mut placed)
    };
    // Two lines as even as can be, unless a single one is short.
    let columns = if wide <= MOST / 2 { wide } else { wide.div_ceil(2) };
    let columns = (columns..=wide).find(|columns| set(*columns, 1.0, [0.0; 2]).lines <= 2).unwrap_or(wide);
    let extent = set(columns, 1.0, [0.0; 2]);
    let most = page::scale(state, brush, brush.height) * 2.0;
    let fitting = (1.8 * REST * whole / (8.0 * extent.half_cells.max(4) as f32)).floor();
    let scale = fitting.min(most).max(1.0);
    let tall = (LEADING * (extent.lines - 1) as f32 + 16.0) * scale;
    set(
        columns,
        scale,
        [(middle[0] - 4.0 * scale * extent.half_cells as f32).round(), (middle[1] - 0.5 * tall).round()],
    );
    centred(&mut placed, middle[0], scale);
    for at in &placed {
        let Some(cell) = cells.get(at.cell) else { continue };
        let age_s = state.since(cell.born_ns);
        let come = 0.4 + 0.6 * smooth(0.0, 0.25, age_s);
        let color = if cell.voice == Voice::Performer { brush.palette.prompt } else { page::toned(state, cell.p) };
        let color = mixed(brush.palette.lit, color, smooth(0.0, 1.2, age_s));
        let look = page::doubted(state, cell.p);
        let look = if cell.left_ns.is_some() { Look::PLAIN.dissolved(0.6) } else { look };
        brush.placed(at, scale, faded(color, come), look);
    }
}

/// Moves each line of a text to the middle.
fn centred(placed: &mut [Placed], middle: f32, scale: f32) {
    for line in placed.chunk_by_mut(|a, b| a.y == b.y) {
        let ends = |at: &Placed| at.x + 8.0 * scale * at.half_cells as f32;
        let (from, to) = line.iter().fold((f32::MAX, f32::MIN), |(a, b), at| (a.min(at.x), b.max(ends(at))));
        line.iter_mut().for_each(|at| at.x = (at.x + middle - 0.5 * (from + to)).round());
    }
}

/// The end of the line that is being written, whole words as far as [`MOST`] allows. Its own full stop does not cut a
/// line off: the pause before that does.
fn last_words(state: &FrameState) -> Vec<&Cell> {
    let pause = |c: char| c == '\n' || "，。、！？；：,.!?;:".contains(c);
    let cells = state.page.cells();
    let (mut words, mut wide, mut whole) = (Vec::new(), 0, 0);
    for cell in cells.iter().rev().skip_while(|c| pause(c.ch) || c.ch == ' ') {
        wide += glyphs::advance(cell.ch);
        if pause(cell.ch) || wide > MOST {
            break;
        }
        // A Latin word ends where a space comes before it; a Han character is a word.
        if cell.ch == ' ' || glyphs::advance(cell.ch) == 2 {
            whole = words.len() + usize::from(cell.ch != ' ');
        }
        words.push(cell);
    }
    if wide > MOST && whole > 0 {
        words.truncate(whole);
    }
    words.reverse();
    words
}
